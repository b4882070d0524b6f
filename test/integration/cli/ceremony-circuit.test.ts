/** `--circuit`: powers of tau held to a circuit of the project. The steps of a ceremony are in ceremony.test.ts, with a smaller circuit. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProgram } from '#cli/program.ts';
import { Runner } from '#cli/runner.ts';
import { trapdoorPowers } from '#test/circuits/powers-of-tau.ts';
import { depth } from '#test/depth.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';

/** log2 of the rows of settlement-16: 24,269 constraints and those of the public signals (docs/circuits.md). */
const LEAST_POWER = 15;

describe('stun ceremony --circuit settlement-16', function () {
  this.timeout(240_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-ceremony-circuit-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Imports powers of tau of that size, made here, for the circuit. */
  async function imported(power: number): Promise<unknown> {
    const { path, row } = await trapdoorPowers(power);
    const table = join(folder, `table-${power}.json`);
    await writeFile(table, JSON.stringify([row]));
    const args = ['ceremony', 'import-ptau', path, '--circuit', 'settlement-16', '--rehearsal-table', table];
    const runner = new Runner({ progress: () => {}, signal: new AbortController().signal });
    await buildProgram(runner).parseAsync(args, { from: 'user' });
    return runner.result?.document;
  }

  it('refuses powers of tau that are too small for the circuit', () => rejectsCode(imported(8), 'STUN_CEREMONY_PTAU_POWER'));

  // Making powers of that size takes half a minute of processor time.
  if (depth() === 'full') {
    it('takes powers of tau that are large enough', async () => {
      const { power, leastPower } = (await imported(LEAST_POWER)) as { power: number; leastPower: number };
      assert.deepEqual([power, leastPower], [LEAST_POWER, LEAST_POWER]);
    });
  }
});
