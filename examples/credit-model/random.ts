/** Repeatable pseudo-random numbers for making the example's data. Not for anything that must be secret. */

/** A generator of uniform and normal numbers from a 32-bit seed (xorshift128, seeded by splitmix32). */
export class SeededRandom {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    let mixed = seed >>> 0;
    this.#state = Uint32Array.from({ length: 4 }, () => {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      let word = mixed;
      word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      return (word ^ (word >>> 15)) >>> 0;
    });
  }

  #word(): number {
    const state = this.#state;
    let t = state[3]!;
    t ^= t << 11;
    t ^= t >>> 8;
    state.copyWithin(1, 0, 3);
    const s = state[1]!;
    state[0] = t ^ s ^ (s >>> 19);
    return state[0];
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    return ((this.#word() >>> 5) * 2 ** 26 + (this.#word() >>> 6)) / 2 ** 53;
  }

  /** Standard normal (Box-Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** A whole number in [0, below). */
  integer(below: number): number {
    return Math.floor(this.uniform() * below);
  }

  /** Shuffles in place. */
  shuffle(values: Uint32Array): void {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const held = values[i]!;
      values[i] = values[j]!;
      values[j] = held;
    }
  }
}
