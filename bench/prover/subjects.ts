/** What is proven: proving key and witness as files, of settlements with every place taken, of compiled models, and of a synthetic shape. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildBn128 } from 'ffjavascript';
import { DEVELOPMENT_TRAPDOOR, writeDevelopmentKey } from '#circuits/build/development-key.ts';
import { parseR1cs, type R1cs } from '#circuits/build/r1cs.ts';
import { ensureCircuit, loadManifest } from '#circuits/manifest.ts';
import { r1csBytes, witnessBytes } from '#circuits/model/constraints/r1cs-file.ts';
import { synthesise } from '#circuits/model/constraints/synthesise.ts';
import { witnessOf } from '#circuits/model/constraints/witness.ts';
import { understand } from '#circuits/model/float/understand.ts';
import { readOnnx } from '#circuits/model/onnx/read-onnx.ts';
import { quantise } from '#circuits/model/quantise/quantise.ts';
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import { loadArtefacts, type ProvingArtefacts } from '#prover/artefacts.ts';
import { circuitInputOf, type CircuitSignals } from '#prover/circuit-input.ts';
import { provableSegment } from '#prover/segment.ts';
import { makeTask } from '#test/unit/prover/task-fixture.ts';
import { rowsFromCsv } from '../../examples/credit-model/data.ts';
import { SyntheticSystem } from './synthetic-system.ts';

/** Files of one circuit. */
export interface Subject {
  readonly name: string;
  readonly zkey: string;
  readonly witness: string;
  readonly constraints: number;
}

/** A settlement circuit with the input of a full segment. */
export async function settlementOf(circuit: string): Promise<{ artefacts: ProvingArtefacts; signals: CircuitSignals }> {
  const built = await ensureCircuit(circuit);
  const { task } = await makeTask(circuit, built.n);
  const artefacts = await loadArtefacts(built, (await loadManifest(circuit)).sha256);
  return { artefacts, signals: circuitInputOf(provableSegment(task), built) };
}

/** A settlement circuit of circuits/circuits.json. */
export async function settlementSubject(circuit: string, folder: string): Promise<Subject> {
  const { artefacts, signals } = await settlementOf(circuit);
  const witness = join(folder, `${circuit}.wtns`);
  writeFileSync(witness, await WitnessCalculator.over(artefacts.calculator).calculateFile(signals));
  const { zkeyPath, constraints } = await ensureCircuit(circuit);
  return { name: circuit, zkey: zkeyPath, witness, constraints };
}

async function withDevelopmentKey(name: string, r1cs: R1cs, values: readonly bigint[], folder: string): Promise<Subject> {
  const [zkey, witness] = [join(folder, `${name}.zkey`), join(folder, `${name}.wtns`)];
  await writeDevelopmentKey(await buildBn128(true), r1cs, DEVELOPMENT_TRAPDOOR, zkey, () => {});
  writeFileSync(witness, witnessBytes(values));
  return { name, zkey, witness, constraints: r1cs.constraintCount };
}

/** A model of examples/, quantised to 8 bits. */
export async function modelSubject(name: string, path: string, folder: string): Promise<Subject> {
  const example = (file: string): Buffer => readFileSync(new URL(`../../examples/${file}`, import.meta.url));
  const rows = rowsFromCsv(example('credit-model/unseen-rows.csv').toString()).map(({ features }) => features);
  const { program } = quantise(understand(readOnnx(example(path))), rows, 8);
  const system = synthesise(program);
  const input = program.input.maxima.map((maximum, i) => BigInt((i * 37) % (maximum + 1)));
  return withDevelopmentKey(name, parseR1cs(r1csBytes(system)), witnessOf(system, [...input, 3n, 4n]), folder);
}

/** A system with as many constraints, wires and non-zeros of A, B and C as a circuit that others have measured, and random values. */
export async function shapeSubject(name: string, system: SyntheticSystem, folder: string): Promise<Subject> {
  return withDevelopmentKey(name, system.r1cs, system.values, folder);
}
