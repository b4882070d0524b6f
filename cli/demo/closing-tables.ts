/** What is left to say at the end: what the chain saw and did not see, the money, the gas beside the baseline, the time. */
import { ACCOUNT, addressOf, type LocalStack } from '../stack/local-stack.ts';
import type { AuditedOrder } from './audit-stages.ts';
import { measureBaseline } from './baseline-gas.ts';
import { trainingReport } from './credit-jobs.ts';
import { sum, type Payout, type ServedJobs } from './job-stages.ts';
import { gwei, JOB_PRICE, type DemoOrder } from './order-stages.ts';
import { seconds, table, type Stages } from './stages.ts';

/** All tables as text. */
export async function closingTables(
  stages: Stages,
  stack: LocalStack,
  demo: DemoOrder,
  served: ServedJobs & Payout,
  audited: AuditedOrder,
): Promise<string> {
  const { order } = demo;
  const [baselineFirst, baselineNext] = await measureBaseline(stack);
  const fees = sum(served.settlements.map(({ event }) => event.fee));
  const credited = sum(served.settlements.map(({ event }) => event.credited));
  const refunded = sum(served.refund.refunds.map((refund) => refund.amount));
  const report = trainingReport();
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const row = (what: string, used: bigint, jobs: bigint): string[] => [
    what,
    `${used.toLocaleString('en')} gas`,
    `${jobs} jobs`,
    `${used / jobs} a job`,
  ];
  // A segment that was closed before it was full holds fewer.
  const jobsOf = served.settlements.map(({ event }) => event.total / JOB_PRICE);
  const saw = [
    ['saw', `funder ${order.place.funder}, provider ${addressOf(stack, ACCOUNT.provider)}`],
    [
      'saw',
      `budget, deadline, ${served.settlements.length} totals with their times, ${served.settlements[0]!.calldataBytes} bytes a settlement`,
    ],
    ['did not see', 'model, inputs, outputs, price of a job, number of jobs, which enclave worked'],
    ['the service saw', 'sizes in buckets, times, prices, counts, and, because it proves, the model id; no input and no output'],
  ];
  const money = [
    ['in', 'budget of the order', `${gwei(demo.budgetWei)} gwei`],
    ['out', 'to the provider', `${gwei(credited)} gwei`],
    ['out', 'fee', `${gwei(fees)} gwei`],
    ['out', 'back to the customer', `${gwei(refunded)} gwei`],
    ['left', 'in escrow', `${gwei(demo.budgetWei - credited - fees - refunded)} gwei`],
  ];
  const answers = [
    ['these rows, from sealed jobs', percent(served.correct / served.rows), `${served.rows} rows`],
    ['model on unseen rows', percent(report.accuracyUnseen), `${report.unseenRows} rows`],
    ['linear baseline', percent(report.accuracyUnseenLinearBaseline), 'same rows'],
    ['ceiling: the labels are noisy', percent(report.ceilingExpected), ''],
  ];
  const cost = [
    ...served.settlements.map(({ gasUsed }, i) =>
      row(i === 0 ? 'first settlement of the lane' : 'next settlement', gasUsed, jobsOf[i]!),
    ),
    row('signature-only baseline, first', baselineFirst, jobsOf[0]!),
    row('signature-only baseline, next', baselineNext, jobsOf[0]!),
  ];
  const bundle = [
    ['bundle', audited.path],
    ['offline', audited.offline],
    ['against the chain', audited.onChain],
  ];
  const times = stages.times.map(({ name, ms }) => [name, seconds(ms).padStart(8)]);
  times.push(['all of it', seconds(stages.elapsedMs).padStart(8)]);
  return [
    table('The chain', saw),
    table('The money', money),
    table('The answers, right in', answers),
    table('The gas of whole transactions; the baseline checks no customer and hides nothing', cost),
    table('The audit', bundle),
    table('The time', times),
  ].join('\n\n');
}
