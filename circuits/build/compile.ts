/** Runs the circom compiler (circom2, WebAssembly) in a process of its own. */
import { spawn } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { StunError } from '#protocol/errors/stun-error.ts';
import { REPOSITORY_ROOT } from './source.ts';

/** The compiler that package.json pins; part of every source hash. */
export const COMPILER = 'circom2@0.2.23';

/** What the compiler shall write and how far it shall simplify. */
export interface CompileOptions {
  readonly level: 'O0' | 'O1' | 'O2';
  readonly outputs: readonly ('r1cs' | 'wasm' | 'sym')[];
}

/** Compiler messages kept for the error's reason. */
const MESSAGE_BYTES = 600;

function runCompiler(args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join('node_modules', 'circom2', 'cli.js'), ...args], {
      cwd: REPOSITORY_ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-MESSAGE_BYTES);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/**
 * Compiles one circuit to `circuit.r1cs`, `circuit.wasm` (the witness calculator) and `circuit.sym`, as asked for.
 * @param mainPath - source with the main component, relative to the repository root and below it
 * @param directory - existing or new directory for the outputs
 * @throws `STUN_CIRCUIT_COMPILE` with the end of the compiler's message
 */
export async function compileCircuit(mainPath: string, directory: string, options: CompileOptions): Promise<void> {
  await mkdir(directory, { recursive: true });
  const flags = [`--${options.level}`, ...options.outputs.map((output) => `--${output}`)];
  // The compiler takes an output path relative to its working directory only.
  const { code, output } = await runCompiler([mainPath, ...flags, '-o', relative(REPOSITORY_ROOT, directory)]);
  if (code !== 0) throw new StunError('STUN_CIRCUIT_COMPILE', `compiling ${mainPath} failed: ${output.trim()}`);
  const stem = basename(mainPath, '.circom');
  for (const kind of options.outputs) {
    const from = kind === 'wasm' ? join(directory, `${stem}_js`, `${stem}.wasm`) : join(directory, `${stem}.${kind}`);
    await rename(from, join(directory, `circuit.${kind}`));
  }
  await rm(join(directory, `${stem}_js`), { recursive: true, force: true });
}
