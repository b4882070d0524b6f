/** Generated files are what their generators would write now. A generator takes `--check` and fails when a file is stale. */
import { lines } from './gate.ts';
import type { Gate } from './gate.ts';
import { runProcess } from '../run-process.ts';

/** A program that writes committed files, and how it is told to write or only to compare. */
export interface Generator {
  readonly script: string;
  readonly write: readonly string[];
  readonly check: readonly string[];
}

/** The larger circuits take minutes to build, so that they are compared where all circuits are wanted. */
const circuits = process.env['STUN_CIRCUITS'] === 'all' ? 'all' : 'settlement-16';

/** Every generator, in an order in which each finds what it reads already fresh: circuits write the verifiers that chain compiles. */
export const generators: readonly Generator[] = [
  { script: 'scripts/generate-errors-doc.ts', write: [], check: ['--check'] },
  { script: 'circuits/build/main.ts', write: ['all', '--write'], check: [circuits, '--check'] },
  { script: 'chain/generate.ts', write: [], check: ['--check'] },
  { script: 'verifier-service/openapi/write.ts', write: [], check: ['--check'] },
];

export const generated: Gate = {
  name: 'generated',
  run: async () => {
    const problems: string[] = [];
    let count = 0;
    for (const { script, check } of generators) {
      const done = await runProcess(process.execPath, [script, ...check]);
      const checked = /(\d+) (?:generated )?files? (?:is|are) fresh|circuits: (\d+) checked/.exec(done.stdout + done.stderr);
      if (done.status !== 0)
        problems.push(
          ...lines(done.stdout + done.stderr)
            .slice(-5)
            .map((line) => `${script}: ${line}`),
        );
      else if (checked === null) problems.push(`${script}: did not say how many files it compared`);
      else count += Number(checked[1] ?? checked[2]);
    }
    return { count, unit: 'generated files', problems };
  },
};
