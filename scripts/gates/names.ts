/** Names and sizes: kebab-case files, no catch-all folders, no file over 400 lines. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Gate } from './gate.ts';
import { isGenerated, isRecorded, projectFiles, root } from '../project-files.ts';

/** A file of code may not be longer than this many lines. */
const maxLines = 400;

/** Tests, benchmarks, examples and tables of error codes may be longer. */
const unlimited = /^(?:(?:test|bench|examples)\/|protocol\/errors\/[a-z]+-errors\.ts$)/;

const catchAll = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'shared', 'misc', 'lib/shared']);
const code = /\.(?:ts|mts|js|mjs|sol|circom|py|sh|cpp|hpp)$/;
/** Documents and settings whose names their readers or tools prescribe. */
const prescribed = /^(?:[A-Z][A-Z-]*\.md|LICENSE|Dockerfile|\..+|tsconfig.*\.json)$/;
/** A Solidity file has the name of its contract. */
const contract = /^[A-Z][A-Za-z0-9]*(?:\.t)?\.sol$/;
const kebab = /^[a-z0-9]+(?:[-.][a-z0-9]+)*$/;

/** What is wrong with one path, by its name alone. */
export function nameProblems(path: string): string[] {
  const problems: string[] = [];
  const file = basename(path);
  const folders = path.split('/').slice(0, -1);
  if (folders.some((folder) => catchAll.has(folder)) || catchAll.has(file.replace(/\..*$/, ''))) {
    problems.push(`${path}: a catch-all name; put it with the one that owns it`);
  }
  const wanted = file.endsWith('.sol') ? contract : kebab;
  if (!wanted.test(file) && !prescribed.test(file))
    problems.push(`${path}: not ${file.endsWith('.sol') ? 'the name of a contract' : 'kebab-case'}`);
  for (const folder of folders) {
    if (!kebab.test(folder) && !folder.startsWith('.')) problems.push(`${path}: the folder ${folder} is not kebab-case`);
  }
  return problems;
}

export const names: Gate = {
  name: 'names',
  run: async () => {
    const problems: string[] = [];
    const files = projectFiles().filter((path) => !isGenerated(path) && !isRecorded(path));
    for (const path of files) {
      problems.push(...nameProblems(path));
      if (!code.test(path) || unlimited.test(path)) continue;
      const length = (await readFile(join(root, path), 'utf8')).trimEnd().split('\n').length;
      if (length > maxLines) problems.push(`${path}: ${length} lines, at most ${maxLines}`);
    }
    return { count: files.length, unit: 'files', problems };
  },
};
