/** Starting phase 2: the same bytes as snarkjs, section by section, whether the powers are of the circuit's size or larger. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { zKey } from 'snarkjs';
import { domainExponentOf } from '#circuits/build/development-key.ts';
import { readR1cs } from '#circuits/build/r1cs.ts';
import { readZkeySections } from '#circuits/build/zkey-format.ts';
import { openKey, writeKey } from '#circuits/ceremony/key-file.ts';
import { DIGITS, signedDigits } from '#circuits/ceremony/signed-digits.ts';
import { startedContent } from '#circuits/ceremony/start-key.ts';
import { threadsFor } from '#circuits/ceremony/wire-sums.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { FIELD_ORDER } from '#protocol/field.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { localPowers, smallCircuit, startedKey, type LocalPowers } from './ceremony-fixture.ts';
import { SeededRandom } from './fixtures.ts';

const POWER = 8;

describe('the start of phase 2', function () {
  this.timeout(120_000);
  let folder: string;
  let local: LocalPowers;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-start-'));
    local = await localPowers(POWER);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function start(r1csPath: string, name: string): Promise<string> {
    const path = join(folder, name);
    let last = 0;
    const key = await startedKey(r1csPath, local, (share) => {
      assert.ok(share >= last && share <= 1, `${share} after ${last}`);
      last = share;
    });
    await writeKey(path, startedContent(key));
    return path;
  }

  for (const [rows, exponent] of [
    [20, 5],
    [240, POWER],
  ] as const) {
    it(`equals snarkjs zkey new for a domain of 2^${exponent} and powers of 2^${POWER}`, async () => {
      const { r1csPath } = await smallCircuit(rows);
      assert.equal(domainExponentOf(await readR1cs(r1csPath)), exponent);
      const ours = await readZkeySections(await start(r1csPath, `ours-${rows}.zkey`));
      const theirsPath = join(folder, `theirs-${rows}.zkey`);
      const circuitHash = (await zKey.newZKey(r1csPath, local.path, theirsPath)) as Uint8Array;
      const theirs = await readZkeySections(theirsPath);
      assert.deepEqual(new Set(ours.keys()), new Set(theirs.keys()));
      for (const [type, data] of theirs) assert.ok(ours.get(type)!.equals(data), `section ${type} differs`);
      const { record, sections } = await openKey(theirsPath);
      await sections.close();
      assert.deepEqual(new Uint8Array(record.circuitHash), new Uint8Array(circuitHash));
      assert.deepEqual(record.contributions, []);
    });
  }

  it('gives the same bytes in threads, which a throwing report ends', async () => {
    const { r1csPath } = await smallCircuit(20);
    const shares: number[] = [];
    const [alone, threaded] = [
      await startedKey(r1csPath, local),
      await startedKey(r1csPath, local, (one) => shares.push(one), 3),
    ];
    assert.deepEqual(threaded, alone);
    assert.deepEqual(
      shares.toSorted((a, b) => a - b),
      shares,
    );
    assert.ok(shares.length > 0 && shares.every((one) => one >= 0 && one <= 1));
    const stop = (): never => {
      throw new StunError('STUN_CEREMONY_STOPPED', 'stopped');
    };
    await rejectsCode(startedKey(r1csPath, local, stop, 3), 'STUN_CEREMONY_STOPPED');
  });

  it('starts threads for circuits that are worth it', () => {
    const task = (terms: number) => {
      const [starts, rows, places] = [0, terms, terms].map((length) => new Uint32Array(length)) as [
        Uint32Array,
        Uint32Array,
        Uint32Array,
      ];
      const columns = { starts, rows, places, coefficients: new Uint8Array() };
      return { group: 'g1', wireCount: 0, steps: [{ points: new Uint8Array(), columns }] } as const;
    };
    assert.equal(threadsFor([task(60_000), task(60_000)]), 1);
    assert.equal(threadsFor([task(70_000), task(70_000)]), Math.min(2, availableParallelism()));
  });

  it('does not replace a file', async () => {
    const { r1csPath } = await smallCircuit(20);
    await start(r1csPath, 'once.zkey');
    await rejectsCode(start(r1csPath, 'once.zkey'), 'STUN_FILE');
  });

  it('writes scalars in digits that mean the same', () => {
    const random = new SeededRandom('signed digits');
    const edges = [
      0n,
      1n,
      2n,
      15n,
      16n,
      17n,
      31n,
      32n,
      FIELD_ORDER - 1n,
      FIELD_ORDER - 16n,
      FIELD_ORDER >> 1n,
      (FIELD_ORDER >> 1n) + 1n,
    ];
    const digits = new Int8Array(DIGITS);
    for (const scalar of [...edges, ...Array.from({ length: 500 }, () => random.field())]) {
      const bytes = Uint8Array.from({ length: 32 }, (_, i) => Number((scalar >> BigInt(8 * i)) & 0xffn));
      const highest = signedDigits(bytes, digits);
      let value = 0n;
      for (const [i, digit] of digits.entries()) {
        value += BigInt(digit) << BigInt(i);
        assert.ok(digit === 0 || (Math.abs(digit) % 2 === 1 && Math.abs(digit) < 16), `digit ${digit}`);
        if (i > highest) assert.equal(digit, 0);
      }
      assert.equal((value - scalar) % FIELD_ORDER, 0n, `${scalar}`);
      assert.equal(highest === -1, scalar === 0n);
    }
  });
});
