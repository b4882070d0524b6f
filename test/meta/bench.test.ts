import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { summarise, type Figure } from '../../bench/figure.ts';
import { root } from '../../scripts/project-files.ts';
import { depth } from '#test/depth.ts';

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['bench/main.ts', ...args], { cwd: root, encoding: 'utf8' });
}

describe('benchmark command', function () {
  this.timeout(30_000);

  it('lists the benchmarks without a name', () => {
    const done = bench();
    assert.equal(done.status, 0);
    assert.match(done.stdout, /^usage: npm run bench -- NAME, or npm run -s bench -- NAME --json\nbenchmarks: /);
  });

  for (const name of ['no-such-benchmark', 'main', 'figure', '../scripts/check']) {
    it(`refuses the name ${name}`, () => {
      const done = bench(name, '--json');
      assert.deepEqual([done.status, done.stdout], [1, '']);
      assert.match(done.stderr, /^usage: /);
    });
  }

  it('can run each benchmark that it lists', async function () {
    this.timeout(240_000);
    const names =
      bench()
        .stdout.match(/^benchmarks: (.+)$/m)?.[1]
        ?.split(', ') ?? [];
    assert.ok(names.length > 5, names.join());
    for (const name of names) {
      const { run } = (await import(`../../bench/${name}.ts`)) as { run?: unknown };
      assert.equal(typeof run, 'function', `bench/${name}.ts exports no run: what only helps belongs into a folder`);
    }
  });

  if (depth() === 'full') {
    it('prints figures of the documented shape as JSON', function () {
      this.timeout(240_000);
      const done = bench('overhead', '--json');
      assert.equal(done.status, 0, done.stderr);
      const { machine, commit, figures } = JSON.parse(done.stdout) as { machine: string; commit: string; figures: Figure[] };
      assert.match(machine, /, \d+ threads, \d+ GiB, .*, Node v\d+/);
      assert.match(commit, /^(?:[0-9a-f]{40}\+?|unknown)$/);
      assert.ok(figures.length > 0);
      for (const figure of figures) {
        const { name, unit, median, min, max, runs, baseline, ratio } = figure;
        assert.deepEqual(Object.keys(figure), ['name', 'unit', 'median', 'min', 'max', 'runs', 'baseline', 'ratio']);
        assert.ok(name !== '' && unit !== '', JSON.stringify(figure));
        assert.ok(min <= median && median <= max && runs > 0, JSON.stringify(figure));
        assert.equal(ratio, baseline === null ? null : baseline / median, name);
      }
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
