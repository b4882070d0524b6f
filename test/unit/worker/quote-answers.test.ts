import assert from 'node:assert/strict';
import { StunError, toHex } from '#protocol/index.ts';
import { createWorkerLog } from '#worker/log.ts';
import { createWorkerMetrics } from '#worker/metrics.ts';
import { QuoteAnswers } from '#worker/quote-answers.ts';

const keysetDigest = new Uint8Array(32).fill(1);
const nonceOf = (byte: number): string => toHex(new Uint8Array(32).fill(byte));

describe('answers to questions for fresh evidence', () => {
  let nowMs = 0;
  let attested: string[] = [];
  let taken: number[] = [];
  let refusal: Error | undefined;
  let held: Promise<void> = Promise.resolve();
  const metrics = createWorkerMetrics();
  const going = new AbortController().signal;

  function quoteAnswers(): QuoteAnswers {
    return new QuoteAnswers({
      keys: { keysetDigest, enclaveId: toHex(keysetDigest) },
      attester: {
        attest: async (_digest, nonce) => {
          attested.push(toHex(nonce));
          await held;
          return { document: nonce, standsUntilUnix: null };
        },
      },
      service: {
        renewQuote: async (_enclaveId, document) => {
          if (refusal !== undefined) throw refusal;
          taken.push(document[0]!);
          return Promise.resolve();
        },
      },
      log: createWorkerLog('silent'),
      metrics,
      nowMs: () => nowMs,
    });
  }
  beforeEach(() => {
    nowMs = 0;
    attested = [];
    taken = [];
    refusal = undefined;
    held = Promise.resolve();
  });

  it('are made once for each question', async () => {
    const answers = quoteAnswers();
    for (const byte of [1, 1, 2, 2]) {
      answers.answer(nonceOf(byte), going);
      await answers.idle();
    }
    assert.deepEqual(
      [attested, taken],
      [
        [nonceOf(1), nonceOf(2)],
        [1, 2],
      ],
    );
  });

  it('are tried again after pauses that grow to a minute, whatever the question, and at once after one that was taken', async () => {
    const answers = quoteAnswers();
    refusal = new StunError('STUN_ENCLAVE_LISTING', 'another machine');
    const triedAtMs: number[] = [];
    for (; nowMs < 300_000; nowMs += 500) {
      const before = attested.length;
      answers.answer(nonceOf(nowMs % 1000 === 0 ? 1 : 2), going);
      await answers.idle();
      if (attested.length > before) triedAtMs.push(nowMs);
    }
    assert.deepEqual(
      triedAtMs.map((atMs) => atMs / 1000),
      [0, 1, 3, 7, 15, 31, 63, 123, 183, 243],
    );
    assert.match(await metrics.registry.metrics(), /quote_failures_total\{code="STUN_ENCLAVE_LISTING"\} 10/);
    refusal = undefined;
    nowMs += 60_000;
    for (const byte of [3, 4]) {
      answers.answer(nonceOf(byte), going);
      await answers.idle();
    }
    assert.deepEqual(taken, [3, 4]);
  });

  it('come one at a time: a newer question waits for the older one', async () => {
    const answers = quoteAnswers();
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    answers.answer(nonceOf(1), going);
    answers.answer(nonceOf(2), going);
    resolve();
    await answers.idle();
    assert.deepEqual(attested, [nonceOf(1)]);
    answers.answer(nonceOf(2), going);
    await answers.idle();
    assert.deepEqual(taken, [1, 2]);
  });

  it('that are stopped count as no failure', async () => {
    const answers = quoteAnswers();
    const stop = new AbortController();
    refusal = new StunError('STUN_GPU_COLLECTION', 'nvattest was stopped');
    const before = await metrics.registry.metrics();
    answers.answer(nonceOf(1), stop.signal);
    stop.abort();
    await answers.idle();
    assert.equal(await metrics.registry.metrics(), before);
    assert.deepEqual([attested, taken], [[nonceOf(1)], []]);
  });
});
