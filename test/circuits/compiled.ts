/** Compiles circuit sources for tests, each source once: cached by its hash under .stun/circuits/test/. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { compileCircuit, COMPILER, type CompileOptions } from '#circuits/build/compile.ts';
import { REPOSITORY_ROOT } from '#circuits/build/source.ts';
import { keptFolder } from './kept.ts';

/**
 * Compiles a self-contained source.
 * @returns the directory that holds circuit.r1cs, circuit.wasm, circuit.sym as asked for
 */
export async function compileSource(source: string, options: CompileOptions): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([COMPILER, options, source]))
    .digest('hex')
    .slice(0, 32);
  return keptFolder(key, async (scratch) => {
    const main = join(scratch, 'main.circom');
    await writeFile(main, source);
    await compileCircuit(relative(REPOSITORY_ROOT, main), scratch, options);
  });
}
