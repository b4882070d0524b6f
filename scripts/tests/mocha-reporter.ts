/** Mocha's own list of tests, and the counts for the parent process. */
import Mocha from 'mocha';
import { countsReporter } from './counts.ts';
import { nameHoldersAfter } from './still-running.ts';

export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const reportCounts = countsReporter();
    const failures: string[] = [];
    runner.on('fail', (test, error: unknown) => {
      const [said = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
      failures.push(`${test.fullTitle()}: ${said.slice(0, 300)}`);
    });
    runner.once('end', () => {
      const { passes, pending } = this.stats;
      const counts = { passed: passes, failed: failures.length, skipped: pending, failures };
      reportCounts(counts);
      nameHoldersAfter(5000, (holders) => reportCounts({ ...counts, holders }));
    });
  }
}
