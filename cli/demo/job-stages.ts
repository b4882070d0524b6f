/** The second half: encrypted jobs, opened results, real settlements, and the refund of the rest. */
import { setTimeout as sleep } from 'node:timers/promises';
import { closeOrder, fetchResult, refundOrder, submitJobs, type OrderRefund } from '#client/index.ts';
import type { Settled } from '#chain/escrow-events.ts';
import { StunError } from '#protocol/index.ts';
import { ACCOUNT, addressOf, type LocalStack } from '../stack/local-stack.ts';
import { contractsOf } from '#chain/deployment.ts';
import { correctRows, creditJobs } from './credit-jobs.ts';
import { gwei, JOB_PRICE, MAX_PRICE, type DemoOrder } from './order-stages.ts';
import type { Stages } from './stages.ts';

const SETTLEMENT_TIMEOUT_MS = 300_000;

/** What the jobs gave. */
export interface ServedJobs {
  readonly jobIds: readonly string[];
  readonly rows: number;
  readonly correct: number;
  readonly settlements: readonly { readonly event: Settled; readonly gasUsed: bigint; readonly calldataBytes: number }[];
}

/** Where the money went. */
export interface Payout {
  readonly refund: OrderRefund;
  readonly withdrawnWei: bigint;
}

/** Submits, opens, waits for settlement. */
export async function jobStages(stages: Stages, stack: LocalStack, demo: DemoOrder, count: number): Promise<ServedJobs> {
  const { client, order } = demo;
  const jobs = creditJobs(count);
  const submitted = await stages.run(`seal and submit ${count} jobs`, async (tell, say) => {
    let sent = 0;
    const payloads = jobs.map(({ payload }) => ({ payload, maxPrice: MAX_PRICE }));
    const all = await submitJobs(client, order, payloads, {}, () => tell(`${++sent} of ${count} accepted`));
    say(`each signed for, sealed to the enclave's key, ${jobs[0]!.labels.length} rows of 20 features`);
    return all;
  });
  const { correct, rows } = await stages.run('open the results, check every receipt', async (tell, say) => {
    let right = 0;
    let done = 0;
    for (const [i, { jobId }] of submitted.entries()) {
      const result = await fetchResult(client, jobId, { timeoutMs: 120_000 });
      right += correctRows(jobs[i]!, result.tensors);
      tell(`${++done} of ${count} opened`);
    }
    const total = jobs.reduce((sum, job) => sum + job.labels.length, 0);
    say(`${count} receipts hold; ${right} of ${total} unseen rows right`);
    return { correct: right, rows: total };
  });
  const settlements = await stages.run('prove and settle', async (tell, say) => {
    const events = await untilSettled(stack, demo, count, tell);
    const mined = await Promise.all(events.map((event) => withGas(stack, event)));
    say(
      `${mined.length} Groth16 proofs accepted by the escrow, ${gwei(sum(events.map((event) => event.credited)))} gwei credited`,
    );
    return mined;
  });
  return { jobIds: submitted.map(({ jobId }) => jobId), rows, correct, settlements };
}

/** Closes the order, refunds the rest, and pays the provider out. */
export async function payoutStages(stages: Stages, stack: LocalStack, { client, order }: DemoOrder): Promise<Payout> {
  const refund = await stages.run('close the order, refund the rest', async (tell, say) => {
    await closeOrder(client, order);
    tell("moving the development chain's clock by the day of grace");
    await stack.chain.increaseTime(order.graceSeconds + 2);
    const refunded = await refundOrder(client, order);
    const amount = sum(refunded.refunds.map((one) => one.amount));
    say(`${gwei(amount)} gwei back, after a day of grace (the development chain's clock was moved)`);
    return refunded;
  });
  const withdrawnWei = await stages.run('provider withdraws', async (_tell, say) => {
    const { escrow } = contractsOf(stack.deployment, stack.chain.wallet(ACCOUNT.provider));
    const credit = await escrow.credit(order.place.token, addressOf(stack, ACCOUNT.provider));
    await escrow.withdraw(order.place.token);
    say(`${gwei(credit)} gwei`);
    return credit;
  });
  return { refund, withdrawnWei };
}

/** Waits until the escrow has taken all jobs of an order. */
export async function untilSettled(
  stack: LocalStack,
  demo: Pick<DemoOrder, 'client' | 'order'>,
  count: number,
  tell: (line: string) => void,
): Promise<readonly Settled[]> {
  const { client, order } = demo;
  const { escrow, deployment } = client.contracts;
  const owed = JOB_PRICE * BigInt(count);
  const deadline = Date.now() + SETTLEMENT_TIMEOUT_MS;
  for (;;) {
    const events = await escrow.settlements(deployment.deployBlock, { orderKey: order.orderKey });
    const total = sum(events.map((event) => event.total));
    tell(`${events.length} settlements on chain, ${total} of ${owed} price units`);
    if (total >= owed) return events;
    if (Date.now() > deadline) {
      throw new StunError('STUN_STACK_CHILD', `settlement took longer than five minutes; see ${stack.directory}/service.log`);
    }
    await sleep(250);
  }
}

/** A settlement with what its transaction took. */
export async function withGas(stack: LocalStack, event: Settled): Promise<ServedJobs['settlements'][number]> {
  const { provider } = stack.chain;
  const hash = event.place.transactionHash;
  const [receipt, transaction] = await Promise.all([provider.getTransactionReceipt(hash), provider.getTransaction(hash)]);
  return { event, gasUsed: receipt?.gasUsed ?? 0n, calldataBytes: ((transaction?.data.length ?? 2) - 2) / 2 };
}

/** Sum of amounts. */
export function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
