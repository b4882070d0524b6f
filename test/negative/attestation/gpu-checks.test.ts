import assert from 'node:assert/strict';
import { gpuPolicyChecks, gpuVerificationChecks } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { atUnix } from '../../unit/attestation/simulated-fixture.ts';
import {
  assessGpuChanged,
  assessGpuMachine,
  assessGpuWith,
  assessGpuWithRims,
  gpuPki,
  gpuPolicyWith,
} from '../../unit/attestation/gpu-fixture.ts';
import { acceptedRimOcsp } from '../../unit/attestation/rim-fixture.ts';
import { gpuNegativeVectors } from './gpu-negative-vectors.ts';

/** Checks that a Hopper GPU and the default policy leave open: nothing says it, or no value is named. */
const open = ['policy-rim-revocation', 'policy-debug', 'policy-driver', 'policy-vbios', 'policy-firmware'];

describe('negative vectors of GPU evidence', () => {
  it('start from evidence that is accepted', () => {
    const { failure, validated, verified, checks } = assessGpuWith({});
    assert.equal(failure, null);
    assert.equal(validated, true);
    assert.equal(verified?.simulated, true);
    assert.equal(verified.unproven.length, 2);
    assert.deepEqual(
      checks.filter((check) => check.status !== 'proven').map((check) => check.id),
      open,
    );
  });

  it('start from reference values that are accepted too', () => {
    const { failure, validated, checks } = assessGpuWithRims(acceptedRimOcsp);
    assert.equal(failure, null);
    assert.equal(validated, true);
    assert.deepEqual(
      checks.filter((check) => check.status !== 'proven').map((check) => check.id),
      open.filter((id) => id !== 'policy-rim-revocation'),
    );
  });

  it('start from architectures that are accepted too', () => {
    const policy = gpuPolicyWith({ architectures: ['hopper', 'blackwell', 'ls10'], modes: ['spt', 'ppcie'] });
    for (const architecture of ['hopper', 'blackwell', 'ls10'] as const) {
      const { failure, verified, checks } = assessGpuMachine({ architecture }, { policy });
      assert.equal(failure, null, `${architecture}: ${failure?.message ?? ''}`);
      assert.equal(verified?.architecture, architecture);
      const unknown = checks.filter((check) => check.status === 'unknown').map((check) => check.id);
      assert.equal(unknown.includes('fwid'), architecture === 'ls10');
      assert.equal(unknown.includes('policy-debug'), architecture !== 'blackwell');
    }
  });

  it('start from the ends of what is admitted: path lengths, and every date on the very second', () => {
    const dates = { notBeforeUnix: atUnix, notAfterUnix: atUnix };
    const times = { thisUpdateUnix: atUnix, nextUpdateUnix: atUnix };
    const { failure } = assessGpuChanged({
      certificates: {
        firmware: dates,
        device: { ...dates, pathLength: 0 },
        provisioner: { ...dates, pathLength: 1 },
        identity: { ...dates, pathLength: 2 },
        root: { ...dates, pathLength: 3 },
      },
      ocsp: { device: times, provisioner: { ...times, responderKeyId: null }, identity: { ...times, nonce: new Uint8Array(32) } },
    });
    assert.equal(failure, null, failure?.message);
  });

  it('start from what a policy may admit: a certificate on hold, a debug device, floors that are met', () => {
    const held = { status: { revokedAtUnix: atUnix - 5, reason: 6 } } as const;
    const admitted = assessGpuMachine(
      { changes: { ocsp: { device: held } } },
      { policy: gpuPolicyWith({ admitCertificateHold: true }) },
    );
    assert.equal(admitted.failure, null);
    assert.deepEqual(
      admitted.checks.find((check) => check.id === 'ocsp'),
      { id: 'ocsp', status: 'unknown', code: 'STUN_OCSP_HOLD' },
    );
    const skip = { skip: 'no floor' };
    const floors = {
      minDriverVersion: '570.124.06',
      minVbiosVersions: { hopper: '96.00.9f.00.01', blackwell: skip, ls10: skip },
    };
    assert.equal(assessGpuWith({ policy: gpuPolicyWith(floors) }).failure, null);
  });

  it('leave revocation open when there are no responses, and may judge it at a time of its own', () => {
    const without = assessGpuWith({ ocsp: [], policy: gpuPolicyWith({ requireRevocationData: false }) });
    assert.equal(without.failure, null);
    assert.deepEqual(
      without.checks.find((check) => check.id === 'ocsp'),
      { id: 'ocsp', status: 'unknown', code: 'STUN_REVOCATION_UNKNOWN' },
    );
    const year = 365 * 86_400;
    const later = assessGpuWith({ atUnix: atUnix + year });
    assert.notEqual(later.verified, null);
    assert.equal(later.failure?.code, 'STUN_OCSP_EXPIRED');
    assert.equal(assessGpuWith({ atUnix: atUnix + year, ocspAtUnix: atUnix }).failure, null);
  });

  it('end in what the default policy demands and no test here brings: reference values', () => {
    assert.equal(assessGpuWith({ policy: simulatedPolicy }).failure?.code, 'STUN_POLICY_GPU_RIM');
  });

  for (const { check, code, name, run } of gpuNegativeVectors) {
    it(`refuses with ${code} at ${check}: ${name}`, () => {
      const { checks, failure } = run();
      assert.equal(failure?.code, code, failure?.message);
      const refuted = checks.filter((entry) => entry.status === 'refuted');
      assert.deepEqual(refuted, [{ id: check, status: 'refuted', code }]);
    });
  }

  it('refute every check', () => {
    const covered = new Set(gpuNegativeVectors.map((vector) => vector.check));
    assert.deepEqual(
      [...gpuVerificationChecks, ...gpuPolicyChecks].filter((id) => !covered.has(id)),
      [],
    );
    assert.equal(gpuPki.root.simulated, true);
    assert.ok(gpuNegativeVectors.length >= 80, `${gpuNegativeVectors.length} vectors`);
    console.log(`      ${gpuNegativeVectors.length} negative vectors over ${covered.size} checks`);
  });
});
