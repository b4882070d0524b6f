/** `npm start` with options that it does not know, and without a reader: it ends with a code before anything is started. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCodeOf } from '#protocol/index.ts';
import { root } from '../../../scripts/project-files.ts';
import { ended } from './run-cli.ts';

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

  it('ends quietly when nobody reads what it says', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'stun-unwatched-'));
    try {
      const args = ['--disable-warning=ExperimentalWarning', join(root, 'cli/demo/main.ts')];
      const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
      const end = ended(child);
      child.stdout.destroy();
      const { exitCode, stderr } = await end;
      assert.deepEqual([exitCode, stderr], [130, '']);
    } finally {
      await rm(cwd, { recursive: true, force: true });
    }
  });
});
