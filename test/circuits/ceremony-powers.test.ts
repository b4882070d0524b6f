/** Powers of tau: size, digest, structure and power are checked in this order, on files made here with their digests injected. */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBn128 } from 'ffjavascript';
import { powersOfTau } from 'snarkjs';
import { DEVELOPMENT_TRAPDOOR } from '#circuits/build/development-key.ts';
import { lagrangeBasis, openPowersOfTau, PUBLISHED_POWERS, type PublishedPowers } from '#circuits/ceremony/powers-of-tau.ts';
import { SectionFile } from '#circuits/ceremony/section-file.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { localPowers, type LocalPowers } from './ceremony-fixture.ts';
import { blake2bOfFile, writePowersOfTau } from './powers-of-tau.ts';

const POWER = 8;
const SECTIONS = [1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15];

describe('powers of tau', function () {
  this.timeout(120_000);
  let folder: string;
  let local: LocalPowers;
  let good: Buffer;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-powers-'));
    local = await localPowers(POWER);
    good = await readFile(local.path);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function file(name: string, bytes: Uint8Array): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return path;
  }

  /** A table in which exactly this file has the expected size and digest. */
  async function tableOf(path: string, power = POWER): Promise<PublishedPowers[]> {
    return [{ power, file: 'injected', bytes: (await stat(path)).size, blake2b512: await blake2bOfFile(path) }];
  }

  it('have 21 published digests whose sizes obey the law of prepared files', () => {
    assert.equal(PUBLISHED_POWERS.length, 21);
    for (const [i, { power, bytes, blake2b512 }] of PUBLISHED_POWERS.entries()) {
      assert.equal(power, i + 8);
      assert.equal(bytes, 1152 * 2 ** power + 83_096);
      assert.match(blake2b512, /^[0-9a-f]{128}$/);
    }
    assert.equal(new Set(PUBLISHED_POWERS.map((row) => row.blake2b512)).size, 21);
  });

  it('are accepted when the digest stands in the table, and give their bases', async () => {
    let last = 0;
    const powers = await openPowersOfTau(local.path, POWER, [local.row], (share) => (last = share));
    try {
      assert.equal(powers.entry.blake2b512, local.row.blake2b512);
      assert.equal(last, 1);
      const basis = await lagrangeBasis(powers, 12, 3);
      assert.equal(basis.length, 8 * 64);
      assert.deepEqual(basis, await powers.sections.read(12, 7 * 64, 8 * 64));
    } finally {
      await powers.sections.close();
    }
  });

  it('are read from the file that was hashed, when another takes its name in between', async () => {
    const [path, other] = [join(folder, 'swapped.ptau'), await file('other.ptau', Buffer.alloc(good.length))];
    await copyFile(local.path, path);
    const powers = await openPowersOfTau(path, POWER, [local.row], (share) => {
      if (share === 1) renameSync(other, path);
    });
    try {
      assert.ok((await readFile(path)).equals(Buffer.alloc(good.length)), 'the name is of the other file now');
      assert.equal(await powers.sections.digest('blake2b512'), local.row.blake2b512);
    } finally {
      await powers.sections.close();
    }
    await rejectsCode(openPowersOfTau(path, POWER, [local.row]), 'STUN_CEREMONY_PTAU_DIGEST');
  });

  it('are hashed with BLAKE2b-512: the example of RFC 7693, appendix A', async () => {
    const expected =
      'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923';
    let digest = '';
    const format = { magic: 'ptau', sections: SECTIONS, refusal: 'STUN_CEREMONY_PTAU_FORMAT' } as const;
    const opening = SectionFile.open(await file('abc', Buffer.from('abc')), format, async (abc) => {
      digest = await abc.digest('blake2b512');
    });
    await rejectsCode(opening, 'STUN_CEREMONY_PTAU_FORMAT');
    assert.equal(digest, expected);
  });

  it('are refused by size: an error page, a cut file, an unprepared file, a power nobody published', async () => {
    const page = await file('page.ptau', Buffer.from('<html>403 Forbidden</html>'.repeat(12)));
    const cut = await file('cut.ptau', good.subarray(0, -1));
    for (const path of [page, cut, local.rawPath])
      await rejectsCode(openPowersOfTau(path, 1, [local.row]), 'STUN_CEREMONY_PTAU_SIZE');
    await rejectsCode(openPowersOfTau(local.path, 1, PUBLISHED_POWERS), 'STUN_CEREMONY_PTAU_SIZE');
    await rejectsCode(openPowersOfTau(join(folder, 'none.ptau'), 1, [local.row]), 'STUN_FILE');
  });

  it('are refused by digest: one flipped byte, other content of the right size', async () => {
    const flipped = Buffer.from(good);
    flipped[good.length >> 1]! ^= 1;
    const paths = [await file('flipped.ptau', flipped), await file('zeros.ptau', Buffer.alloc(good.length))];
    for (const path of paths) await rejectsCode(openPowersOfTau(path, 1, [local.row]), 'STUN_CEREMONY_PTAU_DIGEST');
  });

  it('are refused by structure even when their digest is in the table', async () => {
    const patched = async (name: string, change: (bytes: Buffer) => Buffer): Promise<string> =>
      file(name, change(Buffer.from(good)));
    const uint32 = (at: number, value: number) => (bytes: Buffer) => (bytes.writeUInt32LE(value, at), bytes);
    const cases: Record<string, string> = {
      unprepared: local.rawPath,
      'another kind of file': await patched('magic.ptau', uint32(0, 0x79656b7a)),
      'another version': await patched('version.ptau', uint32(4, 2)),
      'too many sections': await patched('count.ptau', uint32(8, 12)),
      'an unknown section': await patched('type.ptau', uint32(12, 99)),
      'a section twice': await patched('twice.ptau', uint32(12, 2)),
      'a section longer than the file': await patched('long.ptau', uint32(20, 1)),
      'another curve': await patched('curve.ptau', uint32(28, 7)),
      'another power': await patched('power.ptau', uint32(60, POWER + 1)),
      'bytes behind the end': await patched('more.ptau', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])),
    };
    for (const [what, path] of Object.entries(cases)) {
      await rejectsCode(openPowersOfTau(path, 1, await tableOf(path)), 'STUN_CEREMONY_PTAU_FORMAT').catch((error: unknown) => {
        throw new Error(`${what}: ${String(error)}`);
      });
    }
  });

  it('are refused when nobody contributed: a known trapdoor', async () => {
    const [raw, prepared] = [join(folder, 'trapdoor-raw.ptau'), join(folder, 'trapdoor.ptau')];
    await writePowersOfTau(await buildBn128(true), raw, { exponent: 4, trapdoor: DEVELOPMENT_TRAPDOOR, prepared: false });
    await powersOfTau.preparePhase2(raw, prepared);
    await rejectsCode(openPowersOfTau(prepared, 1, await tableOf(prepared, 4)), 'STUN_CEREMONY_PTAU_FORMAT');
    await rejectsCode(
      openPowersOfTau(prepared, 1, [{ ...local.row, bytes: (await stat(prepared)).size }]),
      'STUN_CEREMONY_PTAU_DIGEST',
    );
  });

  it('of a known trapdoor have the bases that snarkjs prepares', async () => {
    const [raw, theirs, ours] = ['raw', 'theirs', 'ours'].map((name) => join(folder, `${name}.ptau`)) as [string, string, string];
    const form = { exponent: 4, trapdoor: DEVELOPMENT_TRAPDOOR };
    await writePowersOfTau(await buildBn128(true), raw, { ...form, prepared: false });
    await powersOfTau.preparePhase2(raw, theirs);
    await writePowersOfTau(await buildBn128(true), ours, { ...form, prepared: true });
    const format = { magic: 'ptau', sections: SECTIONS, refusal: 'STUN_CEREMONY_PTAU_FORMAT' } as const;
    const first = await SectionFile.open(ours, format);
    const second = await SectionFile.open(theirs, format);
    try {
      for (const type of SECTIONS.filter((one) => one !== 7)) {
        // The powers end one short of the doubled domain, so that snarkjs' basis there is of polynomials without the last.
        const length = type === 12 ? (2 ** 5 - 1) * 64 : undefined;
        assert.ok((await first.read(type, 0, length)).equals(await second.read(type, 0, length)), `section ${type}`);
      }
    } finally {
      await first.close();
      await second.close();
    }
  });

  it('are refused when they are too small for the circuit', async () => {
    await rejectsCode(openPowersOfTau(local.path, POWER + 1, [local.row]), 'STUN_CEREMONY_PTAU_POWER');
  });

  it('are not changed by being read', async () => {
    const copy = join(folder, 'copy.ptau');
    await copyFile(local.path, copy);
    await (await openPowersOfTau(copy, POWER, [local.row])).sections.close();
    assert.ok((await readFile(copy)).equals(good));
  });
});
