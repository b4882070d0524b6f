import assert from 'node:assert/strict';
import {
  assessEvidence,
  defaultPolicy,
  defaultTrustRoots,
  encodeEvidence,
  parseEvidence,
  verifyEvidence,
} from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { PLATFORM, isSimulatedPlatform } from '#protocol/commitments.ts';
import { utf8 } from '#protocol/bytes.ts';
import { throwsCode } from '../assert-code.ts';
import { atUnix, keysetDigest, nonce } from './simulated-fixture.ts';
import { chipId, snpMachine } from './snp-fixture.ts';

const machine = snpMachine();
const document = machine.evidence(keysetDigest, nonce);
const context = { atUnix, roots: [machine.root], policy: simulatedPolicy, keysetDigest };
const changed = (change: (value: Record<string, unknown>) => void): Uint8Array => {
  const value = JSON.parse(new TextDecoder().decode(document)) as Record<string, unknown>;
  change(value);
  return utf8(JSON.stringify(value));
};

describe('evidence documents of SEV-SNP', () => {
  it('give the chip, the simulated platform code and the binding when everything holds', () => {
    const evidence = verifyEvidence(document, context);
    assert.equal(evidence.platform.kind, 'snp');
    assert.equal(evidence.platformCode, PLATFORM.simulatedSnp);
    assert.ok(isSimulatedPlatform(evidence.platformCode) && evidence.simulated);
    assert.deepEqual(evidence.hardwareId, chipId);
    assert.equal(evidence.tcbStatus, null);
    assert.equal(evidence.collateralExpiresAtUnix, atUnix - 3600 + 30 * 86_400);
    assert.ok(evidence.checks.every((check) => check.status !== 'refuted'));
  });

  it('are given back by encoding what was parsed', () => {
    assert.deepEqual(encodeEvidence(parseEvidence(document)), document);
  });

  it('are refused by the default policy and the default roots: the hardware is simulated', () => {
    const roots = [...defaultTrustRoots, machine.root];
    throwsCode(() => verifyEvidence(document, { ...context, roots, policy: defaultPolicy }), 'STUN_POLICY_SIMULATED');
    throwsCode(() => verifyEvidence(document, { ...context, roots: defaultTrustRoots }), 'STUN_ROOT_UNTRUSTED');
  });

  it('are refused with the code of the one thing that is wrong', () => {
    const codeOf = (bytes: Uint8Array): string | undefined => assessEvidence(bytes, context).failure?.code;
    assert.equal(codeOf(changed((value) => (value['simulated'] = false))), 'STUN_EVIDENCE_SIMULATED_TAG');
    assert.equal(codeOf(changed((value) => (value['nonce'] = `0x${'00'.repeat(32)}`))), 'STUN_REPORT_DATA');
    assert.equal(codeOf(changed((value) => (value['collateral'] = {}))), 'STUN_SNP_ENDORSEMENTS_FORMAT');
    assert.equal(codeOf(changed((value) => (value['kind'] = 'tdx'))), 'STUN_EVIDENCE_FORMAT');
    assert.equal(codeOf(changed((value) => (value['gpuEvidence'] = {}))), 'STUN_EVIDENCE_GPU');
    throwsCode(() => verifyEvidence(document, { ...context, keysetDigest: new Uint8Array(32) }), 'STUN_REPORT_DATA');
    throwsCode(() => verifyEvidence(document, { ...context, policy: { ...simulatedPolicy, sevSnp: null } }), 'STUN_POLICY_KIND');
  });

  it('show every check of the report beside those of the document', () => {
    const { checks } = assessEvidence(document, { ...context, roots: [] });
    const by = (id: string): string | undefined => checks.find((check) => check.id === id)?.status;
    assert.deepEqual(
      [by('evidence-format'), by('report-format'), by('ark-key'), by('report-signature'), by('report-data')],
      ['proven', 'proven', 'refuted', 'unknown', 'unknown'],
    );
  });
});
