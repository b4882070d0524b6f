import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFiles } from '../../scripts/project-files.ts';
import { lastLines, lastSummary } from '../../scripts/ci/step.ts';
import { summaryLine } from '../../scripts/tests/counts.ts';
import { conclude } from '../../scripts/tests/run-all.ts';
import { runSuite } from '../../scripts/tests/run-suite.ts';
import type { SuiteResult } from '../../scripts/tests/run-suite.ts';
import { suitesFor } from '../../scripts/tests/suites.ts';

describe('test runner', function () {
  this.timeout(60_000);
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'stun-runner-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function run(source: string, limits = { runMs: 40_000, lingerMs: 30_000 }, env = process.env): Promise<SuiteResult> {
    const file = join(folder, 'planted.test.ts');
    writeFileSync(file, source);
    return runSuite({ name: 'planted', label: 'planted', runner: 'mocha', files: [file], grep: undefined }, env, limits);
  }

  it('counts what passes, fails and is left out', async () => {
    const result = await run("it('a', () => {});\nit('b', () => {});\nit('c');\nit('d', () => { throw new Error('x'); });\n");
    assert.deepEqual([result.passed, result.failed, result.skipped, result.failures], [2, 1, 1, ['d: x']]);
  });

  it('fails a suite that ends before its tests', async () => {
    const result = await run('process.exit(0);\n');
    assert.deepEqual([result.passed, result.failures], [0, ['planted: ended with status 0 and no result']]);
  });

  it('fails a suite that cannot be loaded', async () => {
    const result = await run("throw new Error('no');\n");
    assert.equal(result.failed, 1);
  });

  it('fails a suite that keeps running after its last test', async () => {
    const result = await run("it('a', () => { setInterval(() => {}, 1000); });\n", { runMs: 40_000, lingerMs: 1000 });
    assert.deepEqual([result.passed, result.failures.length], [1, 1]);
    assert.match(result.failures[0]!, /^planted: something still ran 1 s after the last test: \d+ .*mocha/);
  });

  it('names what holds the event loop of a suite', async () => {
    const source = "it('a', () => { setInterval(() => {}, 1000); });\n";
    const result = await run(source, { runMs: 40_000, lingerMs: 7000 });
    assert.match(result.failures[0]!, /; its event loop was held by .*\bTimeout$/);
  });

  it('names a process that outlives its suite and holds its output', async () => {
    const source =
      "import { spawn } from 'node:child_process';\n" +
      "it('a', () => { spawn('sleep', ['20'], { stdio: 'inherit', detached: true }).unref(); });\n";
    const result = await run(source, { runMs: 40_000, lingerMs: 1000 });
    assert.match(result.failures[0]!, /still ran 1 s after the last test: .*\d+ sleep 20/);
  });

  it('stops a suite that never ends', async () => {
    const result = await run("it('a', () => { for (;;); });\n", { runMs: 3000, lingerMs: 30_000 });
    assert.deepEqual([result.passed, result.failures], [0, ['planted: not finished after 3 s']]);
  });

  it('lets a sweep that leaves nothing out take longer', async () => {
    const source = "it('a', function () { if (this.timeout() !== 1_800_000) throw new Error(String(this.timeout())); });\n";
    const at = (depth: string): Promise<SuiteResult> => run(source, undefined, { ...process.env, STUN_DEPTH: depth });
    const [full, sampled] = [await at('full'), await at('sampled')];
    assert.deepEqual([full.passed, sampled.failed], [1, 1]);
  });

  it('refuses a test that is singled out', async () => {
    const result = await run("it.only('a', () => {});\n");
    assert.equal(result.failed, 1);
  });

  it('is not content when nothing passed', () => {
    assert.equal(conclude([]), 1);
  });

  it('reads the last line that it writes', () => {
    for (const counts of [
      { passed: 3, failed: 0, skipped: 0 },
      { passed: 10, failed: 2, skipped: 1 },
    ]) {
      assert.deepEqual(lastSummary(`5 passed, 0 failed\nnoise\n${summaryLine(counts)}\n`), counts);
    }
    assert.equal(lastSummary('3 passing\n'), null);
  });

  it('says the end of an output again, without what is empty or endless', () => {
    const lines = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    assert.deepEqual(lastLines(`${lines.join('\n\n')}\n`), lines.slice(6));
    assert.deepEqual(lastLines('x'.repeat(300)), ['x'.repeat(200)]);
  });

  it('selects by path and by title', () => {
    const [only, ...others] = suitesFor(['test/meta/runner.test.ts']);
    assert.deepEqual([only?.files, others], [['test/meta/runner.test.ts'], []]);
    assert.ok(suitesFor(['some title']).every((suite) => suite.grep === 'some title'));
    assert.deepEqual(suitesFor(['scripts']), []);
  });

  it('runs every test file once', () => {
    const files = suitesFor([]).flatMap((suite) => suite.files);
    assert.equal(new Set(files).size, files.length);
    const tests = projectFiles().filter((path) => /^test\/.*\.(test\.ts|t\.sol)$/.test(path));
    assert.deepEqual(files.toSorted(), tests.toSorted());
  });
});
