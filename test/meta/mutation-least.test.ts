import assert from 'node:assert/strict';
import { leastNoticed } from '../../scripts/mutation/least.ts';

/** P(at most `k` of `n`), with exact integers: the floor is a whole number of hundredths. */
function atMost(k: number, n: number, hundredths: number): number {
  let ways = 1n;
  let sum = 0n;
  for (let i = 0; i <= k; i++) {
    sum += ways * BigInt(hundredths) ** BigInt(i) * BigInt(100 - hundredths) ** BigInt(n - i);
    ways = (ways * BigInt(n - i)) / BigInt(i + 1);
  }
  return Number((sum * 10n ** 18n) / 100n ** BigInt(n)) / 1e18;
}

describe('the least number of noticed mutants', () => {
  it('fails a folder at its floor less than once in a million draws, and no more seldom than it must', () => {
    for (const hundredths of [54, 64, 85, 94, 98, 99]) {
      const least = leastNoticed(hundredths / 100, 60);
      assert.ok(atMost(least - 1, 60, hundredths) <= 1e-6, `${hundredths}: ${least}`);
      assert.ok(atMost(least, 60, hundredths) > 1e-6, `${hundredths}: ${least}`);
    }
  });
  it('wants all where all are noticed, and nothing of nothing', () => {
    assert.deepEqual([leastNoticed(1, 60), leastNoticed(0.9, 0), leastNoticed(0, 60)], [60, 0, 0]);
  });
});
