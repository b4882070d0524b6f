/** The project's own files, the same list for every gate: what git tracks or would track, without deleted ones. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root, absolute. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Folders that hold nothing of ours; only used where git is not there to say so. */
const ignored = new Set(['node_modules', '.git', '.stun', 'coverage', 'artifacts', 'cache']);

function walk(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return ignored.has(entry.name) ? [] : walk(path);
    return entry.isFile() ? [path] : [];
  });
}

/** All files of the project as paths relative to the root with `/`, sorted. Falls back to a walk where there is no git checkout. */
export function projectFiles(): string[] {
  const git = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  const listed = git.status === 0 ? git.stdout.split('\0').filter((path) => path !== '') : walk('');
  return [...new Set(listed)].filter((path) => existsSync(join(root, path))).toSorted();
}

/** Whether a file is written by a program: such files have no length limit and no style of their own. */
export function isGenerated(path: string): boolean {
  return (
    /(?:^|\/)generated\/|^contracts\/verifiers\//.test(path) || path === 'package-lock.json' || path === 'docs/api/errors.md'
  );
}

/** Whether a file is recorded material (test vectors, models, data sets), which nobody edits by hand. */
export function isRecorded(path: string): boolean {
  return /(?:^|\/)(?:vectors|fixtures|data)\//.test(path) && !/\.(?:ts|sol|circom|md)$/.test(path);
}
