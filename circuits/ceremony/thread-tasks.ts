/** Tasks of a ceremony that give points: one after the other in this thread, or side by side in threads of their own. */
import { parentPort, Worker } from 'node:worker_threads';
import { asStunError, StunError } from '#protocol/errors/stun-error.ts';
import type { Share } from './powers-of-tau.ts';

/** How tasks of one kind are done. */
export interface TaskKind<Task> {
  /** How long a task takes, in any unit. */
  readonly workOf: (task: Task) => number;
  /** Does a task in this thread. */
  readonly doHere: (task: Task, share: Share) => Promise<Uint8Array>;
  /** A thread's program; it does the task of its `workerData` by {@link answerFromThread}. */
  readonly program: URL;
}

/** Does a task in a thread that is ended however this ends. */
async function doInThread(program: URL, task: unknown, share: Share, stop: AbortSignal): Promise<Uint8Array> {
  const thread = new Worker(program, { workerData: task });
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      thread.on('message', (message: number | Uint8Array) => {
        if (typeof message !== 'number') return resolve(message);
        try {
          share(message);
        } catch (thrown) {
          reject(asStunError(thrown));
        }
      });
      const lost = (cause?: unknown): void => reject(new StunError('STUN_INTERNAL', 'a thread of the ceremony ended', { cause }));
      thread.on('error', lost);
      thread.on('exit', () => lost());
      stop.addEventListener('abort', () => lost());
    });
  } finally {
    await thread.terminate();
  }
}

/** What a thread's program does: it posts how far it has come, then the points. */
export async function answerFromThread(work: (share: Share) => Promise<Uint8Array>): Promise<void> {
  const points = await work((share) => parentPort!.postMessage(share));
  parentPort!.postMessage(points, [points.buffer as ArrayBuffer]);
}

/**
 * Does tasks, the longest of them first.
 * @param threads - 1 for this thread alone
 * @param share - told how far all of them have come; what it throws ends them
 * @returns what each task gave, in the order of the tasks
 */
export async function doAll<Task>(
  { workOf, doHere, program }: TaskKind<Task>,
  tasks: readonly Task[],
  threads: number,
  share: Share,
): Promise<Uint8Array[]> {
  const work = tasks.map(workOf);
  const whole = work.reduce((sum, one) => sum + one, 0);
  const shares = tasks.map(() => 0);
  const results: Uint8Array[] = [];
  const waiting = [...tasks.keys()].toSorted((a, b) => work[b]! - work[a]!);
  const stop = new AbortController();
  const worker = async (): Promise<void> => {
    for (let i = waiting.shift(); i !== undefined && !stop.signal.aborted; i = waiting.shift()) {
      const at = i;
      const tell: Share = (part) => {
        shares[at] = part;
        share(Math.min(1, shares.reduce((sum, one, task) => sum + one * work[task]!, 0) / whole));
      };
      results[at] = threads === 1 ? await doHere(tasks[at]!, tell) : await doInThread(program, tasks[at], tell, stop.signal);
      shares[at] = 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: threads }, worker));
  } finally {
    stop.abort();
  }
  return results;
}
