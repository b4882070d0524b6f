import assert from 'node:assert/strict';
import { progressContext } from '#cli/progress.ts';

/** A context on a clock that the test moves. */
function watched(isTerminal: boolean) {
  const written: string[] = [];
  let now = 0;
  let alarms: { atMs: number; wake: () => void }[] = [];
  const outside = {
    isTerminal,
    write: (text: string) => void written.push(text),
    nowMs: () => now,
    after: (ms: number, wake: () => void) => {
      const alarm = { atMs: now + ms, wake };
      alarms.push(alarm);
      return () => void (alarms = alarms.filter((one) => one !== alarm));
    },
  };
  const passTo = (ms: number): void => {
    for (;;) {
      const [due] = alarms.filter(({ atMs }) => atMs <= ms).toSorted((a, b) => a.atMs - b.atMs);
      if (due === undefined) break;
      now = due.atMs;
      alarms = alarms.filter((one) => one !== due);
      due.wake();
    }
    now = ms;
  };
  /** What was written since it was asked for last. */
  const news = (): string[] => written.splice(0);
  return { ...progressContext(new AbortController().signal, outside), news, passTo, compute: (ms: number) => void (now = ms) };
}

describe('progress', () => {
  it('appears once a command has taken two seconds, the newest line first and then each', () => {
    const { context, news, passTo } = watched(false);
    context.progress('one');
    context.progress('two');
    passTo(1999);
    assert.deepEqual(news(), []);
    passTo(2000);
    assert.deepEqual(news(), ['stun: two\n']);
    context.progress('three');
    assert.deepEqual(news(), ['stun: three\n']);
  });

  it('never appears of a command that ends before, and at once on a terminal', () => {
    const quick = watched(false);
    quick.working('order show');
    quick.context.progress('one');
    quick.stop();
    quick.passTo(60_000);
    assert.deepEqual(quick.news(), []);
    const shown = watched(true);
    shown.context.progress('one');
    assert.deepEqual(shown.news(), ['stun: one\n']);
  });

  it('names a command that says nothing, after two seconds and every ten', () => {
    const { working, news, passTo, stop } = watched(false);
    working('order show');
    passTo(1999);
    assert.deepEqual(news(), []);
    passTo(22_500);
    assert.deepEqual(
      news(),
      [2, 12, 22].map((seconds) => `stun: still: order show, ${seconds} s\n`),
    );
    stop();
    passTo(60_000);
    assert.deepEqual(news(), []);
  });

  it('says again what a command is at, ten seconds after it said so', () => {
    const { context, working, news, passTo } = watched(false);
    working('settle');
    context.progress('proving');
    passTo(5000);
    context.progress('settling');
    assert.deepEqual(news(), ['stun: proving\n', 'stun: settling\n']);
    passTo(14_999);
    assert.deepEqual(news(), []);
    passTo(15_000);
    assert.deepEqual(news(), ['stun: still: settling, 15 s\n']);
  });

  it('appears of a command that computes and lets no timer through', () => {
    const { context, compute, news } = watched(false);
    context.progress('one');
    compute(2000);
    context.progress('two');
    assert.deepEqual(news(), ['stun: two\n']);
  });

  it('leaves the silence of a command that runs until it is stopped', () => {
    const { context, working, news, passTo } = watched(false);
    working(null);
    passTo(60_000);
    assert.deepEqual(news(), []);
    context.progress('listening');
    assert.deepEqual(news(), ['stun: listening\n']);
    passTo(600_000);
    assert.deepEqual(news(), []);
  });
});
