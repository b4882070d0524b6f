/** Contributions and beacons: ours verified by snarkjs, snarkjs' by ours, and every single thing that can be wrong with a key. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBn128, type Bn128 } from 'ffjavascript';
import { groth16, zKey } from 'snarkjs';
import { readVerificationKey } from '#circuits/build/verification-key.ts';
import { readZkeySections } from '#circuits/build/zkey-format.ts';
import { applyBeacon, contribute } from '#circuits/ceremony/contribute.ts';
import type { Contribution } from '#circuits/ceremony/contribution-record.ts';
import { openKey, writeKey, type KeyContent } from '#circuits/ceremony/key-file.ts';
import { threadsForPoints } from '#circuits/ceremony/scaled-points.ts';
import { drawSecretScalar } from '#circuits/ceremony/secret-scalar.ts';
import { startedContent, type StartedKey } from '#circuits/ceremony/start-key.ts';
import type { VerifiedContribution } from '#circuits/ceremony/verify-contributions.ts';
import { verifyKey } from '#circuits/ceremony/verify-key.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { sampleCases } from '#test/depth.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { CIRCUIT_INPUT, localPowers, smallCircuit, startedKey, type LocalPowers } from './ceremony-fixture.ts';

const BEACON = {
  value: Buffer.from('0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20', 'hex'),
  iterationsExponent: 10,
};

describe('contributions to a proving key', function () {
  this.timeout(240_000);
  let folder: string;
  let curve: Bn128;
  let local: LocalPowers;
  let started: StartedKey;
  let r1csPath: string;
  let wasmPath: string;
  const hashes: Uint8Array[] = [];
  const at = (name: string): string => join(folder, `${name}.zkey`);
  const quiet = (): void => {};

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-contributions-'));
    curve = await buildBn128(true);
    local = await localPowers(8);
    ({ r1csPath, wasmPath } = await smallCircuit(20));
    started = await startedKey(r1csPath, local);
    await writeKey(at('0'), startedContent(started));
    // Ours on a start, snarkjs on ours, ours on snarkjs', then the same beacon by both.
    hashes.push(await contribute({ from: at('0'), to: at('1'), name: 'first ✓' }, Buffer.from('dice'), quiet));
    hashes.push((await zKey.contribute(at('1'), at('2'), 'second', 'entropy')) as Uint8Array);
    hashes.push(await contribute({ from: at('2'), to: at('3'), name: '' }, Buffer.alloc(0), quiet));
    hashes.push(await applyBeacon({ from: at('3'), to: at('final'), name: 'beacon' }, BEACON, quiet));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function verify(path: string, start = started): Promise<readonly VerifiedContribution[]> {
    const key = await openKey(path);
    try {
      return await verifyKey(curve, start, key, quiet);
    } finally {
      await key.sections.close();
    }
  }

  it('by turns with snarkjs hold for both', async () => {
    const contributions = await verify(at('final'));
    assert.deepEqual(
      contributions.map((one) => [one.name, Buffer.from(one.hash).toString('hex'), one.beacon?.iterationsExponent]),
      ['first ✓', 'second', '', 'beacon'].map((name, i) => [
        name,
        Buffer.from(hashes[i]!).toString('hex'),
        i === 3 ? 10 : undefined,
      ]),
    );
    for (const name of ['1', 'final']) assert.equal(await zKey.verifyFromR1cs(r1csPath, local.path, at(name)), true);
    assert.deepEqual(await verify(at('0')), []);
  });

  it('end with the same beacon as snarkjs, byte for byte', async () => {
    const hash = (await zKey.beacon(at('3'), at('theirs'), 'beacon', BEACON.value.toString('hex'), 10)) as Uint8Array;
    assert.deepEqual(Buffer.from(hash), Buffer.from(hashes[3]!));
    const [ours, theirs] = [await readZkeySections(at('final')), await readZkeySections(at('theirs'))];
    for (const [type, data] of theirs) assert.ok(ours.get(type)!.equals(data), `section ${type} differs`);
  });

  it('are the same bytes on one thread and on three', async () => {
    const shares: number[] = [];
    const hash = await applyBeacon(
      { from: at('3'), to: at('threads'), name: 'beacon' },
      BEACON,
      (share) => shares.push(share),
      3,
    );
    assert.deepEqual(Buffer.from(hash), Buffer.from(hashes[3]!));
    assert.ok((await readFile(at('threads'))).equals(await readFile(at('final'))));
    // Half for the beacon's value, half for the points, both reported and never backwards.
    assert.ok(shares.some((share) => share > 0.5) && shares.every((share, i) => share >= (shares[i - 1] ?? 0) && share <= 1));
    assert.equal(threadsForPoints(8191), 1);
    assert.equal(threadsForPoints(8192), Math.min(2, availableParallelism()));
  });

  it('give a key that proves, under which the statement of another is refused', async () => {
    const key = await readVerificationKey(at('final'));
    const { proof, publicSignals } = await groth16.fullProve(CIRCUIT_INPUT, wasmPath, at('final'));
    assert.equal(await groth16.verify(key, publicSignals, proof), true);
    const changed = publicSignals.map((signal, i) => (i === 0 ? String(BigInt(signal) + 1n) : signal));
    assert.equal(await groth16.verify(key, changed, proof), false);
    assert.equal(await groth16.verify(await readVerificationKey(at('3')), publicSignals, proof), false);
  });

  it('differ from each other whatever the contributor typed, and leave nothing but the key', async () => {
    const one = await contribute({ from: at('0'), to: at('a'), name: 'n' }, Buffer.from('same'), quiet);
    const two = await contribute({ from: at('0'), to: at('b'), name: 'n' }, Buffer.from('same'), quiet);
    assert.notDeepEqual(one, two);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => !name.endsWith('.zkey')),
      [],
    );
    const drawn = Array.from({ length: 64 }, () => Buffer.from(drawSecretScalar(Buffer.from('same'))).toString('hex'));
    assert.equal(new Set(drawn).size, 64);
    // Top bytes reach from 0 to that of the order, 0x30.
    const tops = drawn.map((hex) => Number.parseInt(hex.slice(-2), 16));
    assert.ok(Math.min(...tops) < 0x10 && Math.max(...tops) > 0x20 && Math.max(...tops) <= 0x30, tops.join());
  });

  it('leave the old key and nothing new when a step is killed or stopped', async () => {
    const old = await readFile(at('1'));
    await assert.rejects(
      contribute({ from: at('1'), to: at('stopped'), name: '' }, Buffer.alloc(0), () => {
        throw new RangeError('stopped');
      }),
      (thrown) => thrown instanceof Error,
    );
    assert.ok(!(await readdir(folder)).some((name) => name.startsWith('stopped')));
    // What a killed process leaves: half a file under the partial name. The step is run again and wins.
    await writeFile(`${at('again')}.partial`, old.subarray(0, 1000));
    await contribute({ from: at('1'), to: at('again'), name: '' }, Buffer.alloc(0), quiet);
    assert.equal((await verify(at('again'))).length, 2);
    assert.ok(old.equals(await readFile(at('1'))));
    await rejectsCode(contribute({ from: at('1'), to: at('again'), name: '' }, Buffer.alloc(0), quiet), 'STUN_FILE');
  });

  it('are refused after a beacon, with a long name, from no key', async () => {
    await rejectsCode(contribute({ from: at('final'), to: at('x'), name: '' }, Buffer.alloc(0), quiet), 'STUN_CEREMONY_CLOSED');
    await rejectsCode(applyBeacon({ from: at('final'), to: at('x'), name: '' }, BEACON, quiet), 'STUN_CEREMONY_CLOSED');
    await rejectsCode(contribute({ from: at('0'), to: at('x'), name: 'n'.repeat(65) }, Buffer.alloc(0), quiet), 'STUN_INPUT');
    await rejectsCode(contribute({ from: at('none'), to: at('x'), name: '' }, Buffer.alloc(0), quiet), 'STUN_FILE');
    for (const change of [
      { value: Buffer.alloc(0) },
      { value: Buffer.alloc(256) },
      { iterationsExponent: 9 },
      { iterationsExponent: 33 },
    ]) {
      const beacon = applyBeacon({ from: at('3'), to: at('x'), name: '' }, { ...BEACON, ...change }, quiet);
      await rejectsCode(beacon, 'STUN_CEREMONY_BEACON');
    }
  });

  interface Changed {
    readonly header?: Partial<KeyContent['header']>;
    readonly contributions?: (all: readonly Contribution[]) => readonly Contribution[];
    readonly section?: readonly [type: number, change: (data: Buffer) => Uint8Array];
    readonly circuitHash?: Uint8Array;
  }
  let written = 0;

  /** The final key with one thing changed. */
  async function changed({ header, contributions, section, circuitHash }: Changed): Promise<string> {
    const key = await openKey(at('final'));
    const path = at(`changed-${written++}`);
    try {
      await writeKey(path, {
        header: { ...key.header, ...header },
        record: {
          circuitHash: circuitHash ?? key.record.circuitHash,
          contributions: contributions?.(key.record.contributions) ?? key.record.contributions,
        },
        section: async (type) => {
          const data = await key.sections.read(type);
          return section?.[0] === type ? section[1](data) : data;
        },
      });
    } finally {
      await key.sections.close();
    }
    return path;
  }

  /** Puts a point of the section in another place: a valid point, the wrong one. */
  const swapped = (bytes: number) => (data: Buffer) => Buffer.concat([data.subarray(bytes, 2 * bytes), data.subarray(bytes)]);
  const flipped = (data: Buffer): Buffer => {
    const copy = Buffer.from(data);
    copy[copy.length - 40]! ^= 1;
    return copy;
  };
  const replace = (index: number, change: (one: Contribution) => Partial<Contribution>) => (all: readonly Contribution[]) =>
    all.map((one, i) => (i === index ? { ...one, ...change(one) } : one));

  type Case = readonly [what: string, code: ErrorCode, change: (all: StartedKey) => Changed];
  const fixedPoint = (type: number): Case => [
    `a point of section ${type}`,
    'STUN_CEREMONY_CIRCUIT',
    () => ({ section: [type, swapped(64)] }),
  ];
  const cases: readonly Case[] = [
    ...[3, 5, 6].map(fixedPoint),
    ['a point of section 7', 'STUN_CEREMONY_CIRCUIT', () => ({ section: [7, swapped(128)] })],
    ['a coefficient', 'STUN_CEREMONY_CIRCUIT', () => ({ section: [4, flipped] })],
    ['the circuit hash', 'STUN_CEREMONY_CIRCUIT', () => ({ circuitHash: Buffer.alloc(64, 1) })],
    ['alpha', 'STUN_CEREMONY_CIRCUIT', ({ header }) => ({ header: { alpha1: header.beta1 } })],
    ['beta', 'STUN_CEREMONY_CIRCUIT', ({ header }) => ({ header: { beta2: header.gamma2 } })],
    ['gamma', 'STUN_CEREMONY_CIRCUIT', ({ header }) => ({ header: { gamma2: header.beta2 } })],
    ['delta in G1', 'STUN_CEREMONY_KEY', ({ header }) => ({ header: { delta1: header.delta1 } })],
    ['delta in G2', 'STUN_CEREMONY_KEY', ({ header }) => ({ header: { delta2: header.delta2 } })],
    ['delta in G2 off its group', 'STUN_CEREMONY_KEY', () => ({ header: { delta2: Buffer.alloc(128, 1) } })],
    ['a point of section 8', 'STUN_CEREMONY_KEY', () => ({ section: [8, swapped(64)] })],
    ['a point of section 9', 'STUN_CEREMONY_KEY', () => ({ section: [9, swapped(64)] })],
    ['a point of section 9 off the curve', 'STUN_CEREMONY_KEY', () => ({ section: [9, flipped] })],
    ['a missing contribution', 'STUN_CEREMONY_CONTRIBUTION', () => ({ contributions: (all) => all.slice(1) })],
    ['a missing last contribution', 'STUN_CEREMONY_KEY', () => ({ contributions: (all) => all.slice(0, -1) })],
    ['another order', 'STUN_CEREMONY_CONTRIBUTION', () => ({ contributions: ([a, b, ...rest]) => [b!, a!, ...rest] })],
    [
      'a transcript',
      'STUN_CEREMONY_CONTRIBUTION',
      () => ({ contributions: replace(1, () => ({ transcript: Buffer.alloc(64) })) }),
    ],
    [
      'a proof of knowledge',
      'STUN_CEREMONY_CONTRIBUTION',
      ({ header }) => ({ contributions: replace(2, () => ({ spx: header.beta2 })) }),
    ],
    ['s', 'STUN_CEREMONY_CONTRIBUTION', ({ header }) => ({ contributions: replace(0, () => ({ s: header.beta1 })) })],
    [
      'a step of delta',
      'STUN_CEREMONY_CONTRIBUTION',
      ({ header }) => ({ contributions: replace(1, () => ({ deltaAfter: header.beta1 })) }),
    ],
    [
      'a point off the curve',
      'STUN_CEREMONY_CONTRIBUTION',
      () => ({ contributions: replace(1, ({ s }) => ({ s: flipped(Buffer.from(s)) })) }),
    ],
    ['infinity', 'STUN_CEREMONY_CONTRIBUTION', () => ({ contributions: replace(1, () => ({ sx: Buffer.alloc(64) })) })],
    [
      "a beacon's value",
      'STUN_CEREMONY_BEACON',
      () => ({ contributions: replace(3, () => ({ beacon: { ...BEACON, value: Buffer.from('00', 'hex') } })) }),
    ],
    [
      "a beacon's iterations",
      'STUN_CEREMONY_BEACON',
      () => ({ contributions: replace(3, () => ({ beacon: { ...BEACON, iterationsExponent: 63 } })) }),
    ],
    ['a beacon out of a contribution', 'STUN_CEREMONY_BEACON', () => ({ contributions: replace(2, () => ({ beacon: BEACON })) })],
  ];

  for (const [what, code, change] of cases) {
    it(`are refused with ${what} changed`, async () => rejectsCode(verify(await changed(change(started))), code));
  }

  it('are refused for another circuit', async () => {
    const other = await startedKey((await smallCircuit(21)).r1csPath, local);
    await rejectsCode(verify(at('final'), other), 'STUN_CEREMONY_CIRCUIT');
  });

  it('are refused in a file that is no whole key', async () => {
    const good = await readFile(at('final'));
    const patched = (place: number, value: number): Buffer => {
      const copy = Buffer.from(good);
      copy.writeUInt32LE(value, place);
      return copy;
    };
    const files = [good.subarray(0, -1), Buffer.concat([good, Buffer.alloc(1)]), patched(4, 2), patched(24, 2), patched(44, 1)];
    // Wires, public wires and domain size of the header.
    files.push(patched(112, 1), patched(116, 9999), patched(120, 33));
    for (const [i, bytes] of files.entries()) {
      await writeFile(at(`cut-${i}`), bytes);
      await rejectsCode(openKey(at(`cut-${i}`)), 'STUN_CEREMONY_KEY_FORMAT');
    }
  });

  it('are read or refused with a code, whatever byte of header or record is changed', async () => {
    const good = await readFile(at('final'));
    const { sections } = await openKey(at('final'));
    await sections.close();
    const record = sections.place(10);
    const heads = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].flatMap((type) =>
      Array.from({ length: 12 }, (_, i) => sections.place(type).offset - 12 + i),
    );
    const places = [...Array(112).keys(), ...heads, ...Array.from({ length: record.length }, (_, i) => record.offset + i)];
    let refused = 0;
    const tried = sampleCases(places, 300);
    for (const place of tried) {
      const bytes = Buffer.from(good);
      bytes[place]! ^= 0xff;
      await writeFile(at('fuzzed'), bytes);
      try {
        await (await openKey(at('fuzzed'))).sections.close();
      } catch (thrown) {
        assert.ok(thrown instanceof StunError && thrown.code === 'STUN_CEREMONY_KEY_FORMAT', `byte ${place}: ${String(thrown)}`);
        refused++;
      }
    }
    console.log(`      changed ${tried.length} bytes one at a time, ${refused} refused by structure alone`);
    assert.ok(refused > tried.length / 20);
  });
});
