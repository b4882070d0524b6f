/** Sums what the unit and integration tests covered, per folder. Measures; the figures stand in the last lines of `.ci/run`. */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../project-files.ts';
import { runProcess, tool } from '../run-process.ts';

interface Part {
  total: number;
  covered: number;
}

/** Prints one line for each folder; returns the number of files that were looked at. */
export async function reportCoverage(rawFolder: string): Promise<number> {
  const summaryFile = join(root, 'coverage/coverage-summary.json');
  const done = await runProcess(tool('c8'), ['report', '--temp-directory', rawFolder, '--reporter', 'json-summary']);
  if (done.status !== 0 || !existsSync(summaryFile)) {
    console.log(`coverage failed: ${done.stderr}`);
    return 0;
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
  const percent = ({ total, covered }: Part): string => (total === 0 ? '-' : `${((100 * covered) / total).toFixed(1)} %`);
  console.log('coverage           files    lines  branches');
  for (const [folder, { files, lines, branches }] of [...folders].toSorted(([a], [b]) => a.localeCompare(b))) {
    console.log(
      `${folder.padEnd(18)} ${String(files).padStart(5)} ${percent(lines).padStart(8)} ${percent(branches).padStart(9)}`,
    );
  }
  return [...folders.values()].reduce((sum, one) => sum + one.files, 0);
}
