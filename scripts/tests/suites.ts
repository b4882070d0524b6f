/** Which test files run together in one process. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectFiles, root } from '../project-files.ts';

/** One child process of tests. */
export interface Suite {
  readonly name: string;
  readonly runner: 'mocha' | 'solidity';
  /** Paths from the root; what a Solidity suite compiles hardhat finds itself. */
  readonly files: readonly string[];
  readonly grep: string | undefined;
}

/** The folders of test/, the longest first and the short ones last, so that two lanes end together; fast kinds share a process. */
const kinds: readonly (readonly [suite: string, ...folders: string[]])[] = [
  ['integration', 'integration'],
  ['e2e', 'e2e'],
  ['circuits', 'circuits'],
  ['contracts', 'contracts'],
  ['unit', 'unit', 'meta'],
  ['negative', 'negative', 'property'],
  ['differential', 'differential'],
];

function isInside(path: string, wanted: string): boolean {
  const clean = wanted.replace(/^\.\//, '').replace(/\/$/, '');
  return path === clean || path.startsWith(`${clean}/`);
}

/**
 * The suites for the arguments of `npm test`: nothing means all of them; an existing path selects the test files in it; anything
 * else is a pattern that test titles must match.
 */
export function suitesFor(args: readonly string[]): Suite[] {
  const paths = args.filter((arg) => existsSync(join(root, arg)));
  const patterns = args.filter((arg) => !paths.includes(arg));
  if (patterns.length > 1) throw new RangeError(`one pattern at a time, got ${patterns.join(' ')}`);
  const grep = patterns[0];
  const chosen = (path: string): boolean => paths.length === 0 || paths.some((wanted) => isInside(path, wanted));
  const all = projectFiles();
  const tests = all.filter((path) => path.startsWith('test/') && path.endsWith('.test.ts'));
  const known = new Set(kinds.flatMap(([, ...folders]) => folders));
  const strays = tests.filter((path) => !known.has(path.split('/')[1] ?? ''));
  if (strays.length > 0) throw new RangeError(`test files in no known kind: ${strays.join(', ')}`);
  const suites: Suite[] = kinds.map(([name, ...folders]) => ({
    name,
    runner: 'mocha',
    files: tests.filter((path) => chosen(path) && folders.includes(path.split('/')[1] ?? '')),
    grep,
  }));
  // First, because it alone needs no circuit: the other lane builds those meanwhile.
  const solidity = all.filter((path) => path.endsWith('.t.sol') && chosen(path));
  suites.unshift({ name: 'solidity', runner: 'solidity', files: solidity, grep });
  return suites.filter((suite) => suite.files.length > 0);
}
