/** Provers with memory for one proof at a time, each in a process of its own, so that its peak is the prover's. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BACKEND_NAMES } from '#prover/backend.ts';
import { sampleCases } from '#test/depth.ts';
import { hasNative } from '#test/unit/prover/engines.ts';
import type { TightMemory } from './tight-memory.child.ts';

const PROGRAM = fileURLToPath(new URL('tight-memory.child.ts', import.meta.url));

describe('prover: a limit of memory that holds one proof', function () {
  this.timeout(300_000);

  for (const backend of sampleCases(BACKEND_NAMES, 1)) {
    it(`lets ${backend} make one at a time, all of them, and the process does not outgrow it`, function () {
      // Peaks are read from /proc.
      if (process.platform !== 'linux' || (backend === 'native' && !hasNative)) return this.skip();
      const child = spawnSync(process.execPath, ['--no-warnings', PROGRAM, backend], { encoding: 'utf8' });
      assert.equal(child.status, 0, child.stderr);
      const said = JSON.parse(child.stdout.trim().split('\n').at(-1)!) as TightMemory;
      const { proved, mostRunning, mostWaiting, mostPlannedBytes, limitBytes, grownBytes } = said;
      assert.deepEqual({ proved, mostRunning, mostWaiting }, { proved: 2, mostRunning: 1, mostWaiting: 1 }, child.stdout);
      assert.ok(mostPlannedBytes <= limitBytes, child.stdout);
      assert.ok(grownBytes < limitBytes, child.stdout);
      // A limit that no prover ever comes near would say nothing.
      assert.ok(grownBytes > limitBytes / 4, child.stdout);
    });
  }
});
