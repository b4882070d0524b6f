/** Gas of orders above `attested`: proven batches, a challengeable batch with its challenge, answer and outcomes, a model. */
import { randomBytes } from 'node:crypto';
import { artifacts } from '#chain/artifacts.ts';
import { ContractAccess, type MinedTransaction } from '#chain/contract-access.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import { fromHex, toHex } from '#protocol/index.ts';
import { answersTo, answerTo, BOND, challengeableTerms, provenTerms, registerModel, SLASH } from '#test/contracts/published.ts';
import { openRealOrder, provePublishedSegment, serveSegment } from '#test/contracts/real-segment.ts';
import { DAY, HOUR, type Stage, type StageEnclave } from '#test/contracts/stage.ts';
import { makeTrapdoorKey } from '#test/contracts/trapdoor-key.ts';

type Note = (name: string, used: bigint) => void;

/**
 * Measures each once. Settlement proofs are real; inference proofs are made with the key's trapdoor, which changes no gas.
 * Moves the clock by days.
 */
export async function measurePublished(stage: Stage, enclave: StageEnclave, note: Note): Promise<void> {
  const model = await registerModel(stage);
  const registration = {
    verificationKey: makeTrapdoorKey().bytes,
    manifestSha256: toHex(randomBytes(32)),
    ceremonyHash: toHex(new Uint8Array(32)),
  };
  note('register a model', (await stage.as(stage.owner).models.register(registration)).gasUsed);
  note('verify one inference, execution', await inferenceGas(stage, model));
  const budgets = [{ provider: stage.provider.address.toLowerCase(), amount: 1_000_000n }];
  const proven = await openRealOrder(stage, enclave, 16, { budgets, terms: provenTerms(stage, model) });
  const { court, escrow } = stage.as(stage.provider);
  for (const [laneIndex, jobs] of [1, 16].entries()) {
    const batch = await provePublishedSegment(await serveSegment(stage, enclave, proven, { jobs, price: 100n, laneIndex }));
    const { gasUsed } = await escrow.settleProven(stage.funder.address, batch, answersTo(model, batch));
    note(`settle proven, ${jobs} ${jobs === 1 ? 'job' : 'jobs'}, first batch of a lane`, gasUsed);
  }
  await court.depositStake(NATIVE_TOKEN, 4n * SLASH);
  const terms = challengeableTerms(stage, model);
  const order = await openRealOrder(stage, enclave, 16, { budgets, terms });
  const settle = async (laneIndex: number) => {
    const batch = await provePublishedSegment(await serveSegment(stage, enclave, order, { jobs: 16, price: 100n, laneIndex }));
    const mined = await escrow.settleChallengeable(stage.funder.address, batch);
    note('settle challengeable, 16 jobs, first batch of a lane', mined.gasUsed);
    return { ...batch, batchId: court.batchesIn(mined.receipt)[0]!.batchId };
  };
  const asFunder = stage.as(stage.funder).court;
  const bond = { token: NATIVE_TOKEN, amount: BOND };
  const noteMined = (name: string, { gasUsed }: MinedTransaction): void => note(name, gasUsed);
  const answered = await settle(0);
  noteMined('challenge', await asFunder.challenge(answered.batchId, 3, answered.pairs, bond));
  noteMined('answer', await court.answer(answered.batchId, 3, answered.pairs, answerTo(model, answered.pairs[3]!)));
  const slashed = await settle(1);
  await asFunder.challenge(slashed.batchId, 0, slashed.pairs, bond);
  await stage.chain.increaseTime(DAY + HOUR);
  noteMined('finalise a batch', await court.finalise(answered.batchId));
  noteMined('refund an unanswered batch and slash', await court.refundUnanswered(slashed.batchId, 0));
}

/** Without the base cost and the calldata of a transaction. */
async function inferenceGas(stage: Stage, model: Awaited<ReturnType<typeof registerModel>>): Promise<bigint> {
  const { key } = await stage.as(stage.owner).models.model(model.modelId);
  const verifier = new ContractAccess(artifacts.InferenceVerifier, stage.deployment.inference.verifier, stage.owner);
  const { a, b, c } = model.key.prove(7n, 8n);
  const { to, data } = verifier.encode('verifyProof', [key, [a, b, c], 7n, 8n]);
  const whole = await stage.chain.provider.estimateGas({ to, data });
  const calldata = fromHex(data).reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 0);
  return whole - 21_000n - BigInt(calldata);
}
