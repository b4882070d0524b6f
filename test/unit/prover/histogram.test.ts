import assert from 'node:assert/strict';
import { Histogram } from '#prover/histogram.ts';

describe('prover: histogram', () => {
  it('counts every duration in each bound it fits under', () => {
    const histogram = new Histogram([10, 100]);
    assert.equal(histogram.meanMs, undefined);
    for (const duration of [5, 10, 11, 1000]) histogram.observe(duration);
    assert.deepEqual(histogram.snapshot(), { boundsMs: [10, 100], counts: [2, 3], count: 4, sumMs: 1026 });
    assert.equal(histogram.meanMs, 256.5);
  });
});
