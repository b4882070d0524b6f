/** Runs the tests of a folder over mutants of it, each in a copy of the tree. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { projectFiles, root } from '../project-files.ts';
import { applied } from './mutants.ts';
import type { Mutant } from './mutants.ts';

/** What the tests did with a mutant; `stopped` (it ran too long) counts as noticed. */
export type Fate = 'killed' | 'stopped' | 'survived';

/** A tree of its own in which one file at a time may be changed. */
function copyTree(): string {
  const tree = mkdtempSync(join(tmpdir(), 'stun-mutation-'));
  for (const path of projectFiles()) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    cpSync(join(root, path), join(tree, path));
  }
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  if (existsSync(join(root, '.stun'))) symlinkSync(join(root, '.stun'), join(tree, '.stun'));
  return tree;
}

async function runTests(tree: string, tests: readonly string[], limitMs: number): Promise<Fate> {
  const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
  const env = { ...process.env, STUN_SEED: '1' };
  const child = spawn(process.execPath, [mocha, '--bail', '--exit', '--reporter', 'min', ...tests], {
    cwd: tree,
    stdio: 'ignore',
    env,
  });
  let stopped = false;
  const timer = setTimeout(() => {
    stopped = true;
    child.kill('SIGKILL');
  }, limitMs);
  const status = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  clearTimeout(timer);
  return stopped ? 'stopped' : status === 0 ? 'survived' : 'killed';
}

/**
 * Tries every mutant against the tests. Throws when the tests fail without any mutant, because then a kill says nothing.
 * `limitMs` bounds one run; `onFate` is told each outcome as it comes.
 */
export async function tryMutants(
  mutants: readonly Mutant[],
  tests: readonly string[],
  limitMs: number,
  onFate: (mutant: Mutant, fate: Fate) => void,
): Promise<void> {
  const waiting = [...mutants];
  const lane = async (): Promise<void> => {
    const tree = copyTree();
    try {
      if ((await runTests(tree, tests, 10 * limitMs)) !== 'survived')
        throw new Error(`the tests fail without a mutant: ${tests.join(' ')}`);
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        const file = join(tree, mutant.file);
        const source = readFileSync(file, 'utf8');
        writeFileSync(file, applied(source, mutant));
        onFate(mutant, await runTests(tree, tests, limitMs));
        writeFileSync(file, source);
      }
    } finally {
      rmSync(tree, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism(), mutants.length) }, lane));
}
