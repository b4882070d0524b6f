/** Runs tests of one file in this process, on freshly loaded modules. */
import Mocha from 'mocha';
import { join } from 'node:path';
import { root } from '../project-files.ts';
import { importFresh } from './fresh-modules.ts';

/** Tests of one file: all of them or those with these names. */
export interface Selection {
  readonly file: string;
  /** Names as {@link namedTests} gives them, or null for all. */
  readonly tests: readonly string[] | null;
}

/** Called while a file runs, for what wants to look at each step. */
export interface Observer {
  readonly loaded: () => void;
  /** A `before` hook of a suite with these tests has ended. */
  readonly prepared: (tests: readonly string[]) => void;
  readonly tested: (test: string, ms: number) => void;
}

/** The first failure: the name of the test, or null when the file did not load or a hook failed. */
export interface Failure {
  readonly test: string | null;
  readonly message: string;
}

/** Every test of a suite with a name that no other test of the suite has. */
function namedTests(suite: Mocha.Suite): Map<Mocha.Test, string> {
  const named = new Map<Mocha.Test, string>();
  const seen = new Map<string, number>();
  const walk = (one: Mocha.Suite): void => {
    for (const test of one.tests) {
      const title = test.fullTitle();
      const times = (seen.get(title) ?? 0) + 1;
      seen.set(title, times);
      named.set(test, times === 1 ? title : `${title} (${times})`);
    }
    one.suites.forEach(walk);
  };
  walk(suite);
  return named;
}

function keepOnly(suite: Mocha.Suite, wanted: (test: Mocha.Test) => boolean): void {
  suite.tests = suite.tests.filter(wanted);
  for (const inner of suite.suites) keepOnly(inner, wanted);
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

/** Runs the selected tests until one fails. @returns the failure, or null when all passed */
export async function runFile({ file, tests }: Selection, observer?: Observer): Promise<Failure | null> {
  const mocha = new Mocha({ bail: true, timeout: 60_000, reporter: Mocha.reporters.Base });
  const { suite } = mocha;
  const path = join(root, file);
  suite.emit('pre-require', globalThis, path, mocha);
  try {
    await importFresh(file);
  } catch (thrown) {
    return { test: null, message: messageOf(thrown) };
  }
  observer?.loaded();
  const names = namedTests(suite);
  if (tests !== null) keepOnly(suite, (test) => tests.includes(names.get(test) ?? ''));
  let failure: Failure | null = null;
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => resolve());
    runner.on('fail', (failed: Mocha.Runnable, thrown: unknown) => {
      failure ??= { test: names.get(failed as Mocha.Test) ?? null, message: messageOf(thrown) };
    });
    runner.on('hook end', (hook) => {
      if (hook.parent !== undefined && hook.title.startsWith('"before all"')) {
        const parent = hook.parent;
        observer?.prepared([...namedTests(parent).keys()].map((test) => names.get(test) ?? ''));
      }
    });
    runner.on('test end', (test) => observer?.tested(names.get(test) ?? '', test.duration ?? 0));
  });
  mocha.dispose();
  return failure;
}
