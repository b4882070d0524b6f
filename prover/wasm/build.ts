/** `npm run build:wasm [-- --check]`: compiles prover/wasm/ with the templates of prover/native/ into its modules, byte for byte. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCompiler, runPinnedBuild, type PinnedBuild } from '../pinned-build.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const templates = fileURLToPath(new URL('../native/', import.meta.url));

/** Freestanding: no library at all. A contraction that the source does not ask for would not round as it says. */
const COMPILE =
  '--target=wasm32 -std=c++17 -O3 -mbulk-memory -ffreestanding -fno-exceptions -fno-rtti -ffp-contract=off -fno-ident ' +
  '-Wall -Wextra -Werror';
/** The stack below everything else, so that running over its end ends the call; memory may grow to all that 32 bits address. */
const LINK = '--no-entry --stack-first -z stack-size=1048576 --max-memory=4294967296 --strip-all';

/** Engines, each a module of its own: no machine loads instructions that it does not know. */
const ENGINES: Readonly<Record<string, readonly string[]>> = { fma: ['-msimd128', '-mrelaxed-simd'], portable: [] };

function compile(scratch: string): readonly string[] {
  return Object.entries(ENGINES).map(([name, flags]) => {
    const object = join(scratch, `${name}.o`);
    const what = [`-ffile-prefix-map=${folder}=`, `-I${templates}`, '-c', `engine-${name}.cpp`, '-o', object];
    runCompiler('clang++-16', [...COMPILE.split(' '), ...flags, ...what], folder);
    runCompiler('wasm-ld-16', [...LINK.split(' '), object, '-o', join(scratch, `${name}.wasm`)], folder);
    return `${name}.wasm`;
  });
}

const DEBIAN_LLVM = '1:16.0.6-15~deb12u1';

export const wasmBuild: PinnedBuild = {
  name: 'build:wasm',
  folder,
  sources: [folder, templates],
  packages: { 'clang-16': DEBIAN_LLVM, 'lld-16': DEBIAN_LLVM, libllvm16: DEBIAN_LLVM },
  about: {},
  compile,
};

if (import.meta.main) runPinnedBuild(wasmBuild);
