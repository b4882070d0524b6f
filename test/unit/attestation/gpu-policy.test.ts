import assert from 'node:assert/strict';
import { canonicalPolicyJson, defaultPolicy, parsePolicy, validateGpu } from '#attestation/index.ts';
import { isVersion, isVersionBelow } from '#attestation/nvidia/version-order.ts';
import { toHex } from '#protocol/bytes.ts';
import { throwsCode } from '../assert-code.ts';
import { assessGpuMachine, assessGpuWith, gpuPolicyWith, pdi } from './gpu-fixture.ts';

type Fields = Record<string, unknown>;
const document = JSON.parse(canonicalPolicyJson(defaultPolicy)) as Fields & { nvidia: Fields };
const read = (nvidia: Fields): unknown => parsePolicy(JSON.stringify({ ...document, nvidia }));

describe('policy for GPUs', () => {
  it('is read back from its canonical text', () => {
    assert.deepEqual(parsePolicy(canonicalPolicyJson(defaultPolicy)), defaultPolicy);
    assert.equal(parsePolicy(JSON.stringify({ ...document, nvidia: null })).nvidia, null);
  });

  it('is refused with any field left out', () => {
    const keys = Object.keys(document.nvidia);
    for (const key of keys) {
      const rest = Object.fromEntries(Object.entries(document.nvidia).filter(([name]) => name !== key));
      throwsCode(() => read(rest), 'STUN_POLICY_FORMAT');
    }
    assert.equal(keys.length, 14);
  });

  for (const [name, change] of [
    ['an unknown field', { comment: 'x' }],
    ['an unknown architecture', { architectures: ['ampere'] }],
    ['an unknown mode', { modes: ['mig'] }],
    ['a floor that is no version', { minDriverVersion: 'latest' }],
    ['a floor of one part', { minDriverVersion: '570' }],
    ['an opt-out without a reason', { minDriverVersion: { skip: '' } }],
    ['floors for one architecture alone', { minVbiosVersions: { hopper: '96.00' } }],
    ['an identity of seven bytes', { deniedHardwareIds: [`0x${'01'.repeat(7)}`] }],
    ['a FWID of 32 bytes', { firmwareIds: [`0x${'01'.repeat(32)}`] }],
    ['a count of zero, which is an opt-out without a reason', { minGpus: 0 }],
    ['more GPUs than a document holds', { minGpus: 17 }],
    ['a flag that is a word', { requireRim: 'yes' }],
  ] as const) {
    it(`is refused with ${name}`, () => {
      throwsCode(() => read({ ...document.nvidia, ...change }), 'STUN_POLICY_FORMAT');
    });
  }

  it('orders versions part by part, and puts what is no version before all', () => {
    const ordered = ['0.1', '570.86', '570.124.05', '570.124.06', '575.4', '575.32', '590.48.01'];
    ordered.forEach((version, i) => {
      assert.equal(isVersionBelow(version, version), false);
      for (const later of ordered.slice(i + 1)) {
        assert.equal(isVersionBelow(version, later), true, `${version} < ${later}`);
        assert.equal(isVersionBelow(later, version), false, `${later} > ${version}`);
      }
    });
    assert.equal(isVersionBelow('96.00.9F.00.01', '96.00.9f.00.01'), false);
    assert.equal(isVersionBelow('96.00.9F.00.01', '96.00.A0.00.00'), true);
    assert.equal(isVersionBelow('570.0', '570'), false);
    assert.equal(isVersionBelow('unknown', '0.0'), true);
    for (const text of ['570', '', '1.', '1..2', '1.2.3.4.5.6.7', '12345.1', 'g.1', '1.2 '])
      assert.equal(isVersion(text), false, text);
  });

  it('reports every reason, and validateGpu throws the first', () => {
    const policy = gpuPolicyWith({ architectures: [], modes: [], deniedHardwareIds: [toHex(pdi)] });
    const { verified, checks, failure } = assessGpuWith({ policy });
    const refuted = checks.filter((check) => check.status === 'refuted').map((check) => check.id);
    assert.deepEqual(refuted, ['policy-architecture', 'policy-mode', 'policy-hardware']);
    assert.ok(verified !== null);
    assert.equal(failure?.code, 'STUN_POLICY_GPU_ARCHITECTURE');
    throwsCode(() => validateGpu(verified, policy), 'STUN_POLICY_GPU_ARCHITECTURE');
    assert.equal(validateGpu(verified, gpuPolicyWith({})).verified, verified);
  });

  it('puts what the collateral refutes before every reason of its own, and admits it under no policy', () => {
    const late = { changes: { ocsp: { device: { nextUpdateUnix: 0, thisUpdateUnix: 0 } } } };
    const policy = gpuPolicyWith({ architectures: [], requireRevocationData: false });
    const { verified, failure, checks } = assessGpuMachine(late, { policy });
    assert.equal(failure?.code, 'STUN_OCSP_EXPIRED');
    assert.ok(verified !== null);
    throwsCode(() => validateGpu(verified, gpuPolicyWith({ requireRevocationData: false })), 'STUN_OCSP_EXPIRED');
    assert.equal(checks.find((check) => check.id === 'policy-revocation')?.status, 'unknown');
  });
});
