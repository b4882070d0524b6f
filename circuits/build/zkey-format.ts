/**
 * The snarkjs Groth16 proving-key file ("zkey", version 1): writing sections, reading header and IC.
 *
 * Magic, version u32, section count u32, then per section type u32, length u64, data; integers little-endian.
 * Points are affine in Montgomery form, little-endian, infinity all zeros.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { StunError } from '#protocol/errors/stun-error.ts';
import { FIELD_ORDER } from '#protocol/field.ts';

/** Base field modulus of BN254. */
export const BASE_FIELD_ORDER = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;

const GROTH16 = 1;
const SECTION_COUNT = 10;
/** An affine point of G1: x, y. */
export const G1_BYTES = 64;
/** An affine point of G2: x.c0, x.c1, y.c0, y.c1. */
export const G2_BYTES = 128;
/** Hash of the circuit's points and the number of contributions: all zero says that nobody contributed. */
const EMPTY_CONTRIBUTIONS_BYTES = 64 + 4;

/** Section 2 of a key. */
export interface ZkeyHeader {
  readonly wireCount: number;
  /** Public signals, the constant 1 not counted. */
  readonly publicCount: number;
  readonly domainSize: number;
  readonly alpha1: Uint8Array;
  readonly beta1: Uint8Array;
  readonly beta2: Uint8Array;
  readonly gamma2: Uint8Array;
  readonly delta1: Uint8Array;
  readonly delta2: Uint8Array;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function fieldBytes(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

/** Writes a key section by section, in any order. */
export class ZkeyWriter {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Creates the file; an existing one is overwritten. */
  static async create(path: string): Promise<ZkeyWriter> {
    const file = await open(path, 'w');
    await file.write(Buffer.concat([Buffer.from('zkey', 'latin1'), uint32(1), uint32(SECTION_COUNT)]));
    return new ZkeyWriter(file);
  }

  /** Writes one section. */
  async section(type: number, data: Uint8Array): Promise<void> {
    const head = new Uint8Array(12);
    const view = new DataView(head.buffer);
    view.setUint32(0, type, true);
    view.setBigUint64(4, BigInt(data.length), true);
    await this.#file.write(head);
    for (let offset = 0; offset < data.length;) {
      offset += (await this.#file.write(data, offset, Math.min(data.length - offset, 2 ** 28))).bytesWritten;
    }
  }

  /** Writes sections 1 and 2. */
  async header(header: ZkeyHeader): Promise<void> {
    await this.section(1, uint32(GROTH16));
    const data = Buffer.concat([
      ...[BASE_FIELD_ORDER, FIELD_ORDER].flatMap((order) => [uint32(32), fieldBytes(order)]),
      ...[header.wireCount, header.publicCount, header.domainSize].map(uint32),
      header.alpha1,
      header.beta1,
      header.beta2,
      header.gamma2,
      header.delta1,
      header.delta2,
    ]);
    await this.section(2, data);
  }

  /** Writes section 10 as it is before anybody contributed and without a circuit hash. */
  async noContributions(): Promise<void> {
    await this.section(10, new Uint8Array(EMPTY_CONTRIBUTIONS_BYTES));
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Sections of a key by type, read whole; for small keys and for header and IC of large ones pass `only`. */
export async function readZkeySections(path: string, only?: readonly number[]): Promise<Map<number, Buffer>> {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(12);
    await file.read(head, 0, 12, 0);
    if (head.toString('latin1', 0, 4) !== 'zkey') throw new StunError('STUN_FILE', `${path} must be a zkey file`);
    const sections = new Map<number, Buffer>();
    let offset = 12;
    for (let i = head.readUInt32LE(8); i > 0; i--) {
      const entry = Buffer.alloc(12);
      await file.read(entry, 0, 12, offset);
      const type = entry.readUInt32LE(0);
      const length = Number(entry.readBigUInt64LE(4));
      if (only === undefined || only.includes(type)) {
        const data = Buffer.alloc(length);
        await file.read(data, 0, length, offset + 12);
        sections.set(type, data);
      }
      offset += 12 + length;
    }
    return sections;
  } finally {
    await file.close();
  }
}

/** Reads section 2. */
export function parseZkeyHeader(section: Buffer): ZkeyHeader {
  const at = 72;
  let offset = at + 12;
  const take = (length: number): Uint8Array => section.subarray(offset, (offset += length));
  return {
    wireCount: section.readUInt32LE(at),
    publicCount: section.readUInt32LE(at + 4),
    domainSize: section.readUInt32LE(at + 8),
    alpha1: take(G1_BYTES),
    beta1: take(G1_BYTES),
    beta2: take(G2_BYTES),
    gamma2: take(G2_BYTES),
    delta1: take(G1_BYTES),
    delta2: take(G2_BYTES),
  };
}
