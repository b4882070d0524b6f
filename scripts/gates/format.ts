/** Formatting: prettier over every file of ours that it knows. */
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { check, getFileInfo, resolveConfig } from 'prettier';
import { projectFiles, root } from '../project-files.ts';
import type { Gate } from './gate.ts';

const formatted = /\.(?:ts|mts|js|mjs|sol|md|json|yml|yaml|html|css)$/;

export const format: Gate = {
  name: 'format',
  run: async () => {
    const problems: string[] = [];
    let count = 0;
    for (const path of projectFiles()) {
      if (!formatted.test(path)) continue;
      const file = join(root, path);
      const info = await getFileInfo(file, { ignorePath: join(root, '.prettierignore') });
      if (info.ignored || info.inferredParser === null) continue;
      count += 1;
      const options = await resolveConfig(file);
      const source = await readFile(file, 'utf8');
      const same = await check(source, { ...options, filepath: file }).catch((error: unknown) => String(error));
      if (same !== true) problems.push(`${path}: ${same === false ? 'not formatted (npm run format)' : same.split('\n')[0]}`);
    }
    return { count, unit: 'files', problems };
  },
};
