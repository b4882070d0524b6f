/** The parent's side of a test process: one order at a time, with a time limit. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../project-files.ts';
import type { Answer, Order } from './test-process.ts';

/** A running test process. */
export interface TestChild {
  /** The answer; `stopped` when none came in time and `died` when the process ended first. After these two it is of no more use. */
  readonly give: (order: Order, limitMs: number) => Promise<Answer | 'stopped' | 'died'>;
  readonly end: () => void;
}

/** Starts a test process. Sweeps take their samples by a fixed seed in it, whatever the depth of the run around it. */
export function startTestChild(): TestChild {
  const child = fork(join(root, 'scripts/mutation/test-process.ts'), [], {
    cwd: root,
    execArgv: ['--disable-warning=ExperimentalWarning', '--max-old-space-size=4096'],
    env: { ...process.env, STUN_SEED: '1', STUN_DEPTH: 'sampled', NODE_DISABLE_COMPILE_CACHE: '1' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return {
    give: (order, limitMs) =>
      new Promise((resolve) => {
        const finish = (outcome: Answer | 'stopped' | 'died'): void => {
          clearTimeout(timer);
          child.off('message', answered).off('close', closed);
          resolve(outcome);
        };
        const answered = (answer: Answer): void => finish(answer);
        const closed = (): void => finish('died');
        const timer = setTimeout(() => {
          child.kill('SIGKILL');
          finish('stopped');
        }, limitMs);
        child.on('message', answered).on('close', closed);
        child.send(order, (error) => error !== null && closed());
      }),
    end: () => child.kill('SIGKILL'),
  };
}
