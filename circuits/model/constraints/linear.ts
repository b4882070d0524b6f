/** Linear combinations of wires over the BN254 scalar field: what the rows of a constraint system are made of. */
import { FIELD_ORDER } from '#protocol/field.ts';
import { reduce } from '../../build/field-math.ts';

/** The wire that always holds 1. */
export const ONE = 0;

/** An immutable sum of coefficient · wire; coefficients are canonical and never 0. */
export class Linear {
  readonly terms: ReadonlyMap<number, bigint>;

  private constructor(terms: ReadonlyMap<number, bigint>) {
    this.terms = terms;
  }

  static readonly zero = new Linear(new Map());

  /** A constant; any integer, reduced. */
  static constant(value: bigint): Linear {
    return Linear.sum([[value, ONE]]);
  }

  static wire(wire: number): Linear {
    return new Linear(new Map([[wire, 1n]]));
  }

  /** Sum of coefficient · wire; wires may repeat, coefficients may be negative. */
  static sum(terms: Iterable<readonly [coefficient: bigint, wire: number]>): Linear {
    const merged = new Map<number, bigint>();
    for (const [coefficient, wire] of terms) merged.set(wire, (merged.get(wire) ?? 0n) + coefficient);
    return Linear.#canonical(merged);
  }

  /** Sum of weight · combination. */
  static combine(parts: Iterable<readonly [weight: bigint, of: Linear]>): Linear {
    const merged = new Map<number, bigint>();
    for (const [weight, of] of parts) {
      for (const [wire, coefficient] of of.terms) merged.set(wire, (merged.get(wire) ?? 0n) + weight * coefficient);
    }
    return Linear.#canonical(merged);
  }

  static #canonical(merged: Map<number, bigint>): Linear {
    for (const [wire, coefficient] of merged) {
      const canonical = reduce(coefficient);
      if (canonical === 0n) merged.delete(wire);
      else merged.set(wire, canonical);
    }
    return new Linear(merged);
  }

  plus(other: Linear): Linear {
    return Linear.combine([
      [1n, this],
      [1n, other],
    ]);
  }

  minus(other: Linear): Linear {
    return Linear.combine([
      [1n, this],
      [-1n, other],
    ]);
  }

  times(factor: bigint): Linear {
    return Linear.combine([[factor, this]]);
  }

  /** The value when only the constant wire occurs, else null. */
  get constantValue(): bigint | null {
    if (this.terms.size === 0) return 0n;
    return this.terms.size === 1 ? (this.terms.get(ONE) ?? null) : null;
  }

  /** The value under an assignment, canonical. @param values - one per wire, canonical, 1 at `ONE` */
  evaluate(values: readonly bigint[]): bigint {
    let sum = 0n;
    for (const [wire, coefficient] of this.terms) sum += coefficient * values[wire]!;
    return sum % FIELD_ORDER;
  }
}
