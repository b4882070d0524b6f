/** Interpreter, onnxruntime and circuit give the same integers, bit for bit, and the protocol's commitments of them. */
import assert from 'node:assert/strict';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { synthesise } from '#circuits/model/constraints/synthesise.ts';
import { violated, witnessOf } from '#circuits/model/constraints/witness.ts';
import { programBounds } from '#circuits/model/program/bounds.ts';
import { integerOnnx } from '#circuits/model/program/integer-onnx.ts';
import { interpret } from '#circuits/model/program/interpret.ts';
import { extremeInputs } from '#circuits/model/program/probes.ts';
import { committedShapes, OUTPUT_BIAS, programBytes, type IntegerProgram } from '#circuits/model/program/program.ts';
import { readProgram } from '#circuits/model/program/read-program.ts';
import { stagesOf } from '#circuits/model/program/stages.ts';
import { tensorCommitment } from '#protocol/commitments.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { depth, sampleCases, sampleSeed } from '#test/depth.ts';
import { SeededRandom } from '../../examples/credit-model/random.ts';
import { inputsOf, reachOf, smallPrograms } from './model-programs.ts';

const [BLINDING_IN, BLINDING_OUT] = [123_456_789n, 987_654_321n];

async function runtimeOf(program: IntegerProgram): Promise<(input: readonly number[]) => Promise<number[]>> {
  const session = await InferenceSession.create(integerOnnx(program), { intraOpNumThreads: 1 });
  return async (input) => {
    const dims = [1, input.length];
    const tensor =
      program.input.bytesPerElement === 1
        ? new Tensor('uint8', Uint8Array.from(input), dims)
        : new Tensor('uint16', Uint16Array.from(input), dims);
    const result = (await session.run({ [program.input.name]: tensor }))[program.outputName];
    assert.ok(result !== undefined);
    return [...(result.data as Int32Array)];
  };
}

describe('a compiled model', function () {
  this.timeout(600_000);

  for (const [name, program] of smallPrograms()) {
    it(`${name}: onnxruntime gives what the interpreter gives, at random and at the ends of the first layer`, async () => {
      const run = await runtimeOf(program);
      const count = depth() === 'full' ? 10_000 : 400;
      const inputs = [...extremeInputs(program, Infinity), ...inputsOf(program, new SeededRandom(sampleSeed()), count)];
      const bounds = programBounds(program).at(-1)!;
      for (const input of inputs) {
        const expected = interpret(program, input);
        assert.deepEqual(await run(input), expected, `input ${input.join(' ')}`);
        for (const [i, value] of expected.entries())
          assert.ok(
            bounds[i]!.low <= BigInt(value) && BigInt(value) <= bounds[i]!.high,
            `output ${i} is ${value}, out of its bounds`,
          );
      }
      console.log(`      ${inputs.length} inputs`);
    });

    it(`${name}: the circuit opens the protocol's commitments of input and output`, () => {
      const system = synthesise(program);
      const count = depth() === 'full' ? 60 : 12;
      const inputs = [
        ...extremeInputs(program, Infinity).slice(0, 6),
        ...inputsOf(program, new SeededRandom(sampleSeed()), count),
      ];
      for (const input of inputs) {
        const witness = witnessOf(system, [...input.map(BigInt), BLINDING_IN, BLINDING_OUT]);
        assert.deepEqual(violated(system, witness), []);
        const output = interpret(program, input);
        const shapes = committedShapes(program, output.length);
        const biased = output.map((value) => BigInt(value) + OUTPUT_BIAS);
        assert.equal(witness[1], tensorCommitment(shapes.input, input.map(BigInt), BLINDING_IN), 'input commitment');
        assert.equal(witness[2], tensorCommitment(shapes.output, biased, BLINDING_OUT), 'output commitment');
      }
      console.log(`      ${system.rows.length} constraints, ${inputs.length} witnesses`);
    });

    it(`${name}: an input beyond its maximum has no witness, and the interpreter refuses it`, () => {
      const system = synthesise(program);
      const [input] = inputsOf(program, new SeededRandom(1), 1);
      for (const [i, maximum] of program.input.maxima.entries()) {
        const beyond = input!.with(i, maximum + 1);
        assert.throws(
          () => interpret(program, beyond),
          (thrown) => thrown instanceof StunError && thrown.code === 'STUN_MODEL_INPUT_RANGE',
        );
        assert.notDeepEqual(violated(system, witnessOf(system, [...beyond.map(BigInt), 1n, 2n])), [], `element ${i}`);
      }
    });
  }

  for (const [name, program] of smallPrograms()) {
    const stages = stagesOf(program);
    if (stages === null) continue;
    it(`${name}: onnxruntime and circuit are exact at both ends of every accumulator of every layer`, async () => {
      const run = await runtimeOf(stages);
      const inputs = extremeInputs(stages, Infinity);
      const { reached, accumulators } = reachOf(stages, inputs);
      // The least of a window's greatest would need all of its places at their least.
      assert.ok(
        reached === accumulators || stages.operations.some(({ kind }) => kind === 'window-max'),
        `${reached} are reached`,
      );
      for (const input of inputs) assert.deepEqual(await run(input), interpret(stages, input), `input ${input.join(' ')}`);
      const system = synthesise(stages);
      for (const input of sampleCases(inputs, 12))
        assert.deepEqual(violated(system, witnessOf(system, [...input.map(BigInt), BLINDING_IN, BLINDING_OUT])), []);
      console.log(`      ${reached} of ${accumulators} at both ends, ${inputs.length} inputs`);
    });
  }
  it('agrees at every shift and every maximum that a program may have', async () => {
    const shifts = Array.from({ length: 31 }, (_, shift) => shift);
    for (const bits of sampleCases(
      shifts.map((shift) => shift + 1),
      6,
    )) {
      const written: IntegerProgram = {
        input: { name: 'x', maxima: [65_535], bytesPerElement: 2 },
        operations: [
          // The widest accumulators that leave room for the greatest half, one of them negative.
          {
            kind: 'affine',
            of: 0,
            weights: shifts.map((shift) => [shift === 7 ? -24_000 : 24_000]),
            biases: shifts.map(() => -9),
          },
          { kind: 'requantise', of: 1, shifts, maximum: 2 ** bits - 1 },
        ],
        outputName: 'y',
        outputScale: 0,
      };
      const program = readProgram(programBytes(written), 'STUN_MODEL_MANIFEST');
      const [run, system] = [await runtimeOf(program), synthesise(program)];
      for (const x of [0, 1, 2, 4_660, 65_534, 65_535]) {
        const output = interpret(program, [x]);
        assert.deepEqual(await run([x]), output, `${bits} bits, input ${x}`);
        const witness = witnessOf(system, [BigInt(x), BLINDING_IN, BLINDING_OUT]);
        assert.deepEqual(violated(system, witness), []);
        const biased = output.map((value) => BigInt(value) + OUTPUT_BIAS);
        assert.equal(witness[2], tensorCommitment(committedShapes(program, output.length).output, biased, BLINDING_OUT));
      }
    }
  });

  it('is refused when an accumulator could leave 32 bits, one weight before it may', () => {
    const wide = (weight: number): IntegerProgram => ({
      input: { name: 'x', maxima: [65_535], bytesPerElement: 2 },
      operations: [{ kind: 'affine', of: 0, weights: [[weight]], biases: [0] }],
      outputName: 'y',
      outputScale: 0,
    });
    assert.equal(programBounds(wide(32_768)).at(-1)![0]!.high, 65_535n * 32_768n);
    assert.throws(
      () => programBounds(wide(32_769)),
      (thrown) => thrown instanceof StunError && thrown.code === 'STUN_MODEL_BOUNDS',
    );
  });
});
