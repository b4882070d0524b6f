/** `stun challenge …` and `stun answer`: disputes over batches of challengeable orders. docs/proven-inference.md. */
import {
  fieldToHex,
  orderKeyOf,
  publishedPairsOf,
  settlementBundleFromWire,
  StunError,
  type Hex,
  type PublishedPair,
} from '#protocol/index.ts';
import { batchIdOf, type CourtBatch } from '#chain/court.ts';
import type { BatchRecorded } from '#chain/court-events.ts';
import type { StunContracts } from '#chain/deployment.ts';
import { proofToChain } from '#chain/proof-forms.ts';
import { settledBatches, type ClientConnection, type OrderRecord } from '#client/index.ts';
import type { CommandResult, Json } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { connectCustomer, deploymentOf, readJson } from '../settings.ts';
import { parseWord, showAmount, showTime } from '../values.ts';
import { orderOf } from './order.ts';
import { connectSigner } from './settle.ts';

/** A job of the store with the batch that settled it. */
interface DisputedJob {
  readonly order: OrderRecord;
  readonly batch: BatchRecorded;
  /** Place of its pair. */
  readonly index: number;
  readonly pairs: readonly PublishedPair[];
}

/** Finds the batch of a job: the one whose pairs hold the job's input commitment. @throws `STUN_JOB_NOT_STORED`, `STUN_CHALLENGE_BATCH` */
async function disputedJob(client: ClientConnection, jobId: Hex): Promise<DisputedJob> {
  const found = await client.store.lanes.find(await client.store.orders.keys(), jobId);
  const order = await client.store.orders.read(found.record.orderKey);
  const { header } = await found.files.job(found.place);
  const isOfLane = ({ provider, laneIndex }: BatchRecorded): boolean =>
    provider === header.provider && laneIndex === header.laneIndex;
  for await (const { batch, pairs } of settledBatches(client, order, isOfLane)) {
    const index = pairs.findIndex(({ inputCommitment }) => inputCommitment === header.inputCommitment);
    if (index >= 0) return { order, batch, index, pairs };
  }
  throw new StunError('STUN_CHALLENGE_BATCH', 'no batch that settled has this job among its paid ones');
}

/** Challenges the answer to a job, with the bond of the order's terms. */
export async function challenge({ args, options, context }: Invocation<object>): Promise<CommandResult> {
  const client = await connectCustomer(options);
  try {
    const { order, batch, index, pairs } = await disputedJob(client, parseWord(args[0] ?? '', 'the job id'));
    const bond = { token: order.place.token, amount: order.terms.bond };
    context.progress(`posting a bond of ${showAmount(bond.amount)}`);
    await client.contracts.court.allow(bond.token, await client.signer().getAddress(), bond.amount);
    const { transactionHash, gasUsed } = await client.contracts.court.challenge(batch.batchId, index, pairs, bond);
    const answerableUntilUnix = await client.contracts.court.answerableUntilUnix(batch.batchId, index);
    return {
      document: {
        batchId: batch.batchId,
        index,
        bond: bond.amount.toString(),
        answerableUntilUnix,
        transactionHash,
        gasUsed: gasUsed.toString(),
      },
      text: [
        `challenged pair ${index} of batch ${batch.batchId}`,
        `it can be answered until ${showTime(answerableUntilUnix)}; after that: stun challenge finalise ${batch.batchId}`,
      ].join('\n'),
      exitCode: 0,
    };
  } finally {
    client.close();
  }
}

/** Open challenges of a batch. */
async function openChallenges({ court, deployment }: StunContracts, batchId: Hex): Promise<number[]> {
  const open: number[] = [];
  for (const { index } of await court.challenges(deployment.deployBlock, batchId)) {
    if ((await court.challengeOf(batchId, index)).state === 'open') open.push(index);
  }
  return open;
}

async function describe(contracts: StunContracts, batch: CourtBatch): Promise<{ document: Json; text: string }> {
  const { court } = contracts;
  const { batchId, amount, state } = batch;
  const windowClosesAtUnix = state === 'pending' ? await court.windowClosesAtUnix(batchId) : null;
  const challenges = [];
  for (const index of state === 'pending' ? await openChallenges(contracts, batchId) : []) {
    challenges.push({ index, answerableUntilUnix: await court.answerableUntilUnix(batchId, index) });
  }
  const text = [
    `batch ${batchId}  ${state}  ${showAmount(amount)}`,
    ...(windowClosesAtUnix === null ? [] : [`  can be challenged until ${showTime(windowClosesAtUnix)}`]),
    ...challenges.map((one) => `  pair ${one.index} is challenged, to be answered until ${showTime(one.answerableUntilUnix)}`),
  ].join('\n');
  return { document: { batchId, state, amount: amount.toString(), windowClosesAtUnix, challenges }, text };
}

/** The batches of an order and how they stand. */
export async function challengeStatus({ args, options }: Invocation<object>): Promise<CommandResult> {
  const client = await connectCustomer(options);
  try {
    const order = await orderOf(client, args[0]);
    const { court, deployment } = client.contracts;
    const shown = [];
    for (const { batchId } of await court.batchesRecorded(deployment.deployBlock, { orderKey: order.orderKey })) {
      shown.push(await describe(client.contracts, await court.batch(batchId)));
    }
    const text = shown.length === 0 ? 'The order has no batch in the challenge court.' : shown.map((one) => one.text).join('\n');
    return { document: { orderKey: order.orderKey, batches: shown.map((one) => one.document) }, text, exitCode: 0 };
  } finally {
    client.close();
  }
}

/** Ends a batch: pays the provider after the window, or refunds the funder when a challenge was not answered. Anybody may. */
export async function challengeFinalise({ args, options, context }: Invocation<object>): Promise<CommandResult> {
  const { contracts, close } = await connectSigner(options, await deploymentOf(options), true);
  try {
    const batchId = parseWord(args[0] ?? '', 'the batch id');
    const [unanswered] = await openChallenges(contracts, batchId);
    context.progress(unanswered === undefined ? 'paying the provider' : 'refunding the funder and slashing the stake');
    const { transactionHash, gasUsed } = await (unanswered === undefined
      ? contracts.court.finalise(batchId)
      : contracts.court.refundUnanswered(batchId, unanswered));
    const { state } = await contracts.court.batch(batchId);
    return {
      document: { batchId, state, transactionHash, gasUsed: gasUsed.toString() },
      text: `batch ${batchId} is ${state}, in ${transactionHash}`,
      exitCode: 0,
    };
  } finally {
    close();
  }
}

/** Options of `answer`. */
export interface AnswerOptions {
  readonly bundle: string;
}

/** Answers every open challenge of the batch that a settlement bundle became, with the proofs in the bundle. Anybody may. */
export async function answer({ options, context }: Invocation<AnswerOptions>): Promise<CommandResult> {
  const bundle = settlementBundleFromWire(await readJson(options.bundle, 'settlement bundle'));
  const { order, provider, laneIndex, statement } = bundle;
  const batchId = batchIdOf({
    orderKey: orderKeyOf(order.place.funder, order.orderId),
    provider,
    laneIndex,
    laneNew: statement.toHead,
  });
  const pairs = publishedPairsOf(
    bundle.jobs.map(({ demand, receipt }) => ({
      inputCommitment: demand.inputCommitment,
      outputCommitment: receipt.outputCommitment,
      price: receipt.price,
    })),
  );
  const { contracts, close } = await connectSigner(options, await deploymentOf(options), true);
  try {
    await contracts.court.batch(batchId);
    const answered = [];
    for (const index of await openChallenges(contracts, batchId)) {
      const proof = bundle.jobs[index]?.inferenceProof;
      if (proof === undefined) {
        throw new StunError(
          'STUN_SEGMENT_PROOF',
          `job ${index} of the bundle has no inference proof, so its challenge cannot be answered`,
        );
      }
      context.progress(`answering the challenge of pair ${index}`);
      const { transactionHash, gasUsed } = await contracts.court.answer(batchId, index, pairs, proofToChain(proof));
      answered.push({ index, transactionHash, gasUsed: gasUsed.toString() });
    }
    const lines = answered.map(({ index, transactionHash }) => `answered the challenge of pair ${index} in ${transactionHash}`);
    return {
      document: { batchId, laneNew: fieldToHex(statement.toHead), answered },
      text: lines.length === 0 ? `No challenge of batch ${batchId} is open.` : lines.join('\n'),
      exitCode: 0,
    };
  } finally {
    close();
  }
}
