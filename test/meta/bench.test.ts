import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { summarise } from '../../bench/figure.ts';
import { root } from '../../scripts/project-files.ts';

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['bench/main.ts', ...args], { cwd: root, encoding: 'utf8' });
}

describe('benchmark command', function () {
  this.timeout(30_000);

  it('lists the benchmarks without a name', () => {
    const done = bench();
    assert.equal(done.status, 0);
    assert.match(done.stdout, /^usage: npm run bench -- NAME \[--json\]\nbenchmarks: /);
  });

  for (const name of ['no-such-benchmark', 'main', 'figure', '../scripts/check']) {
    it(`refuses the name ${name}`, () => {
      const done = bench(name, '--json');
      assert.deepEqual([done.status, done.stdout], [1, '']);
      assert.match(done.stderr, /^usage: /);
    });
  }

  it('summarises samples by their median', () => {
    const figure = summarise('seal', 'ms', [5, 1, 3], 6);
    assert.deepEqual(figure, { name: 'seal', unit: 'ms', median: 3, min: 1, max: 5, runs: 3, baseline: 6, ratio: 2 });
    assert.equal(summarise('seal', 'ms', [4, 1, 2, 3]).median, 2.5);
    assert.equal(summarise('rate', 'jobs/s', [10], 5, 'higher').ratio, 2);
  });

  it('refuses a figure without samples', () => {
    assert.throws(() => summarise('seal', 'ms', []), RangeError);
  });
});
