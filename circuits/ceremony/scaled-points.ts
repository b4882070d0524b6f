/**
 * Every point of a section times one secret scalar, in this thread or in several. A thread wipes its copy of the scalar; one that is ended
 * early gives its memory back to the system as it is.
 */
import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import type { Bn128 } from 'ffjavascript';
import { BATCH } from '../build/fixed-base.ts';
import { G1_BYTES } from '../build/zkey-format.ts';
import { GroupMemory, withMemory } from './group-memory.ts';
import type { Share } from './powers-of-tau.ts';
import { doAll } from './thread-tasks.ts';

/** Affine points of G1 and the scalar, in Montgomery form; the scalar lies in shared memory, which whoever drew it wipes. */
export interface ScaleTask {
  readonly points: Uint8Array;
  readonly factor: Uint8Array<SharedArrayBuffer>;
}

/** Below so many points a thread takes longer to start than it saves. */
const LEAST_THREAD_POINTS = 4 * BATCH;

/** Overwrites the memory of a curve that held a secret. The curve is of no use afterwards. */
export function wipe(curve: Bn128): void {
  new Uint8Array(curve.tm.memory.buffer).fill(0);
}

/** Threads that are worth their start for so many points. */
export function threadsForPoints(count: number): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(count / LEAST_THREAD_POINTS)));
}

/** Does one task in this thread, batch by batch; the curve's memory holds the scalar afterwards. */
export function scaledHere(curve: Bn128, { points, factor }: ScaleTask, share: Share): Promise<Uint8Array> {
  return withMemory(curve, async () => {
    const memory = new GroupMemory(curve, 'g1');
    const [input, output] = [memory.reserve(BATCH * G1_BYTES), memory.reserve(BATCH * memory.jacobianBytes)];
    const [first, step] = [memory.reserve(32), memory.reserve(32)];
    const apply = memory.operation('batchApplyKeyMixed');
    const result = new Uint8Array(points.length);
    for (let done = 0; done < points.length; done += BATCH * G1_BYTES) {
      const some = points.subarray(done, done + BATCH * G1_BYTES);
      memory.bytes.set(some, input);
      memory.bytes.set(factor, first);
      memory.bytes.set(curve.Fr.one, step);
      apply(input, some.length / G1_BYTES, first, step, output);
      result.set(await withMemory(curve, () => Promise.resolve(memory.toAffine(output, some.length / G1_BYTES))), done);
      share(done / points.length);
      await setImmediate();
    }
    return result;
  });
}

/**
 * The points times the factor; the same bytes on any number of threads.
 * @param threads - as many as are worth it when left out
 * @param share - told how far it has come; what it throws ends it
 */
export async function scaled(
  curve: Bn128,
  points: Uint8Array,
  factor: Uint8Array<SharedArrayBuffer>,
  share: Share,
  threads: number = threadsForPoints(points.length / G1_BYTES),
): Promise<Uint8Array> {
  const bytes = Math.ceil(points.length / G1_BYTES / threads) * G1_BYTES;
  // Copies: what is sent to a thread takes all memory of its array with it.
  const tasks = Array.from({ length: threads }, (_, i) => ({ points: points.slice(i * bytes, (i + 1) * bytes), factor }));
  const kind = {
    workOf: (task: ScaleTask): number => task.points.length,
    doHere: (task: ScaleTask, tell: Share): Promise<Uint8Array> => scaledHere(curve, task, tell),
    program: new URL('scaled-points.worker.ts', import.meta.url),
  };
  return Buffer.concat(await doAll(kind, tasks, threads, share));
}
