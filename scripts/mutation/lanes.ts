/** Work shared out to as many lanes as there are cores. */
import { availableParallelism } from 'node:os';

/** Runs `lane` once for each core, each taking the items one after the other until none is left. Items may be put back by `again`. */
export async function inLanes<T>(
  items: readonly T[],
  lane: (next: () => T | undefined, again: (item: T) => void) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const one = (): Promise<void> =>
    lane(
      () => waiting.shift(),
      (item) => waiting.push(item),
    );
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism(), items.length) }, one));
}
