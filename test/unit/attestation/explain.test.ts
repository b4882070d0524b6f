import assert from 'node:assert/strict';
import {
  checkSourceOf,
  explainReport,
  sgxVerificationChecks,
  snpPolicyChecks,
  tdxVerificationChecks,
} from '#attestation/index.ts';
import { errorEntry } from '#protocol/errors/registry.ts';
import { acceptedReport } from './ear-fixture.ts';

describe('a report in words', () => {
  it('says in one line at which check evidence is refused, why, and what to do', () => {
    const line = explainReport({
      ...acceptedReport,
      validated: false,
      checks: [
        { id: 'policy-revocation', status: 'unknown', code: 'STUN_POLICY_DEBUG' },
        { id: 'policy-debug', status: 'refuted', code: 'STUN_POLICY_DEBUG' },
      ],
      code: 'STUN_POLICY_DEBUG',
      reason: 'the TD has DEBUG',
    });
    assert.equal(
      line,
      `refused with STUN_POLICY_DEBUG at policy-debug: the TD has DEBUG. ${errorEntry('STUN_POLICY_DEBUG').doc}`,
    );
    assert.ok(!line.includes('\n'));
  });

  it('says of accepted evidence what was proven and what was not asked', () => {
    const open = acceptedReport.checks.filter(({ status }) => status === 'unknown').length;
    assert.equal(
      explainReport(acceptedReport),
      `accepted, as simulated hardware: ${acceptedReport.checks.length - open} checks proven, ${open} not made`,
    );
  });

  it('knows where each check comes from, for the kind of evidence that it is of', () => {
    for (const id of tdxVerificationChecks) assert.ok(checkSourceOf('tdx', id) !== null, id);
    for (const id of sgxVerificationChecks) assert.ok(checkSourceOf('sgx', id) !== null, id);
    for (const id of snpPolicyChecks) assert.ok(checkSourceOf('snp', id) !== null, id);
    assert.notEqual(checkSourceOf('tdx', 'policy-hardware'), checkSourceOf('snp', 'policy-hardware'));
    assert.equal(checkSourceOf('sgx', 'tdx-module-identity'), null);
    assert.equal(checkSourceOf(null, 'toString'), null);
  });
});
