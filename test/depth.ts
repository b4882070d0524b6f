/** How deep a sweep goes: a sample on every run, everything in `npm run test:full`. */
import { randomInt } from 'node:crypto';

/** `full` when STUN_DEPTH says so; any other value than `full` or `sampled` is refused. */
export function depth(): 'sampled' | 'full' {
  const wanted = process.env['STUN_DEPTH'] ?? 'sampled';
  if (wanted !== 'sampled' && wanted !== 'full') throw new RangeError(`STUN_DEPTH is ${wanted}, expected sampled or full`);
  return wanted;
}

let seed: number | undefined;

/** The seed of everything that is sampled in this process: STUN_SEED or a fresh one, printed once so that a failure can be repeated. */
export function sampleSeed(): number {
  if (seed !== undefined) return seed;
  const given = process.env['STUN_SEED'];
  if (given !== undefined && !/^\d{1,10}$/.test(given)) throw new RangeError(`STUN_SEED is ${given}, expected a whole number`);
  seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  console.log(`      sampled with STUN_SEED=${seed}`);
  return seed;
}

/** Numbers below 1 that repeat for the same seed and label (mulberry32). For choosing test cases, nothing else. */
function numbers(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** All cases at full depth, else `count` of them chosen by the seed, in their own order. Refuses an empty list. */
export function sampleCases<T>(cases: readonly T[], count: number): readonly T[] {
  if (cases.length === 0) throw new RangeError('no cases to sample from');
  if (depth() === 'full' || cases.length <= count) return cases;
  const next = numbers(sampleSeed());
  const order = cases.map((_, index) => ({ index, key: next() })).toSorted((a, b) => a.key - b.key);
  const chosen = new Set(order.slice(0, count).map((entry) => entry.index));
  return cases.filter((_, index) => chosen.has(index));
}
