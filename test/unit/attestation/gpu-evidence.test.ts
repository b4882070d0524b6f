import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  assessEvidence,
  computeGpuEvidenceDigest,
  computeGpuNonce,
  computeReportData,
  encodeEvidence,
  parseEvidence,
  verifyEvidence,
} from '#attestation/index.ts';
import type { EvidenceContext, GpuEvidence, Policy } from '#attestation/index.ts';
import { toHex, utf8 } from '#protocol/bytes.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { gpuNonceOf } from '#protocol/keyset.ts';
import { throwsCode } from '../assert-code.ts';
import { acceptedGpuRims, gpu, gpuPki, gpuPolicyWith, otherGpuPki, pdi } from './gpu-fixture.ts';
import { acceptedRimOcsp, rimPki } from './rim-fixture.ts';
import { atUnix, keysetDigest, machine, nonce, pki } from './simulated-fixture.ts';

const context: EvidenceContext = { atUnix, roots: [pki.root, gpuPki.root, rimPki.root], policy: simulatedPolicy, keysetDigest };
const second = Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1);

/** GPUs that answer this keyset and nonce. */
function gpus(...hardwareIds: readonly Uint8Array[]): GpuEvidence {
  const made = hardwareIds.map((hardwareId) => gpu({ hardwareId }));
  const gpuNonce = computeGpuNonce(keysetDigest, nonce);
  return {
    devices: made.map(({ report, chain }) => ({ report: report(gpuNonce), chain })),
    ocsp: [...made.flatMap(({ ocsp }) => ocsp), ...acceptedRimOcsp],
    rims: acceptedGpuRims,
  };
}

/** A TDX document whose quote binds its GPUs. */
function documentOf(gpuEvidence: GpuEvidence, bound: GpuEvidence = gpuEvidence): Uint8Array {
  const simulated = machine();
  const digest = computeGpuEvidenceDigest(bound.devices.map(({ report }) => report));
  return encodeEvidence({
    version: 1,
    kind: 'tdx',
    simulated: true,
    quote: simulated.quote(computeReportData(keysetDigest, nonce, digest)),
    collateral: simulated.collateral,
    nonce,
    gpuEvidence,
  });
}

const codeOf = (document: Uint8Array, changes: Partial<EvidenceContext> = {}): string | undefined =>
  assessEvidence(document, { ...context, ...changes }).failure?.code;

describe('evidence with GPUs', () => {
  it('is bound by a digest over the reports, with their number and lengths', () => {
    const reports = [Uint8Array.of(1, 2), Uint8Array.of(3)];
    const hash = createHash('sha256')
      .update('stun/gpu-evidence/v1')
      .update(Uint8Array.of(2, 0, 0, 0, 2, 1, 2, 0, 0, 0, 1, 3))
      .digest();
    assert.deepEqual(computeGpuEvidenceDigest(reports), new Uint8Array(hash));
    throwsCode(() => computeGpuEvidenceDigest([]), 'STUN_INPUT');
    throwsCode(() => computeGpuEvidenceDigest(new Array<Uint8Array>(256).fill(new Uint8Array(1))), 'STUN_INPUT');
    assert.deepEqual(computeGpuNonce(keysetDigest, nonce), gpuNonceOf(keysetDigest, nonce));
    throwsCode(() => computeGpuNonce(keysetDigest, new Uint8Array(31)), 'STUN_INPUT');
  });

  it('gives every GPU that was verified, and ends with the first of all that was relied on', () => {
    const evidence = verifyEvidence(documentOf(gpus(pdi, second)), context);
    assert.deepEqual(
      evidence.gpus.map(({ hardwareId }) => toHex(hardwareId)),
      [toHex(pdi), toHex(second)],
    );
    assert.equal(evidence.collateralExpiresAtUnix, atUnix + 43_200);
    assert.equal(evidence.checks.find((check) => check.id === 'evidence-gpu')?.status, 'proven');
    assert.equal(assessEvidence(documentOf(gpus(pdi)), context).gpus.length, 1);
  });

  it('has no GPUs without any', () => {
    const evidence = verifyEvidence(machine().evidence(keysetDigest, nonce), context);
    assert.deepEqual(evidence.gpus, []);
  });

  it('is given back by encoding what was parsed', () => {
    const document = documentOf(gpus(pdi, second));
    assert.deepEqual(encodeEvidence(parseEvidence(document)), document);
  });

  it('is refused when the quote binds other reports, more, fewer or in another order', () => {
    const both = gpus(pdi, second);
    const one = gpus(pdi);
    for (const [given, bound] of [
      [one, both],
      [both, one],
      [both, { ...both, devices: both.devices.toReversed() }],
    ] as const)
      assert.equal(codeOf(documentOf(given, bound)), 'STUN_REPORT_DATA');
    const value = JSON.parse(new TextDecoder().decode(documentOf(one))) as Record<string, unknown>;
    assert.equal(codeOf(utf8(JSON.stringify({ ...value, gpuEvidence: null }))), 'STUN_REPORT_DATA');
  });

  it('shows as many GPUs as the policy demands or is refused, and says when nothing was demanded', () => {
    const demanding = (minGpus: number): Partial<EvidenceContext> => ({ policy: gpuPolicyWith({ minGpus, requireRim: true }) });
    const none = machine().evidence(keysetDigest, nonce);
    assert.equal(codeOf(none, demanding(1)), 'STUN_POLICY_GPU_COUNT');
    const one = documentOf(gpus(pdi));
    assert.equal(codeOf(one, demanding(1)), undefined);
    assert.equal(codeOf(one, demanding(2)), 'STUN_POLICY_GPU_COUNT');
    assert.equal(codeOf(documentOf(gpus(pdi, second)), demanding(2)), undefined);
    const statusOf = (policy: Policy): string | undefined =>
      assessEvidence(one, { ...context, policy }).checks.find(({ id }) => id === 'policy-gpus')?.status;
    assert.deepEqual([statusOf(simulatedPolicy), statusOf(gpuPolicyWith({ minGpus: 1 }))], ['unknown', 'proven']);
    const switches = gpu({ architecture: 'ls10' });
    const report = switches.report(computeGpuNonce(keysetDigest, nonce));
    const ls10 = { devices: [{ report, chain: switches.chain }], ocsp: switches.ocsp, rims: [] };
    const admitted = gpuPolicyWith({ minGpus: 1, architectures: ['ls10'], modes: ['ppcie'] });
    assert.equal(codeOf(documentOf(ls10), { policy: admitted }), 'STUN_POLICY_GPU_COUNT', 'a switch is no GPU');
  });

  it('is refused when a GPU answers another nonce, is there twice, is not admitted or is not as simulated as the document', () => {
    const healthy = gpus(pdi);
    const stale = { ...healthy, devices: healthy.devices.map(({ chain }) => ({ chain, report: gpu().report(nonce) })) };
    assert.equal(codeOf(documentOf(stale)), 'STUN_GPU_NONCE');
    const twice = { ...healthy, devices: [...healthy.devices, ...healthy.devices] };
    assert.equal(codeOf(documentOf(twice)), 'STUN_GPU_DUPLICATE');
    assert.equal(codeOf(documentOf({ ...healthy, ocsp: [] })), 'STUN_POLICY_REVOCATION');
    assert.equal(codeOf(documentOf({ ...healthy, rims: [] })), 'STUN_POLICY_GPU_RIM');
    assert.equal(codeOf(documentOf(healthy), { policy: gpuPolicyWith({ modes: ['mpt'] }) }), 'STUN_POLICY_GPU_MODE');
    assert.equal(codeOf(documentOf(healthy), { policy: { ...gpuPolicyWith({}), nvidia: null } }), 'STUN_POLICY_KIND');
    assert.equal(codeOf(documentOf(healthy), { roots: [pki.root, otherGpuPki.root, rimPki.root] }), 'STUN_ROOT_UNTRUSTED');
    const real = { ...gpuPki.root, simulated: false };
    assert.equal(
      codeOf(documentOf(healthy), { roots: [pki.root, real, { ...rimPki.root, simulated: false }] }),
      'STUN_EVIDENCE_SIMULATED_TAG',
    );
  });

  for (const [name, change] of [
    ['no object', 7],
    ['an unknown field', { devices: [], ocsp: [], rims: [], note: 'x' }],
    ['no device', { devices: [], ocsp: [], rims: [] }],
    ['too many devices', { devices: new Array(17).fill({ report: '0x00', chain: '' }), ocsp: [], rims: [] }],
    ['a device without a chain', { devices: [{ report: '0x00' }], ocsp: [], rims: [] }],
    ['a report in upper case', { devices: [{ report: '0xAB', chain: '' }], ocsp: [], rims: [] }],
    ['a chain that is too long', { devices: [{ report: '0x00', chain: 'x'.repeat(65_537) }], ocsp: [], rims: [] }],
    ['too many RIM documents', { devices: [{ report: '0x00', chain: '' }], ocsp: [], rims: ['', '', '', '', ''] }],
    ['too many OCSP responses', { devices: [{ report: '0x00', chain: '' }], ocsp: new Array(61).fill('0x00'), rims: [] }],
    [
      'an OCSP response that is too long',
      { devices: [{ report: '0x00', chain: '' }], ocsp: [`0x${'00'.repeat(8193)}`], rims: [] },
    ],
  ] as const) {
    it(`is refused at evidence-gpu with ${name}`, () => {
      const value = JSON.parse(new TextDecoder().decode(documentOf(gpus(pdi)))) as Record<string, unknown>;
      const { failure, checks } = assessEvidence(utf8(JSON.stringify({ ...value, gpuEvidence: change })), context);
      assert.equal(failure?.code, 'STUN_EVIDENCE_GPU');
      assert.deepEqual(
        checks.filter((check) => check.status === 'refuted').map((check) => check.id),
        ['evidence-gpu'],
      );
    });
  }
});
