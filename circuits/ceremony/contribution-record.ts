/**
 * The record of who contributed to a proving key: section 10 of snarkjs' zkey file (0.7.6).
 *
 * Circuit hash (64 bytes), count u32, then per contribution: delta in G1 after it, s and s·x in G1, sp·x in G2, hash of the transcript
 * before it (64 bytes), type u32 (0 contribution, 1 beacon), length u32 of its parameters, parameters in rising order of their type:
 * 1 name (length u8, UTF-8), 2 exponent of a beacon's iterations (u8), 3 a beacon's value (length u8, bytes).
 */
import { createHash, type Hash } from 'node:crypto';
import type { Bn128, Element } from 'ffjavascript';
import { G1_BYTES, G2_BYTES } from '../build/zkey-format.ts';

/** BLAKE2b-512. */
export const HASH_BYTES = 64;
const MOST_NAME_BYTES = 255;
const POINT_BYTES = 3 * G1_BYTES + G2_BYTES;
const FIXED_BYTES = POINT_BYTES + HASH_BYTES + 8;

/** Where a beacon's randomness comes from. */
export interface BeaconSource {
  /** 1..255 bytes that nobody could know beforehand. */
  readonly value: Uint8Array;
  /** log2 of the SHA-256 iterations. */
  readonly iterationsExponent: number;
}

/** One contribution; points are affine, as in the file. */
export interface Contribution {
  readonly deltaAfter: Element;
  readonly s: Element;
  readonly sx: Element;
  readonly spx: Element;
  /** Hash of everything before the contribution, and of s and sx. */
  readonly transcript: Uint8Array;
  /** Empty when none was given. */
  readonly name: string;
  /** undefined: a person's contribution. */
  readonly beacon: BeaconSource | undefined;
}

/** Section 10. */
export interface ContributionRecord {
  /** BLAKE2b-512 over the key as phase 2 started it. */
  readonly circuitHash: Uint8Array;
  readonly contributions: readonly Contribution[];
}

/** Reads bytes in order and refuses to go past their end. */
class Cursor {
  readonly #data: Buffer;
  readonly #refuse: (reason: string) => never;
  #at = 0;

  constructor(data: Buffer, refuse: (reason: string) => never) {
    this.#data = data;
    this.#refuse = refuse;
  }

  get left(): number {
    return this.#data.length - this.#at;
  }

  bytes(length: number): Buffer {
    if (length > this.left) this.#refuse('a contribution is cut off');
    return this.#data.subarray(this.#at, (this.#at += length));
  }

  uint8(): number {
    return this.bytes(1).readUInt8();
  }

  uint32(): number {
    return this.bytes(4).readUInt32LE();
  }
}

function parseParameters(
  data: Buffer,
  isBeacon: boolean,
  refuse: (reason: string) => never,
): Pick<Contribution, 'name' | 'beacon'> {
  const cursor = new Cursor(data, refuse);
  const found = new Map<number, Buffer>();
  let last = 0;
  while (cursor.left > 0) {
    const type = cursor.uint8();
    if (type <= last || type > 3) refuse('the parameters of a contribution are unknown or out of order');
    found.set(type, cursor.bytes(type === 2 ? 1 : cursor.uint8()));
    last = type;
  }
  const [name, exponent, value] = [found.get(1), found.get(2), found.get(3)];
  if (isBeacon !== (exponent !== undefined) || isBeacon !== (value !== undefined))
    refuse('a contribution has parameters of another type');
  let text = '';
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(name ?? Buffer.alloc(0));
  } catch {
    refuse('the name of a contribution is not UTF-8');
  }
  if (exponent === undefined || value === undefined) return { name: text, beacon: undefined };
  if (value.length === 0) refuse('the value of a beacon is empty');
  return { name: text, beacon: { value, iterationsExponent: exponent.readUInt8() } };
}

/**
 * Reads section 10. Checks no point and no proof: see verify-contributions.ts.
 * @param refuse - throws with the reason
 */
export function parseContributions(section: Buffer, refuse: (reason: string) => never): ContributionRecord {
  const cursor = new Cursor(section, refuse);
  const circuitHash = cursor.bytes(HASH_BYTES);
  const count = cursor.uint32();
  if (count * FIXED_BYTES > cursor.left) refuse('a contribution is cut off');
  const contributions = Array.from({ length: count }, (): Contribution => {
    const points = [G1_BYTES, G1_BYTES, G1_BYTES, G2_BYTES].map((length) => cursor.bytes(length));
    const [deltaAfter, s, sx, spx] = points as [Buffer, Buffer, Buffer, Buffer];
    const transcript = cursor.bytes(HASH_BYTES);
    const type = cursor.uint32();
    if (type > 1) refuse(`contributions of type ${type} are unknown`);
    return { deltaAfter, s, sx, spx, transcript, ...parseParameters(cursor.bytes(cursor.uint32()), type === 1, refuse) };
  });
  if (cursor.left > 0) refuse('bytes follow the last contribution');
  return { circuitHash, contributions };
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Writes section 10. Names are at most 255 bytes of UTF-8. */
export function contributionSection(record: ContributionRecord): Buffer {
  const entries = record.contributions.flatMap((one) => {
    const name = Buffer.from(one.name, 'utf8').subarray(0, MOST_NAME_BYTES);
    const parameters = Buffer.concat([
      ...(name.length === 0 ? [] : [Buffer.from([1, name.length]), name]),
      ...(one.beacon === undefined
        ? []
        : [Buffer.from([2, one.beacon.iterationsExponent, 3, one.beacon.value.length]), one.beacon.value]),
    ]);
    const head = [one.deltaAfter, one.s, one.sx, one.spx, one.transcript, uint32(one.beacon === undefined ? 0 : 1)];
    return [...head, uint32(parameters.length), parameters];
  });
  return Buffer.concat([record.circuitHash, uint32(record.contributions.length), ...entries]);
}

/** Feeds the public part of a contribution to a hash, as every later transcript does. */
export function hashContribution(hash: Hash, curve: Bn128, one: Contribution): void {
  for (const point of [one.deltaAfter, one.s, one.sx]) hash.update(curve.G1.toUncompressed(point));
  hash.update(curve.G2.toUncompressed(one.spx)).update(one.transcript);
}

/** A hash that has taken the circuit and all contributions so far. */
export function transcriptHash(curve: Bn128, record: ContributionRecord): Hash {
  const hash = createHash('blake2b512').update(record.circuitHash);
  for (const one of record.contributions) hashContribution(hash, curve, one);
  return hash;
}

/** The hash that a contributor publishes: BLAKE2b-512 over the public part of the contribution. */
export function contributionHashOf(curve: Bn128, one: Contribution): Uint8Array {
  const hash = createHash('blake2b512');
  hashContribution(hash, curve, one);
  return hash.digest();
}
