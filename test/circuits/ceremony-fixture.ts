/** What tests of the ceremony share: a small circuit with as many public signals as settlement, and powers of tau made here by snarkjs. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { buildBn128 } from 'ffjavascript';
import { powersOfTau } from 'snarkjs';
import { domainExponentOf } from '#circuits/build/development-key.ts';
import { readR1cs } from '#circuits/build/r1cs.ts';
import { openPowersOfTau, type Share } from '#circuits/ceremony/powers-of-tau.ts';
import { startKey, type StartedKey } from '#circuits/ceremony/start-key.ts';
import { compileSource } from './compiled.ts';
import { keptFolder } from './kept.ts';
import { rowOf, type TablePowers } from './powers-of-tau.ts';

/** Seven public inputs and an output; products, linear rows, small, large and negative coefficients. */
function circuitSource(rows: number): string {
  return `pragma circom 2.1.6;
template Chain(rows) {
    signal input given[7];
    signal input secret;
    signal output out;
    signal link[rows];
    link[0] <== secret * (given[0] + 5);
    for (var i = 1; i < rows; i++) {
        link[i] <== (3 * link[i - 1] - given[i % 7]) * (secret - 21888242871839275222246405745257275088548364400416034343698204186575 * i);
    }
    out <== link[rows - 1] + 7 * link[0] - given[3];
}
component main { public [given] } = Chain(${rows});
`;
}

/** An input that the circuit accepts. */
export const CIRCUIT_INPUT = { given: [1n, 2n, 3n, 4n, 5n, 6n, 7n], secret: 11n };

/** Paths of the circuit with so many chained products. */
export async function smallCircuit(rows: number): Promise<{ r1csPath: string; wasmPath: string }> {
  const folder = await compileSource(circuitSource(rows), { level: 'O2', outputs: ['r1cs', 'wasm'] });
  return { r1csPath: join(folder, 'circuit.r1cs'), wasmPath: join(folder, 'circuit.wasm') };
}

/** Powers of tau to which somebody contributed. */
export interface LocalPowers extends TablePowers {
  /** Before it was prepared for phase 2. */
  readonly rawPath: string;
}

/** Powers of tau by snarkjs with one contribution and a beacon; made once and kept, like compiled circuits. */
export async function localPowers(power: number): Promise<LocalPowers> {
  const folder = await keptFolder(`powers-of-tau-${power}`, async (scratch) => {
    const step = (name: string): string => join(scratch, name);
    await powersOfTau.newAccumulator(await buildBn128(false), power, step('0.ptau'));
    await powersOfTau.contribute(step('0.ptau'), step('1.ptau'), 'first', randomBytes(32).toString('hex'));
    await powersOfTau.beacon(step('1.ptau'), step('raw.ptau'), 'beacon', '00'.repeat(31) + '2a', 10);
    await powersOfTau.preparePhase2(step('raw.ptau'), step('prepared.ptau'));
  });
  const path = join(folder, 'prepared.ptau');
  return { path, rawPath: join(folder, 'raw.ptau'), row: await rowOf(path, power) };
}

/** The key that phase 2 starts with for a circuit and powers made here. */
export async function startedKey(
  r1csPath: string,
  local: TablePowers,
  share: Share = () => {},
  threads?: number,
): Promise<StartedKey> {
  const r1cs = await readR1cs(r1csPath);
  const powers = await openPowersOfTau(local.path, domainExponentOf(r1cs), [local.row]);
  try {
    return await startKey(await buildBn128(true), r1cs, powers, share, threads);
  } finally {
    await powers.sections.close();
  }
}
