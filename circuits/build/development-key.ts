/**
 * DEVELOPMENT proving keys for Groth16 over BN254, written straight from a constraint system with a trapdoor that everybody
 * knows. INSECURE BY CONSTRUCTION: whoever reads this file can forge a proof of anything. The verifiers made from these keys
 * answer DEVELOPMENT() = true, and the router refuses them outside a local chain.
 *
 * With gamma = delta = 1 the points are those of `snarkjs groth16 setup` on a powers-of-tau file of the same trapdoor
 * (test/circuits/development-key.test.ts). Keys that people rely on come from a ceremony, never from here.
 *
 * Groth16: J. Groth, "On the Size of Pairing-based Non-interactive Arguments", EUROCRYPT 2016, section 3.2.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Bn128 } from 'ffjavascript';
import { FIELD_ORDER } from '#protocol/field.ts';
import { inverse, lagrangeAt, reduce } from './field-math.ts';
import { FixedBase, toMontgomery } from './fixed-base.ts';
import { visitTerms, type R1cs } from './r1cs.ts';
import { ZkeyWriter, type ZkeyHeader } from './zkey-format.ts';

/** The five secrets of a Groth16 setup. */
export interface Trapdoor {
  readonly tau: bigint;
  readonly alpha: bigint;
  readonly beta: bigint;
  readonly gamma: bigint;
  readonly delta: bigint;
}

/** Reports a step in words. */
export type Progress = (step: string) => void;

function secretOf(name: string): bigint {
  const digest = createHash('sha512').update(`stun/insecure-development-trapdoor/v1/${name}`).digest('hex');
  return (BigInt(`0x${digest}`) % (FIELD_ORDER - 2n)) + 2n;
}

/** The public, hence insecure, development trapdoor: the same on every machine, so that artefact hashes are reproducible. */
export const DEVELOPMENT_TRAPDOOR: Trapdoor = {
  tau: secretOf('tau'),
  alpha: secretOf('alpha'),
  beta: secretOf('beta'),
  gamma: secretOf('gamma'),
  delta: secretOf('delta'),
};

/** Scalars of all points that depend on the circuit, by wire or domain index. */
interface KeyScalars {
  readonly domainExponent: number;
  readonly a: bigint[];
  readonly b: bigint[];
  /** Public wires, divided by gamma. */
  readonly ic: bigint[];
  /** Private wires, divided by delta. */
  readonly c: bigint[];
  /** Odd-indexed Lagrange values of the doubled domain, divided by delta. */
  readonly h: bigint[];
}

/** log2 of the smallest domain with one row per constraint and per public wire, the constant included. */
export function domainExponentOf(r1cs: R1cs): number {
  return Math.ceil(Math.log2(r1cs.constraintCount + r1cs.publicCount + 1));
}

function scalarsOf(r1cs: R1cs, trapdoor: Trapdoor): KeyScalars {
  const domainExponent = domainExponentOf(r1cs);
  const lagrange = lagrangeAt(domainExponent, trapdoor.tau, 0, 1);
  const sums = [0, 1, 2].map(() => new Array<bigint>(r1cs.wireCount).fill(0n)) as [bigint[], bigint[], bigint[]];
  visitTerms(r1cs, (matrix, row, wire, coefficient) => {
    sums[matrix][wire]! += coefficient * lagrange[row]!;
  });
  for (let wire = 0; wire <= r1cs.publicCount; wire++) sums[0][wire]! += lagrange[r1cs.constraintCount + wire]!;

  const [a, b, c] = sums.map((sum) => sum.map(reduce)) as [bigint[], bigint[], bigint[]];
  const overGamma = inverse(trapdoor.gamma);
  const overDelta = inverse(trapdoor.delta);
  const k = a.map((value, wire) => reduce(trapdoor.beta * value + trapdoor.alpha * b[wire]! + c[wire]!));
  return {
    domainExponent,
    a,
    b,
    ic: k.slice(0, r1cs.publicCount + 1).map((value) => reduce(value * overGamma)),
    c: k.slice(r1cs.publicCount + 1).map((value) => reduce(value * overDelta)),
    h: lagrangeAt(domainExponent + 1, trapdoor.tau, 1, 2).map((value) => reduce(value * overDelta)),
  };
}

/** Section 4: every term of A and B, then one row per public wire; values carry the Montgomery factor twice. */
export function coefficientSection(curve: Bn128, r1cs: R1cs): Uint8Array {
  let count = r1cs.publicCount + 1;
  visitTerms(r1cs, (matrix) => {
    if (matrix !== 2) count++;
  });
  const values = new Uint8Array(count * 32);
  const result = new Uint8Array(4 + count * 44);
  const view = new DataView(result.buffer);
  view.setUint32(0, count, true);
  let index = 0;
  const place = (matrix: number, row: number, wire: number): void => {
    const offset = 4 + index * 44;
    view.setUint32(offset, matrix, true);
    view.setUint32(offset + 4, row, true);
    view.setUint32(offset + 8, wire, true);
    index++;
  };
  visitTerms(r1cs, (matrix, row, wire, _coefficient, byteOffset) => {
    if (matrix === 2) return;
    values.set(r1cs.constraints.subarray(byteOffset, byteOffset + 32), index * 32);
    place(matrix, row, wire);
  });
  for (let wire = 0; wire <= r1cs.publicCount; wire++) {
    values[index * 32] = 1;
    place(0, r1cs.constraintCount + wire, wire);
  }
  const montgomery = toMontgomery(curve, values, 2);
  for (let i = 0; i < count; i++) result.set(montgomery.subarray(i * 32, i * 32 + 32), 4 + i * 44 + 12);
  return result;
}

/**
 * Writes a development proving key.
 * @param curve - single-threaded BN254 of ffjavascript
 * @param path - file to write, snarkjs zkey format version 1
 * @param progress - called before each longer step
 */
export async function writeDevelopmentKey(
  curve: Bn128,
  r1cs: R1cs,
  trapdoor: Trapdoor,
  path: string,
  progress: Progress,
): Promise<void> {
  progress('evaluating the constraint system at the trapdoor');
  const scalars = scalarsOf(r1cs, trapdoor);
  progress('building point tables');
  const pointCount = scalars.a.length + scalars.b.length + scalars.c.length + scalars.h.length;
  const g1 = new FixedBase(curve, 'g1', pointCount);
  const g2 = new FixedBase(curve, 'g2', 3);
  const { alpha, beta, gamma, delta } = trapdoor;
  const header: ZkeyHeader = {
    wireCount: r1cs.wireCount,
    publicCount: r1cs.publicCount,
    domainSize: 2 ** scalars.domainExponent,
    alpha1: g1.multiply([alpha]),
    beta1: g1.multiply([beta]),
    beta2: g2.multiply([beta]),
    gamma2: g2.multiply([gamma]),
    delta1: g1.multiply([delta]),
    delta2: g2.multiply([delta]),
  };
  // A point of G2 takes about four times as long as one of G1, so that the two threads end at about the same time.
  progress(`computing ${pointCount} points of G1 and, in a thread, ${scalars.b.length} of G2`);
  const thread = new Worker(new URL('fixed-base.worker.ts', import.meta.url), {
    workerData: { group: 'g2', scalars: scalars.b },
  });
  const pointsOfG2 = once(thread, 'message');
  // Awaited below; should G1 fail first, that is the error to report.
  pointsOfG2.catch(() => undefined);
  const file = await ZkeyWriter.create(path);
  try {
    await file.header(header);
    await file.section(3, g1.multiply(scalars.ic));
    await file.section(4, coefficientSection(curve, r1cs));
    await file.section(5, g1.multiply(scalars.a));
    await file.section(6, g1.multiply(scalars.b));
    await file.section(8, g1.multiply(scalars.c));
    await file.section(9, g1.multiply(scalars.h));
    progress('waiting for the points of G2');
    const [points] = (await pointsOfG2) as [Uint8Array];
    await file.section(7, points);
    await file.noContributions();
  } finally {
    await thread.terminate();
    await file.close();
  }
}
