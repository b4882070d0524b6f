/** What refusing one input after another costs: processor time of each, and memory that stays. Bounds are relative, so that a slow machine passes. */
import assert from 'node:assert/strict';

/** The least that an input may always take: the clock of processor time and the garbage collector are coarse. */
const LEAST_BOUND_US = 1_000_000;
const MEDIANS = 50;
/** More than everything that the parsed vectors keep; an input that is remembered each time passes it in a full sweep. */
const HEAP_GROWTH_BYTES = 512 * 1024 * 1024;

/** Counts the cost of inputs. */
export class InputCost {
  readonly #costsUs: number[] = [];
  readonly #heapBefore = process.memoryUsage().heapUsed;

  /** Runs the body for one input and keeps what it took; the body's result. */
  of<T>(body: () => T): T {
    const before = process.cpuUsage();
    const result = body();
    const { user, system } = process.cpuUsage(before);
    this.#costsUs.push(user + system);
    return result;
  }

  /** Asserts that no input took far more than the others and that memory did not grow with their number. @returns what they took, in words */
  requireBounded(): string {
    const sorted = this.#costsUs.toSorted((a, b) => a - b);
    assert.ok(sorted.length > 0, 'no input was counted');
    const median = sorted[sorted.length >> 1] ?? 0;
    const slowest = sorted.at(-1) ?? 0;
    const bound = Math.max(LEAST_BOUND_US, MEDIANS * median);
    assert.ok(slowest <= bound, `an input took ${slowest} us of processor time, the bound is ${bound}`);
    const grown = process.memoryUsage().heapUsed - this.#heapBefore;
    assert.ok(grown <= HEAP_GROWTH_BYTES, `the heap grew by ${grown} bytes over ${sorted.length} inputs`);
    return `slowest ${(slowest / 1000).toFixed(1)} ms of processor time, median ${(median / 1000).toFixed(1)}`;
  }
}
