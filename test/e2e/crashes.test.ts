/**
 * kill -9 of service and worker while jobs are in every state, an outage of the chain, and a revocation between lease and batch. All
 * processes are real; the chain is the development chain. After each, every job has ended once and the sums agree.
 * `npm test` runs one of the scenarios, chosen by a printed seed; STUN_E2E=all and STUN_DEPTH=full run all of them.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { contractsOf } from '#chain/deployment.ts';
import type { Child } from '#cli/stack/child.ts';
import { ACCOUNT, createLocalStack, type LocalStack } from '#cli/stack/local-stack.ts';
import { depth, sampleCases } from '#test/depth.ts';
import {
  answerAll,
  assertSettled,
  openCampaign,
  persist,
  SEGMENT,
  statesOf,
  submitAll,
  untilState,
  type Campaign,
} from './campaign.ts';

const LIMIT_MS = 240_000;
const SAMPLED = 1;
const DATABASE = process.env['STUN_E2E_DATABASE'];
const POSTGRES = DATABASE?.startsWith('postgres') ? DATABASE : undefined;
const GONE_SECONDS = 12;
const OUTAGE_MS = depth() === 'full' ? 600_000 : 10_000;

/** The processes that die. */
interface Deployment {
  readonly stack: LocalStack;
  service: Child;
  worker: Child;
}

async function restartService(deployment: Deployment): Promise<void> {
  await deployment.service.kill();
  deployment.service = await deployment.stack.startService();
}

async function end({ stack }: Deployment, campaign: Campaign): Promise<void> {
  await answerAll(campaign, LIMIT_MS);
  await assertSettled(stack, campaign, LIMIT_MS);
  campaign.client.close();
}

/** Kills the service once some job has come as far as `state`. */
async function killServiceAt(deployment: Deployment, state: 'queued' | 'receipted' | 'batched'): Promise<void> {
  const campaign = await openCampaign(deployment.stack, `service-${state}`, SEGMENT);
  await submitAll(campaign, SEGMENT);
  await untilState(campaign, [state, 'batched', 'proven', 'settled'], LIMIT_MS);
  await restartService(deployment);
  await end(deployment, campaign);
}

/** Away for longer than an enclave may be silent, with a job in work: its receipt has to reach a service that has ended its lease. */
async function serviceAway(deployment: Deployment): Promise<void> {
  const campaign = await openCampaign(deployment.stack, 'service-away', SEGMENT);
  await submitAll(campaign, SEGMENT);
  await untilState(campaign, ['receipted', 'batched', 'proven', 'settled'], LIMIT_MS);
  await deployment.service.kill();
  await sleep((GONE_SECONDS + 2) * 1000);
  deployment.service = await deployment.stack.startService();
  await end(deployment, campaign);
}

/** Away from the chain a proof is made and cannot settle; then the service dies. */
async function killServiceWithProof(deployment: Deployment): Promise<void> {
  const { chain } = deployment.stack;
  const campaign = await openCampaign(deployment.stack, 'service-proven', SEGMENT);
  await submitAll(campaign, SEGMENT);
  await untilState(campaign, ['batched'], LIMIT_MS);
  await chain.goOffline();
  await untilState(campaign, ['proven'], 60_000).catch(() => undefined);
  await chain.goOnline();
  await restartService(deployment);
  await end(deployment, campaign);
}

async function killWorker(deployment: Deployment): Promise<void> {
  const campaign = await openCampaign(deployment.stack, 'worker', SEGMENT + 2);
  await submitAll(campaign, SEGMENT + 2);
  await untilState(campaign, ['receipted', 'batched'], LIMIT_MS);
  await deployment.worker.kill();
  deployment.worker = await deployment.stack.startWorker('worker');
  await end(deployment, campaign);
}

async function killBoth(deployment: Deployment): Promise<void> {
  const { stack } = deployment;
  const campaign = await openCampaign(stack, 'both', SEGMENT + 1);
  await submitAll(campaign, SEGMENT + 1);
  await untilState(campaign, ['receipted', 'batched'], LIMIT_MS);
  await Promise.all([deployment.worker.kill(), deployment.service.kill()]);
  deployment.service = await stack.startService();
  deployment.worker = await stack.startWorker('worker');
  await end(deployment, campaign);
}

async function chainAway(deployment: Deployment): Promise<void> {
  const { chain } = deployment.stack;
  const campaign = await openCampaign(deployment.stack, 'outage', SEGMENT);
  await submitAll(campaign, SEGMENT);
  await chain.goOffline();
  await sleep(OUTAGE_MS);
  await chain.goOnline();
  await end(deployment, campaign);
}

/** What a restart of PostgreSQL does to its clients: every connection ends, whatever it was doing. */
async function endConnections(url: string): Promise<number> {
  const admin = new Client({ connectionString: url });
  await admin.connect();
  try {
    const ended = await admin.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    return ended.rowCount ?? 0;
  } finally {
    await admin.end();
  }
}

async function databaseRestarts(deployment: Deployment): Promise<void> {
  const campaign = await openCampaign(deployment.stack, 'database', SEGMENT);
  await persist(() => submitAll(campaign, SEGMENT), LIMIT_MS);
  let ended = 0;
  for (const state of ['receipted', 'batched', 'proven'] as const) {
    await untilState(campaign, [state, 'batched', 'proven', 'settled'], LIMIT_MS);
    ended += await endConnections(POSTGRES!);
    await sleep(1000);
  }
  assert.ok(ended > 0, 'the service must have had connections to lose');
  await end(deployment, campaign);
}

/** The last scenario of a deployment: its enclave is gone afterwards. */
async function revoke({ stack }: Deployment): Promise<void> {
  const campaign = await openCampaign(stack, 'revoked', 2);
  await submitAll(campaign, 2);
  await untilState(campaign, ['receipted', 'batched'], LIMIT_MS);
  const { registry } = contractsOf(stack.deployment, stack.chain.wallet(ACCOUNT.provider));
  const registered = await registry.registrations(stack.deployment.deployBlock);
  await registry.revoke(registered.at(-1)!.keysetDigest);
  await sleep(15_000);
  const { escrow, deployment } = campaign.client.contracts;
  const settlements = await escrow.settlements(deployment.deployBlock, { orderKey: campaign.order.orderKey });
  const states = [...(await persist(() => statesOf(campaign), LIMIT_MS)).values()];
  // The proof can have been accepted in the moment before; otherwise nothing settles any more and the customer keeps the money.
  assert.equal(settlements.length === 0, !states.includes('settled'), states.join(', '));
  campaign.client.close();
}

const scenarios: readonly (readonly [string, (deployment: Deployment) => Promise<void>])[] = [
  ['the service is killed while jobs are queued', (deployment) => killServiceAt(deployment, 'queued')],
  ['the service is killed while jobs are receipted', (deployment) => killServiceAt(deployment, 'receipted')],
  ['the service is killed while jobs are batched', (deployment) => killServiceAt(deployment, 'batched')],
  ['the service is away for longer than an enclave may be silent', serviceAway],
  ['the service is killed with a proof that is not settled', killServiceWithProof],
  ['the worker is killed with jobs waiting and others receipted', killWorker],
  ['worker and service are killed together', killBoth],
  ['the chain is away for a while', chainAway],
  ...(POSTGRES === undefined ? [] : ([['the database ends every connection', databaseRestarts]] as const)),
  ['the enclave is revoked between lease and batch', revoke],
];

describe('every job ends exactly once and the sums agree', function () {
  this.timeout(LIMIT_MS + OUTAGE_MS + 120_000);
  let directory: string;
  let deployment: Deployment;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'stun-crashes-'));
    const stack = await createLocalStack({
      directory,
      price: 700n,
      segmentIdleMs: 1000,
      service: { leaseSeconds: 4, enclaveGoneSeconds: GONE_SECONDS, senderClaimSeconds: 15, sweepMs: 500 },
      ...(DATABASE !== undefined && { database: DATABASE }),
    });
    await stack.startAttestors();
    deployment = { stack, service: await stack.startService(), worker: await stack.startWorker('worker') };
  });
  after(async () => {
    await deployment?.stack.stop();
    if (process.env['STUN_TEST_KEEP_LOGS'] === undefined) rmSync(directory, { recursive: true, force: true });
  });

  const chosen = process.env['STUN_E2E'] === 'all' ? scenarios : sampleCases(scenarios, SAMPLED);
  for (const [what, run] of chosen) it(`when ${what}`, () => run(deployment));
});
