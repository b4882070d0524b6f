/** Powers-of-tau files of a known trapdoor, for tests only: nobody contributed to them and they prove nothing. */
import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildBn128, type Bn128 } from 'ffjavascript';
import { DEVELOPMENT_TRAPDOOR, type Trapdoor } from '#circuits/build/development-key.ts';
import { lagrangeAt, reduce } from '#circuits/build/field-math.ts';
import { FixedBase } from '#circuits/build/fixed-base.ts';
import { BASE_FIELD_ORDER } from '#circuits/build/zkey-format.ts';
import type { PublishedPowers } from '#circuits/ceremony/powers-of-tau.ts';
import { keptFolder } from './kept.ts';

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function section(type: number, data: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([uint32(type), length, data]);
}

/** Powers 1, x, x^2, .. times a factor. */
function powers(x: bigint, count: number, factor: bigint): bigint[] {
  const result = [factor];
  while (result.length < count) result.push(reduce(result.at(-1)! * x));
  return result;
}

/** The Lagrange bases of the domains of 2^0, 2^1, .. 2^last elements, one after the other. */
function lagrangeBases(tau: bigint, last: number): bigint[] {
  return Array.from({ length: last + 1 }, (_, exponent) => lagrangeAt(exponent, tau, 0, 1)).flat();
}

/** What a file of powers is like. */
interface PowersForm {
  /** log2 of the largest circuit. */
  readonly exponent: number;
  readonly trapdoor: Trapdoor;
  /** Whether it is prepared for phase 2, and says that somebody contributed. */
  readonly prepared: boolean;
}

/** Writes a file of snarkjs' format, version 1. */
export async function writePowersOfTau(curve: Bn128, path: string, { exponent, trapdoor, prepared }: PowersForm): Promise<void> {
  const size = 2 ** exponent;
  const g1 = new FixedBase(curve, 'g1', 2 ** 13);
  const g2 = new FixedBase(curve, 'g2', 2 ** 12);
  const order = Buffer.from(BASE_FIELD_ORDER.toString(16).padStart(64, '0'), 'hex').reverse();
  const { tau, alpha, beta } = trapdoor;
  const times = (scalars: readonly bigint[], factor: bigint): bigint[] => scalars.map((one) => reduce(one * factor));
  const sections = [
    section(1, Buffer.concat([uint32(32), order, uint32(exponent), uint32(exponent)])),
    section(2, g1.multiply(powers(tau, 2 * size - 1, 1n))),
    section(3, g2.multiply(powers(tau, size, 1n))),
    section(4, g1.multiply(powers(tau, size, alpha))),
    section(5, g1.multiply(powers(tau, size, beta))),
    section(6, g2.multiply([beta])),
    section(7, uint32(prepared ? 1 : 0)),
  ];
  if (prepared) {
    const bases = lagrangeBases(tau, exponent);
    sections.push(
      section(12, g1.multiply(lagrangeBases(tau, exponent + 1))),
      section(13, g2.multiply(bases)),
      section(14, g1.multiply(times(bases, alpha))),
      section(15, g1.multiply(times(bases, beta))),
    );
  }
  await writeFile(path, Buffer.concat([Buffer.from('ptau', 'latin1'), uint32(1), uint32(sections.length), ...sections]));
}

/** A powers-of-tau file made here, and the row it would have in a table of digests. */
export interface TablePowers {
  readonly path: string;
  readonly row: PublishedPowers;
}

/** BLAKE2b-512 of a file, lower-case hex, as `b2sum` prints it. */
export async function blake2bOfFile(path: string): Promise<string> {
  return createHash('blake2b512')
    .update(await readFile(path))
    .digest('hex');
}

/** The row of a file that somebody decided to accept. */
export async function rowOf(path: string, power: number): Promise<PublishedPowers> {
  const { size } = await stat(path);
  return { power, file: `local-${power}.ptau`, bytes: size, blake2b512: await blake2bOfFile(path) };
}

/**
 * Prepared powers of the development trapdoor, in a second where snarkjs takes half a minute to prepare as many; made once and kept.
 * For tests in which ceremonies are held, not for those of the powers themselves: snarkjs knows no contribution in them.
 */
export async function trapdoorPowers(power: number): Promise<TablePowers> {
  const folder = await keptFolder(`trapdoor-${power}`, async (scratch) => {
    const form = { exponent: power, trapdoor: DEVELOPMENT_TRAPDOOR, prepared: true };
    await writePowersOfTau(await buildBn128(true), join(scratch, 'prepared.ptau'), form);
  });
  const path = join(folder, 'prepared.ptau');
  return { path, row: await rowOf(path, power) };
}
