/** Sums what the unit and integration tests covered, per folder, and holds it to the floors of test/coverage-floor.json. */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../project-files.ts';
import { runProcess, tool } from '../run-process.ts';
import type { StepCounts } from './step.ts';

interface Part {
  total: number;
  covered: number;
}

/** Prints one line for each folder. A folder with a floor counts as passed or failed; one that was not looked at fails its floor. */
export async function reportCoverage(rawFolder: string): Promise<StepCounts> {
  const floors = JSON.parse(readFileSync(join(root, 'test/coverage-floor.json'), 'utf8')) as Record<
    string,
    { lines: number; branches: number }
  >;
  const summaryFile = join(root, 'coverage/coverage-summary.json');
  const done = await runProcess(tool('c8'), ['report', '--temp-directory', rawFolder, '--reporter', 'json-summary']);
  if (done.status !== 0 || !existsSync(summaryFile)) {
    console.log(`coverage failed: ${done.stderr}`);
    return { passed: 0, failed: Object.keys(floors).length, skipped: 0 };
  }
  const summary = JSON.parse(readFileSync(summaryFile, 'utf8')) as Record<string, { lines: Part; branches: Part }>;
  const folders = new Map<string, { files: number; lines: Part; branches: Part }>();
  for (const [file, { lines, branches }] of Object.entries(summary)) {
    if (file === 'total') continue;
    const folder = relative(root, file).split('/')[0] ?? '';
    const sums = folders.get(folder) ?? { files: 0, lines: { total: 0, covered: 0 }, branches: { total: 0, covered: 0 } };
    sums.files += 1;
    for (const [into, from] of [
      [sums.lines, lines],
      [sums.branches, branches],
    ] as const) {
      into.total += from.total;
      into.covered += from.covered;
    }
    folders.set(folder, sums);
  }
  const percent = ({ total, covered }: Part): number => (total === 0 ? 0 : (100 * covered) / total);
  console.log('coverage           files   lines branches');
  for (const [folder, { files, lines, branches }] of [...folders].toSorted(([a], [b]) => a.localeCompare(b))) {
    const figures = [percent(lines), percent(branches)].map((value) => `${value.toFixed(1)} %`.padStart(8));
    console.log(`${folder.padEnd(18)} ${String(files).padStart(5)} ${figures.join(' ')}`);
  }
  let passed = 0;
  let failed = 0;
  for (const [folder, floor] of Object.entries(floors)) {
    const sums = folders.get(folder);
    const holds = sums !== undefined && percent(sums.lines) >= floor.lines && percent(sums.branches) >= floor.branches;
    if (!holds) console.log(`${folder} is below its floor: ${floor.lines} % of lines, ${floor.branches} % of branches`);
    if (holds) passed += 1;
    else failed += 1;
  }
  return { passed, failed, skipped: 0 };
}
