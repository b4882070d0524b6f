/**
 * kill -9 of service and worker while jobs are in every state, outages of the chain, and a revocation between lease and batch. All
 * processes are real; the chain is the development chain. After each, every job has ended once and the sums agree.
 * `npm test` runs one of the scenarios, chosen by a printed seed; STUN_E2E=all and STUN_DEPTH=full run all of them.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { contractsOf } from '#chain/deployment.ts';
import type { Child } from '#cli/stack/child.ts';
import { ACCOUNT, createLocalStack, type LocalStack } from '#cli/stack/local-stack.ts';
import { describeAbsent } from '#test/absent.ts';
import { depth, sampleCases } from '#test/depth.ts';
import { copyMigratedStore } from '#test/integration/service/kept-store.ts';
import {
  answerAll,
  assertRefunded,
  assertSettled,
  openCampaign,
  SEGMENT,
  statesOf,
  submitAll,
  untilExactly,
  type Campaign,
} from './campaign.ts';
import { arrangements, type Held } from './arrangements.ts';
import { Holds } from './hold-points.ts';

const LIMIT_MS = 240_000;
const SAMPLED = 1;
const DATABASE = process.env['STUN_E2E_DATABASE'];
/** Starts and stops that PostgreSQL: `pg_ctl` and all its options but the action. */
const POSTGRES_CTL = DATABASE?.startsWith('postgres') ? process.env['STUN_E2E_POSTGRES_CTL'] : undefined;
const DATABASE_AWAY_MS = 3000;
/** A process that was told to stop and does not within this time is killed, which shows in its exit status. */
const STOP_LIMIT_MS = 60_000;
const segmentStates = z.looseObject({ segments: z.array(z.looseObject({ state: z.string() })) });
const GONE_SECONDS = 12;
/** How old what a worker knows of the chain may be, its `chainViewMaxAgeMs`. */
const CHAIN_VIEW_MS = 3000;
const OUTAGE_MS = depth() === 'full' ? 600_000 : 10_000;
const SHORT_OUTAGE_MS = 5000;

/** The processes that die. */
interface Deployment {
  readonly stack: LocalStack;
  readonly attestors: Child[];
  service: Child;
  worker: Child;
}

async function restart(deployment: Deployment, name: 'service' | 'worker'): Promise<void> {
  const { stack } = deployment;
  deployment[name] = await (name === 'service' ? stack.startService() : stack.startWorker(name));
}

async function end({ stack }: Deployment, campaign: Campaign): Promise<void> {
  await answerAll(campaign, LIMIT_MS);
  await assertSettled(stack, campaign, LIMIT_MS);
  campaign.client.close();
}

/** Brings jobs to a state and keeps them there; a service in one process proves too. */
function hold({ stack, service, worker }: Deployment, state: Held, campaign: Campaign, holds: Holds): Promise<void> {
  return arrangements[state]({ chain: stack.chain, worker, prover: service }, campaign, holds);
}

/**
 * Kills processes while jobs are held in a state, starts them again in this order (a worker waits for its service), and only then lets the
 * rest go on.
 */
async function killAt(deployment: Deployment, state: Held, ...killed: readonly ('service' | 'worker')[]): Promise<void> {
  const campaign = await openCampaign(deployment.stack, `${killed.join('-')}-${state}`, 3 * SEGMENT);
  const holds = new Holds();
  try {
    await hold(deployment, state, campaign, holds);
    await Promise.all(killed.map((name) => deployment[name].kill()));
    for (const name of killed) {
      // It registers before it serves, which takes a chain that mines.
      if (name === 'worker' && state === 'proven') await holds.release();
      await restart(deployment, name);
    }
  } finally {
    await holds.release();
  }
  await end(deployment, campaign);
}

/**
 * Away for longer than an enclave may be silent, with a job in work: its receipt has to reach a service that has ended its lease.
 */
async function serviceAway(deployment: Deployment): Promise<void> {
  const campaign = await openCampaign(deployment.stack, 'service-away', SEGMENT);
  const holds = new Holds();
  try {
    await hold(deployment, 'running', campaign, holds);
    await deployment.service.kill();
  } finally {
    await holds.release();
  }
  await sleep((GONE_SECONDS + 2) * 1000);
  await restart(deployment, 'service');
  await end(deployment, campaign);
}

/** Away with a job running, with a proof in work, or with a transaction in hand that is mined and of which nobody hears. */
async function chainAway(deployment: Deployment, state: 'running' | 'batched' | 'proven', outageMs: number): Promise<void> {
  const { chain } = deployment.stack;
  const campaign = await openCampaign(deployment.stack, `outage-${state}`, SEGMENT);
  const holds = new Holds();
  try {
    await hold(deployment, state, campaign, holds);
    await chain.goOffline();
    try {
      await holds.release();
      await sleep(outageMs);
    } finally {
      await chain.goOnline();
    }
  } finally {
    await holds.release();
  }
  await end(deployment, campaign);
}

/**
 * The server goes away as in a power cut, with a job in work and then with a proof in work: for a while connections are refused, then it
 * recovers and answers that it is starting up.
 */
async function databaseRestarts(deployment: Deployment): Promise<void> {
  for (const state of ['running', 'batched'] as const) {
    const campaign = await openCampaign(deployment.stack, `database-${state}`, SEGMENT);
    const holds = new Holds();
    try {
      await hold(deployment, state, campaign, holds);
      await controlPostgres('-m immediate stop');
      await assert.rejects(statesOf(campaign), 'a service without its store must not answer for it');
      await holds.release();
      await sleep(DATABASE_AWAY_MS);
    } finally {
      await holds.release();
      await controlPostgres('start');
    }
    await end(deployment, campaign);
  }
}

/** Runs the command that starts and stops the server, see CONTRIBUTING.md. */
async function controlPostgres(what: string): Promise<void> {
  await promisify(execFile)('sh', ['-c', `${POSTGRES_CTL!} ${what}`], { cwd: '/' });
}

/** Waits until the enclaves have asked for what only a living attestor gives. */
async function untilAsked(attestor: Child, asked: number): Promise<void> {
  const limit = Date.now() + LIMIT_MS;
  while (approvalsOf(attestor) <= asked) {
    if (Date.now() > limit) assert.fail(`${attestor.name} was not asked for an approval`);
    await sleep(50);
  }
}

function approvalsOf(attestor: Child): number {
  return readFileSync(attestor.logPath, 'utf8').split('/v1/attestations').length - 1;
}

/** One of three attestors hangs while an enclave registers, and dies: the two others are the quorum. */
async function killAttestor(deployment: Deployment): Promise<void> {
  const { stack, attestors } = deployment;
  const { registry } = contractsOf(stack.deployment, stack.chain.wallet(ACCOUNT.provider));
  const registered = async (): Promise<number> => (await registry.registrations(stack.deployment.deployBlock)).length;
  await deployment.worker.stop();
  const before = await registered();
  const asked = approvalsOf(attestors[0]!);
  const holds = new Holds();
  try {
    await holds.stop(attestors[2]!.pid);
    const starting = stack.startWorker('worker');
    starting.catch(() => undefined);
    await untilAsked(attestors[0]!, asked);
    assert.equal(await registered(), before, 'the registration waits for the third attestor');
    await attestors[2]!.kill();
    deployment.worker = await starting;
  } finally {
    await holds.release();
  }
  assert.equal(await registered(), before + 1, 'two approvals registered the enclave');
  const campaign = await openCampaign(stack, 'attestor', SEGMENT);
  await submitAll(campaign, SEGMENT);
  await end(deployment, campaign);
  [attestors[2]] = (await stack.startAttestors([2])) as [Child];
}

/** SIGTERM to the worker with a job running and another one queued, then to the service with a proof in work. */
async function terminate(deployment: Deployment): Promise<void> {
  const { service, worker } = deployment;
  const campaign = await openCampaign(deployment.stack, 'terminated', SEGMENT);
  const proof = new Holds();
  const job = new Holds();
  try {
    await proof.stopChildOf(service.pid, 'prover.process');
    await hold(deployment, 'running', campaign, job);
    const workerStops = worker.stop(STOP_LIMIT_MS);
    await job.release();
    await workerStops;
    assert.equal(await worker.exited, 0, 'the worker ends by itself');
    const [running, queued] = [...(await statesOf(campaign)).values()];
    assert.equal(running, 'batched', 'its job was finished and its segment handed over');
    assert.ok(queued === 'queued' || queued === 'void', `the other job was left alone, but is ${queued}`);
    const serviceStops = service.stop(STOP_LIMIT_MS);
    await proof.release();
    await serviceStops;
    assert.equal(await service.exited, 0, 'the service ends by itself');
  } finally {
    await job.release();
    await proof.release();
  }
  await restart(deployment, 'service');
  await restart(deployment, 'worker');
  await end(deployment, campaign);
}

/** Waits until the service has given up the segments of the order. */
async function untilSegmentsFailed({ client, order }: Campaign): Promise<void> {
  const limit = Date.now() + LIMIT_MS;
  const request = { method: 'GET', path: `/v1/orders/${order.orderKey}/audit` } as const;
  for (;;) {
    const { segments } = await client.service.http.json(request, segmentStates);
    if (segments.length > 0 && segments.every(({ state }) => state === 'failed')) return;
    if (Date.now() > limit) assert.fail(`segments are ${segments.map(({ state }) => state).join(', ')}`);
    await sleep(200);
  }
}

/**
 * Revoked with a segment handed over and not proved, a job leased and another one queued: nothing of it may be paid for, and the customer
 * gets all money back. What was served is refunded, what was not is declined and void. The last scenario of a deployment: its enclave is gone
 * and its chain eight days on.
 */
async function revoke(deployment: Deployment): Promise<void> {
  const { stack, worker } = deployment;
  const campaign = await openCampaign(stack, 'revoked', 2 * SEGMENT);
  const holds = new Holds();
  const batched = Array<string>(SEGMENT).fill('batched');
  try {
    await hold(deployment, 'batched', campaign, holds);
    await holds.stop(worker.pid);
    await submitAll(campaign, 2);
    await untilExactly(campaign, [...batched, 'leased', 'queued'], LIMIT_MS);
    const { registry } = contractsOf(stack.deployment, stack.chain.wallet(ACCOUNT.provider));
    const registered = await registry.registrations(stack.deployment.deployBlock);
    await registry.revoke(registered.at(-1)!.keysetDigest);
    await sleep(CHAIN_VIEW_MS);
  } finally {
    await holds.release();
  }
  await untilSegmentsFailed(campaign);
  await untilExactly(campaign, [...batched, 'void', 'void'], LIMIT_MS);
  await assertRefunded(stack, campaign, [...batched.map(() => 'refunded' as const), 'void', 'void'], LIMIT_MS);
  campaign.client.close();
}

type Scenario = readonly [string, (deployment: Deployment) => Promise<void>];

const scenarios: readonly Scenario[] = [
  ['the service is killed with a job leased and another queued', (deployment) => killAt(deployment, 'leased', 'service')],
  ['the service is killed with a job running', (deployment) => killAt(deployment, 'running', 'service')],
  ['the service is killed while jobs are receipted', (deployment) => killAt(deployment, 'receipted', 'service')],
  ['the service is killed while jobs are batched', (deployment) => killAt(deployment, 'batched', 'service')],
  ['the service is killed with a proof that is not settled', (deployment) => killAt(deployment, 'proven', 'service')],
  ['the service is away for longer than an enclave may be silent', serviceAway],
  ['the worker is killed with a job leased and another queued', (deployment) => killAt(deployment, 'leased', 'worker')],
  ['the worker is killed with a job running', (deployment) => killAt(deployment, 'running', 'worker')],
  ['the worker is killed while jobs are receipted', (deployment) => killAt(deployment, 'receipted', 'worker')],
  ['the worker is killed while jobs are batched', (deployment) => killAt(deployment, 'batched', 'worker')],
  ['the worker is killed with a proof that is not settled', (deployment) => killAt(deployment, 'proven', 'worker')],
  ['worker and service are killed together', (deployment) => killAt(deployment, 'receipted', 'service', 'worker')],
  ['the chain is away for a while with a job running', (deployment) => chainAway(deployment, 'running', OUTAGE_MS)],
  ['the chain is away with jobs batched', (deployment) => chainAway(deployment, 'batched', SHORT_OUTAGE_MS)],
  ['the chain is away with a proof that is not settled', (deployment) => chainAway(deployment, 'proven', SHORT_OUTAGE_MS)],
  ...(POSTGRES_CTL === undefined ? [] : ([['the database restarts', databaseRestarts]] as const)),
  ['an attestor is killed during a registration', killAttestor],
  ['worker and service are told to stop with work in hand', terminate],
  ['the enclave is revoked between lease and batch', revoke],
];

const title = 'every job ends exactly once and the sums agree';
if (POSTGRES_CTL === undefined) {
  const remedy = 'set STUN_E2E_DATABASE and STUN_E2E_POSTGRES_CTL, see CONTRIBUTING.md';
  describeAbsent('a database that restarts', remedy)(title, () => void it('when the database restarts'));
}

describe(title, function () {
  this.timeout(LIMIT_MS + OUTAGE_MS + 120_000);
  let directory: string;
  let deployment: Deployment;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'stun-crashes-'));
    const stack = await createLocalStack({
      directory,
      price: 700n,
      segmentIdleMs: 1000,
      service: { leaseSeconds: 8, enclaveGoneSeconds: GONE_SECONDS, senderClaimSeconds: 15, sweepMs: 500 },
      database: DATABASE ?? (await copyMigratedStore(join(directory, 'service-db'))),
    });
    const attestors = [...(await stack.startAttestors())];
    deployment = { stack, attestors, service: await stack.startService(), worker: await stack.startWorker('worker') };
  });
  after(async () => {
    await deployment?.stack.stop();
    if (process.env['STUN_TEST_KEEP_LOGS'] === undefined) rmSync(directory, { recursive: true, force: true });
  });

  const chosen = process.env['STUN_E2E'] === 'all' ? scenarios : sampleCases(scenarios, SAMPLED);
  for (const [what, run] of chosen) it(`when ${what}`, () => run(deployment));
});
