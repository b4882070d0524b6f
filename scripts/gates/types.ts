/** The TypeScript compiler over everything of ours. */
import { lines } from './gate.ts';
import type { Gate } from './gate.ts';
import { root } from '../project-files.ts';
import { runProcess, tool } from '../run-process.ts';

export const types: Gate = {
  name: 'types',
  run: async () => {
    const done = await runProcess(tool('tsc'), ['--noEmit', '--pretty', 'false', '--listFiles']);
    const output = lines(done.stdout);
    const own = output.filter((line) => line.startsWith(root) && !line.includes('/node_modules/'));
    const problems = output.filter((line) => !line.startsWith('/'));
    if (done.status !== 0 && problems.length === 0) problems.push(`tsc ended with status ${done.status}: ${done.stderr}`);
    return { count: own.length, unit: 'files', problems };
  },
};
