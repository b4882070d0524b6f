/**
 * Reader of circom's binary constraint files.
 *
 * Format: iden3 "R1CS binary format", version 1: header section 1, constraints section 2, integers little-endian.
 * It trusts nothing about section order; it does not interpret labels or custom gates.
 */
import { readFile } from 'node:fs/promises';
import { StunError } from '#protocol/errors/stun-error.ts';
import { FIELD_ORDER } from '#protocol/field.ts';
import { FIELD_BYTES, sectionsOf } from './section-container.ts';

const HEADER_SECTION = 1;
const CONSTRAINT_SECTION = 2;

/** A constraint system as read; terms are decoded on the walk, not kept. */
export interface R1cs {
  readonly wireCount: number;
  /** Outputs and public inputs, the constant 1 not counted. */
  readonly publicCount: number;
  /** Outputs; their wires come first, then those of the inputs. */
  readonly outputCount: number;
  /** Public and private inputs. */
  readonly inputCount: number;
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

/**
 * Parses a constraint file.
 * @throws `STUN_CIRCUIT_R1CS` when it is not a BN254 file of version 1
 */
export function parseR1cs(bytes: Uint8Array): R1cs {
  const sections = sectionsOf(bytes, 'r1cs', 1, 'STUN_CIRCUIT_R1CS');
  const header = sections.get(HEADER_SECTION) ?? refuse('no header section');
  const constraints = sections.get(CONSTRAINT_SECTION) ?? refuse('no constraint section');
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== FIELD_BYTES || readField(view, 4) !== FIELD_ORDER) refuse('expected the BN254 scalar field');
  const at = 4 + FIELD_BYTES;
  return {
    wireCount: view.getUint32(at, true),
    publicCount: view.getUint32(at + 4, true) + view.getUint32(at + 8, true),
    outputCount: view.getUint32(at + 4, true),
    inputCount: view.getUint32(at + 8, true) + view.getUint32(at + 12, true),
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
