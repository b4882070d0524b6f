/**
 * `node scripts/fuzz-native.ts [--rounds N] [--seed N]`: compiles the native prover's portable engine with AddressSanitizer and
 * UndefinedBehaviorSanitizer and feeds it damaged keys, witnesses and witness programs. Needs g++-12 and its sanitizers; `.ci/run` runs it shortly, `npm run test:full` at length.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildBn128 } from 'ffjavascript';
import { programBytes } from '#circuits/witness/program-file.ts';
import { SeededRandom } from '#test/circuits/fixtures.ts';
import { EVERY_INSTRUCTION } from '#test/unit/prover/every-instruction.ts';
import { randomFactors, smallSystem } from '#test/unit/prover/small-systems.ts';
import { root } from './project-files.ts';
import { summaryLine } from './tests/counts.ts';

const COMPILE = '-std=c++17 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -pthread';

function run(command: string, args: readonly string[]): void {
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (done.status !== 0) throw new Error(`${command} ended with ${done.status ?? done.signal ?? String(done.error)}`);
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '2000' }, seed: { type: 'string' } } });
const seed = values.seed ?? String(randomInt(2 ** 31));
console.log(`fuzz-native: ${values.rounds} rounds with seed ${seed}`);
const random = new SeededRandom(`fuzz/${seed}`);
const wires = Array.from({ length: 11 }, () => random.field());
const choice = { name: 'fuzz', publicCount: 3, values: wires, constraints: randomFactors(random, wires.length + 1, 12) };
const system = await smallSystem(await buildBn128(true), choice);
const folder = mkdtempSync(join(tmpdir(), 'stun-fuzz-'));
try {
  const names = ['key', 'witness', 'program', 'fuzz'].map((name) => join(folder, name));
  const [key, witness, program, fuzz] = names as [string, string, string, string];
  writeFileSync(key, system.zkey);
  writeFileSync(witness, system.witness);
  writeFileSync(program, programBytes(EVERY_INSTRUCTION));
  const sources = ['scripts/native-fuzz/fuzz.cpp', 'prover/native/engine-portable.cpp'];
  run('g++-12', [...COMPILE.split(' '), '-Iprover/native', ...sources, '-o', fuzz]);
  run(fuzz, [key, witness, program, values.rounds, seed]);
  console.log(summaryLine({ passed: 1, failed: 0, skipped: 0 }));
} finally {
  rmSync(folder, { recursive: true });
}
