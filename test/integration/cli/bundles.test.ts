import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settlementBundleFromWire } from '#protocol/index.ts';
import type { Offer } from '#worker/enclave.ts';
import { makeWorld, type World } from '#test/unit/worker/fixtures.ts';
import { runCli } from './run-cli.ts';

const echo: Offer['runner'] = {
  file: { modelPath: '', modelSha256: '0x', modelId: 7n, manifest: {} as never },
  run: (tensors) => Promise.resolve(tensors),
};

describe('stun bundles', function () {
  this.timeout(60_000);
  let folder: string;
  let world: World;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-bundles-'));
    world = await makeWorld(echo, { storePath: join(folder, 'worker.sqlite') });
  });
  after(async () => {
    world.close();
    await rm(folder, { recursive: true });
  });

  it('exports an open segment only when it is told that the worker is gone', async () => {
    await world.serve(await world.customer.next());
    await world.serve(await world.customer.next());
    const bundles = async (...more: string[]): Promise<{ path: string; jobs: number; total: string }[]> => {
      const args = ['bundles', '--store', join(folder, 'worker.sqlite'), '--out', folder, ...more, '--json'];
      const { exitCode, stdout, stderr } = await runCli(args);
      assert.equal(exitCode, 0, stdout + stderr);
      return (JSON.parse(stdout) as { bundles: { path: string; jobs: number; total: string }[] }).bundles;
    };
    assert.deepEqual(await bundles(), []);
    const [bundle] = await bundles('--worker-is-gone');
    assert.deepEqual([bundle?.jobs, bundle?.total], [2, '1400']);
    assert.equal(settlementBundleFromWire(JSON.parse(await readFile(bundle!.path, 'utf8'))).jobs.length, 2);
  });
});
