/** The process that tests run in: the parent sends one order after the other and gets one answer to each. */
import { countExecution } from './executed.ts';
import { startLoad } from './fresh-modules.ts';
import type { Mutant } from './mutants.ts';
import { runFile } from './run-file.ts';
import type { Failure, Selection } from './run-file.ts';

/** What the parent may ask for. */
export type Order =
  /** Which of the mutants each test of the file reaches. */
  | { readonly kind: 'survey'; readonly file: string; readonly mutants: readonly Mutant[] }
  /** Whether one of the selected tests fails with the mutant, or with none. */
  | { readonly kind: 'try'; readonly mutant: Mutant | null; readonly selections: readonly Selection[] };

/** A test with the time it took and the indices of the mutants whose code ran in it or in what it needs. */
export interface SurveyedTest {
  readonly name: string;
  readonly ms: number;
  readonly reaches: readonly number[];
}

/** The answer to either order. `residentBytes` is what the process holds by now. */
export interface Answer {
  readonly failure: (Failure & { readonly file: string }) | null;
  readonly tests: readonly SurveyedTest[];
  readonly residentBytes: number;
}

/** How long what still runs after the tests is left to end. */
const settleMs = 5;

let executedSince: ReturnType<typeof countExecution> | undefined;

async function survey(file: string, mutants: readonly Mutant[]): Promise<Answer> {
  executedSince ??= countExecution();
  const load = startLoad(null);
  const reachedNow = (): Set<number> => {
    const executed = executedSince!(load);
    return new Set(mutants.flatMap((mutant, index) => (executed(mutant.file, mutant.offset) ? [index] : [])));
  };
  let onLoad = new Set<number>();
  const inHooks = new Map<string, Set<number>>();
  const tests: SurveyedTest[] = [];
  const failure = await runFile(
    { file, tests: null },
    {
      loaded: () => {
        onLoad = reachedNow();
      },
      prepared: (names) => {
        const reached = reachedNow();
        for (const name of names) inHooks.set(name, new Set([...reached, ...(inHooks.get(name) ?? [])]));
      },
      tested: (name, ms) => {
        const reaches = new Set([...reachedNow(), ...onLoad, ...(inHooks.get(name) ?? [])]);
        tests.push({ name, ms, reaches: [...reaches] });
      },
    },
  );
  return { failure: failure && { ...failure, file }, tests, residentBytes: process.memoryUsage().rss };
}

async function tryMutant(mutant: Mutant | null, selections: readonly Selection[]): Promise<Answer> {
  startLoad(mutant);
  for (const selection of selections) {
    const failure = await runFile(selection);
    if (failure !== null)
      return { failure: { ...failure, file: selection.file }, tests: [], residentBytes: process.memoryUsage().rss };
  }
  return { failure: null, tests: [], residentBytes: process.memoryUsage().rss };
}

let running = false;

// What a mutant leaves behind may fail after its tests have ended; it must not be taken for the failure of the next one.
process.on('uncaughtException', () => undefined);
process.on('unhandledRejection', (reason) => {
  if (running) throw reason;
});

async function carryOut(order: Order): Promise<void> {
  running = true;
  const answer =
    order.kind === 'survey' ? await survey(order.file, order.mutants) : await tryMutant(order.mutant, order.selections);
  running = false;
  setTimeout(() => process.send?.(answer), settleMs);
}

process.on('message', (order: Order) => void carryOut(order));
