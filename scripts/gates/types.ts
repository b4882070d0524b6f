/** The TypeScript compiler over everything of ours: what runs in Node, and what runs in a page. */
import { lines } from './gate.ts';
import type { Gate } from './gate.ts';
import { root } from '../project-files.ts';
import { runProcess, tool } from '../run-process.ts';

export const types: Gate = {
  name: 'types',
  run: async () => {
    const own = new Set<string>();
    const problems: string[] = [];
    for (const project of ['.', 'examples/verify-page']) {
      const done = await runProcess(tool('tsc'), ['--project', project, '--noEmit', '--pretty', 'false', '--listFiles']);
      const output = lines(done.stdout);
      for (const line of output) if (line.startsWith(root) && !line.includes('/node_modules/')) own.add(line);
      const found = output.filter((line) => !line.startsWith('/'));
      if (done.status !== 0 && found.length === 0) found.push(`tsc ended with status ${done.status}: ${done.stderr}`);
      problems.push(...found);
    }
    return { count: own.size, unit: 'files', problems };
  },
};
