/** What ends a `stun` process, and what does not: each case is a process that takes its own signals. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MODULE = fileURLToPath(new URL('../../../cli/stopping.ts', import.meta.url));

/** Says `ready`, then `stopped` when it is told to stop, and ends when its input does. */
const PROGRAM = `
  const { stoppingSignal } = await import(${JSON.stringify(MODULE)});
  const busy = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.argv[1]));
  const signal = stoppingSignal();
  signal.addEventListener('abort', () => { console.log('stopped'); setTimeout(() => setImmediate(() => { busy(); console.log('worked'); }), 100); });
  process.stdin.on('end', () => process.exit(0)).resume();
  console.log('ready');
  if (signal.aborted) console.log('stopped');
`;

/** Runs the program; after it stops it works for `busyMs` without looking at anything. */
async function started(
  busyMs = 0,
  channel = true,
): Promise<{ child: ChildProcess; says(word: string): Promise<void>; end(): Promise<number | null> }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', PROGRAM, String(busyMs)], {
    stdio: ['pipe', 'pipe', 'inherit', ...(channel ? (['ipc'] as const) : [])],
  });
  let said = '';
  child.stdout!.on('data', (chunk) => (said += String(chunk)));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const says = async (word: string): Promise<void> => {
    while (!said.includes(`${word}\n`)) {
      assert.equal(child.exitCode, null, `ended before it said ${word}`);
      await sleep(10);
    }
  };
  await says('ready');
  return {
    child,
    says,
    end: () => {
      child.stdin!.end();
      return exited;
    },
  };
}

describe('cli: a process that is told to stop', function () {
  this.timeout(60_000);

  it("takes the launcher's message for a signal", async () => {
    const { child, says, end } = await started();
    child.send('SIGTERM');
    await says('stopped');
    assert.equal(await end(), 0);
  });

  it('stops when the process at the other end of its channel is gone', async () => {
    const { child, says, end } = await started();
    child.disconnect();
    await says('stopped');
    assert.equal(await end(), 0);
  });

  it('goes on when it was started without a channel, until a signal comes', async () => {
    const { child, says, end } = await started(0, false);
    child.kill('SIGINT');
    await says('stopped');
    assert.equal(await end(), 0);
  });

  it('takes a second signal for the same wish, however long it was too busy to see it', async () => {
    const { child, says, end } = await started(3000);
    child.kill('SIGTERM');
    await says('stopped');
    await sleep(500);
    child.send('SIGTERM');
    child.kill('SIGINT');
    await says('worked');
    await sleep(300);
    assert.equal(await end(), 0);
  });

  it('ends with status 3 when a signal comes again later', async () => {
    const { child, says, end } = await started();
    child.kill('SIGTERM');
    await says('stopped');
    const exited = new Promise((resolve) => child.once('exit', resolve));
    while (child.exitCode === null) {
      await sleep(500);
      child.kill('SIGTERM');
    }
    assert.equal(await exited, 3);
    await end();
  });
});
