/**
 * Compiles committed binaries, the same bytes on every machine that has the compiler of their manifest.json, or compares. It takes
 * Debian's packages by version and refuses any other: another compiler makes other bytes, and nobody could tell a changed binary
 * from a changed compiler.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** What is built, and of what. */
export interface PinnedBuild {
  /** Name of the npm script. */
  readonly name: string;
  /** Where the binaries and their manifest lie. */
  readonly folder: string;
  /** Folders whose C++ sources it takes; for all but the first, their headers alone. */
  readonly sources: readonly string[];
  /** Debian 12's packages, by version. */
  readonly packages: Readonly<Record<string, string>>;
  /** What the manifest says besides. */
  readonly about: Readonly<Record<string, number | string>>;
  /** Compiles into a folder that is empty before and gone afterwards. @returns names of the binaries there */
  readonly compile: (scratch: string) => readonly string[];
}

/** What manifest.json says of binaries: SHA-256 by file name, hex without prefix. */
interface Manifest {
  readonly compiler: Readonly<Record<string, string>>;
  readonly sourcesSha256: string;
  readonly binariesSha256: Readonly<Record<string, string>>;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** One digest over names and contents of the sources. */
export function sourcesSha256({ sources }: PinnedBuild): string {
  const hash = createHash('sha256');
  for (const [i, folder] of sources.entries()) {
    const names = readdirSync(folder).filter((name) => (i === 0 ? /\.[ch]pp$/ : /\.hpp$/).test(name));
    for (const name of names.toSorted()) hash.update(`${name}\n${sha256(readFileSync(join(folder, name)))}\n`);
  }
  return hash.digest('hex');
}

/** Runs a compiler. @throws with what it said when it fails */
export function runCompiler(command: string, args: readonly string[], cwd: string): void {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}\n${done.stderr ?? String(done.error)}`);
}

/** What is wrong with the compiler of this machine; undefined when nothing is. */
function compilerProblem(packages: PinnedBuild['packages']): string | undefined {
  for (const [name, version] of Object.entries(packages)) {
    const found = spawnSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' });
    const installed = found.status === 0 ? found.stdout : 'none';
    if (installed !== version)
      return `it takes ${name} ${version} of Debian 12, installed is ${installed}: apt-get install ${name}=${version}`;
  }
  return undefined;
}

/** Runs the npm script: builds and writes, or with `--check` builds and compares. Sets the exit code. */
export function runPinnedBuild(build: PinnedBuild): void {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const problem = compilerProblem(build.packages);
  if (problem !== undefined) {
    console.log(`${build.name}: ${problem}\n0 passed, 1 failed`);
    process.exitCode = 1;
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'stun-build-'));
  try {
    const made = build.compile(scratch).map((name) => ({ name, bytes: readFileSync(join(scratch, name)) }));
    const binariesSha256 = Object.fromEntries(made.map(({ name, bytes }) => [name, sha256(bytes)]));
    const manifestPath = join(build.folder, 'manifest.json');
    if (values.check) {
      const committed = JSON.parse(readFileSync(manifestPath, 'utf8')) as Manifest;
      const wrong = made.filter(({ name, bytes }) => {
        const same =
          committed.binariesSha256[name] === binariesSha256[name] && bytes.equals(readFileSync(join(build.folder, name)));
        console.log(
          `${build.name}: compiled ${name} ${binariesSha256[name]}, manifest.json has ${committed.binariesSha256[name]}`,
        );
        return !same;
      });
      console.log(`${made.length - wrong.length} passed, ${wrong.length} failed`);
      process.exitCode = wrong.length === 0 && made.length > 0 ? 0 : 1;
      return;
    }
    for (const { name, bytes } of made) {
      writeFileSync(join(build.folder, name), bytes);
      console.log(`${build.name}: ${name}, ${bytes.length} bytes, SHA-256 ${binariesSha256[name]}`);
    }
    const manifest: Manifest = { compiler: build.packages, ...build.about, sourcesSha256: sourcesSha256(build), binariesSha256 };
    writeFileSync(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
