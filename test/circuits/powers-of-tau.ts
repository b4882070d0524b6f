/** A powers-of-tau file of a known trapdoor, for differential tests only: nobody contributed to it and it proves nothing. */
import { writeFile } from 'node:fs/promises';
import type { Bn128 } from 'ffjavascript';
import type { Trapdoor } from '#circuits/build/development-key.ts';
import { reduce } from '#circuits/build/field-math.ts';
import { FixedBase } from '#circuits/build/fixed-base.ts';
import { BASE_FIELD_ORDER } from '#circuits/build/zkey-format.ts';

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

/**
 * Writes an unprepared file of snarkjs' format, version 1, without contributions.
 * @param exponent - log2 of the largest circuit
 */
export async function writePowersOfTau(curve: Bn128, path: string, exponent: number, trapdoor: Trapdoor): Promise<void> {
  const size = 2 ** exponent;
  const g1 = new FixedBase(curve, 'g1', 2 ** 13);
  const g2 = new FixedBase(curve, 'g2', 2 ** 12);
  const order = Buffer.from(BASE_FIELD_ORDER.toString(16).padStart(64, '0'), 'hex').reverse();
  const { tau, alpha, beta } = trapdoor;
  await writeFile(
    path,
    Buffer.concat([
      Buffer.from('ptau', 'latin1'),
      uint32(1),
      uint32(7),
      section(1, Buffer.concat([uint32(32), order, uint32(exponent), uint32(exponent)])),
      section(2, g1.multiply(powers(tau, 2 * size - 1, 1n))),
      section(3, g2.multiply(powers(tau, size, 1n))),
      section(4, g1.multiply(powers(tau, size, alpha))),
      section(5, g1.multiply(powers(tau, size, beta))),
      section(6, g2.multiply([beta])),
      section(7, uint32(0)),
    ]),
  );
}
