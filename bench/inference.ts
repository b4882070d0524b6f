/**
 * Model circuits: how large they are, how long compiling, keys, witnesses and proofs take, beside onnxruntime on the same input. Two models are
 * trained (examples/), two have the shapes of published figures with random weights, whose accuracy means nothing.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBn128 } from 'ffjavascript';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { groth16 } from 'snarkjs';
import { DEVELOPMENT_TRAPDOOR, writeDevelopmentKey } from '#circuits/build/development-key.ts';
import { parseR1cs } from '#circuits/build/r1cs.ts';
import { r1csBytes, witnessBytes } from '#circuits/model/constraints/r1cs-file.ts';
import { synthesise } from '#circuits/model/constraints/synthesise.ts';
import { witnessOf } from '#circuits/model/constraints/witness.ts';
import { understand } from '#circuits/model/float/understand.ts';
import { readOnnx } from '#circuits/model/onnx/read-onnx.ts';
import { integerOnnx } from '#circuits/model/program/integer-onnx.ts';
import type { IntegerProgram } from '#circuits/model/program/program.ts';
import { quantise } from '#circuits/model/quantise/quantise.ts';
import { rowsFromCsv } from '../examples/credit-model/data.ts';
import { SeededRandom } from '../examples/credit-model/random.ts';
import { layeredProgram } from '../test/circuits/model-programs.ts';
import { summarise, type Figure } from './figure.ts';

const example = (path: string): Buffer => readFileSync(new URL(`../examples/${path}`, import.meta.url));

function compiledExample(path: string): IntegerProgram {
  const rows = rowsFromCsv(example('credit-model/unseen-rows.csv').toString()).map(({ features }) => features);
  return quantise(understand(readOnnx(example(path))), rows, 8).program;
}

/** The programs that are measured. */
function programs(): readonly (readonly [string, IntegerProgram])[] {
  const random = new SeededRandom(20_261_128);
  return [
    ['credit trees, 100 of depth 6', compiledExample('credit-trees/credit-trees.onnx')],
    ['credit MLP 20-40-16-1', compiledExample('credit-model/credit-model.onnx')],
    ['random MLP 30-64-32-2', layeredProgram(random, [30, 64, 32, 2], 11)],
    ['random MLP 784-128-10', layeredProgram(random, [784, 128, 10], 13)],
  ];
}

/** Repeats work: wall and CPU milliseconds of each run. */
async function timed(rounds: number, work: () => unknown): Promise<{ wallMs: number[]; cpuMs: number[] }> {
  const [wallMs, cpuMs]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds; i++) {
    const before = process.cpuUsage();
    const startedAtMs = performance.now();
    await work();
    wallMs.push(performance.now() - startedAtMs);
    const { user, system } = process.cpuUsage(before);
    cpuMs.push((user + system) / 1000);
  }
  return { wallMs, cpuMs };
}

async function figuresOf(name: string, program: IntegerProgram, folder: string): Promise<Figure[]> {
  const system = synthesise(program);
  const built = await timed(3, () => r1csBytes(synthesise(program)));
  const r1cs = r1csBytes(system);
  const path = join(folder, 'key.zkey');
  const curve = await buildBn128(true);
  const key = await timed(1, () => writeDevelopmentKey(curve, parseR1cs(r1cs), DEVELOPMENT_TRAPDOOR, path, () => {}));
  const input = program.input.maxima.map((maximum, i) => (i * 37) % (maximum + 1));
  const signals = [...input.map(BigInt), 3n, 4n];
  const witness = await timed(7, () => witnessOf(system, signals));
  const bytes = witnessBytes(witnessOf(system, signals));
  const zkey = new Uint8Array(readFileSync(path));
  await groth16.prove(zkey, bytes);
  const proof = await timed(3, () => groth16.prove(zkey, bytes));
  const session = await InferenceSession.create(integerOnnx(program), { intraOpNumThreads: 1 });
  const type = program.input.bytesPerElement === 1 ? ('uint8' as const) : ('uint16' as const);
  const data = type === 'uint8' ? Uint8Array.from(input) : Uint16Array.from(input);
  const feeds = { [program.input.name]: new Tensor(type, data, [1, input.length]) };
  const raw = await timed(50, () => session.run(feeds));
  const median = (values: readonly number[]): number => summarise('', '', values).median;
  return [
    summarise(`${name}: constraints`, 'rows', [system.rows.length]),
    summarise(`${name}: of them for commitments`, 'rows', [
      system.rows.filter(({ label }) => label.startsWith('poseidon')).length,
    ]),
    summarise(`${name}: wires`, 'wires', [system.wireCount]),
    summarise(`${name}: constraints and their file, CPU`, 'ms', built.cpuMs),
    summarise(`${name}: development key, CPU`, 'ms', key.cpuMs),
    summarise(`${name}: proving key`, 'MB', [statSync(path).size / 1e6]),
    summarise(`${name}: witness (beside onnxruntime on the same input)`, 'ms', witness.wallMs, median(raw.wallMs)),
    summarise(`${name}: proof by snarkjs, warm, wall`, 'ms', proof.wallMs),
    summarise(`${name}: proof by snarkjs, warm, CPU`, 'ms', proof.cpuMs),
  ];
}

/** All programs; about two minutes on two idle cores. */
export async function run(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'stun-bench-inference-'));
  const figures: Figure[] = [];
  try {
    for (const [name, program] of programs()) figures.push(...(await figuresOf(name, program, folder)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}
