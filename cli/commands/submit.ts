/** `stun submit`: verify, seal, send; resume and resubmit. */
import { readFile } from 'node:fs/promises';
import { assertMaxPrice, decodeTensors, exitCodeOf, StunError } from '#protocol/index.ts';
import {
  encodeInputs,
  resubmitJobs,
  resumeJobs,
  submitJobs,
  type ClientConnection,
  type OrderRecord,
  type SubmittedJob,
} from '#client/index.ts';
import type { CommandContext, CommandResult, Json } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { connectCustomer } from '../settings.ts';
import { parseAddress, parseAmount, parseDuration, parseWord } from '../values.ts';
import { orderOf } from './order.ts';
import { fetchOne, resultDocument, resultText } from './result.ts';
import { readTensorFile } from './tensor-files.ts';

/** Options of `submit`. */
export interface SubmitOptions {
  readonly order?: string;
  readonly maxPrice?: string;
  readonly provider?: string;
  readonly enclave?: string;
  readonly payload?: readonly string[];
  readonly resume?: boolean;
  readonly resubmit?: boolean;
  readonly wait?: string;
}

type Job = Parameters<typeof submitJobs>[2][number];

async function readPayloads(inputs: readonly string[], payloads: readonly string[]): Promise<Uint8Array[]> {
  const read: Uint8Array[] = [];
  for (const path of inputs) read.push(...(await readTensorFile(path)).map((tensors) => encodeInputs(tensors)));
  for (const path of payloads) {
    let bytes: Uint8Array;
    try {
      bytes = new Uint8Array(await readFile(path));
    } catch (cause) {
      throw new StunError('STUN_FILE', `payload ${path} cannot be read`, { cause });
    }
    decodeTensors(bytes);
    read.push(bytes);
  }
  return read;
}

/** What shall be sent, at the price that it may cost. */
async function readJobs(inputs: readonly string[], options: SubmitOptions): Promise<Job[]> {
  const payloads = await readPayloads(inputs, options.payload ?? []);
  if (payloads.length === 0) return [];
  if (options.maxPrice === undefined) throw new StunError('STUN_INPUT', '--max-price is needed: what may one job cost?');
  const maxPrice = assertMaxPrice(parseAmount(options.maxPrice, '--max-price'), '--max-price');
  return payloads.map((payload) => ({ payload, maxPrice }));
}

/** Sends jobs; with `--wait` their results too. */
export async function submit({ args, options, context }: Invocation<SubmitOptions>): Promise<CommandResult> {
  const inputs = (args[0] ?? []) as unknown as readonly string[];
  const modes = [options.resume === true, options.resubmit === true, inputs.length + (options.payload?.length ?? 0) > 0];
  if (modes.filter(Boolean).length !== 1) {
    throw new StunError('STUN_INPUT', 'either inputs, or --resume, or --resubmit was expected');
  }
  const jobs = await readJobs(inputs, options);
  const wish = {
    ...(options.provider === undefined ? {} : { provider: parseAddress(options.provider, '--provider') }),
    ...(options.enclave === undefined ? {} : { keysetDigest: parseWord(options.enclave, '--enclave') }),
  };
  const waitSeconds = options.wait === undefined ? undefined : parseDuration(options.wait, '--wait');
  const client = await connectCustomer(options);
  try {
    const order = await orderOf(client, options.order);
    const sent = await sendWhatWasAsked(client, order, { jobs, wish }, options, context);
    if (waitSeconds === undefined) return sentResult(sent.jobs, sent.note);
    return await waitedResult(client, sent, waitSeconds * 1000, context);
  } finally {
    client.close();
  }
}

interface Sent {
  readonly jobs: readonly SubmittedJob[];
  readonly note: string | undefined;
}

async function sendWhatWasAsked(
  client: ClientConnection,
  order: OrderRecord,
  { jobs, wish }: { readonly jobs: readonly Job[]; readonly wish: Parameters<typeof submitJobs>[3] },
  options: SubmitOptions,
  context: CommandContext,
): Promise<Sent> {
  let count = 0;
  const onSubmitted = (job: SubmittedJob): void => context.progress(`sent ${++count}: lane ${job.laneIndex} no. ${job.k}`);
  if (options.resume === true) {
    const { sent, locked } = await resumeJobs(client, order, onSubmitted);
    const note = locked.length === 0 ? undefined : `lanes in use by another process were left to it: ${locked.join(', ')}`;
    return { jobs: sent, note };
  }
  context.progress('verifying the evidence of enclaves');
  if (options.resubmit === true) {
    const again = await resubmitJobs(client, order, wish, undefined, onSubmitted);
    const note = 'if the first enclave was merely slow and still settles, both are paid, each up to its signed maximum';
    return { jobs: again.map((one) => one.submitted), note: again.length === 0 ? undefined : note };
  }
  return { jobs: await submitJobs(client, order, jobs, wish, onSubmitted), note: undefined };
}

function sentDocuments(jobs: readonly SubmittedJob[]): Json[] {
  return jobs.map((job) => ({ ...job }));
}

function sentResult(jobs: readonly SubmittedJob[], note: string | undefined): CommandResult {
  const lines = jobs.map((job) => `${job.jobId}  lane ${job.laneIndex} no. ${job.k}  ${job.state}`);
  if (jobs.some((job) => job.simulated)) lines.push('SIMULATED HARDWARE: these jobs are not confidential');
  if (lines.length === 0) lines.push('Nothing was left to send.');
  if (note !== undefined) lines.push(note);
  return { document: { jobs: sentDocuments(jobs), note: note ?? null }, text: lines.join('\n'), exitCode: 0 };
}

async function waitedResult(
  client: ClientConnection,
  sent: Sent,
  timeoutMs: number,
  context: CommandContext,
): Promise<CommandResult> {
  const until = Date.now() + timeoutMs;
  const documents: Json[] = [];
  const texts: string[] = [];
  let exitCode = 0;
  for (const [i, job] of sent.jobs.entries()) {
    context.progress(`waiting for result ${i + 1} of ${sent.jobs.length}`);
    const fetched = await fetchOne(client, job.jobId, Math.max(0, until - Date.now()), context);
    documents.push(resultDocument(fetched));
    texts.push(resultText(fetched));
    if (fetched.checked.status !== 'served') exitCode = exitCodeOf(fetched.checked.failure ?? 'STUN_JOB_VOIDED');
  }
  return { document: { jobs: documents, note: sent.note ?? null }, text: texts.join('\n'), exitCode };
}
