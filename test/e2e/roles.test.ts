/** API, prover and settler as three processes on one PostgreSQL, the prover and the settler killed while they work. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { createLocalStack, type LocalStack } from '#cli/stack/local-stack.ts';
import type { Child } from '#cli/stack/child.ts';
import { answerAll, assertSettled, openCampaign, SEGMENT, submitAll, untilState } from './campaign.ts';

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
    let children: readonly Child[];
    let database: Awaited<ReturnType<typeof freshDatabase>>;

    before(async () => {
      directory = mkdtempSync(join(tmpdir(), 'stun-roles-'));
      database = await freshDatabase(DATABASE);
      const service = { leaseSeconds: 4, enclaveGoneSeconds: 12, sweepMs: 500 };
      stack = await createLocalStack({ directory, price: 700n, segmentIdleMs: 1000, service, database: database.url });
      await stack.startAttestors();
      children = await stack.startSplitService();
      assert.equal(new Set(children.map((child) => child.pid)).size, 3, 'three processes serve');
      await stack.startWorker('worker');
    });
    after(async () => {
      await stack?.stop();
      await database?.drop();
      rmSync(directory, { recursive: true, force: true });
    });

    it('ends every job once when prover and settler are killed with work in hand', async () => {
      const campaign = await openCampaign(stack, 'roles', SEGMENT);
      await submitAll(campaign, SEGMENT);
      await untilState(campaign, ['batched', 'proven', 'settled'], LIMIT_MS);
      const [, prover, settler] = children;
      await Promise.all([prover!.kill(), settler!.kill()]);
      await stack.startSplitService(['prover', 'settler']);
      await answerAll(campaign, LIMIT_MS);
      await assertSettled(stack, campaign, LIMIT_MS);
      campaign.client.close();
    });
  });
}
