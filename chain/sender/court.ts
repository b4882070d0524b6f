/** Answers to challenges and ends of batches as intents. Each attempt has a key of its own; on chain only one has an effect. */
import { z } from 'zod';
import type { PublishedPair } from '#protocol/terms.ts';
import { bytes32Hex } from '#protocol/wire/scalars.ts';
import type { CourtContract } from '../court.ts';
import type { ProofPoints } from '../escrow.ts';
import type { IsDone } from './advance.ts';
import type { Submission } from './sender.ts';

/** What of a batch an intent changes: the challenge of one pair, or, without an index, the batch itself. */
const courtStepSchema = z.strictObject({ batchId: bytes32Hex, index: z.int().min(0).max(15).optional() });

const PENDING = 1n;
const OPEN = 1n;

/** Answers a challenge. @param attempt - a name for this try, so that one that was refused can be made again */
export function answerSubmission(
  court: CourtContract,
  challenged: { readonly batchId: string; readonly index: number },
  pairs: readonly PublishedPair[],
  proof: ProofPoints,
  attempt: string,
): Submission {
  const { batchId, index } = challenged;
  const step: z.infer<typeof courtStepSchema> = { batchId, index };
  return {
    key: `answer/${batchId}/${index}/${attempt}`,
    call: court.answerCall(batchId, index, pairs, proof),
    context: JSON.stringify(step),
  };
}

/** Pays the provider of a batch that nobody can challenge any more. @param attempt - as of {@link answerSubmission} */
export function finaliseSubmission(court: CourtContract, batchId: string, attempt: string): Submission {
  const step: z.infer<typeof courtStepSchema> = { batchId };
  return { key: `finalise/${batchId}/${attempt}`, call: court.finaliseCall(batchId), context: JSON.stringify(step) };
}

/** Whether an intent of the court is done at a block, by whomever; every other intent is asked of `others`. */
export function courtStepIsDone(court: CourtContract, others: IsDone): IsDone {
  return async (intent, blockNumber) => {
    const step = courtStepOf(intent.context);
    if (step === undefined) return others(intent, blockNumber);
    const { batchId, index } = step;
    const [method, args, undone] =
      index === undefined ? (['batchOf', [batchId], PENDING] as const) : (['challengeOf', [batchId, index], OPEN] as const);
    const entry = (await court.access.read(method, [...args], blockNumber))[0] as Record<string, unknown>;
    const state = BigInt(String(entry['state']));
    return state !== 0n && state !== undone;
  };
}

function courtStepOf(context: string): z.infer<typeof courtStepSchema> | undefined {
  try {
    return courtStepSchema.safeParse(JSON.parse(context)).data;
  } catch {
    return undefined;
  }
}
