/** Which test files run together in one process. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectFiles, root } from '../project-files.ts';

/** One child process of tests. */
export interface Suite {
  /** What its results are counted under; the parts of a kind that takes long share a name. */
  readonly name: string;
  /** What it says it is; differs among suites of one name. */
  readonly label: string;
  readonly runner: 'mocha' | 'solidity';
  /** Paths from the root; what a Solidity suite compiles hardhat finds itself. */
  readonly files: readonly string[];
  readonly grep: string | undefined;
}

/**
 * The folders of test/, a process for each line, the longest first and the short ones last so that the lanes end together. A file
 * belongs to the folder that names its place most closely. What takes long is divided, and fast kinds share a process.
 */
const kinds: readonly (readonly [suite: string, ...folders: string[]])[] = [
  ['e2e', 'e2e'],
  ['circuits', 'circuits'],
  ['integration', 'integration/cli'],
  ['contracts', 'contracts'],
  ['integration', 'integration/service', 'integration/worker', 'integration/attestation'],
  ['negative', 'negative', 'property'],
  ['integration', 'integration/prover', 'integration/sender'],
  ['unit', 'unit', 'meta'],
  ['integration', 'integration'],
  ['differential', 'differential'],
];

/** The folder of `kinds` that a test file belongs to; undefined when none does. */
function folderOf(path: string): string | undefined {
  const inside = kinds.flatMap(([, ...folders]) => folders).filter((folder) => isInside(path, `test/${folder}`));
  return inside.toSorted((a, b) => b.length - a.length)[0];
}

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
  const strays = tests.filter((path) => folderOf(path) === undefined);
  if (strays.length > 0) throw new RangeError(`test files in no known kind: ${strays.join(', ')}`);
  const suites: Suite[] = kinds.map(([name, ...folders]) => ({
    name,
    label: folders.join(' '),
    runner: 'mocha',
    files: tests.filter((path) => chosen(path) && folders.includes(folderOf(path) ?? '')),
    grep,
  }));
  // First, because it alone needs no circuit: those are built meanwhile.
  const solidity = all.filter((path) => path.endsWith('.t.sol') && chosen(path));
  suites.unshift({ name: 'solidity', label: 'solidity', runner: 'solidity', files: solidity, grep });
  return suites.filter((suite) => suite.files.length > 0);
}
