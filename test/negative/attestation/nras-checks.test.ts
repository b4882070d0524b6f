import assert from 'node:assert/strict';
import { nrasChecks } from '#attestation/checks.ts';
import { assessNrasWith } from '../../unit/attestation/nras-fixture.ts';
import { atUnix } from '../../unit/attestation/simulated-fixture.ts';
import { nrasNegativeVectors } from './nras-negative-vectors.ts';
import { without } from './without-check.ts';

describe("answers of NVIDIA's attestation service (synthetic)", () => {
  it('are accepted when every token holds, and say which devices they are about', () => {
    const { devices, failure, checks, expiresAtUnix } = assessNrasWith();
    assert.equal(failure, null, failure?.message);
    assert.deepEqual(
      checks.map(({ id, status }) => [id, status]),
      nrasChecks.map((id) => [id, 'proven']),
    );
    assert.deepEqual(
      devices?.map(({ name, architecture, driverVersion }) => [name, architecture, driverVersion]),
      [
        ['GPU-0', 'hopper', '550.90.07'],
        ['GPU-1', 'hopper', '550.90.07'],
      ],
    );
    assert.equal(expiresAtUnix, atUnix + 3600);
  });

  it('leave open what the policy skips', () => {
    const skip = { skip: 'any version' };
    const policy = {
      architectures: ['hopper'],
      minDriverVersion: skip,
      minVbiosVersions: { hopper: skip, blackwell: skip, ls10: skip },
    } as const;
    const { failure, checks } = assessNrasWith({ device: { 'x-nvidia-gpu-driver-version': '1.0' } }, { policy });
    assert.equal(failure, null);
    const open = checks.filter(({ status }) => status === 'unknown').map(({ id }) => id);
    assert.deepEqual(open, ['nras-driver-version', 'nras-vbios-version']);
  });

  for (const { check, code, name, run } of nrasNegativeVectors) {
    it(`are refused with ${code} at ${check}: ${name}`, () => {
      const { checks, failure } = run();
      assert.equal(failure?.code, code, failure?.message);
      assert.deepEqual(
        checks.filter((entry) => entry.status === 'refuted'),
        [{ id: check, status: 'refuted', code }],
      );
    });
  }

  /** Without these there is nothing left to verify. */
  const producing = ['nras-format', 'nras-time', 'nras-architecture'];
  for (const check of nrasChecks.filter((id) => !producing.includes(id))) {
    it(`are held back by ${check} alone in some vector`, () => {
      const own = nrasNegativeVectors.filter((vector) => vector.check === check);
      assert.ok(own.some((vector) => without(check, vector.run).failure === null));
    });
  }
});
