/**
 * Sums by way of earlier sums. A circuit that spends no wire on a linear state (Poseidon's partial rounds) writes each row over all that ever
 * went into the state: in round 60 a sum of 60 terms. The state itself has few elements, and as many sums over it tell it: the next
 * sum is a combination of the last ones and of the few terms that came after them.
 */
import { reduce } from '../build/field-math.ts';
import { addScaled, inverseOf, type Combination } from './constraint-rows.ts';
import type { Term } from './witness-program.ts';

/** Sums of fewer terms are left as they are. */
export const LONG_SUM = 8;
/** Most elements of a state. */
const LARGEST_STATE = 16;

/** A register and all terms of the sum that it holds. */
interface KnownSum {
  readonly register: number;
  readonly terms: Combination;
}

/** Sums with the same first register, in their order, and how many of them told the last one. */
interface Chain {
  readonly sums: KnownSum[];
  stateSize: number;
}

/**
 * Factors by which earlier sums add up to a sum in its first registers, by Gauss-Jordan elimination with a row for each register.
 * @returns undefined unless as many registers as there are earlier sums decide the factors, and those before agree
 */
function factorsOf(sum: readonly Term[], earlier: readonly KnownSum[]): bigint[] | undefined {
  const rows: bigint[][] = [];
  const pivots: number[] = [];
  const eliminate = (from: bigint[], pivot: number, row: readonly bigint[]): void => {
    const factor = from[pivot]!;
    if (factor !== 0n) for (const [i, value] of row.entries()) from[i] = reduce(from[i]! - factor * value);
  };
  for (const [coefficient, register] of sum) {
    const values = [...earlier.map(({ terms }) => terms.get(register) ?? 0n), coefficient];
    for (const [i, row] of rows.entries()) eliminate(values, pivots[i]!, row);
    const pivot = values.findIndex((value) => value !== 0n);
    if (pivot < 0) continue;
    if (pivot === earlier.length) return undefined;
    const scale = inverseOf(values[pivot]!);
    const scaled = values.map((value) => reduce(value * scale));
    for (const row of rows) eliminate(row, pivot, scaled);
    rows.push(scaled);
    pivots.push(pivot);
    if (rows.length === earlier.length) return earlier.map((_, i) => rows[pivots.indexOf(i)]!.at(-1)!);
  }
  return undefined;
}

/** The terms of a sum with earlier sums in it, in the order of their registers. */
function termsBy(sum: readonly Term[], earlier: readonly KnownSum[]): Term[] | undefined {
  // The constant is no part of a state: every round adds another.
  const factors = factorsOf(
    sum.filter(([, register]) => register > 0),
    earlier,
  );
  if (factors === undefined) return undefined;
  const rest: Combination = new Map(sum.map(([coefficient, register]) => [register, coefficient]));
  for (const [i, { register, terms }] of earlier.entries()) {
    addScaled(rest, terms, -factors[i]!);
    addScaled(rest, new Map([[register, 1n]]), factors[i]!);
  }
  return [...rest].toSorted(([a], [b]) => a - b).map(([register, coefficient]) => [coefficient, register]);
}

/** Shortens the sums of a program, given one after the other. */
export class SumShortener {
  /** By the first register that is not the constant. */
  readonly #chains = new Map<number, Chain>();

  /**
   * The same sum in at most half as many terms where earlier sums give it, else as it is.
   * @param to - register that will hold it
   * @param terms - of registers before `to`, each once and in their order
   */
  shorten(to: number, terms: readonly Term[]): readonly Term[] {
    if (terms.length < LONG_SUM) return terms;
    const [, first] = terms.find(([, register]) => register > 0)!;
    const chain: Chain = this.#chains.get(first) ?? { sums: [], stateSize: 1 };
    this.#chains.set(first, chain);
    const shorter = this.#byChain(terms, chain);
    chain.sums.push({ register: to, terms: new Map(terms.map(([coefficient, register]) => [register, coefficient])) });
    return shorter ?? terms;
  }

  #byChain(terms: readonly Term[], chain: Chain): Term[] | undefined {
    const most = Math.min(LARGEST_STATE, chain.sums.length, Math.floor(terms.length / 2));
    for (let size = chain.stateSize; size <= most; size++) {
      const shorter = termsBy(terms, chain.sums.slice(-size));
      if (shorter === undefined || 2 * shorter.length > terms.length) continue;
      chain.stateSize = size;
      return shorter;
    }
    return undefined;
  }
}
