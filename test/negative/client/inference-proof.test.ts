/** A proof of an inference, held against what it is not about: another model, input or output, other orders and other ways to write a number. */
import { verifyProof } from '#client/audit/groth16.ts';
import { committedShapes, OUTPUT_BIAS } from '#circuits/model/program/program.ts';
import { FIELD_ORDER, tensorCommitment } from '#protocol/index.ts';
import type { ProofPoints } from '#protocol/index.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';
import { compiledFixture, inferenceProver } from '#test/unit/worker/compiled-fixture.ts';

const [INPUT_BLINDING, OUTPUT_BLINDING] = [71n, 72n];
const input = [1, 2, 3, 4];

describe('client: inference proofs that are refused', function () {
  this.timeout(120_000);
  let own: Awaited<ReturnType<typeof compiledFixture>>;
  let other: Awaited<ReturnType<typeof compiledFixture>>;
  let proof: ProofPoints;
  let signals: [bigint, bigint];
  let elsewhere: [bigint, bigint];

  /** Commitments of an input and of what a model gives on it. */
  function commitmentsOf(values: readonly number[]): [bigint, bigint] {
    const output = own.run(values);
    const shapes = committedShapes(own.program, output.length);
    const biased = output.map((value) => BigInt(value) + OUTPUT_BIAS);
    return [
      tensorCommitment(shapes.input, values.map(BigInt), INPUT_BLINDING),
      tensorCommitment(shapes.output, biased, OUTPUT_BLINDING),
    ];
  }

  before(async () => {
    [own, other] = await Promise.all([compiledFixture(), compiledFixture(0.9)]);
    signals = commitmentsOf(input);
    elsewhere = commitmentsOf([1, 200, 3, 4]);
    const prover = await inferenceProver(own.directory);
    try {
      const task = { modelId: own.model.modelId, input, inputBlinding: INPUT_BLINDING, outputBlinding: OUTPUT_BLINDING };
      proof = await prover.prove({ ...task, inputCommitment: signals[0], outputCommitment: signals[1] });
      const asked = { ...task, inputCommitment: signals[0], outputCommitment: elsewhere[1] };
      await rejectsCode(prover.prove(asked), 'STUN_PROOF_INVALID');
    } finally {
      await prover.close();
    }
  });

  it('holds for its own model, input and output', () => {
    verifyProof(own.verificationKeyBytes, proof, signals);
  });

  const refused: readonly (readonly [what: string, key: () => Uint8Array, given: () => bigint[]])[] = [
    ['another model', () => other.verificationKeyBytes, () => signals],
    ['another input', () => own.verificationKeyBytes, () => [elsewhere[0], signals[1]]],
    ['another output', () => own.verificationKeyBytes, () => [signals[0], elsewhere[1]]],
    ['the signals in another order', () => own.verificationKeyBytes, () => signals.toReversed()],
    ['a signal too few', () => own.verificationKeyBytes, () => [signals[0]]],
    ['an input commitment not below r', () => own.verificationKeyBytes, () => [signals[0] + FIELD_ORDER, signals[1]]],
    ['an output commitment not below r', () => own.verificationKeyBytes, () => [signals[0], signals[1] + FIELD_ORDER]],
  ];
  for (const [what, key, given] of refused) {
    it(`refuses ${what}`, () => throwsCode(() => verifyProof(key(), proof, given()), 'STUN_PROOF_INVALID'));
  }
});
