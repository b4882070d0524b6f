import assert from 'node:assert/strict';
import { rimChecks } from '#attestation/checks.ts';
import type { RimKind } from '#attestation/nvidia/rim/reference-manifest.ts';
import type { RimAssessment } from '#attestation/nvidia/rim/verify.ts';
import { makeSimulatedRim } from '#attestation/simulated/simulated-rim.ts';
import {
  acceptedRims,
  assessRimsWith,
  assessingChanged,
  otherRimPki,
  rimOcspWith,
  rimPki,
  rimSpecs,
  rimSubject,
} from '../../unit/attestation/rim-fixture.ts';
import { throwsCode } from '../../unit/assert-code.ts';
import { atUnix } from '../../unit/attestation/simulated-fixture.ts';
import { rimNegativeVectors } from './rim-negative-vectors.ts';
import { without } from './without-check.ts';

describe('negative vectors of RIM documents', () => {
  it('start from documents that are accepted, under a root that says that it is simulated', () => {
    const { driver, vbios, checks, failure } = assessRimsWith();
    assert.equal(failure, null);
    assert.deepEqual(
      checks.filter((check) => check.status !== 'proven'),
      [],
    );
    assert.deepEqual([driver?.simulated, vbios?.simulated, driver?.rootName], [true, true, rimPki.root.name]);
    assert.deepEqual([driver?.activeCount, vbios?.activeCount], [3, 2]);
  });

  it('start from the ends of what is admitted: every date on the very second', () => {
    const dates = { notBeforeUnix: atUnix, notAfterUnix: atUnix };
    const run = assessingChanged('driver', { certificates: { signer: dates, l3: dates, chip: dates, root: dates } });
    assert.equal(run().failure, null);
  });

  for (const { check, code, name, run } of rimNegativeVectors) {
    it(`refuses with ${code} at ${check}: ${name}`, () => {
      const { checks, failure } = run();
      assert.equal(failure?.code, code, failure?.message);
      assert.deepEqual(
        checks.filter((entry) => entry.status === 'refuted'),
        [{ id: check, status: 'refuted', code }],
      );
    });
  }

  it('refute every check', () => {
    const covered = new Set(rimNegativeVectors.map(({ check }) => check));
    assert.deepEqual(
      rimChecks.filter((id) => !covered.has(id)),
      [],
    );
    assert.ok(rimNegativeVectors.length >= 90, `${rimNegativeVectors.length} vectors`);
    console.log(`      ${rimNegativeVectors.length} negative vectors over ${covered.size} checks`);
  });
});

describe('checks of RIM documents', () => {
  /** Without these there is nothing left to verify. */
  const producing = ['rim-format', 'rim-driver-cert-chain', 'rim-vbios-cert-chain', 'rim-ocsp'];
  const removable = rimChecks.filter((id) => !producing.includes(id));
  for (const check of removable) {
    it(`include ${check}, which is all that stands between some vector and acceptance`, () => {
      const vectors = rimNegativeVectors.filter((vector) => vector.check === check);
      const accepted = vectors.filter((vector) => without(check, vector.run).failure === null);
      assert.ok(accepted.length > 0, `${vectors.length} vectors, none accepted`);
    });
  }

  it('are unknown without a RIM, and of the kind that is missing', () => {
    const unknown = (rims: readonly Uint8Array[]): readonly string[] => {
      const { checks, failure } = assessRimsWith({ rims });
      assert.equal(failure, null);
      const open = checks.filter(({ status }) => status !== 'proven');
      for (const check of open) assert.deepEqual([check.status, check.code], ['unknown', 'STUN_RIM_UNKNOWN']);
      return open.map(({ id }) => id);
    };
    assert.deepEqual(unknown([]), rimChecks);
    assert.deepEqual(
      unknown([acceptedRims.driver]),
      rimChecks.filter((id) => id.startsWith('rim-vbios') || id === 'rim-index-owner'),
    );
    assert.deepEqual(
      unknown([acceptedRims.vbios]),
      rimChecks.filter((id) => id.startsWith('rim-driver') || id === 'rim-index-owner'),
    );
  });

  it('are made at a time that is whole seconds from 1970 on', () => {
    for (const time of [-1, 0.5, Number.NaN]) throwsCode(() => assessRimsWith({ atUnix: time }), 'STUN_RANGE');
    assert.equal(assessRimsWith({ atUnix: 0 }).failure?.code, 'STUN_CERTIFICATE_NOT_YET_VALID');
  });

  it('leave out NVDEC0 where the report says that it is disabled', () => {
    const measurements = rimSubject.measurements.filter(({ index }) => index !== 36);
    const at = (isNvdec0Disabled: boolean): string | undefined =>
      assessRimsWith({ subject: { ...rimSubject, isNvdec0Disabled, measurements } }).failure?.code;
    assert.equal(at(true), undefined);
    assert.equal(at(false), 'STUN_RIM_MEASUREMENT');
  });

  it('prove nothing of revocation once a RIM is refused for something else, and refute it all the same', () => {
    const places = ['signer', 'l3', 'chip'] as const;
    const unsigned = makeSimulatedRim(rimPki, rimSpecs.driver, { signingKey: otherRimPki.keys.signer });
    const unchained = (kind: RimKind): Uint8Array => makeSimulatedRim(rimPki, rimSpecs[kind], { places });
    const refutedOf = ({ checks }: RimAssessment): readonly string[] =>
      checks.filter(({ status }) => status === 'refuted').map(({ id }) => id);
    const of = (...rims: readonly Uint8Array[]): RimAssessment => assessRimsWith({ rims });
    const open = { id: 'rim-ocsp', status: 'unknown' };
    const one = of(unsigned, acceptedRims.vbios);
    assert.deepEqual([refutedOf(one), one.checks.at(-1)], [['rim-driver-signature'], open]);
    assert.equal(one.revocation.length, 6, 'what its verified chain says is known');
    const ocsp = rimOcspWith({ l3: { status: { revokedAtUnix: atUnix - 5, reason: 1 } } });
    const revoked = assessRimsWith({ rims: [unsigned, acceptedRims.vbios], ocsp });
    assert.deepEqual([refutedOf(revoked), revoked.failure?.code], [['rim-driver-signature', 'rim-ocsp'], 'STUN_RIM_SIGNATURE']);
    const names = of(unchained('driver'), acceptedRims.vbios).revocation.map(({ certificate }) => certificate);
    assert.deepEqual(names, ['vbios-rim-l4', 'vbios-rim-l3', 'vbios-rim-l2']);
    const none = of(unchained('driver'), unchained('vbios'));
    assert.deepEqual([none.revocation, none.checks.at(-1)], [[], open]);
  });

  it('show all that is wrong with a RIM, and nothing as proven after the first', () => {
    const subject = { ...rimSubject, driverVersion: '1.2' };
    const { checks } = assessRimsWith({ subject, atUnix: atUnix + 40_000_000 });
    const driver = checks.filter(({ id }) => id.startsWith('rim-driver'));
    assert.deepEqual(
      driver.map(({ id, status }) => `${id.slice(11)} ${status}`),
      [
        'cert-chain proven',
        'cert-expired refuted',
        'signature unknown',
        'digest unknown',
        'version refuted',
        'measurement unknown',
      ],
    );
  });
});
