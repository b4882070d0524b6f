/** Generated files are what their generators would write now. A generator takes `--check` and fails when a file is stale. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lines } from './gate.ts';
import type { Gate } from './gate.ts';
import { root } from '../project-files.ts';
import { runProcess } from '../run-process.ts';

/** Every generator of a committed file. */
export const generators: readonly string[] = ['scripts/generate-errors-doc.ts', 'chain/generate.ts'];

export const generated: Gate = {
  name: 'generated',
  run: async () => {
    const problems: string[] = [];
    let count = 0;
    for (const generator of generators) {
      if (!existsSync(join(root, generator))) {
        problems.push(`${generator}: missing`);
        continue;
      }
      const done = await runProcess(process.execPath, [generator, '--check']);
      const checked = /(\d+) (?:generated )?files? (?:is|are) fresh/.exec(done.stdout);
      if (done.status !== 0) problems.push(...lines(done.stdout + done.stderr).map((line) => `${generator}: ${line}`));
      else count += checked === null ? 1 : Number(checked[1]);
    }
    return { count, unit: 'generated files', problems };
  },
};
