import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fieldToHex, settlementBundleFromWire } from '#protocol/index.ts';
import { WorkerStore } from '#worker/store.ts';
import { sampleCases } from '../../depth.ts';

/** Starts the process, waits for its first results, lets it run on and kills it. @returns the results that left */
async function receiptUntilKilled(storePath: string, moreMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'receipting-process.ts'), storePath], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const first = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (part: Buffer) => {
      output += part.toString();
      if (output.includes('\n')) resolve();
    });
    child.once('exit', () => reject(new Error('the process ended by itself')));
  });
  await first;
  await sleep(moreMs);
  child.kill('SIGKILL');
  await once(child, 'close');
  return output.split('\n').slice(0, -1);
}

describe('a worker killed at a random point', function () {
  this.timeout(300_000);
  const moments = Array.from({ length: 40 }, (_, i) => 3 + i * 17);
  for (const moreMs of sampleCases(moments, 4)) {
    it(`has stored whatever it released, in segments that prove (killed after ${moreMs} ms)`, async () => {
      const storePath = join(await mkdtemp(join(tmpdir(), 'stun-kill-')), 'worker.sqlite');
      const released = await receiptUntilKilled(storePath, moreMs);
      assert.ok(released.length > 0);
      const store = new WorkerStore(storePath);
      const bundles = store.segments().map((segment) => settlementBundleFromWire(store.bundleOf(segment.id)));
      const stored = new Set<string>(bundles.flatMap((bundle) => bundle.jobs.map((job) => fieldToHex(job.receipt.demandHead))));
      for (const head of released) assert.ok(stored.has(head), `${head} was released and is not stored`);
      // A job can be stored and not yet released; never more than one, for there is one lane here.
      assert.ok(stored.size - released.length <= 1, `${stored.size} stored, ${released.length} released`);
      for (const [i, bundle] of bundles.entries()) {
        if (i > 0) assert.equal(bundle.statement.fromHead, bundles[i - 1]!.statement.toHead);
        assert.equal(bundle.jobs.length === 5 || i === bundles.length - 1, true);
      }
      // The next life closes what is open, so that it is handed over.
      const open = bundles.at(-1)!.jobs.length < 5 ? 1 : 0;
      assert.equal(store.closeAbandoned('0xanother'), open);
      assert.equal(store.unpushedSegments().length, bundles.length);
      store.close();
    });
  }
});
