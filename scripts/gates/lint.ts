/** Type-aware lint of the TypeScript, with the layer rules; a warning is a finding. */
import { lines } from './gate.ts';
import type { Gate } from './gate.ts';
import { runProcess, tool } from '../run-process.ts';

export const lint: Gate = {
  name: 'lint',
  run: async () => {
    const json = await runProcess(tool('oxlint'), [
      '--type-aware',
      '--deny-warnings',
      '--report-unused-disable-directives',
      '--format',
      'json',
    ]);
    const count = /"number_of_files": (\d+)/.exec(json.stdout);
    if (count === null) return { count: 0, unit: 'files', problems: [...lines(json.stderr), ...lines(json.stdout).slice(0, 20)] };
    if (json.status === 0) return { count: Number(count[1]), unit: 'files', problems: [] };
    const unix = await runProcess(tool('oxlint'), [
      '--type-aware',
      '--deny-warnings',
      '--report-unused-disable-directives',
      '--format',
      'unix',
    ]);
    return { count: Number(count[1]), unit: 'files', problems: lines(unix.stdout).filter((line) => /^\S+:\d+:\d+:/.test(line)) };
  },
};
