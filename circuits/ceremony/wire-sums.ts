/** Sums for every wire over one or more bases, one after the other in this thread or side by side in threads of their own. All of it is public. */
import { availableParallelism } from 'node:os';
import type { Bn128 } from 'ffjavascript';
import { Basis, WireSums } from './basis-sums.ts';
import { withMemory, type Group } from './group-memory.ts';
import type { Share } from './powers-of-tau.ts';
import type { SparseColumns } from './sparse-columns.ts';
import { doAll } from './thread-tasks.ts';

/** For every wire the sum, over the steps, of coefficients times points. Buffers may be shared. */
export interface SumTask {
  readonly group: Group;
  readonly wireCount: number;
  readonly steps: readonly { readonly points: Uint8Array; readonly columns: SparseColumns }[];
}

/** Work of a task: its terms, of which one in G2 takes about three times as long. */
function workOf({ group, steps }: SumTask): number {
  const terms = steps.reduce((sum, { columns }) => sum + columns.rows.length, 0);
  return group === 'g1' ? terms : 3 * terms;
}

/** Below so much work starting threads takes longer than they save. */
const LEAST_THREADED_WORK = 2 ** 17;

/** Threads that are worth their start for some tasks. */
export function threadsFor(tasks: readonly SumTask[]): number {
  const work = tasks.reduce((sum, task) => sum + workOf(task), 0);
  return work < LEAST_THREADED_WORK ? 1 : Math.min(tasks.length, availableParallelism());
}

/** Does one task in this thread. @returns affine points, one a wire */
export function sumsHere(curve: Bn128, { group, wireCount, steps }: SumTask, share: Share): Promise<Uint8Array> {
  return withMemory(curve, async () => {
    const sums = new WireSums(curve, group, wireCount);
    const whole = steps.reduce((sum, { columns }) => sum + columns.rows.length, 0);
    let done = 0;
    for (const { points, columns } of steps) {
      await withMemory(curve, () =>
        new Basis(curve, group, points).addTo(sums, columns, 0, (part) => share((done + part * columns.rows.length) / whole)),
      );
      done += columns.rows.length;
    }
    return sums.toAffine();
  });
}

/**
 * Does tasks, the longest of them first.
 * @param threads - 1 for this thread alone
 * @param share - told how far all of them have come; what it throws ends them
 * @returns affine points of each task, in the order of the tasks
 */
export function allSums(curve: Bn128, tasks: readonly SumTask[], threads: number, share: Share): Promise<Uint8Array[]> {
  const doHere = (task: SumTask, tell: Share): Promise<Uint8Array> => sumsHere(curve, task, tell);
  return doAll({ workOf, doHere, program: new URL('wire-sums.worker.ts', import.meta.url) }, tasks, threads, share);
}
