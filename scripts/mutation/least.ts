/** How few mutants of a sample may be noticed before the sample speaks against the floor. */

/** How often a folder that stands exactly at its floor may fail by the draw alone: once in a million runs. */
const chance = 1e-6;

/**
 * The least number of noticed mutants that a sample must have. The number noticed in a sample is taken as binomial, which is wider than the
 * truth (mutants are drawn without return), so a folder at or above its floor fails less often than `chance`.
 * @param floor - share of all mutants that is noticed at least, 0 to 1
 * @param count - mutants in the sample
 */
export function leastNoticed(floor: number, count: number): number {
  if (floor >= 1) return count;
  // P(noticed = 0), then each next term from the one before it.
  let term = (1 - floor) ** count;
  let below = term;
  let least = 0;
  while (below <= chance && least < count) {
    term *= ((count - least) / (least + 1)) * (floor / (1 - floor));
    below += term;
    least += 1;
  }
  return least;
}
