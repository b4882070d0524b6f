/** Solhint over our Solidity, without its network calls; a warning is a finding. Generated verifiers are left out. */
import { lines } from './gate.ts';
import type { Gate } from './gate.ts';
import { isGenerated, projectFiles } from '../project-files.ts';
import { runProcess, tool } from '../run-process.ts';

export const lintSolidity: Gate = {
  name: 'lint:sol',
  run: async () => {
    const files = projectFiles().filter((path) => path.endsWith('.sol') && !isGenerated(path));
    if (files.length === 0) return { count: 0, unit: 'files', problems: [] };
    const done = await runProcess(tool('solhint'), [
      '--noPoster',
      '--disc',
      '--max-warnings',
      '0',
      '--formatter',
      'unix',
      ...files,
    ]);
    const problems = lines(done.stdout).filter((line) => /:\d+:\d+:/.test(line));
    if (done.status !== 0 && problems.length === 0) problems.push(...lines(done.stdout + done.stderr));
    return { count: files.length, unit: 'files', problems };
  },
};
