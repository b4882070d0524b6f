/**
 * Poseidon inside a model circuit: an S-box is three products, linear layers are free. Same parameters and same rearrangement of the
 * partial rounds as `protocol/poseidon.ts`, so both give the same hash.
 *
 * Provers pay for terms in the two factors of a row and not for those in its product. So what enters an S-box is always one wire: the state
 * that leaves a round gets the wires, and the S-boxes' fifth powers are read back from them as sums, which stand in products only.
 */
import { poseidonParameters } from '#protocol/poseidon-parameters.ts';
import { inverse } from '../../../build/field-math.ts';
import { Linear } from '../linear.ts';
import type { ConstraintSystem } from '../system.ts';
import { invertMatrix } from './invert-matrix.ts';

function dot(row: readonly bigint[], state: readonly Linear[]): Linear {
  return Linear.combine(state.map((one, j) => [row[j]!, one] as const));
}

/** An S-box before its last product: x⁴ and x, whose product is x⁵. */
function beforeFifth(system: ConstraintSystem, of: Linear, constant: bigint): readonly [Linear, Linear] {
  const x = of.plus(Linear.constant(constant));
  const square = system.product('poseidon.square', x, x);
  return [system.product('poseidon.fourth', square, square), x];
}

function power5(system: ConstraintSystem, of: Linear, constant: bigint): Linear {
  return system.product('poseidon.fifth', ...beforeFifth(system, of, constant));
}

/** Derived once per matrix; holds constants only. */
const inverses = new WeakMap<readonly (readonly bigint[])[], readonly (readonly bigint[])[]>();

function inverseOf(matrix: readonly (readonly bigint[])[]): readonly (readonly bigint[])[] {
  let inverted = inverses.get(matrix);
  if (inverted === undefined) inverses.set(matrix, (inverted = invertMatrix(matrix)));
  return inverted;
}

/** S-boxes on all of the state, then the matrix. While some element is constant its S-box costs nothing, and sums do. */
function fullRound(
  system: ConstraintSystem,
  state: readonly Linear[],
  constants: readonly bigint[],
  matrix: readonly (readonly bigint[])[],
): Linear[] {
  if (state.some((one) => one.constantValue !== null)) {
    const boxes = state.map((one, i) => power5(system, one, constants[i]!));
    return matrix.map((row) => dot(row, boxes));
  }
  const factors = state.map((one, i) => beforeFifth(system, one, constants[i]!));
  const first = system.allocate({ kind: 'mixed-products', factors, rows: matrix, plus: matrix.map(() => Linear.zero) });
  const next = matrix.map((_, j) => Linear.wire(first + j));
  const back = inverseOf(matrix);
  for (const [i, [fourth, x]] of factors.entries()) system.enforce('poseidon.mix', fourth, x, dot(back[i]!, next));
  return next;
}

/** The hash of 1 to 16 combinations under a tag, as `poseidon` of the protocol. */
export function poseidonOf(system: ConstraintSystem, tag: bigint, inputs: readonly Linear[]): Linear {
  const { before, after, mds, sparse, lastConstant, lastMatrix } = poseidonParameters(inputs.length);
  let state: Linear[] = [Linear.constant(tag), ...inputs];
  for (const constants of before) state = fullRound(system, state, constants, mds);
  for (const { constant, row, column } of sparse) {
    const [fourth, x] = beforeFifth(system, state[0]!, constant);
    const plus = dot(row, [Linear.zero, ...state.slice(1)]);
    const next = Linear.wire(
      system.allocate({ kind: 'mixed-products', factors: [[fourth, x]], rows: [[row[0]!]], plus: [plus] }),
    );
    const fifth = next.minus(plus).times(inverse(row[0]!));
    system.enforce('poseidon.mix', fourth, x, fifth);
    state = [next, ...state.slice(1).map((one, i) => one.plus(fifth.times(column[i]!)))];
  }
  const last = [power5(system, state[0]!, lastConstant), ...state.slice(1)];
  state = lastMatrix.map((row) => dot(row, last));
  for (const constants of after.slice(0, -1)) state = fullRound(system, state, constants, mds);
  const boxes = state.map((one, i) => power5(system, one, after.at(-1)![i]!));
  return dot(mds[0]!, boxes);
}
