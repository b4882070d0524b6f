/**
 * Finds out how an honest prover computes every wire from the inputs, by the constraints alone: the order of rows, and which row
 * defines which wire.
 *
 * A row with one wire left that is not in a product defines it. Hints, values that circom assigns without a constraint of their own, are
 * known by the rows that check them: a sum of boolean wires with different powers of two as coefficients is a decomposition into bits; a
 * pair of rows x·u = 1 - v, x·v = 0 is a test for zero; a wire that only occurs times something known is a quotient.
 * A row that defines nothing is a check. Every step makes its own rows hold or is refused when it runs, so that whatever the derived
 * program accepts satisfies every row.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { reduce } from '../build/field-math.ts';
import { inverseOf, type Combination, type ConstraintRows, type FoldedRow } from './constraint-rows.ts';

/** A wire that a row defines by division: `wire = -(rest) / divisor` where row = divisor · wire + rest. */
export interface Quotient {
  readonly row: number;
  readonly wire: number;
}

/** One step of the computation; rows are numbers of the constraint system. */
export type Step =
  /** The wire stands in the row's linear part alone, or in a factor whose other one is a constant. */
  | { readonly kind: 'assign'; readonly row: number; readonly wire: number }
  /** The row holds or the input is refused. */
  | { readonly kind: 'check'; readonly row: number }
  /** Independent of each other, so that one inversion serves for all. */
  | { readonly kind: 'divide'; readonly quotients: readonly Quotient[] }
  /** `scale` times the rest of the row is the integer Σ bits[i] · 2^positions[i]. */
  | {
      readonly kind: 'bits';
      readonly row: number;
      readonly bits: readonly number[];
      readonly positions: readonly number[];
      readonly scale: bigint;
    }
  /** `inverse` is `numerator` / tested or 0; then `row` defines `flag`. */
  | {
      readonly kind: 'is-zero';
      readonly row: number;
      readonly tested: Combination;
      readonly numerator: bigint;
      readonly inverse: number;
      readonly flag: number;
    };

/** Whether a row over one wire says that it is 0 or 1. */
function isBoolean({ product, linear }: FoldedRow, wire: number): boolean {
  if (product === undefined) return false;
  const holds = (value: bigint): boolean => {
    const at = (of: Combination): bigint => (of.get(0) ?? 0n) + (of.get(wire) ?? 0n) * value;
    return reduce(at(product[0]) * at(product[1]) + at(linear)) === 0n;
  };
  return product[0].has(wire) && product[1].has(wire) && holds(0n) && holds(1n);
}

/** Powers of two by value, below the field's order. */
const EXPONENTS = new Map(Array.from({ length: 254 }, (_, exponent) => [reduce(1n << BigInt(exponent)), exponent]));

/** The scale that turns coefficients into different powers of two, or undefined. */
function powersOfTwo(coefficients: readonly bigint[]): { scale: bigint; positions: number[] } | undefined {
  // Nearly always they are powers of two as they stand, or with the other sign.
  for (const base of [1n, reduce(-1n), ...coefficients]) {
    const scale = inverseOf(base);
    const positions: number[] = [];
    for (const coefficient of coefficients) {
      const position = EXPONENTS.get(reduce(coefficient * scale));
      if (position === undefined) break;
      positions.push(position);
    }
    if (new Set(positions).size === coefficients.length) return { scale, positions };
  }
  return undefined;
}

/** The factor by which one combination is another, or undefined. */
function multipleOf(one: Combination, other: Combination): bigint | undefined {
  const [[wire, coefficient] = [0, 0n]] = other;
  if (one.size !== other.size || !one.has(wire)) return undefined;
  const factor = reduce(one.get(wire)! * inverseOf(coefficient));
  return [...other].every(([key, value]) => one.get(key) === reduce(value * factor)) ? factor : undefined;
}

function wiresWithin(combination: Combination, wire: number): boolean {
  return combination.has(wire) && [...combination.keys()].every((key) => key === wire || key === 0);
}

class Derivation {
  readonly #rows: ConstraintRows;
  readonly #known: Uint8Array;
  readonly #boolean: Uint8Array;
  /** Wires that became known as bits: rows that say so need no check. */
  readonly #bit: Uint8Array;
  readonly #rowsOf: readonly number[][];
  /** Unknown wires of each row, and those of them that are not boolean. */
  readonly #unknown: Int32Array;
  readonly #unknownOther: Int32Array;
  readonly #used: Uint8Array;
  /** Rows that were tried in vain since a wire of theirs became known. */
  readonly #vain: Uint8Array;
  readonly steps: Step[] = [];

  constructor(rows: ConstraintRows, inputs: Iterable<number>) {
    const { wireCount } = rows.r1cs;
    this.#rows = rows;
    this.#known = new Uint8Array(wireCount);
    this.#boolean = new Uint8Array(wireCount);
    this.#bit = new Uint8Array(wireCount);
    this.#unknown = new Int32Array(rows.count);
    this.#unknownOther = new Int32Array(rows.count);
    this.#used = new Uint8Array(rows.count);
    this.#vain = new Uint8Array(rows.count);
    const rowsOf = Array.from({ length: wireCount }, (): number[] => []);
    for (let row = 0; row < rows.count; row++) {
      const wires = rows.wiresOf(row);
      for (const wire of wires) rowsOf[wire]!.push(row);
      const [only] = wires;
      if (wires.size === 1 && isBoolean(rows.folded(row), only!)) this.#boolean[only!] = 1;
      this.#unknown[row] = wires.size;
    }
    this.#rowsOf = rowsOf;
    for (let wire = 0; wire < wireCount; wire++)
      if (this.#boolean[wire] === 0) for (const row of rowsOf[wire]!) this.#unknownOther[row]!++;
    this.#known[0] = 1;
    for (const wire of inputs) this.#learn(wire);
  }

  #learn(wire: number): void {
    this.#known[wire] = 1;
    for (const row of this.#rowsOf[wire]!) {
      this.#unknown[row]!--;
      this.#vain[row] = 0;
      if (this.#boolean[wire] === 0) this.#unknownOther[row]!--;
    }
  }

  #unknownOf(row: number): number[] {
    return [...this.#rows.wiresOf(row)].filter((wire) => this.#known[wire] === 0);
  }

  #assign(row: number): boolean {
    const [wire] = this.#unknownOf(row);
    const { product, linear } = this.#rows.folded(row);
    if (!linear.has(wire!) || product?.some((factor) => factor.has(wire!)) === true) return false;
    this.steps.push({ kind: 'assign', row, wire: wire! });
    this.#used[row] = 1;
    this.#learn(wire!);
    return true;
  }

  #bits(row: number): boolean {
    const bits = this.#unknownOf(row);
    const { product, linear } = this.#rows.folded(row);
    if (product?.some((factor) => bits.some((bit) => factor.has(bit))) === true) return false;
    const found = powersOfTwo(bits.map((bit) => reduce(-linear.get(bit)!)));
    if (found === undefined) return false;
    this.steps.push({ kind: 'bits', row, bits, ...found });
    this.#used[row] = 1;
    for (const bit of bits) {
      this.#bit[bit] = 1;
      this.#learn(bit);
    }
    return true;
  }

  /** α·x · β·u + γ·v + δ = 0 and μ·x · (ε·v + ζ) = 0: v = -ζ/ε unless x is 0, and then -δ/γ. */
  #isZero(row: number): boolean {
    const { product, linear } = this.#rows.folded(row);
    if (product === undefined) return false;
    const [one, two] = this.#unknownOf(row) as [number, number];
    for (const [tested, other] of [product, product.toReversed() as [Combination, Combination]]) {
      for (const [u, v] of [
        [one, two],
        [two, one],
      ] as const) {
        if (other.size !== 1 || !other.has(u) || !wiresWithin(linear, v) || tested.has(v)) continue;
        const step = this.#zeroStep(row, tested, u, v, other.get(u)!, linear);
        if (step === undefined) continue;
        this.steps.push(step);
        this.#used[row] = 1;
        this.#learn(u);
        this.#learn(v);
        return true;
      }
    }
    return false;
  }

  #zeroStep(row: number, tested: Combination, u: number, v: number, beta: bigint, linear: Combination): Step | undefined {
    for (const other of this.#rowsOf[v]!) {
      const { product, linear: rest } = this.#rows.folded(other);
      if (other === row || product === undefined || rest.size > 0) continue;
      const side = product.findIndex((factor) => multipleOf(factor, tested) !== undefined);
      const factor = product[1 - side];
      if (side < 0 || factor === undefined || !wiresWithin(factor, v)) continue;
      const whenNot = reduce(-(factor.get(0) ?? 0n) * inverseOf(factor.get(v)!));
      const numerator = reduce(-(linear.get(v)! * whenNot + (linear.get(0) ?? 0n)) * inverseOf(beta));
      this.#used[other] = 1;
      return { kind: 'is-zero', row, tested, numerator, inverse: u, flag: v };
    }
    return undefined;
  }

  /** Whether the one unknown wire of a row is a quotient: it stands in one factor of the product, and there is something to divide. */
  #quotient(row: number): Quotient | undefined {
    const [wire] = this.#unknownOf(row);
    const { product, linear } = this.#rows.folded(row);
    const [own, ...others] = product?.filter((factor) => factor.has(wire!)) ?? [];
    // x · (wire) = 0 says nothing of the wire where x is 0, as in a test for zero whose answer is known before.
    const divides = own !== undefined && others.length === 0 && (own.size > 1 || linear.size > (linear.has(wire!) ? 1 : 0));
    return divides ? { row, wire: wire! } : undefined;
  }

  #settled(row: number): boolean {
    if (this.#used[row] === 1) return true;
    if (this.#unknown[row]! > 0) return false;
    const wires = this.#rows.wiresOf(row);
    const [only] = wires;
    if (!(wires.size === 1 && this.#bit[only!] === 1 && isBoolean(this.#rows.folded(row), only!)))
      this.steps.push({ kind: 'check', row });
    this.#used[row] = 1;
    return true;
  }

  #advance(row: number): boolean {
    if (this.#vain[row] === 1) return false;
    this.#vain[row] = 1;
    if (this.#unknown[row] === 1 && this.#assign(row)) return true;
    if (this.#unknownOther[row] === 0 && this.#bits(row)) return true;
    return this.#unknown[row] === 2 && this.#isZero(row);
  }

  #divide(pending: readonly number[]): boolean {
    const quotients = new Map<number, Quotient>();
    for (const row of pending) {
      const quotient = this.#unknown[row] === 1 ? this.#quotient(row) : undefined;
      if (quotient !== undefined && !quotients.has(quotient.wire)) quotients.set(quotient.wire, quotient);
    }
    if (quotients.size === 0) return false;
    this.steps.push({ kind: 'divide', quotients: [...quotients.values()] });
    for (const { row, wire } of quotients.values()) {
      this.#used[row] = 1;
      this.#learn(wire);
    }
    return true;
  }

  /** @returns rows whose wires nobody can tell */
  run(): number[] {
    let pending = Array.from({ length: this.#rows.count }, (_, row) => row);
    for (let moved = true; moved;) {
      moved = false;
      const left: number[] = [];
      for (const row of pending) {
        const advanced = !this.#settled(row) && this.#advance(row);
        moved ||= advanced;
        if (!this.#settled(row)) left.push(row);
      }
      pending = left;
      if (!moved) moved = this.#divide(pending);
    }
    return pending;
  }
}

/**
 * Derives the steps.
 * @param inputs - wires that are given
 * @param nameOf - of a wire, for the error
 * @throws `STUN_CIRCUIT_WITNESS` naming the first row whose wires do not follow from the inputs
 */
export function deriveSteps(rows: ConstraintRows, inputs: Iterable<number>, nameOf: (wire: number) => string): readonly Step[] {
  const derivation = new Derivation(rows, inputs);
  const [stuck, ...others] = derivation.run();
  if (stuck === undefined) return derivation.steps;
  const names = [...rows.wiresOf(stuck)].map((wire) => nameOf(wire));
  throw new StunError(
    'STUN_CIRCUIT_WITNESS',
    `no rule gives the wires of constraint ${stuck} over ${names.slice(0, 8).join(', ')}; ${others.length} more wait for them`,
  );
}
