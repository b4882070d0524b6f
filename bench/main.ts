/**
 * `npm run bench -- NAME [--json]`: runs bench/NAME.ts, which exports `run(): Promise<Figure[]>`, and prints its figures as a table,
 * or as one JSON document `{ machine, commit, figures }`; with `npm run -s`, since npm puts a banner before it otherwise.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Figure } from './figure.ts';

const folder = dirname(fileURLToPath(import.meta.url));
const notBenchmarks = new Set(['main.ts', 'figure.ts']);
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && !notBenchmarks.has(file))
  .map((file) => file.slice(0, -'.ts'.length));

function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return `${model}, ${cpus().length} threads, ${memory} GiB, ${process.platform}-${process.arch}, Node ${process.version}`;
}

/** The commit, with `+` when the tree differs from it. */
function commit(): string {
  const git = (...args: string[]): string => spawnSync('git', args, { cwd: folder, encoding: 'utf8' }).stdout?.trim() ?? '';
  const head = git('rev-parse', 'HEAD');
  return head === '' ? 'unknown' : `${head}${git('status', '--porcelain') === '' ? '' : '+'}`;
}

function readable(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function table(figures: readonly Figure[]): string {
  const rows = figures.map((one) => [
    one.name,
    one.unit,
    readable(one.median),
    readable(one.min),
    readable(one.max),
    String(one.runs),
    one.baseline === null ? '-' : readable(one.baseline),
    one.ratio === null ? '-' : readable(one.ratio),
  ]);
  const all = [['name', 'unit', 'median', 'min', 'max', 'runs', 'baseline', 'ratio'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ');
  return all.map(line).join('\n');
}

const { values, positionals } = parseArgs({ options: { json: { type: 'boolean', default: false } }, allowPositionals: true });
const [name] = positionals;
if (name === undefined) {
  console.log(`usage: npm run bench -- NAME, or npm run -s bench -- NAME --json\nbenchmarks: ${names.join(', ') || 'none'}`);
  process.exit(0);
}
if (
  positionals.length > 1 ||
  !/^[a-z0-9-]+$/.test(name) ||
  !existsSync(join(folder, `${name}.ts`)) ||
  notBenchmarks.has(`${name}.ts`)
) {
  console.error(`usage: npm run bench -- NAME, or npm run -s bench -- NAME --json\nbenchmarks: ${names.join(', ') || 'none'}`);
  process.exit(1);
}
const { run } = (await import(`./${name}.ts`)) as { run: () => Promise<Figure[]> };
const measured = commit();
const figures = await run();
if (figures.length === 0) {
  console.error(`${name} measured nothing`);
  process.exit(6);
}
console.log(
  values.json
    ? JSON.stringify({ machine: machine(), commit: measured, figures }, null, 2)
    : `${machine()}\ncommit ${measured}\n\n${table(figures)}`,
);
process.exit(0);
