/**
 * The levels above `attested`: a compiled model, one order whose every answer is proven, one whose answer is challenged and answered, one whose
 * worker lies, is challenged and slashed.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256 } from '@noble/hashes/sha2.js';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { compileModel } from '#circuits/model/compile.ts';
import { readFeatureRows } from '#circuits/model/calibration.ts';
import { readCompiledFolder } from '#circuits/model/folder.ts';
import { quantiseRow } from '#circuits/model/quantise/quantiser.ts';
import { contractsOf } from '#chain/deployment.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import type { CourtBatch } from '#chain/court.ts';
import type { BatchRecorded } from '#chain/court-events.ts';
import {
  encodeInputs,
  fetchResult,
  inferenceProofOf,
  lookAfterCourt,
  openOrder,
  submitJobs,
  type ClientConnection,
  type JobResult,
  type OrderLevel,
  type OrderRecord,
} from '#client/index.ts';
import { StunError, tensorIntegers, toHex, type PublicModel } from '#protocol/index.ts';
import { publicModelOf } from '../commands/public-model.ts';
import { ACCOUNT, addressOf, type LocalStack } from '../stack/local-stack.ts';
import { untilSettled, withGas } from './job-stages.ts';
import { gwei, MAX_PRICE, PRICE_SCALE } from './order-stages.ts';
import { table, type Stages } from './stages.ts';

const EXAMPLE = new URL('../../examples/credit-model/', import.meta.url);
const HOUR = 3600;
const DAY = 24 * HOUR;
/** Token units: what a challenger puts up, and what a liar loses. */
const BOND = 10n ** 16n;
const SLASH = 10n ** 17n;
const COURT_TIMEOUT_MS = 120_000;

/** The compiled model of the demonstration. */
export interface CompiledDemoModel {
  readonly directory: string;
  readonly publicModel: PublicModel;
  /** Unseen rows as the integers that the model takes. */
  readonly rows: readonly (readonly number[])[];
  /** The customer's own copy of the integer model. */
  readonly run: (input: readonly number[]) => readonly number[];
}

/** Compiles the credit model to a circuit. */
export function compileStage(stages: Stages, directory: string): Promise<CompiledDemoModel> {
  return stages.run('compile the credit model to a circuit', async (tell, say) => {
    const csv = readFileSync(new URL('unseen-rows.csv', EXAMPLE), 'utf8');
    const compiled = await compileModel(
      {
        source: new Uint8Array(readFileSync(new URL('credit-model.onnx', EXAMPLE))),
        name: 'credit-default-compiled',
        calibrationCsv: csv,
        labelColumn: 'defaulted',
        weightBits: 8,
        circom: false,
        outDirectory: directory,
      },
      tell,
    );
    const publicModel = await publicModelOf(directory);
    const { run, quantisers } = await readCompiledFolder(directory);
    const { features } = readFeatureRows(csv, quantisers.length, 'defaulted');
    const rows = features.slice(0, 8).map((row) => quantiseRow(quantisers, row));
    const { accuracy, constraints } = compiled;
    say(
      `${constraints.toLocaleString('en')} constraints; ${accuracy?.disagreements.length} of ${accuracy?.heldOutRows} unseen rows decided otherwise than by the float model; development key`,
    );
    return { directory, publicModel, rows, run };
  });
}

/** A settled batch of one job, with the answer and what the model gives on the same input. */
export type DemoBatch = BatchRecorded & { readonly jobId: string; readonly answered: number; readonly expected: number };

/** The three orders, and a table of what each took. */
export interface LevelOrders {
  readonly proven: OrderRecord;
  readonly honest: DemoBatch;
  readonly liar: DemoBatch;
  readonly table: string;
}

/** Runs the three orders. */
export async function levelStages(
  stages: Stages,
  stack: LocalStack,
  client: ClientConnection,
  compiled: CompiledDemoModel,
): Promise<LevelOrders> {
  const lines: string[][] = [];
  await stages.run('register the model, two providers put up stakes', async (_tell, say) => {
    const { publicModel } = compiled;
    const { models } = contractsOf(stack.deployment, stack.chain.wallet(ACCOUNT.owner));
    const registered = await models.register({
      verificationKey: publicModel.verificationKey,
      manifestSha256: toHex(sha256(new TextEncoder().encode(publicModel.manifest))),
      ceremonyHash: toHex(publicModel.ceremonyHash),
    });
    for (const index of [ACCOUNT.provider, ACCOUNT.liar]) {
      await contractsOf(stack.deployment, stack.chain.wallet(index)).court.depositStake(NATIVE_TOKEN, SLASH);
    }
    say(
      `model ${toHex(sha256(publicModel.verificationKey)).slice(0, 12)}…: ${registered.gasUsed.toLocaleString('en')} gas, once`,
    );
  });
  const proven = await stages.run('proven: four answers, each with its proof', async (tell, say) => {
    const order = await open(stack, client, compiled, { assurance: 'proven' }, ACCOUNT.provider, 4);
    const results = await serve(client, order, compiled, 4);
    const [settled] = await untilSettled(stack, { client, order }, 4, tell);
    for (const result of results) await provenResult(client, result);
    const { gasUsed } = await withGas(stack, settled!);
    lines.push(['proven', '4 jobs, settled with 4 inference proofs', `${gasUsed.toLocaleString('en')} gas`, 'paid']);
    say('the customer verified each proof itself; the escrow verified all four before it paid');
    return order;
  });
  const honest = await stages.run('challengeable: an answer is challenged, and proven', async (tell, say) => {
    const batch = await settledBatch(stack, client, compiled, ACCOUNT.provider, tell);
    const gas = await challenge(client, batch);
    tell('the service answers');
    await until(`batch ${batch.batchId} to be answered`, async () => (await standing(client, batch)).openChallenges === 0);
    const [answered] = await client.contracts.court.answers(0, batch.batchId);
    const answerGas = (await stack.chain.provider.getTransactionReceipt(answered!.place.transactionHash))?.gasUsed ?? 0n;
    lines.push([
      'challengeable',
      'challenged, answered with the proof',
      `${gas} + ${answerGas.toLocaleString('en')} gas`,
      'bond to the provider',
    ]);
    say(`${batch.answered}, and the model gives ${batch.expected}: answered with the stored proof of that one pair`);
    return batch;
  });
  const liar = await stages.run('challengeable: a worker lies, and is challenged', async (tell, say) => {
    await stack.startLiar('liar');
    const batch = await settledBatch(stack, client, compiled, ACCOUNT.liar, tell);
    const gas = await watch(client, compiled, batch, 'challenged');
    lines.push(['challengeable', 'the worker lied; challenged, no proof exists', `${gas} gas`, 'refunded, stake slashed']);
    say(
      `signed and settled: ${batch.answered}, where the model gives ${batch.expected}; the customer's watch saw it and challenged`,
    );
    return batch;
  });
  await stages.run('after the periods: one is paid, one is slashed', async (tell, say) => {
    tell("moving the development chain's clock by a day");
    await stack.chain.increaseTime(DAY + HOUR);
    const { court } = contractsOf(stack.deployment, stack.chain.wallet(ACCOUNT.customer));
    await watch(client, compiled, liar, 'refunded');
    const [refunded] = await court.batchesRefunded(0, liar.batchId);
    tell('the service has the honest batch finalised');
    await until(`batch ${honest.batchId} to be paid`, async () => (await standing(client, honest)).state === 'paid');
    const stake = await court.stake(NATIVE_TOKEN, addressOf(stack, ACCOUNT.liar));
    say(
      `the liar lost ${gwei(refunded!.slash)} gwei of stake and its pay, in ${refunded!.place.transactionHash.slice(0, 12)}…; ${gwei(stake.total)} left`,
    );
  });
  return { proven, honest, liar, table: table('The levels above attested, in whole transactions', lines) };
}

async function open(
  stack: LocalStack,
  client: ClientConnection,
  { publicModel }: CompiledDemoModel,
  level: OrderLevel,
  account: number,
  jobs: number,
): Promise<OrderRecord> {
  const { order } = await openOrder(client, {
    modelId: publicModel.model.modelId,
    publicModel,
    level,
    policy: simulatedPolicy,
    budgets: [{ provider: addressOf(stack, account), amount: BigInt(jobs + 1) * MAX_PRICE * PRICE_SCALE }],
    token: NATIVE_TOKEN,
    deadlineUnix: (await stack.chain.nowUnix()) + 7 * DAY,
    graceSeconds: DAY,
    segmentLength: jobs,
    priceScale: PRICE_SCALE,
  });
  return order;
}

async function serve(
  client: ClientConnection,
  order: OrderRecord,
  compiled: CompiledDemoModel,
  jobs: number,
): Promise<JobResult[]> {
  const { name, dtype, dims } = compiled.publicModel.model.input;
  const payloads = compiled.rows.slice(0, jobs).map((row) => ({
    payload: encodeInputs([{ name, dtype, dims, data: Uint8Array.from(row) }]),
    maxPrice: MAX_PRICE,
  }));
  const submitted = await submitJobs(client, order, payloads);
  const results: JobResult[] = [];
  for (const { jobId } of submitted) results.push(await fetchResult(client, jobId, { timeoutMs: 120_000 }));
  const failed = results.find(({ checked }) => checked.status !== 'served');
  if (failed !== undefined) throw new StunError('STUN_STACK_CHILD', `a job ended as ${failed.checked.failure}`);
  return results;
}

async function provenResult(client: ClientConnection, result: JobResult): Promise<void> {
  if ((await inferenceProofOf(client, result)) === undefined) {
    throw new StunError('STUN_SEGMENT_PROOF', 'a settled job of the proven order has no inference proof');
  }
}

/** One job at the level `challengeable`, settled and waiting in the court. */
export async function settledBatch(
  stack: LocalStack,
  client: ClientConnection,
  compiled: CompiledDemoModel,
  account: number,
  tell: (line: string) => void,
): Promise<DemoBatch> {
  const level = {
    assurance: 'challengeable',
    challengeWindowSeconds: HOUR,
    answerPeriodSeconds: DAY,
    bond: BOND,
    slash: SLASH,
  } as const;
  const order = await open(stack, client, compiled, level, account, 1);
  const [result] = await serve(client, order, compiled, 1);
  await untilSettled(stack, { client, order }, 1, tell);
  const [batch] = await client.contracts.court.batchesRecorded(0, { orderKey: order.orderKey });
  if (batch === undefined) throw new StunError('STUN_STACK_CHILD', 'the settlement opened no batch');
  const [answered] = tensorIntegers(compiled.publicModel.model.output, result!.checked.payload);
  return { ...batch, jobId: result!.jobId, answered: answered!, expected: compiled.run(compiled.rows[0]!)[0]! };
}

/** The customer challenges the one pair of a batch. @returns the gas of it */
async function challenge(client: ClientConnection, { batchId, orderKey, laneNew }: BatchRecorded): Promise<string> {
  const { court } = client.contracts;
  const [published] = await court.pairsPublished(0, { orderKey, laneNew });
  const { gasUsed } = await court.challenge(batchId, 0, published?.pairs ?? [], { token: NATIVE_TOKEN, amount: BOND });
  return gasUsed.toLocaleString('en');
}

/** What `stun challenge watch` does in one look. @returns the gas of the step that was expected */
async function watch(
  client: ClientConnection,
  { publicModel, run }: CompiledDemoModel,
  { orderKey }: BatchRecorded,
  expected: 'challenged' | 'refunded',
): Promise<string> {
  const order = await client.store.orders.read(orderKey);
  const model = { modelId: publicModel.model.modelId, run };
  const open = (jobId: string): Promise<JobResult> => fetchResult(client, jobId, { timeoutMs: 0 });
  const { steps } = await lookAfterCourt(client, order, model, { settled: new Set(), challengeWithheld: false, open });
  const [step] = steps;
  if (step?.kind !== expected)
    throw new StunError('STUN_STACK_CHILD', `a lie was not ${expected}: ${step?.reason ?? 'not seen'}`);
  return step.gasUsed!.toLocaleString('en');
}

function standing(client: ClientConnection, { batchId }: BatchRecorded): Promise<CourtBatch> {
  return client.contracts.court.batch(batchId);
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + COURT_TIMEOUT_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new StunError('STUN_STACK_CHILD', `waited two minutes for ${what}`);
    await sleep(200);
  }
}
