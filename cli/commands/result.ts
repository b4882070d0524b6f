/** `stun result`: fetch, verify and show results. */
import { writeFile } from 'node:fs/promises';
import { exitCodeOf, fieldToHex, StunError } from '#protocol/index.ts';
import { fetchResult, inferenceProofOf, receiptFileOf, type ClientConnection, type JobResult } from '#client/index.ts';
import type { CommandContext, CommandResult, Json } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { connectCustomer } from '../settings.ts';
import { parseDuration, parseWord } from '../values.ts';
import { tensorToJson } from './tensor-files.ts';

/** Options of `result`. */
export interface ResultOptions {
  readonly wait: string;
  readonly out?: string;
  readonly receipt?: string;
}

/** A verified result as JSON. */
export function resultDocument(result: JobResult): Json {
  const { checked, job, lane, outcome } = result;
  const { receipt, statement } = outcome.record;
  return {
    jobId: result.jobId,
    status: checked.status,
    failure: checked.failure ?? null,
    price: receipt.price.toString(),
    maxPrice: job.header.maxPrice.toString(),
    outputs: Object.fromEntries(result.tensors.map((tensor) => [tensor.name, tensorToJson(tensor)])),
    receiptHash: fieldToHex(checked.receiptHash),
    startedAtUnix: receipt.startedAtUnix,
    finishedAtUnix: receipt.finishedAtUnix,
    provider: lane.record.provider,
    keysetDigest: lane.record.keysetDigest,
    laneIndex: lane.record.laneIndex,
    k: job.header.k,
    simulated: lane.record.simulated,
    segment: { count: statement.count, total: statement.total.toString(), recomputed: checked.statementRecomputed },
  };
}

/** A verified result for people. */
export function resultText(result: JobResult): string {
  const { checked, job, lane, outcome } = result;
  const outputs = result.tensors.map((tensor) => {
    const { data, dims } = tensorToJson(tensor);
    const shown = data.slice(0, 8).join(', ');
    return `  ${tensor.name} ${tensor.dtype}[${dims.join('x')}]  ${shown}${data.length > 8 ? ', …' : ''}`;
  });
  return [
    `job ${result.jobId}  ${checked.status}${checked.failure === undefined ? '' : ` (${checked.failure})`}`,
    ...outputs,
    `  price ${outcome.record.receipt.price} of at most ${job.header.maxPrice}; receipt, delivery and output verified`,
    ...(lane.record.simulated ? ['  SIMULATED HARDWARE: this run was not confidential'] : []),
  ].join('\n');
}

/** Fetches one result and writes what was asked for. */
export async function fetchOne(
  client: ClientConnection,
  jobId: string,
  timeoutMs: number,
  context: CommandContext,
): Promise<JobResult> {
  const onState = (state: string): void => context.progress(`job ${jobId.slice(0, 10)}… is ${state}`);
  return fetchResult(client, jobId, { timeoutMs, signal: context.signal, onState });
}

/** One result, or a table of all jobs. */
export async function result({ args, options, context }: Invocation<ResultOptions>): Promise<CommandResult> {
  const jobId = args[0] === undefined ? undefined : parseWord(args[0], 'the job id');
  const timeoutMs = parseDuration(options.wait, '--wait') * 1000;
  const client = await connectCustomer(options);
  try {
    if (jobId === undefined) return await listJobs(client);
    const fetched = await fetchOne(client, jobId, timeoutMs, context);
    if (options.out !== undefined) await save(options.out, fetched.checked.payload);
    if (options.receipt !== undefined) {
      const file = receiptFileOf(fetched, await inferenceProofOf(client, fetched));
      await save(options.receipt, `${JSON.stringify(file, null, 1)}\n`);
    }
    const { failure, status } = fetched.checked;
    const exitCode = status === 'served' ? 0 : exitCodeOf(failure ?? 'STUN_JOB_VOIDED');
    return { document: resultDocument(fetched), text: resultText(fetched), exitCode };
  } finally {
    client.close();
  }
}

/** Writes a file that the user asked for; readable by the owner alone, since it holds data in clear. */
export async function save(path: string, data: Uint8Array | string): Promise<void> {
  try {
    await writeFile(path, data, { mode: 0o600 });
  } catch (cause) {
    throw new StunError('STUN_FILE', `${path} cannot be written`, { cause });
  }
}

async function listJobs(client: ClientConnection): Promise<CommandResult> {
  const jobs = [];
  for (const orderKey of await client.store.orders.keys()) {
    for (const { files, record } of await client.store.lanes.ofOrder(orderKey)) {
      for (const { k, jobId } of await files.jobs()) {
        const outcome = await files.outcome(jobId);
        const status = outcome === undefined ? 'open' : outcome.kind === 'void' ? 'void' : outcome.record.receipt.status;
        const code = outcome?.kind === 'void' ? outcome.code : null;
        jobs.push({ jobId, orderKey, laneIndex: record.laneIndex, k, status, code });
      }
    }
  }
  const text = jobs.map(
    (job) => `${job.jobId}  lane ${job.laneIndex} no. ${job.k}  ${job.status}${job.code === null ? '' : ` ${job.code}`}`,
  );
  return { document: { jobs }, text: text.length === 0 ? 'The store has no job.' : text.join('\n'), exitCode: 0 };
}
