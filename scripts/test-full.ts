/**
 * `npm run test:full [-- --date YYYY-MM-DD]`: every test at full depth, with all circuits, and every mutant. Records what came out, with the commit
 * it ran on, in test/full-result.json.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './project-files.ts';
import { environment, runProcess } from './run-process.ts';
import { conclude, runAll, total } from './tests/run-all.ts';
import { suitesFor } from './tests/suites.ts';

const { values } = parseArgs({ options: { date: { type: 'string' } } });
const date = values.date ?? new Date().toISOString().slice(0, 10);
if (!/^\d{4}-\d\d-\d\d$/.test(date)) throw new RangeError(`--date is ${date}, expected YYYY-MM-DD`);

const commit = (await runProcess('git', ['rev-parse', 'HEAD'])).stdout.trim();
const changed = (await runProcess('git', ['status', '--porcelain'])).stdout.trim() !== '';
const env = { ...environment(), STUN_DEPTH: 'full', STUN_CIRCUITS: 'all' };
const results = await runAll(suitesFor([]), { env, limitMs: 6 * 60 * 60_000 });
const mutation = await runProcess(process.execPath, ['scripts/mutate.ts'], { STUN_DEPTH: 'full' });
console.log(mutation.stdout);
const record = {
  commit,
  changedSinceCommit: changed,
  date,
  node: process.version,
  machine: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} threads`,
  ...total(results),
  suites: results.map(({ name, passed, failed, skipped, seconds }) => ({
    name,
    passed,
    failed,
    skipped,
    seconds: Math.round(seconds),
  })),
  mutation: mutation.status === 0 ? 'at or above the floor; see mutation-score.json' : 'below the floor or not run',
  failures: results.flatMap((result) => result.failures),
};
writeFileSync(join(root, 'test/full-result.json'), `${JSON.stringify(record, null, 2)}\n`);
process.exitCode = conclude(results) || mutation.status;
