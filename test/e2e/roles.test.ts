/** API, prover and settler as three processes on one PostgreSQL: each killed alone, with jobs held in its hands. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { createLocalStack, type LocalStack, type ServiceRole } from '#cli/stack/local-stack.ts';
import type { Child } from '#cli/stack/child.ts';
import { describeAbsent } from '#test/absent.ts';
import { arrangements, type Held } from './arrangements.ts';
import { answerAll, assertSettled, openCampaign, SEGMENT, type Campaign } from './campaign.ts';
import { Holds } from './hold-points.ts';

const LIMIT_MS = 240_000;
const ROLES = ['api', 'prover', 'settler'] as const;
const DATABASE = process.env['STUN_E2E_DATABASE'] ?? '';
const ON_POSTGRES = DATABASE.startsWith('postgres');
const title = 'the roles of a service as processes of their own';

/** A database of its own on the same server: another chain's settlements must not be in it. */
async function freshDatabase(url: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `stun_roles_${randomBytes(6).toString('hex')}`;
  const run = async (statement: string): Promise<void> => {
    const admin = new Client({ connectionString: url });
    await admin.connect();
    try {
      await admin.query(statement);
    } finally {
      await admin.end();
    }
  };
  await run(`CREATE DATABASE ${name}`);
  const address = new URL(url);
  address.pathname = `/${name}`;
  return { url: address.href, drop: () => run(`DROP DATABASE ${name} WITH (FORCE)`) };
}

const describeRoles = ON_POSTGRES ? describe : describeAbsent(title, 'set STUN_E2E_DATABASE to a PostgreSQL address');
describeRoles(title, function () {
  this.timeout(2 * LIMIT_MS);
  let directory: string;
  let stack: LocalStack;
  let roles: Record<ServiceRole, Child>;
  let worker: Child;
  let database: Awaited<ReturnType<typeof freshDatabase>>;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'stun-roles-'));
    database = await freshDatabase(DATABASE);
    const service = { leaseSeconds: 8, enclaveGoneSeconds: 12, senderClaimSeconds: 15, sweepMs: 500 };
    stack = await createLocalStack({ directory, price: 700n, segmentIdleMs: 1000, service, database: database.url });
    await stack.startAttestors();
    const [api, prover, settler] = (await stack.startSplitService(ROLES)) as [Child, Child, Child];
    roles = { api, prover, settler };
    assert.equal(new Set([api.pid, prover.pid, settler.pid]).size, 3, 'three processes serve');
    worker = await stack.startWorker('worker');
  });
  after(async () => {
    await stack?.stop();
    await database?.drop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function end(campaign: Campaign): Promise<void> {
    await answerAll(campaign, LIMIT_MS);
    await assertSettled(stack, campaign, LIMIT_MS);
    campaign.client.close();
  }

  async function restart(role: ServiceRole): Promise<void> {
    [roles[role]] = (await stack.startSplitService([role])) as [Child];
  }

  /** Kills one role and nothing else with jobs held in a state, and `away` is done before it is started again. */
  async function killAlone(
    role: ServiceRole,
    state: Held,
    away: (campaign: Campaign, holds: Holds) => Promise<void> = async () => undefined,
  ): Promise<void> {
    const campaign = await openCampaign(stack, `${role}-${state}`, 3 * SEGMENT);
    const holds = new Holds();
    try {
      await arrangements[state]({ chain: stack.chain, worker, prover: roles.prover }, campaign, holds);
      await roles[role].kill();
      for (const other of ROLES.filter((one) => one !== role)) assert.ok(process.kill(roles[other].pid, 0), `${other} lives on`);
      await away(campaign, holds);
      await restart(role);
    } finally {
      await holds.release();
    }
    await end(campaign);
  }

  const killings: readonly (readonly [ServiceRole, Held])[] = [
    ['prover', 'batched'],
    ['settler', 'proven'],
    ['api', 'running'],
    ['api', 'receipted'],
  ];
  for (const [role, state] of killings)
    it(`ends every job once when the ${role} alone is killed with jobs ${state}`, () => killAlone(role, state));

  it('proves and settles a segment while the API is away', () =>
    killAlone('api', 'batched', async ({ client, order }, holds) => {
      await holds.release();
      const { escrow, deployment } = client.contracts;
      const deadline = Date.now() + LIMIT_MS;
      const settledNow = async (): Promise<boolean> =>
        (await escrow.settlements(deployment.deployBlock, { orderKey: order.orderKey })).length > 0;
      while (!(await settledNow()) && Date.now() < deadline) await sleep(300);
      assert.ok(await settledNow(), 'settled without the API');
    }));
});
