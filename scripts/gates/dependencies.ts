/**
 * Dependencies: exact pins, a lockfile in step and with integrity, no install script that runs, and a table in
 * docs/dependencies.md that names each runtime dependency with its licence.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lines } from './gate.ts';
import type { Gate } from './gate.ts';
import { root } from '../project-files.ts';
import { runProcess } from '../run-process.ts';

type Versions = Readonly<Record<string, string>>;

interface Manifest {
  dependencies: Versions;
  devDependencies: Versions;
  optionalDependencies: Versions;
  overrides: Versions;
  allowScripts: Readonly<Record<string, boolean>>;
}

interface Locked {
  version?: string;
  resolved?: string;
  integrity?: string;
  license?: string;
  dev?: boolean;
  inBundle?: boolean;
  hasInstallScript?: boolean;
}

/** Licences that may be combined with GPL-3.0-or-later. */
const compatible = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'GPL-3.0',
  'GPL-3.0-or-later',
  '0BSD',
  'Unlicense',
]);
const exact = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;

async function json<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(join(root, path), 'utf8')) as T;
}

/** name -> licence, from the rows of the table: `| \`name\` | what for | licence |`. */
export function documented(markdown: string): Map<string, string> {
  const rows = markdown.matchAll(/^\| `([^`]+)` +\|.*\| +([^|]+?) +\|$/gm);
  return new Map([...rows].map((row) => [row[1] ?? '', row[2] ?? '']));
}

export const dependencies: Gate = {
  name: 'dependencies',
  run: async () => {
    const manifest = await json<Manifest>('package.json');
    const { packages } = await json<{ packages: Record<string, Locked & Manifest> }>('package-lock.json');
    const table = documented(await readFile(join(root, 'docs/dependencies.md'), 'utf8').catch(() => ''));
    const npm = await runProcess(process.platform === 'win32' ? 'npm.cmd' : 'npm', [
      'ci',
      '--dry-run',
      '--ignore-scripts',
      '--offline',
      '--loglevel=error',
    ]);
    const problems = [
      ...pins(manifest),
      ...lockfile(manifest, packages),
      ...tableProblems({ ...manifest.dependencies, ...manifest.optionalDependencies }, packages, table),
      ...(npm.status === 0 ? [] : lines(npm.stderr).map((line) => `npm ci --dry-run: ${line}`)),
    ];
    return { count: Object.keys(packages).length - 1, unit: 'packages', problems };
  },
};

function pins(manifest: Manifest): string[] {
  const groups = [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies, manifest.overrides];
  return groups.flatMap((group) =>
    Object.entries(group).flatMap(([name, version]) =>
      exact.test(version) ? [] : [`package.json: ${name} is not pinned exactly: ${version}`],
    ),
  );
}

function lockfile(manifest: Manifest, packages: Record<string, Locked & Manifest>): string[] {
  const problems: string[] = [];
  for (const group of ['dependencies', 'devDependencies', 'optionalDependencies'] as const) {
    for (const [name, version] of Object.entries(manifest[group])) {
      if (packages['']?.[group]?.[name] !== version)
        problems.push(`package-lock.json: ${name} is not at ${version}; run npm install`);
    }
  }
  for (const [path, entry] of Object.entries(packages)) {
    if (path === '' || entry.inBundle === true) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (!entry.integrity) problems.push(`package-lock.json: ${path} has no integrity`);
    if (entry.resolved !== undefined && !entry.resolved.startsWith('https://registry.npmjs.org/'))
      problems.push(`package-lock.json: ${path} comes from ${entry.resolved}`);
    if (entry.hasInstallScript === true && manifest.allowScripts[name] !== false) {
      problems.push(`package.json: ${name} has an install script; deny it in allowScripts`);
    }
  }
  return problems;
}

function tableProblems(runtime: Versions, packages: Record<string, Locked>, table: Map<string, string>): string[] {
  const problems: string[] = [];
  for (const name of Object.keys(runtime)) {
    const licence = packages[`node_modules/${name}`]?.license;
    const row = table.get(name);
    if (row === undefined) problems.push(`docs/dependencies.md: no row for ${name}`);
    else if (licence !== undefined && row !== licence)
      problems.push(`docs/dependencies.md: ${name} is under ${licence}, the table says ${row}`);
    if (row !== undefined && !compatible.has(row))
      problems.push(`docs/dependencies.md: ${row} of ${name} is not in the list of compatible licences`);
  }
  for (const name of table.keys()) {
    if (!Object.hasOwn(runtime, name)) problems.push(`docs/dependencies.md: ${name} is not a runtime dependency`);
  }
  return problems;
}
