import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startChild } from '#cli/stack/child.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';

describe('a child of a local stack is reported with the end of its log', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'stun-child-'));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Starts a child where nothing will ever listen. */
  async function refused(args: string[], readyTimeoutMs: number, wanted: RegExp): Promise<void> {
    const spec = { name: 'chain', env: { STUN_HOME: folder }, logPath: join(folder, 'chain.log') };
    const readyUrl = `http://127.0.0.1:${await freePort()}/`;
    await assert.rejects(startChild({ ...spec, args, readyUrl, readyTimeoutMs }), (error) => {
      assert.ok(error instanceof StunError);
      assert.equal(error.code, 'STUN_STACK_CHILD');
      assert.match(error.message, wanted);
      return true;
    });
  }

  it('when it ends before it serves', () => refused(['no-such-command'], 50_000, /^chain ended; end of [\s\S]*no-such-command/));

  it('when it does not serve in time', async () => {
    const port = await freePort();
    await refused(['chain', 'dev', '--port', String(port)], 1500, /^chain was not ready within 1\.5 s; end of /);
  });

  it('starts nothing where something else answers already', async () => {
    const server = createServer((_request, response) => response.end('here')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const readyUrl = `http://127.0.0.1:${port}/`;
      // A child that started would be ready at once, by the other one's answer.
      const logPath = join(folder, 'second.log');
      const starting = startChild({ name: 'second', env: {}, logPath, args: ['--version'], readyUrl, readyTimeoutMs: 5000 });
      await rejectsCode(starting, 'STUN_STACK_CHILD');
      assert.equal(existsSync(logPath), false, 'it was not even begun');
    } finally {
      server.close();
    }
  });
});
