/** `stun challenge check` and `stun challenge watch`: settled answers held to the customer's own copy of the model. docs/proven-inference.md. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asStunError, errorEntry, exitCodeOf, type Hex } from '#protocol/index.ts';
import {
  answersOf,
  fetchResult,
  lookAfterCourt,
  modelToHold,
  settledBatches,
  type AnswerFinding,
  type CourtLook,
  type CourtStep,
} from '#client/index.ts';
import type { CommandResult, Json } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { connectCustomer } from '../settings.ts';
import { parseDuration } from '../values.ts';
import { orderOf } from './order.ts';

/** Options of `challenge check`. */
export interface ChallengeCheckOptions {
  readonly compiledModel: string;
}

/** Options of `challenge watch`. */
export interface ChallengeWatchOptions extends ChallengeCheckOptions {
  readonly every: string;
  readonly once?: boolean;
  readonly challengeWithheld?: boolean;
}

async function modelOf(folder: string) {
  const { readCompiledFolder } = await import('#circuits/model/folder.ts');
  const { model, run } = await readCompiledFolder(folder);
  return { modelId: model.modelId, run };
}

const FINDINGS: Readonly<Record<AnswerFinding, string>> = {
  agrees: "the model's answer",
  differs: "NOT the model's answer",
  withheld: 'NOT the answer under your blinding, and its result is not in this store: fetch it (stun result JOB)',
  unknown: 'of a job that this store does not hold: not checked',
};

/** Holds every settled answer of an order to the model. Exit status 0 only when every one was looked at and is the model's. */
export async function challengeCheck({ args, options }: Invocation<ChallengeCheckOptions>): Promise<CommandResult> {
  const client = await connectCustomer(options);
  try {
    const order = await orderOf(client, args[0]);
    const { modelId, run } = await modelOf(options.compiledModel);
    const model = modelToHold(order, modelId);
    const answers: { batchId: Hex; state: string; index: number; jobId: Hex | null; finding: AnswerFinding }[] = [];
    const lines: string[] = [];
    for await (const found of settledBatches(client, order)) {
      const { batchId } = found.batch;
      const { state } = await client.contracts.court.batch(batchId);
      lines.push(`batch ${batchId}  ${state}`);
      for (const { index, jobId, finding } of await answersOf(client, order, found, model, run)) {
        answers.push({ batchId, state, index, jobId: jobId ?? null, finding });
        lines.push(`  ${String(index).padStart(2)}  ${jobId ?? '-'}  ${FINDINGS[finding]}`);
      }
    }
    const holds = (finding: AnswerFinding): boolean => answers.some((one) => one.finding === finding);
    const code = holds('differs')
      ? 'STUN_ANSWER_DISAGREES'
      : holds('withheld')
        ? 'STUN_ANSWER_WITHHELD'
        : holds('unknown')
          ? 'STUN_ANSWER_UNKNOWN'
          : null;
    if (code === 'STUN_ANSWER_DISAGREES') lines.push('challenge inside the window: npx stun challenge JOB');
    const text = answers.length === 0 ? 'The order has no settled answer.' : lines.join('\n');
    return { document: { orderKey: order.orderKey, answers, code }, text, exitCode: code === null ? 0 : exitCodeOf(code) };
  } finally {
    client.close();
  }
}

function describe({ kind, jobId, batchId, transactionHash, code, reason }: CourtStep): string {
  if (kind === 'failed') return `job ${jobId}: nothing done, ${code}: ${reason}`;
  if (kind === 'challenged') return `job ${jobId}: its answer is not the model's, challenged in ${transactionHash}`;
  return `batch ${batchId}: nobody answered, refunded in ${transactionHash}`;
}

const nothingSeen: CourtLook = {
  batches: 0,
  pending: 0,
  answers: { agrees: 0, differs: 0, withheld: 0, unknown: 0 },
  steps: [],
};

function summaryOf({ batches, pending, answers }: CourtLook): string {
  const { agrees, differs, withheld, unknown } = answers;
  return `${batches} batches, ${pending} pending; answers: ${agrees} the model's, ${differs} not, ${withheld} withheld, ${unknown} of jobs not in this store`;
}

function documentOf({ gasUsed, ...step }: CourtStep): Json {
  return { ...step, ...(gasUsed === undefined ? {} : { gasUsed: gasUsed.toString() }) };
}

/** Looks after an order's batches until it is stopped; an outage of the chain is waited out. Exit status by what could not be done in the end, and by answers that nobody could look at. */
export async function challengeWatch({ args, options, context }: Invocation<ChallengeWatchOptions>): Promise<CommandResult> {
  const everyMs = Math.max(1, parseDuration(options.every, '--every')) * 1000;
  const client = await connectCustomer(options);
  try {
    const order = await orderOf(client, args[0]);
    const model = await modelOf(options.compiledModel);
    const look = {
      settled: new Set<Hex>(),
      challengeWithheld: options.challengeWithheld ?? false,
      open: (jobId: Hex) => fetchResult(client, jobId, { timeoutMs: 0, signal: context.signal }),
    };
    // The last word on each answer: a watch runs for months, and what failed an hour ago may be done.
    const steps = new Map<string, CourtStep>();
    let unknown = false;
    let last: CourtLook | undefined;
    do {
      try {
        last = await lookAfterCourt(client, order, model, look);
        unknown ||= last.answers.unknown > 0;
        for (const step of last.steps) {
          steps.set(`${step.batchId}:${step.index}`, step);
          context.progress(describe(step));
        }
        context.progress(summaryOf(last));
      } catch (thrown) {
        const error = asStunError(thrown);
        if (options.once === true || errorEntry(error.code).class !== 'unavailable') throw error;
        context.progress(`${error.code}: ${error.message}; trying again`);
      }
      if (options.once !== true) await sleep(everyMs, undefined, { signal: context.signal }).catch(() => undefined);
    } while (options.once !== true && !context.signal.aborted);
    const { batches, pending, answers } = last ?? nothingSeen;
    const done = [...steps.values()];
    const failed = done.find(({ kind }) => kind === 'failed')?.code ?? (unknown ? 'STUN_ANSWER_UNKNOWN' : undefined);
    return {
      document: {
        orderKey: order.orderKey,
        batches,
        pending,
        answers: { ...answers },
        steps: done.map(documentOf),
        code: failed ?? null,
      },
      text: [`last look: ${summaryOf(last ?? nothingSeen)}`, ...done.map(describe)].join('\n'),
      exitCode: failed === undefined ? 0 : exitCodeOf(failed),
    };
  } finally {
    client.close();
  }
}
