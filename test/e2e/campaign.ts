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
    deadlineUnix: (await stack.chain.nowUnix()) + 7 * 86_400,
    graceSeconds: 86_400,
    segmentLength: SEGMENT,
    priceScale: SCALE,
  });
  return { client, order, budgetWei, jobsOf: new Map() };
}

/** Submits the first `count` payloads, once the worker has come back from what the scenario before did to it. */
export async function submitAll(campaign: Campaign, count: number): Promise<void> {
  await persist(() => chooseEnclave(campaign.client, campaign.order, { maxPrice: MAX_PRICE }), LISTED_MS);
  const payloads = creditJobs(32)
    .slice(0, count)
    .map(({ payload }) => ({ payload, maxPrice: MAX_PRICE }));
  const submitted = await submitJobs(campaign.client, campaign.order, payloads);
  for (const [i, { jobId }] of submitted.entries()) campaign.jobsOf.set(i, [jobId]);
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

/** Waits until some job of the campaign is in one of the states. */
export async function untilState(campaign: Campaign, wanted: readonly string[], deadlineMs: number): Promise<void> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const states = await persist(() => statesOf(campaign), deadlineMs);
    if ([...states.values()].some((state) => wanted.includes(state))) return;
    if (Date.now() > end) assert.fail(`no job became ${wanted.join(' or ')}: ${[...states.values()].join(', ')}`);
    await sleep(50);
  }
}

/** Waits until every job has ended, and checks the sums. */
export async function assertSettled(stack: LocalStack, campaign: Campaign, deadlineMs: number): Promise<void> {
  const { client, order, budgetWei, jobsOf } = campaign;
  const { escrow, deployment } = client.contracts;
  const end = Date.now() + deadlineMs;
  let states = new Map<string, string>();
  for (;;) {
    states = await persist(() => statesOf(campaign), deadlineMs);
    if ([...states.values()].every((state) => state === 'settled' || state === 'void')) break;
    if (Date.now() > end) assert.fail(`jobs did not end: ${[...states.values()].join(', ')}`);
    await sleep(200);
  }
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
