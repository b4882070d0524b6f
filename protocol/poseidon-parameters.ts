/**
 * Poseidon's parameters in the form that the permutation uses: constants moved and matrices made sparse, so that a partial round
 * costs 2t-1 products and not t². Derived from the published ones; nothing is tabulated.
 *
 * Two identities, both because a partial round's S-box touches element 0 only:
 * 1. Constants of the other elements can be added after the linear layer instead: M·(x + c) = M·x + M·c.
 * 2. M = M'·M'' with M' = [[1, 0], [0, m]] and M'' = [[m00, v], [m⁻¹·w, I]]. M' leaves element 0 alone, so it commutes with the
 *    S-box and can be folded into the next round's matrix; M'' is sparse. The last partial round keeps its dense matrix.
 *
 * Folded over and over, the matrix of partial round k (from 0) is [[m00, v·m^k], [w, m^(k+1)]]: each round takes one product of a matrix and a
 * vector for its row v·m^k and one for its column m^-(k+1)·w, and one inverse of m serves all of them.
 *
 * Source: Grassi et al., "Poseidon" (eprint 2019/458), tables 2 and 8 and appendix B; partial rounds as circomlib rounds them.
 */
import { grainGenConstants } from '@noble/curves/abstract/poseidon.js';
import { bn254_Fr as Fr } from '@noble/curves/bn254.js';
import { StunError } from './errors/stun-error.ts';

/** Full rounds, half before and half after the partial ones. */
export const FULL_ROUNDS = 8;
/** Partial rounds for 1..16 inputs. */
const PARTIAL_ROUNDS = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68] as const;

type Vector = readonly bigint[];
type Matrix = readonly Vector[];

/** A sparse linear layer: y0 = row·x, y_i = x_i + column_i·x0. */
export interface SparseLayer {
  /** The constant added to element 0 before the S-box. */
  readonly constant: bigint;
  /** t entries. */
  readonly row: Vector;
  /** t-1 entries, for elements 1..t-1. */
  readonly column: Vector;
}

/** Everything the permutation of one width needs. */
export interface PoseidonParameters {
  /** Constants of the full rounds, before and after the partial ones. */
  readonly before: Matrix;
  readonly after: Matrix;
  readonly mds: Matrix;
  /** All partial rounds but the last. */
  readonly sparse: readonly SparseLayer[];
  /** The last partial round. */
  readonly lastConstant: bigint;
  readonly lastMatrix: Matrix;
}

function dot(a: Vector, b: Vector): bigint {
  return Fr.create(a.reduce((sum, x, i) => sum + x * b[i]!, 0n));
}

function transpose(matrix: Matrix): bigint[][] {
  return matrix[0]!.map((_, j) => matrix.map((row) => row[j]!));
}

function apply(matrix: Matrix, vector: Vector): bigint[] {
  return matrix.map((row) => dot(row, vector));
}

/** The inverse by elimination; every minor of a Cauchy matrix is invertible. */
function invert(matrix: Matrix): bigint[][] {
  const size = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1n : 0n))]);
  for (let pivot = 0; pivot < size; pivot++) {
    const swap = rows.findIndex((row, i) => i >= pivot && row[pivot] !== 0n);
    [rows[pivot], rows[swap]] = [rows[swap]!, rows[pivot]!];
    const inverse = Fr.inv(rows[pivot]![pivot]!);
    rows[pivot] = rows[pivot]!.map((x) => Fr.mul(x, inverse));
    for (let i = 0; i < size; i++) {
      const factor = rows[i]![pivot]!;
      if (i === pivot || factor === 0n) continue;
      rows[i] = rows[i]!.map((x, j) => Fr.sub(x, Fr.mul(factor, rows[pivot]![j]!)));
    }
  }
  return rows.map((row) => row.slice(size));
}

/** m^exponent·matrix, by squaring. */
function raise(m: Matrix, exponent: number, matrix: Matrix): Matrix {
  let [square, product] = [m, matrix];
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) product = multiply(square, product);
    if (rest > 1) square = multiply(square, square);
  }
  return product;
}

function multiply(a: Matrix, b: Matrix): Matrix {
  const columns = transpose(b);
  return a.map((row) => columns.map((column) => dot(row, column)));
}

function derive(inputs: number): PoseidonParameters {
  const roundsPartial = PARTIAL_ROUNDS[inputs - 1];
  if (roundsPartial === undefined) throw new StunError('STUN_RANGE', 'Poseidon takes 1 to 16 inputs');
  const t = inputs + 1;
  const published = grainGenConstants({ Fp: Fr, t, roundsFull: FULL_ROUNDS, roundsPartial, sboxPower: 5 });
  const mds: Matrix = published.mds;
  const constants = published.roundConstants.map((row) => [...row]);
  const half = FULL_ROUNDS / 2;
  const sparse: SparseLayer[] = [];
  /** Adds the constants of all elements but the first to the next round's. @returns the first */
  const moveOn = (round: number): bigint => {
    const [constant, ...rest] = constants[round]!;
    const moved = apply(mds, [0n, ...rest]);
    constants[round + 1] = constants[round + 1]!.map((c, i) => Fr.add(c, moved[i]!));
    return constant!;
  };
  const last = half + roundsPartial - 1;
  const [[m00, ...v], ...below] = mds as [Vector, ...Vector[]];
  const w = below.map((row) => row[0]!);
  const m = below.map((row) => row.slice(1));
  const [inverse, transposed] = [invert(m), transpose(m)];
  let [row, column] = [v, w];
  for (let round = half; round < last; round++) {
    column = apply(inverse, column);
    sparse.push({ constant: moveOn(round), row: [m00!, ...row], column });
    row = apply(transposed, row);
  }
  const lastConstant = moveOn(last);
  const lastMatrix = [[m00!, ...row], ...raise(m, roundsPartial - 1, m).map((rest, i) => [w[i]!, ...rest])];
  return { before: constants.slice(0, half), after: constants.slice(last + 1), mds, sparse, lastConstant, lastMatrix };
}

/** Derived once per width; holds constants only. */
const parametersByInputs = new Map<number, PoseidonParameters>();

/** The parameters for 1..16 inputs. @throws `STUN_RANGE` */
export function poseidonParameters(inputs: number): PoseidonParameters {
  let parameters = parametersByInputs.get(inputs);
  if (parameters === undefined) {
    parameters = derive(inputs);
    parametersByInputs.set(inputs, parameters);
  }
  return parameters;
}
