import assert from 'node:assert/strict';
import { progressContext } from '#cli/progress.ts';

/** A context on a clock that the test moves. */
function watched(isTerminal: boolean) {
  const written: string[] = [];
  const alarms: { atMs: number; wake: () => void }[] = [];
  const outside = {
    isTerminal,
    write: (text: string) => void written.push(text),
    after: (ms: number, wake: () => void) => {
      alarms.push({ atMs: ms, wake });
      return () => void alarms.splice(0);
    },
  };
  const passTo = (ms: number): void => alarms.filter(({ atMs }) => atMs <= ms).forEach(({ wake }) => wake());
  return { ...progressContext(new AbortController().signal, outside), written, passTo };
}

describe('progress', () => {
  it('appears once a command has taken two seconds, the newest line first and then each', () => {
    const { context, written, passTo } = watched(false);
    context.progress('one');
    context.progress('two');
    passTo(1999);
    assert.deepEqual(written, []);
    passTo(2000);
    assert.deepEqual(written, ['stun: two\n']);
    context.progress('three');
    assert.deepEqual(written, ['stun: two\n', 'stun: three\n']);
  });

  it('never appears of a command that ends before, and at once on a terminal', () => {
    const quick = watched(false);
    quick.context.progress('one');
    quick.stop();
    quick.passTo(5000);
    assert.deepEqual(quick.written, []);
    const shown = watched(true);
    shown.context.progress('one');
    assert.deepEqual(shown.written, ['stun: one\n']);
  });
});
