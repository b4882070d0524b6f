/** API, prover and settler as three processes on one PostgreSQL: each killed while it works, the API alone too. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { createLocalStack, type LocalStack } from '#cli/stack/local-stack.ts';
import type { Child } from '#cli/stack/child.ts';
import { answerAll, assertSettled, openCampaign, SEGMENT, submitAll, untilState, type Campaign } from './campaign.ts';

const LIMIT_MS = 240_000;
const DATABASE = process.env['STUN_E2E_DATABASE'];
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

if (DATABASE?.startsWith('postgres') !== true) {
  console.log(`    NOT TESTED: ${title} (set STUN_E2E_DATABASE to a PostgreSQL address)`);
} else {
  describe(title, function () {
    this.timeout(2 * LIMIT_MS);
    let directory: string;
    let stack: LocalStack;
    let api: Child;
    let prover: Child;
    let settler: Child;
    let database: Awaited<ReturnType<typeof freshDatabase>>;

    before(async () => {
      directory = mkdtempSync(join(tmpdir(), 'stun-roles-'));
      database = await freshDatabase(DATABASE);
      const service = { leaseSeconds: 4, enclaveGoneSeconds: 12, senderClaimSeconds: 15, sweepMs: 500 };
      stack = await createLocalStack({ directory, price: 700n, segmentIdleMs: 1000, service, database: database.url });
      await stack.startAttestors();
      [api, prover, settler] = (await stack.startSplitService()) as [Child, Child, Child];
      assert.equal(new Set([api.pid, prover.pid, settler.pid]).size, 3, 'three processes serve');
      await stack.startWorker('worker');
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

    /** Kills the API and nothing else; what it leaves is what the other two have to work with. */
    async function killApi(): Promise<void> {
      const others = [prover.pid, settler.pid];
      await api.kill();
      for (const pid of others) assert.ok(process.kill(pid, 0), 'prover and settler live on');
    }

    async function restartApi(): Promise<void> {
      [api] = (await stack.startSplitService(['api'])) as [Child];
    }

    it('ends every job once when prover and settler are killed with work in hand', async () => {
      const campaign = await openCampaign(stack, 'roles', SEGMENT);
      await submitAll(campaign, SEGMENT);
      await untilState(campaign, ['batched', 'proven', 'settled'], LIMIT_MS);
      await Promise.all([prover.kill(), settler.kill()]);
      [prover, settler] = (await stack.startSplitService(['prover', 'settler'])) as [Child, Child];
      await end(campaign);
    });

    it('ends every job once when the API alone is killed with jobs in its queue', async () => {
      const campaign = await openCampaign(stack, 'api-queued', SEGMENT + 1);
      await submitAll(campaign, SEGMENT + 1);
      await killApi();
      await restartApi();
      await end(campaign);
    });

    it('proves and settles a segment while the API is away', async () => {
      const campaign = await openCampaign(stack, 'api-batched', SEGMENT);
      await submitAll(campaign, SEGMENT);
      await untilState(campaign, ['batched', 'proven', 'settled'], LIMIT_MS);
      await killApi();
      const { escrow, deployment } = campaign.client.contracts;
      const deadline = Date.now() + LIMIT_MS;
      const settledNow = (): Promise<readonly unknown[]> =>
        escrow.settlements(deployment.deployBlock, { orderKey: campaign.order.orderKey });
      while ((await settledNow()).length === 0 && Date.now() < deadline) await sleep(300);
      assert.ok((await settledNow()).length > 0, 'settled without the API');
      await restartApi();
      await end(campaign);
    });
  });
}
