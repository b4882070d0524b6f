/**
 * The digit examples: what their report says of unseen images, agreement of interpreter, onnxruntime and circuit on every bit, the soundness
 * smoke test on whole circuits, and sizes beside the ones that were published.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { chosenWires, unboundAlone } from '#circuits/model/constraints/soundness.ts';
import { synthesise } from '#circuits/model/constraints/synthesise.ts';
import { violated, witnessOf } from '#circuits/model/constraints/witness.ts';
import { integerOnnx } from '#circuits/model/program/integer-onnx.ts';
import { interpret } from '#circuits/model/program/interpret.ts';
import { extremeInputs } from '#circuits/model/program/probes.ts';
import { depth, sampleCases, sampleSeed } from '#test/depth.ts';
import { SeededRandom } from '../../examples/credit-model/random.ts';
import { loadDigits, type Digit } from '../../examples/digits/data.ts';
import { compiledProgram, judge } from '../../examples/digits/judge.ts';
import { inputsOf } from './model-programs.ts';

interface Reported {
  readonly accuracyUnseen: number;
  readonly accuracyUnseenCompiled: number;
  readonly rowsWhereTheyDisagree: number;
}

const example = (name: string): Buffer => readFileSync(join(import.meta.dirname, '../../examples/digits', name));

/** Published constraints of a circuit of the same shape, less the 1,416 of its commitments. */
const PUBLISHED = { 'digits-mlp': 11_420 - 1_416, 'digits-cnn': 38_909 - 1_416 } as const;

describe('the digit models', function () {
  this.timeout(1_200_000);
  let digits: { readonly training: readonly Digit[]; readonly unseen: readonly Digit[] };
  const report = JSON.parse(example('report.json').toString()) as Record<keyof typeof PUBLISHED, Reported>;

  before(() => {
    digits = loadDigits();
  });

  for (const name of ['digits-mlp', 'digits-cnn'] as const) {
    it(`${name}: keeps its accuracy within half a percent, on the images that the report is of`, () => {
      const { accuracyUnseen, accuracyUnseenCompiled, rowsWhereTheyDisagree } = report[name];
      assert.ok(Math.abs(accuracyUnseen - accuracyUnseenCompiled) <= 0.005);
      const { training, unseen } = digits;
      const images = sampleCases(unseen, 100);
      const { floatModel, compiledModel, disagreements } = judge(new Uint8Array(example(`${name}.onnx`)), training, images);
      if (images.length === unseen.length) {
        assert.deepEqual(
          [floatModel, compiledModel, disagreements.length],
          [accuracyUnseen, accuracyUnseenCompiled, rowsWhereTheyDisagree],
        );
      } else {
        assert.ok(disagreements.length <= rowsWhereTheyDisagree);
        assert.ok(compiledModel! >= 0.9, `${compiledModel} of ${images.length} images`);
      }
      console.log(`      ${images.length} images: ${floatModel} as given, ${compiledModel} compiled`);
    });

    it(`${name}: interpreter, onnxruntime and circuit agree on every bit; no wire of the circuit is free; it is no larger than published`, async () => {
      const program = compiledProgram(new Uint8Array(example(`${name}.onnx`)), digits.training);
      const session = await InferenceSession.create(integerOnnx(program), { intraOpNumThreads: 1 });
      const random = inputsOf(program, new SeededRandom(sampleSeed()), depth() === 'full' ? 10_000 : 40);
      const inputs = [...sampleCases(extremeInputs(program, Number.POSITIVE_INFINITY), 20), ...random];
      for (const input of inputs) {
        const tensor = new Tensor('uint8', Uint8Array.from(input), [1, input.length]);
        const output = (await session.run({ [program.input.name]: tensor }))[program.outputName]!.data as Int32Array;
        assert.deepEqual([...output], interpret(program, input));
      }
      const system = synthesise(program);
      const witness = witnessOf(system, [...random[1]!.map(BigInt), 3n, 4n]);
      assert.deepEqual(violated(system, witness), []);
      const every = chosenWires(system);
      const wires = depth() === 'full' ? every : sampleCases(every, 300);
      const inverses = new Set(system.tape.filter(({ kind }) => kind === 'non-zero').map(({ first }) => first + 1));
      const unbound = unboundAlone(system, witness, wires).filter(
        ({ wire, changesOutputs }) => changesOutputs || !inverses.has(wire),
      );
      assert.deepEqual(unbound, []);
      const own = system.rows.filter(({ label }) => !label.startsWith('poseidon')).length;
      assert.ok(own <= PUBLISHED[name], `${own} constraints beside commitments, ${PUBLISHED[name]} were published`);
      console.log(
        `      ${inputs.length} inputs, ${wires.length} wires, ${system.rows.length} constraints, ${own} of them beside hashes`,
      );
    });
  }
});
