/** The models whose circuits are measured: three that are trained, three that have the shapes of published figures and no meaning. */
import { readFileSync } from 'node:fs';
import { understand } from '#circuits/model/float/understand.ts';
import { readOnnx } from '#circuits/model/onnx/read-onnx.ts';
import type { IntegerProgram } from '#circuits/model/program/program.ts';
import { quantise } from '#circuits/model/quantise/quantise.ts';
import { rowsFromCsv } from '../../examples/credit-model/data.ts';
import { SeededRandom } from '../../examples/credit-model/random.ts';
import { loadDigits } from '../../examples/digits/data.ts';
import { compiledProgram } from '../../examples/digits/judge.ts';
import { layeredProgram, treeProgram } from '../../test/circuits/model-programs.ts';

/** A model by its name in the report. */
export interface MeasuredModel {
  readonly name: string;
  readonly program: () => IntegerProgram;
}

const example = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(`../../examples/${path}`, import.meta.url)));

function credit(path: string): IntegerProgram {
  const rows = rowsFromCsv(Buffer.from(example('credit-model/unseen-rows.csv')).toString()).map(({ features }) => features);
  return quantise(understand(readOnnx(example(path))), rows, 8).program;
}

/** Weights of 8 bits, normally distributed; inputs of 8 bits. */
function randomLayers(sizes: readonly number[], shift: number): IntegerProgram {
  const random = new SeededRandom(20_261_128);
  const weight = (): number => Math.max(-127, Math.min(127, Math.round(12 * random.normal())));
  const program = layeredProgram(random, sizes, shift, weight);
  return { ...program, input: { ...program.input, maxima: program.input.maxima.map(() => 255) } };
}

/** 30 features with 142 thresholds each, which is what the published ensemble had in all. */
const randomTrees = (): IntegerProgram => treeProgram(new SeededRandom(20_261_128), 100, 6, new Array<number>(30).fill(142));

/** In the order of the report. */
export const measuredModels: readonly MeasuredModel[] = [
  { name: 'random trees, 100 of depth 6, 30 features', program: randomTrees },
  { name: 'random MLP 30-64-32-2', program: () => randomLayers([30, 64, 32, 2], 9) },
  {
    name: 'digits MLP 784-128-10',
    program: () => compiledProgram(example('digits/digits-mlp.onnx'), loadDigits().training),
  },
  {
    name: 'digits CNN 28x28',
    program: () => compiledProgram(example('digits/digits-cnn.onnx'), loadDigits().training),
  },
  { name: 'credit trees, 100 of depth 6', program: () => credit('credit-trees/credit-trees.onnx') },
  { name: 'credit MLP 20-40-16-1', program: () => credit('credit-model/credit-model.onnx') },
];
