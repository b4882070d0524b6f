/** `npm start` with options that it does not know: it ends with a code before anything is started. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { exitCodeOf } from '#protocol/index.ts';

describe('cli: options of the demonstration', function () {
  this.timeout(120_000);
  for (const args of [['--jobs', 'abc'], ['--jobs', '31'], ['--wrong']]) {
    it(`refuses ${args.join(' ')} and says what is allowed`, () => {
      const { status, stdout, stderr } = spawnSync(process.execPath, ['cli/demo/main.ts', ...args], { encoding: 'utf8' });
      assert.equal(status, exitCodeOf('STUN_INPUT'), stderr);
      assert.match(stderr, /STUN_INPUT: .*--jobs.* whole number in 32\.\.256/);
      assert.equal(stdout, '');
    });
  }
});
