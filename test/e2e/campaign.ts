/**
 * One order driven to its end while processes die: every payload must be answered by exactly one receipt that the client accepts,
 * every job must end settled or void, and the money on chain must be the sum of the served receipts.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import {
  chooseEnclave,
  connectClient,
  fetchResult,
  openOrder,
  refundOrder,
  resubmitJobs,
  submitJobs,
  type ClientConnection,
  type OrderRecord,
} from '#client/index.ts';
import { creditJobs, creditModelId } from '#cli/demo/credit-jobs.ts';
import { ACCOUNT, addressOf, type LocalStack } from '#cli/stack/local-stack.ts';
import { StunError } from '#protocol/index.ts';

export const PRICE = 700n;
export const MAX_PRICE = 1000n;
/** How long a worker may take to be seen again. */
const LISTED_MS = 120_000;
export const SCALE = 10n ** 9n;
const ORDER_SECONDS = 7 * 86_400;
const GRACE_SECONDS = 86_400;
/** Short segments, so that a campaign has several. */
export const SEGMENT = 4;

/** A customer with an open order. */
export interface Campaign {
  readonly client: ClientConnection;
  readonly order: OrderRecord;
  readonly budgetWei: bigint;
  /** Jobs by the payload they answer: the newest one last. */
  readonly jobsOf: Map<number, string[]>;
}

/** Opens an order on a client home of its own. */
export async function openCampaign(stack: LocalStack, name: string, jobs: number): Promise<Campaign> {
  const client = await connectClient({
    home: `${stack.directory}/client-${name}`,
    passphrase: 'a passphrase of the tests',
    deployment: stack.deployment,
    rpcUrl: stack.chain.url,
    serviceUrl: stack.serviceUrl,
    privateKey: stack.chain.accounts[ACCOUNT.customer]!.privateKey,
    extraRoots: [stack.trustRoot],
    scryptCost: { n: 1024, r: 8, p: 1 },
  });
  const budgetWei = BigInt(4 * jobs) * MAX_PRICE * SCALE;
  const { order } = await openOrder(client, {
    modelId: creditModelId(),
    policy: simulatedPolicy,
    budgets: [{ provider: addressOf(stack, ACCOUNT.provider), amount: budgetWei }],
    token: NATIVE_TOKEN,
    deadlineUnix: (await stack.chain.nowUnix()) + ORDER_SECONDS,
    graceSeconds: GRACE_SECONDS,
    segmentLength: SEGMENT,
    priceScale: SCALE,
  });
  return { client, order, budgetWei, jobsOf: new Map() };
}

/** Submits the next `count` payloads, once the worker has come back from what the scenario before did to it. */
export async function submitAll(campaign: Campaign, count: number): Promise<void> {
  const first = campaign.jobsOf.size;
  await persist(() => chooseEnclave(campaign.client, campaign.order, { maxPrice: MAX_PRICE }), LISTED_MS);
  const payloads = creditJobs(32)
    .slice(first, first + count)
    .map(({ payload }) => ({ payload, maxPrice: MAX_PRICE }));
  const submitted = await submitJobs(campaign.client, campaign.order, payloads);
  for (const [i, { jobId }] of submitted.entries()) campaign.jobsOf.set(first + i, [jobId]);
}

/** Tries again while the service or the chain is away, which in these tests they often are. */
export async function persist<T>(work: () => Promise<T>, deadlineMs: number): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await work();
    } catch (thrown) {
      const away = !(thrown instanceof StunError) || /UNREACHABLE|UNAVAILABLE|PENDING|ENCLAVE|BUSY|CHAIN/.test(thrown.code);
      if (!away || Date.now() > end) throw thrown;
      await sleep(300);
    }
  }
}

/** Fetches every result; voided jobs are sent again. @returns the number of jobs that were sent again */
export async function answerAll(campaign: Campaign, deadlineMs: number): Promise<number> {
  const { client, order, jobsOf } = campaign;
  let again = 0;
  for (const [payload, jobIds] of jobsOf) {
    for (let answered = false; !answered;) {
      const jobId = jobIds.at(-1)!;
      try {
        const { checked } = await persist(() => fetchResult(client, jobId, { timeoutMs: 5000 }), deadlineMs);
        assert.equal(checked.status, 'served', `payload ${payload}`);
        answered = true;
      } catch (thrown) {
        if (!(thrown instanceof StunError) || thrown.code !== 'STUN_JOB_VOIDED') throw thrown;
        const sent = await persist(() => resubmitJobs(client, order, {}, [jobId]), deadlineMs);
        for (const { submitted } of sent) jobIds.push(submitted.jobId);
        again++;
      }
    }
  }
  return again;
}

/** States of all jobs as the service has them. */
export async function statesOf({ client, jobsOf }: Campaign): Promise<Map<string, string>> {
  const states = new Map<string, string>();
  for (const jobId of [...jobsOf.values()].flat()) {
    const job = await client.service.job(jobId);
    states.set(jobId, job?.state ?? 'unknown');
  }
  return states;
}

/** Waits until the jobs are in exactly these states, in the order in which they were submitted. */
export async function untilExactly(campaign: Campaign, wanted: readonly string[], deadlineMs: number): Promise<void> {
  const text = wanted.join(', ');
  await untilStates(campaign, (states) => states.join(', ') === text, text, deadlineMs);
}

/** Waits until the job that was submitted last has a receipt. */
export async function untilLastServed(campaign: Campaign, deadlineMs: number): Promise<void> {
  const served = ['receipted', 'batched', 'proven', 'settled'];
  await untilStates(campaign, (states) => served.includes(states.at(-1)!), served.join(' or '), deadlineMs);
}

/** Waits until the states of all jobs fit. @returns them by job */
async function untilStates(
  campaign: Campaign,
  fit: (states: readonly string[]) => boolean,
  what: string,
  deadlineMs: number,
): Promise<ReadonlyMap<string, string>> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const states = await persist(() => statesOf(campaign), deadlineMs);
    const list = [...states.values()];
    if (fit(list)) return states;
    if (Date.now() > end) assert.fail(`the jobs did not become ${what}: ${list.join(', ')}`);
    await sleep(50);
  }
}

/** Waits until every job has ended, and checks the sums. */
export async function assertSettled(stack: LocalStack, campaign: Campaign, deadlineMs: number): Promise<void> {
  const { client, order, budgetWei, jobsOf } = campaign;
  const { escrow, deployment } = client.contracts;
  const ended = (list: readonly string[]): boolean => list.every((state) => state === 'settled' || state === 'void');
  const states = await untilStates(campaign, ended, 'settled or void', deadlineMs);
  let served = 0;
  for (const [payload, jobIds] of jobsOf) {
    const settled = jobIds.filter((jobId) => states.get(jobId) === 'settled');
    assert.equal(settled.at(-1), jobIds.at(-1), `payload ${payload} is paid for by its last job`);
    // A job that was given up and sent again can turn out to have been served: its receipt comes late and is paid for, too.
    served += settled.length;
  }
  const settlements = await escrow.settlements(deployment.deployBlock, { orderKey: order.orderKey });
  const total = settlements.reduce((sum, event) => sum + event.total, 0n);
  assert.equal(total, PRICE * BigInt(served), 'the chain paid each served job once');
  const paid = settlements.reduce((sum, event) => sum + event.credited + event.fee, 0n);
  const { remaining } = await escrow.budget(order.orderKey, addressOf(stack, ACCOUNT.provider));
  assert.equal(paid + remaining, budgetWei, 'money in is money paid and money held');
  assert.equal(new Set(settlements.map((event) => event.laneNew)).size, settlements.length, 'no lane moved twice to one head');
}

/**
 * Ends an order of which nothing was settled: its deadline and grace pass on chain, the customer takes everything back, and the service
 * has to end the jobs in exactly these states, in the order in which they were submitted.
 */
export async function assertRefunded(
  stack: LocalStack,
  campaign: Campaign,
  ends: readonly ('void' | 'refunded')[],
  deadlineMs: number,
): Promise<void> {
  const { client, order, budgetWei } = campaign;
  const { escrow, deployment } = client.contracts;
  await stack.chain.increaseTime(ORDER_SECONDS + GRACE_SECONDS + 1);
  const { refunds } = await refundOrder(client, order);
  assert.deepEqual(
    refunds,
    [{ provider: addressOf(stack, ACCOUNT.provider), amount: budgetWei }],
    'money in is money given back',
  );
  await untilExactly(campaign, ends, deadlineMs);
  assert.deepEqual(await escrow.settlements(deployment.deployBlock, { orderKey: order.orderKey }), [], 'nothing was paid');
  const { remaining } = await escrow.budget(order.orderKey, addressOf(stack, ACCOUNT.provider));
  assert.equal(remaining, 0n, 'nothing is held any more');
}
