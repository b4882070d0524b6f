/** Small constraint systems made around a witness, so that any values can be proven: development key, witness file, signals. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bn128 } from 'ffjavascript';
import type { VerificationKey } from '#circuits/manifest.ts';
import { DEVELOPMENT_TRAPDOOR, writeDevelopmentKey } from '#circuits/build/development-key.ts';
import { inverse, reduce } from '#circuits/build/field-math.ts';
import type { R1cs } from '#circuits/build/r1cs.ts';
import { readVerificationKey } from '#circuits/build/verification-key.ts';
import { FIELD_ORDER } from '#protocol/field.ts';
import { SeededRandom } from '#test/circuits/fixtures.ts';

/** Coefficients by wire. */
type Combination = ReadonlyMap<number, bigint>;
/** The two factors of a constraint; their product is made to hold. */
export type Factors = readonly [a: Combination, b: Combination];

/** How a system is made. */
export interface SystemChoice {
  readonly name: string;
  readonly publicCount: number;
  /** Values of the wires after the constant 1, public ones first; at least `publicCount`. */
  readonly values: readonly bigint[];
  readonly constraints: readonly Factors[];
}

/** What a backend takes, and what its proof must hold for. */
export interface SmallSystem {
  readonly zkey: Uint8Array;
  readonly witness: Uint8Array;
  readonly verificationKey: VerificationKey;
  readonly signals: readonly bigint[];
}

/** Integers of 32 bytes, little-endian, one after the other. */
export function littleEndian(values: readonly bigint[]): Buffer {
  const bytes = Buffer.alloc(32 * values.length);
  for (const [i, value] of values.entries())
    for (let limb = 0; limb < 4; limb++)
      bytes.writeBigUInt64LE(BigInt.asUintN(64, value >> BigInt(64 * limb)), 32 * i + 8 * limb);
  return bytes;
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, 4 * i);
  return bytes;
}

/** A witness file of any values, the constant included. */
export function witnessFile(values: readonly bigint[]): Buffer {
  const head = [Buffer.from('wtns', 'latin1'), words(2, 2, 1, 40, 0, 32), littleEndian([FIELD_ORDER]), words(values.length)];
  return Buffer.concat([...head, words(2, 32 * values.length, 0), littleEndian(values)]);
}

function bytesOf(combination: Combination): Buffer {
  const terms = [...combination].filter(([, value]) => value !== 0n);
  return Buffer.concat([
    words(terms.length),
    ...terms.map(([wire, value]) => Buffer.concat([words(wire), littleEndian([value])])),
  ]);
}

/** The system with a third combination for every constraint: the product over the constant, or over a wire whose value is not 0. */
function systemOf(choice: SystemChoice): R1cs {
  const values = [1n, ...choice.values];
  const at = (combination: Combination): bigint =>
    reduce([...combination].reduce((sum, [wire, value]) => sum + value * values[wire]!, 0n));
  const constraints = choice.constraints.map(([a, b], i) => {
    const wire = values[i % values.length] === 0n ? 0 : i % values.length;
    const product = new Map([[wire, reduce(at(a) * at(b) * inverse(values[wire]!))]]);
    return Buffer.concat([a, b, product].map(bytesOf));
  });
  return {
    wireCount: values.length,
    publicCount: choice.publicCount,
    outputCount: 0,
    inputCount: choice.publicCount,
    constraintCount: constraints.length,
    constraints: Buffer.concat(constraints),
  };
}

/** Writes the key and reads it back. */
export async function smallSystem(curve: Bn128, choice: SystemChoice): Promise<SmallSystem> {
  const folder = await mkdtemp(join(tmpdir(), 'stun-small-'));
  try {
    const path = join(folder, 'small.zkey');
    await writeDevelopmentKey(curve, systemOf(choice), DEVELOPMENT_TRAPDOOR, path, () => {});
    return {
      zkey: await readFile(path),
      witness: witnessFile([1n, ...choice.values]),
      verificationKey: await readVerificationKey(path),
      signals: choice.values.slice(0, choice.publicCount),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Random factors over random wires. */
export function randomFactors(random: SeededRandom, wires: number, count: number): Factors[] {
  const combination = (): Combination =>
    new Map(Array.from({ length: 3 }, () => [Number(random.below(BigInt(wires))), random.field()] as const));
  return Array.from({ length: count }, () => [combination(), combination()] as const);
}
