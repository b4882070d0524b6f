import assert from 'node:assert/strict';
import { exitCodeOf } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/index.ts';
import { serveUntilEnd } from '#service/main.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';

describe('service: end of a process', () => {
  let stops: number;
  const stop = async (): Promise<void> => void stops++;
  beforeEach(() => (stops = 0));

  it('stops first when the service failed, and ends with what it failed with', async () => {
    const failed = Promise.resolve(new StunError('STUN_SENDER_CLAIM_LOST', 'another sender signs'));
    await rejectsCode(serveUntilEnd({ failed, stop }, new AbortController().signal), 'STUN_SENDER_CLAIM_LOST');
    assert.deepEqual([stops, exitCodeOf('STUN_SENDER_CLAIM_LOST')], [1, 3]);
  });

  it('stops and ends well when it is told to', async () => {
    const stopping = new AbortController();
    const ended = serveUntilEnd({ failed: new Promise(() => undefined), stop }, stopping.signal);
    stopping.abort();
    await ended;
    assert.equal(stops, 1);
  });
});
