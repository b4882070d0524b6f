/** Orders above `attested` on a stage: a registered model whose proofs the test can make, terms, and batches with pairs. */
import type { ProofPoints, PublishedSettlement } from '#chain/escrow.ts';
import { randomField, toHex, type PublishedPair, type Terms } from '#protocol/index.ts';
import { randomBytes } from 'node:crypto';
import { DAY, HOUR, NO_PROOF, signalsFor, termsFor, type Stage, type StageOrder } from './stage.ts';
import { makeTrapdoorKey, type TrapdoorKey } from './trapdoor-key.ts';

/** A model that the stage's registry knows. */
export interface StageModel {
  readonly modelId: bigint;
  readonly key: TrapdoorKey;
}

export const BOND = 40n;
export const SLASH = 301n;

/** Registers a model under a fresh key. */
export async function registerModel(stage: Stage): Promise<StageModel> {
  const key = makeTrapdoorKey();
  const registration = {
    verificationKey: key.bytes,
    manifestSha256: toHex(randomBytes(32)),
    ceremonyHash: `0x${'00'.repeat(32)}`,
  } as const;
  const { event } = await stage.as(stage.stranger).models.register(registration);
  return { modelId: event.modelId, key };
}

/** Terms of a proven order of the model. */
export function provenTerms(stage: Stage, model: Pick<StageModel, 'modelId'>, change: Partial<Terms> = {}): Terms {
  return termsFor(stage, {
    assurance: 2,
    publicModelId: model.modelId,
    settlementFamily: stage.provenFamily,
    inferenceFamily: stage.deployment.inference.family,
    ...change,
  });
}

/** Terms of a challengeable order: a window of an hour, a day to answer. */
export function challengeableTerms(stage: Stage, model: Pick<StageModel, 'modelId'>, change: Partial<Terms> = {}): Terms {
  const periods = { challengeWindowSeconds: HOUR, answerPeriodSeconds: DAY };
  return provenTerms(stage, model, { assurance: 1, ...periods, bond: BOND, slash: SLASH, ...change });
}

/** A batch that settles a fresh lane of an order: one pair for each true, none for each false. */
export async function publishedBatch(
  stage: Stage,
  order: StageOrder,
  paid: readonly boolean[],
  change: Parameters<typeof signalsFor>[2] = {},
): Promise<PublishedSettlement> {
  const pairs = paid.map((one) =>
    one ? { inputCommitment: randomField(), outputCommitment: randomField() } : { inputCommitment: 0n, outputCommitment: 0n },
  );
  return { proof: NO_PROOF, signals: await signalsFor(stage, order, change), pairs };
}

/** The inference proof of a pair. */
export function answerTo(model: StageModel, pair: PublishedPair): ProofPoints {
  return model.key.prove(pair.inputCommitment, pair.outputCommitment);
}

/** The inference proofs of a batch's paid pairs, in order. */
export function answersTo(model: StageModel, batch: PublishedSettlement): ProofPoints[] {
  return batch.pairs.filter((pair) => pair.inputCommitment !== 0n).map((pair) => answerTo(model, pair));
}
