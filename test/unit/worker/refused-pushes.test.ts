import assert from 'node:assert/strict';
import { RefusedPushes } from '#worker/refused-pushes.ts';

describe('segments that the service refused', () => {
  it('are handed over after pauses that double up to a minute, each for itself', () => {
    const pushes = new RefusedPushes();
    let nowMs = 5000;
    for (const pauseMs of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
      assert.ok(pushes.isDue(7, nowMs));
      pushes.refused(7, nowMs);
      assert.ok(!pushes.isDue(7, nowMs + pauseMs - 1));
      assert.ok(pushes.isDue(8, nowMs));
      nowMs += pauseMs;
    }
    pushes.taken(7);
    pushes.refused(7, nowMs);
    assert.ok(pushes.isDue(7, nowMs + 1000));
  });
});
