import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  assessEvidence,
  computeReportData,
  encodeEvidence,
  evidenceDigest,
  maxEvidenceBytes,
  parseEvidence,
  verifyEvidence,
} from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { PLATFORM } from '#protocol/commitments.ts';
import { reportDataOf } from '#protocol/keyset.ts';
import { utf8 } from '#protocol/bytes.ts';
import { throwsCode } from '../assert-code.ts';
import { sgxMachine, sgxPolicyWith } from './sgx-fixture.ts';
import { atUnix, keysetDigest, machine, nonce, pki, ppid, reportData } from './simulated-fixture.ts';

const context = { atUnix, roots: [pki.root], policy: simulatedPolicy, keysetDigest };
const document = machine().evidence(keysetDigest, nonce);
const value = (): Record<string, unknown> => JSON.parse(new TextDecoder().decode(document)) as Record<string, unknown>;
const parseWith = (change: Record<string, unknown>): (() => unknown) => {
  return () => parseEvidence(JSON.stringify({ ...value(), ...change }));
};

describe('report_data', () => {
  it('is the hash that the protocol defines', () => {
    const gpu = new Uint8Array(32).fill(3);
    const hash = createHash('sha256').update('stun/report-data/v1').update(keysetDigest).update(nonce).update(gpu).digest();
    assert.deepEqual(computeReportData(keysetDigest, nonce, gpu), new Uint8Array([...hash, ...new Uint8Array(32)]));
    assert.deepEqual(computeReportData(keysetDigest, nonce, gpu), reportDataOf(keysetDigest, nonce, gpu));
    assert.deepEqual(computeReportData(keysetDigest, nonce), reportDataOf(keysetDigest, nonce, new Uint8Array(32)));
    assert.deepEqual(computeReportData(keysetDigest, nonce), reportData);
  });

  it('takes 32 bytes of each part and nothing else', () => {
    throwsCode(() => computeReportData(new Uint8Array(31), nonce), 'STUN_INPUT');
    throwsCode(() => computeReportData(keysetDigest, new Uint8Array(33)), 'STUN_INPUT');
    throwsCode(() => computeReportData(keysetDigest, nonce, new Uint8Array(0)), 'STUN_INPUT');
  });
});

describe('evidence documents', () => {
  it('give keyset, nonce, identity, digest and expiry when everything holds', () => {
    const evidence = verifyEvidence(document, context);
    assert.deepEqual(evidence.keysetDigest, keysetDigest);
    assert.deepEqual(evidence.nonce, nonce);
    assert.deepEqual(evidence.evidenceDigest, new Uint8Array(createHash('sha256').update(document).digest()));
    assert.deepEqual(evidenceDigest(document), evidence.evidenceDigest);
    assert.equal(evidence.collateralExpiresAtUnix, atUnix - 3600 + 30 * 86_400);
    assert.ok(evidence.checks.every((check) => check.status !== 'refuted'));
  });

  it('are given back by encoding what was parsed', () => {
    assert.deepEqual(encodeEvidence(parseEvidence(document)), document);
    assert.deepEqual(parseEvidence(document), parseEvidence(new TextDecoder().decode(document)));
  });

  it('are refused by verifyEvidence with the code of the first failure', () => {
    throwsCode(() => verifyEvidence(document, { ...context, roots: [] }), 'STUN_ROOT_UNTRUSTED');
    throwsCode(() => verifyEvidence(document, { ...context, keysetDigest: new Uint8Array(32) }), 'STUN_REPORT_DATA');
    throwsCode(() => verifyEvidence(new Uint8Array(0), context), 'STUN_JSON_FORMAT');
    throwsCode(() => verifyEvidence(document, { ...context, atUnix: 1.5 }), 'STUN_RANGE');
  });

  it('show what was proven before the failure and leave the rest unknown', () => {
    const { checks } = assessEvidence(document, { ...context, roots: [] });
    const by = (id: string): string | undefined => checks.find((check) => check.id === id)?.status;
    assert.deepEqual(
      [by('evidence-format'), by('quote-format'), by('pck-chain'), by('quote-signature'), by('policy-debug')],
      ['proven', 'proven', 'refuted', 'unknown', 'unknown'],
    );
  });

  it('are refused when a field has another form', () => {
    throwsCode(parseWith({ version: 2 }), 'STUN_EVIDENCE_FORMAT');
    throwsCode(parseWith({ simulated: 'yes' }), 'STUN_EVIDENCE_FORMAT');
    throwsCode(parseWith({ quote: 'abcd' }), 'STUN_EVIDENCE_FORMAT');
    throwsCode(parseWith({ quote: `0x${'00'.repeat(65_537)}` }), 'STUN_EVIDENCE_FORMAT');
    throwsCode(parseWith({ nonce: '0x00' }), 'STUN_EVIDENCE_FORMAT');
    throwsCode(parseWith({ collateral: [] }), 'STUN_EVIDENCE_FORMAT');
    throwsCode(parseWith({ collateral: { tcb_info: 'x' } }), 'STUN_EVIDENCE_FORMAT');
    throwsCode(() => parseEvidence(utf8(' '.repeat(maxEvidenceBytes + 1))), 'STUN_EVIDENCE_FORMAT');
    throwsCode(() => parseEvidence(utf8(' '.repeat(maxEvidenceBytes))), 'STUN_JSON_FORMAT');
  });
});

describe('evidence documents of SGX', () => {
  const enclave = sgxMachine().evidence(keysetDigest, nonce);
  const rules = { ...context, policy: sgxPolicyWith({}) };

  it('give the platform, the simulated platform code and the binding when everything holds', () => {
    const evidence = verifyEvidence(enclave, rules);
    assert.equal(evidence.platform.kind, 'sgx');
    assert.equal(evidence.platformCode, PLATFORM.simulatedSgx);
    assert.equal(evidence.tcbStatus, 'UpToDate');
    assert.deepEqual(evidence.hardwareId, ppid);
    assert.deepEqual(encodeEvidence(parseEvidence(enclave)), enclave);
  });

  it('are refused by a policy that names no enclave', () => {
    throwsCode(() => verifyEvidence(enclave, context), 'STUN_POLICY_KIND');
  });

  it('are refused for another keyset, and under the name of another kind', () => {
    throwsCode(() => verifyEvidence(enclave, { ...rules, keysetDigest: nonce }), 'STUN_REPORT_DATA');
    const text = new TextDecoder().decode(enclave);
    throwsCode(() => verifyEvidence(utf8(text.replace('"sgx"', '"tdx"')), rules), 'STUN_QUOTE_TEE_TYPE');
    throwsCode(() => verifyEvidence(utf8(text.replace('"sgx"', '"cca"')), rules), 'STUN_EVIDENCE_KIND');
  });
});
