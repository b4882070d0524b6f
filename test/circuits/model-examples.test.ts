/**
 * The trained examples: what their reports say of unseen rows, agreement of interpreter, onnxruntime and circuit on every bit, the soundness
 * smoke test on whole circuits, and sizes beside the ones that were published.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { chosenWires, unboundAlone } from '#circuits/model/constraints/soundness.ts';
import { freeInverses } from '#circuits/model/constraints/walk.ts';
import { synthesise } from '#circuits/model/constraints/synthesise.ts';
import { violated, witnessOf } from '#circuits/model/constraints/witness.ts';
import { understand } from '#circuits/model/float/understand.ts';
import { readOnnx } from '#circuits/model/onnx/read-onnx.ts';
import { integerOnnx } from '#circuits/model/program/integer-onnx.ts';
import { interpret } from '#circuits/model/program/interpret.ts';
import { extremeInputs } from '#circuits/model/program/probes.ts';
import { programBytes, type IntegerProgram } from '#circuits/model/program/program.ts';
import { readProgram } from '#circuits/model/program/read-program.ts';
import { stagesOf } from '#circuits/model/program/stages.ts';
import { accuracyOf, quantise } from '#circuits/model/quantise/quantise.ts';
import { depth, sampleCases, sampleSeed } from '#test/depth.ts';
import { makeRows, rowsFromCsv } from '../../examples/credit-model/data.ts';
import { SeededRandom } from '../../examples/credit-model/random.ts';
import { loadDigits, type Digit } from '../../examples/digits/data.ts';
import { compiledProgram, judge } from '../../examples/digits/judge.ts';
import { inputsOf, reachOf } from './model-programs.ts';

interface Reported {
  readonly accuracyUnseen: number;
  readonly accuracyUnseenCompiled: number;
  readonly rowsWhereTheyDisagree: number;
}

const example = (path: string): Uint8Array => new Uint8Array(readFileSync(join(import.meta.dirname, '../../examples', path)));
const json = (path: string): unknown => JSON.parse(Buffer.from(example(path)).toString());

/** Published constraints of a circuit of the same shape, less the 1,416 of its commitments. */
const PUBLISHED = { 'digits-mlp': 11_420 - 1_416, 'digits-cnn': 38_909 - 1_416 } as const;

/** Sizes that must not be exceeded; `null` where no circuit of the shape was published. */
const programs: readonly (readonly [
  name: string,
  published: number | null,
  make: (training: readonly Digit[]) => IntegerProgram,
])[] = [
  ['digits-mlp', PUBLISHED['digits-mlp'], (training) => compiledProgram(example('digits/digits-mlp.onnx'), training)],
  ['digits-cnn', PUBLISHED['digits-cnn'], (training) => compiledProgram(example('digits/digits-cnn.onnx'), training)],
  ['credit-trees', null, () => credit('credit-trees/credit-trees.onnx')],
  ['credit-model', null, () => credit('credit-model/credit-model.onnx')],
];

function tensorOf(program: IntegerProgram, input: readonly number[]): Tensor {
  const dims = [1, input.length];
  return program.input.bytesPerElement === 1
    ? new Tensor('uint8', Uint8Array.from(input), dims)
    : new Tensor('uint16', Uint16Array.from(input), dims);
}

/** onnxruntime gives what the interpreter gives. */
async function assertAgreement(program: IntegerProgram, inputs: readonly (readonly number[])[]): Promise<void> {
  const session = await InferenceSession.create(integerOnnx(program), { intraOpNumThreads: 1 });
  for (const input of inputs) {
    const given = await session.run({ [program.input.name]: tensorOf(program, input) });
    assert.deepEqual([...(given[program.outputName]!.data as Int32Array)], interpret(program, input));
  }
}

function credit(path: string): IntegerProgram {
  const rows = rowsFromCsv(Buffer.from(example('credit-model/unseen-rows.csv')).toString()).map(({ features }) => features);
  return quantise(understand(readOnnx(example(path))), rows, 8).program;
}

describe('the example models', function () {
  this.timeout(1_200_000);
  let digits: { readonly training: readonly Digit[]; readonly unseen: readonly Digit[] };
  const report = json('digits/report.json') as Record<keyof typeof PUBLISHED, Reported>;

  before(() => {
    digits = loadDigits();
  });

  for (const name of ['digits-mlp', 'digits-cnn'] as const) {
    it(`${name}: keeps its accuracy within half a percent, on the images that the report is of`, () => {
      const { accuracyUnseen, accuracyUnseenCompiled, rowsWhereTheyDisagree } = report[name];
      assert.ok(Math.abs(accuracyUnseen - accuracyUnseenCompiled) <= 0.005);
      const { training, unseen } = digits;
      const images = sampleCases(unseen, 40);
      const { floatModel, compiledModel, disagreements } = judge(example(`digits/${name}.onnx`), training, images);
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
  }

  it('credit-trees: the ensemble keeps its accuracy within a tenth of a percent, on the rows that the report is of', () => {
    const { accuracyUnseen, accuracyUnseenCompiled, rowsWhereTheyDisagree, unseenRows, seeds } = json(
      'credit-trees/report.json',
    ) as Reported & { readonly unseenRows: number; readonly seeds: { readonly unseen: number } };
    assert.ok(Math.abs(accuracyUnseen - accuracyUnseenCompiled) <= 0.001);
    const model = understand(readOnnx(example('credit-trees/credit-trees.onnx')));
    const rows = sampleCases(makeRows(unseenRows, seeds.unseen), 300);
    const labelled = { features: rows.map(({ features }) => features), labels: rows.map(({ label }) => label) };
    const { floatModel, compiledModel, disagreements } = accuracyOf(model, quantise(model, [], 8), labelled, 0);
    if (rows.length === unseenRows) {
      assert.deepEqual(
        [floatModel, compiledModel, disagreements.length],
        [accuracyUnseen, accuracyUnseenCompiled, rowsWhereTheyDisagree],
      );
    } else {
      assert.ok(disagreements.length <= rowsWhereTheyDisagree);
      // Eight deviations of a sample's mean.
      const deviation = Math.sqrt((accuracyUnseen * (1 - accuracyUnseen)) / rows.length);
      assert.ok(Math.abs(compiledModel! - accuracyUnseen) < 8 * deviation, `${compiledModel} of ${rows.length} rows`);
    }
    console.log(`      ${rows.length} rows: ${floatModel} as given, ${compiledModel} compiled`);
  });

  for (const [name, published, make] of programs) {
    it(`${name}: interpreter, onnxruntime and circuit agree on every bit, and no wire of the circuit is free`, async () => {
      const program = make(digits.training);
      assert.deepEqual(readProgram(programBytes(program), 'STUN_MODEL_MANIFEST'), program, 'whoever reads the folder takes it');
      const random = inputsOf(program, new SeededRandom(sampleSeed()), depth() === 'full' ? 10_000 : 40);
      const extremes = extremeInputs(program, depth() === 'full' ? Number.POSITIVE_INFINITY : 8);
      const inputs = [...extremes, ...random];
      await assertAgreement(program, inputs);
      const stages = stagesOf(program);
      if (stages !== null) {
        const ends = extremeInputs(stages, depth() === 'full' ? Number.POSITIVE_INFINITY : 8);
        await assertAgreement(stages, ends);
        const { reached, accumulators } = reachOf(stages, ends);
        assert.ok(reached > 0);
        console.log(`      ${reached} of ${accumulators} accumulators and activations at both ends, ${ends.length} inputs`);
      }
      const system = synthesise(program);
      const witness = witnessOf(system, [...random[1]!.map(BigInt), 3n, 4n]);
      assert.deepEqual(violated(system, witness), []);
      const every = chosenWires(system);
      const wires = depth() === 'full' ? every : sampleCases(every, 120);
      const inverses = freeInverses(system);
      const unbound = unboundAlone(system, witness, wires).filter(
        ({ wire, changesOutputs }) => changesOutputs || !inverses.has(wire),
      );
      assert.deepEqual(unbound, []);
      const own = system.rows.filter(({ label }) => !label.startsWith('poseidon')).length;
      assert.ok(own <= (published ?? Infinity), `${own} constraints beside commitments, ${published} were published`);
      console.log(
        `      ${inputs.length} inputs, ${wires.length} wires, ${system.rows.length} constraints, ${own} of them beside hashes`,
      );
    });
  }
});
