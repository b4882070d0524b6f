/** `npm start` as it is interrupted, killed, started twice and left up: nothing of it may stay. It takes two minutes: STUN_E2E=all runs it. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { exitCodeOf } from '#protocol/index.ts';
import { depth } from '#test/depth.ts';

const DEMO = fileURLToPath(new URL('../../cli/demo/main.ts', import.meta.url));
const CLI = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const LIMIT_MS = 300_000;
const title = 'npm start, interrupted, killed, twice and with --keep';
/** The commands that it prints at its end, and what each says. */
const PRINTED: readonly (readonly [RegExp, RegExp])[] = [
  [/ enclaves list$/, /0x[0-9a-f]{64}/],
  [/ order show$/, /0x[0-9a-f]{64}/],
  [/ audit verify \S+ --rpc \$STUN_RPC_URL$/, /chain: checked/],
];

if (process.env['STUN_E2E'] !== 'all' && depth() !== 'full') {
  console.log(`    NOT TESTED: ${title} (set STUN_E2E=all)`);
} else {
  describe('npm start', function () {
    this.timeout(2 * LIMIT_MS);
    let directory = '';

    before(() => {
      directory = mkdtempSync(join(tmpdir(), 'stun-start-'));
      // Hardhat looks for a package around the place that it is started from.
      writeFileSync(join(directory, 'package.json'), '{ "private": true }');
    });
    after(async () => {
      for (const pid of processesIn(directory)) process.kill(pid, 'SIGKILL');
      await sleep(200);
      rmSync(directory, { recursive: true, force: true });
    });

    /** A process group of its own, to which a terminal's Ctrl-C goes. */
    function start(...args: string[]) {
      const demo = spawn(process.execPath, [DEMO, ...args], {
        cwd: directory,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const exited = new Promise<number | null>((resolve) => demo.once('exit', resolve));
      let said = '';
      for (const stream of [demo.stdout, demo.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
      const says = (words: string): Promise<void> =>
        until(
          () => said.includes(words) || demo.exitCode !== null,
          () => `it did not say ${words}: ${said.slice(-2000)}`,
        );
      return { demo, exited, says, said: () => said };
    }

    const untilNoneIsLeft = (): Promise<void> =>
      until(
        () => processesIn(directory).length === 0,
        () => `left: ${processesIn(directory).join(', ')}`,
      );

    it('leaves nothing running when Ctrl-C interrupts a stage', async () => {
      const { demo, exited, says, said } = start();
      await says('start the service');
      assert.ok(processesIn(directory).length > 3, said());
      process.kill(-demo.pid!, 'SIGINT');
      assert.equal(await exited, 130, said());
      assert.match(said(), /Interrupted: ending what was started/);
      await untilNoneIsLeft();
    });

    it('leaves nothing running when it is killed', async () => {
      const { demo, says, said } = start();
      await says('start the service');
      assert.ok(processesIn(directory).length > 3, said());
      demo.kill('SIGKILL');
      await untilNoneIsLeft();
    });

    it('with --keep runs until Ctrl-C, refuses a second one, and answers the commands that it prints', async () => {
      const { demo, exited, says, said } = start('--keep');
      await says('until you press Ctrl-C');
      const second = start();
      assert.equal(await second.exited, exitCodeOf('STUN_CONFIG'), second.said());
      assert.match(
        second.said(),
        /STUN_CONFIG: the demonstration of this checkout is in use by process \d+ .*end that one first/,
      );
      assert.ok(existsSync(join(directory, '.stun/demo/env')), 'the files of the first are there');
      const printed = /^Try next:\n((?: {2}\S.*\n){3})/m.exec(said())?.[1]?.trimEnd().split('\n') ?? [];
      assert.equal(printed.length, PRINTED.length, said().slice(-2000));
      for (const [i, [command, answer]] of PRINTED.entries()) {
        assert.match(printed[i]!, command);
        // npx finds the command in the checkout, and this runs elsewhere, for the sake of the files of a checkout's own demonstration.
        const line = printed[i]!.replace('npx stun', `'${process.execPath}' '${CLI}'`).trim();
        const { stdout } = await promisify(execFile)('sh', ['-c', line], { cwd: directory });
        assert.match(stdout, answer, printed[i]);
      }
      process.kill(-demo.pid!, 'SIGINT');
      assert.equal(await exited, 0, said().slice(-2000));
      await untilNoneIsLeft();
    });
  });
}

/** The processes whose working directory this is. */
function processesIn(directory: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/cwd`) === directory ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

async function until(holds: () => boolean, otherwise: () => string): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  while (!holds()) {
    if (Date.now() > end) assert.fail(otherwise());
    await sleep(100);
  }
}
