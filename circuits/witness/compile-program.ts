/**
 * Makes the witness program of a circuit: circom without any simplification gives a row for every assignment and a wire for every signal;
 * what the program computes of them is the witness of the simplified system, whose wires are a choice of the same signals.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StunError } from '#protocol/errors/stun-error.ts';
import { compileCircuit } from '../build/compile.ts';
import { assemble } from './assemble.ts';
import { ConstraintRows } from './constraint-rows.ts';
import { deriveSteps } from './derive-order.ts';
import { programBytes } from './program-file.ts';
import type { ProgramInput, WitnessProgram } from './witness-program.ts';

/** Changes whenever the programs of the same circuits do. */
export const WITNESS_COMPILER = 'witness-program/v2';

/** Lines of a symbol file: signal, its wire or -1, its component, its name. */
function symbolsOf(text: string): (readonly [signal: number, wire: number, name: string])[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [signal, wire, , name] = line.split(',');
      return [Number(signal), Number(wire), name!] as const;
    });
}

/** Inputs of the main component: `main.path[3]` is a value of `path`; their wires follow the outputs and each other. */
function inputsOf(names: readonly string[], outputCount: number, inputCount: number): (ProgramInput & { first: number })[] {
  const inputs: { name: string; size: number; first: number }[] = [];
  for (let wire = 1 + outputCount; wire <= outputCount + inputCount; wire++) {
    const name = names[wire]!.replace(/^main\./, '').replace(/(?:\[\d+\])+$/, '');
    const last = inputs.at(-1);
    if (last?.name === name) last.size++;
    else inputs.push({ name, size: 1, first: wire });
  }
  return inputs;
}

/**
 * Makes the program from the files of both compilations.
 * @param plain - constraints without simplification (`--O0`), where every signal is a wire
 * @param plainSymbols - their symbol file
 * @param symbols - symbol file of the system whose witness is wanted
 * @throws `STUN_CIRCUIT_R1CS`; `STUN_CIRCUIT_WITNESS` when a wire does not follow from the inputs
 */
export function witnessProgramOf(plain: Uint8Array, plainSymbols: string, symbols: string): WitnessProgram {
  const rows = new ConstraintRows(plain);
  const names: string[] = ['1'];
  const wireOf: number[] = [];
  for (const [signal, wire, name] of symbolsOf(plainSymbols)) {
    names[wire] = name;
    wireOf[signal] = wire;
  }
  const nameOf = (wire: number): string => names[wire] ?? `wire ${wire}`;
  const { outputCount, inputCount } = rows.r1cs;
  const inputs = inputsOf(names, outputCount, inputCount);
  const outputs: number[] = [0];
  for (const [signal, wire] of symbolsOf(symbols)) if (wire >= 0) outputs[wire] = wireOf[signal]!;
  const given = Array.from({ length: inputCount }, (_, i) => 1 + outputCount + i);
  const program = assemble(rows, deriveSteps(rows, given, nameOf), inputs, outputs, nameOf);
  const free = program.outputs.indexOf(-1);
  if (free >= 0) throw new StunError('STUN_CIRCUIT_WITNESS', `no constraint mentions ${nameOf(outputs[free]!)}`);
  return program;
}

/**
 * Compiles the witness program of a circuit.
 * @param mainPath - source with the main component, relative to the repository root
 * @param directory - where the simplified system's `circuit.sym` lies, for scratch files too
 * @throws `STUN_CIRCUIT_COMPILE`, and as {@link witnessProgramOf}
 */
export async function compileWitnessProgram(mainPath: string, directory: string): Promise<Uint8Array> {
  const scratch = await mkdtemp(join(directory, 'plain-'));
  try {
    await compileCircuit(mainPath, scratch, { level: 'O0', outputs: ['r1cs', 'sym'] });
    const [plain, plainSymbols, symbols] = await Promise.all([
      readFile(join(scratch, 'circuit.r1cs')),
      readFile(join(scratch, 'circuit.sym'), 'utf8'),
      readFile(join(directory, 'circuit.sym'), 'utf8'),
    ]);
    return programBytes(witnessProgramOf(plain, plainSymbols, symbols));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
