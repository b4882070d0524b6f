/** Compiles circuit sources for tests, each source once: cached by its hash under .stun/circuits/test/. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { compileCircuit, COMPILER, type CompileOptions } from '#circuits/build/compile.ts';
import { REPOSITORY_ROOT } from '#circuits/build/source.ts';

/**
 * Compiles a self-contained source.
 * @returns the directory that holds circuit.r1cs, circuit.wasm, circuit.sym as asked for
 */
export async function compileSource(source: string, options: CompileOptions): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([COMPILER, options, source]))
    .digest('hex')
    .slice(0, 32);
  const directory = join(REPOSITORY_ROOT, '.stun', 'circuits', 'test', key);
  if (existsSync(directory)) return directory;
  const scratch = `${directory}.${process.pid}`;
  await mkdir(scratch, { recursive: true });
  const main = join(scratch, 'main.circom');
  await writeFile(main, source);
  try {
    await compileCircuit(relative(REPOSITORY_ROOT, main), scratch, options);
    // Another process may have finished first; its result is the same.
    await rename(scratch, directory).catch(() => {});
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return directory;
}
