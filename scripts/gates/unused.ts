/** Knip: files, exports and dependencies that nothing uses. */
import { lines } from './gate.ts';
import type { Gate } from './gate.ts';
import { runProcess, tool } from '../run-process.ts';

export const unused: Gate = {
  name: 'unused',
  run: async () => {
    const done = await runProcess(tool('knip'), ['--no-progress', '--reporter', './scripts/gates/knip-reporter.ts']);
    const output = lines(done.stdout);
    const count = /^processed (\d+)$/.exec(output[0] ?? '');
    if (count === null) return { count: 0, unit: 'files', problems: [...output, ...lines(done.stderr)] };
    return { count: Number(count[1]), unit: 'files', problems: output.slice(1) };
  },
};
