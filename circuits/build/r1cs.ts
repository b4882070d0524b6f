/**
 * Reader of circom's binary constraint files.
 *
 * Format: iden3 "R1CS binary format", version 1: header section 1, constraints section 2, integers little-endian.
 * It trusts nothing about section order; it does not interpret labels or custom gates.
 */
import { readFile } from 'node:fs/promises';
import { StunError } from '#protocol/errors/stun-error.ts';
import { FIELD_ORDER } from '#protocol/field.ts';

/** Width of a field element in the file. */
const FIELD_BYTES = 32;
const HEADER_SECTION = 1;
const CONSTRAINT_SECTION = 2;

/** A constraint system as read; terms are decoded on the walk, not kept. */
export interface R1cs {
  readonly wireCount: number;
  /** Outputs and public inputs, the constant 1 not counted. */
  readonly publicCount: number;
  readonly privateInputCount: number;
  readonly constraintCount: number;
  /** The constraint section's bytes. */
  readonly constraints: Uint8Array;
}

/** One term `coefficient · wire` of a linear combination: 0 = A, 1 = B, 2 = C. */
export type TermVisitor = (matrix: 0 | 1 | 2, row: number, wire: number, coefficient: bigint, byteOffset: number) => void;

/** Reads a little-endian field element. */
export function readField(view: DataView, offset: number): bigint {
  return (
    view.getBigUint64(offset, true) |
    (view.getBigUint64(offset + 8, true) << 64n) |
    (view.getBigUint64(offset + 16, true) << 128n) |
    (view.getBigUint64(offset + 24, true) << 192n)
  );
}

function refuse(reason: string): never {
  throw new StunError('STUN_CIRCUIT_R1CS', reason);
}

function sectionsOf(bytes: Uint8Array): Map<number, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || Buffer.from(bytes.subarray(0, 4)).toString('latin1') !== 'r1cs') refuse('expected the magic "r1cs"');
  if (view.getUint32(4, true) !== 1) refuse(`expected format version 1, got ${view.getUint32(4, true)}`);
  const sections = new Map<number, Uint8Array>();
  let offset = 12;
  for (let i = view.getUint32(8, true); i > 0; i--) {
    if (offset + 12 > bytes.length) refuse('the file ends inside a section header');
    const type = view.getUint32(offset, true);
    const length = Number(view.getBigUint64(offset + 4, true));
    if (offset + 12 + length > bytes.length) refuse(`section ${type} is longer than the file`);
    sections.set(type, bytes.subarray(offset + 12, offset + 12 + length));
    offset += 12 + length;
  }
  return sections;
}

/**
 * Parses a constraint file.
 * @throws `STUN_CIRCUIT_R1CS` when it is not a BN254 file of version 1
 */
export function parseR1cs(bytes: Uint8Array): R1cs {
  const sections = sectionsOf(bytes);
  const header = sections.get(HEADER_SECTION) ?? refuse('no header section');
  const constraints = sections.get(CONSTRAINT_SECTION) ?? refuse('no constraint section');
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== FIELD_BYTES || readField(view, 4) !== FIELD_ORDER) refuse('expected the BN254 scalar field');
  const at = 4 + FIELD_BYTES;
  return {
    wireCount: view.getUint32(at, true),
    publicCount: view.getUint32(at + 4, true) + view.getUint32(at + 8, true),
    privateInputCount: view.getUint32(at + 12, true),
    constraintCount: view.getUint32(at + 24, true),
    constraints,
  };
}

/** Reads and parses a constraint file. */
export async function readR1cs(path: string): Promise<R1cs> {
  return parseR1cs(await readFile(path));
}

/** Visits every term, row by row, A then B then C; `byteOffset` is the coefficient's place in the constraint section. */
export function visitTerms(r1cs: R1cs, visit: TermVisitor): void {
  const { constraints } = r1cs;
  const view = new DataView(constraints.buffer, constraints.byteOffset, constraints.byteLength);
  let offset = 0;
  for (let row = 0; row < r1cs.constraintCount; row++) {
    for (const matrix of [0, 1, 2] as const) {
      const terms = view.getUint32(offset, true);
      offset += 4;
      for (let t = 0; t < terms; t++) {
        visit(matrix, row, view.getUint32(offset, true), readField(view, offset + 4), offset + 4);
        offset += 4 + FIELD_BYTES;
      }
    }
  }
  if (offset !== constraints.length) refuse('bytes follow the last constraint');
}

/**
 * Rows that an assignment violates, in order.
 * @param witness - one value per wire, the constant 1 first
 */
export function violatedRows(r1cs: R1cs, witness: readonly bigint[]): number[] {
  if (witness.length !== r1cs.wireCount) refuse(`expected ${r1cs.wireCount} wires, got ${witness.length}`);
  const sums = [
    new Array<bigint>(r1cs.constraintCount).fill(0n),
    new Array<bigint>(r1cs.constraintCount).fill(0n),
    new Array<bigint>(r1cs.constraintCount).fill(0n),
  ] as const;
  visitTerms(r1cs, (matrix, row, wire, coefficient) => {
    sums[matrix][row]! += coefficient * witness[wire]!;
  });
  const violated: number[] = [];
  for (let row = 0; row < r1cs.constraintCount; row++) {
    if ((sums[0][row]! * sums[1][row]! - sums[2][row]!) % FIELD_ORDER !== 0n) violated.push(row);
  }
  return violated;
}
