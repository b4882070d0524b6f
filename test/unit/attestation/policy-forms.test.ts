import assert from 'node:assert/strict';
import { canonicalPolicyJson, parsePolicy } from '#attestation/index.ts';
import type { Policy } from '#attestation/index.ts';
import { throwsCode } from '../assert-code.ts';
import { sgxPolicyWith } from './sgx-fixture.ts';
import { policyWith } from './simulated-fixture.ts';
import { snpPolicyWith } from './snp-fixture.ts';

/** The policy is read as it was written. */
function reads(policy: Policy): void {
  assert.deepEqual(JSON.parse(canonicalPolicyJson(parsePolicy(canonicalPolicyJson(policy)))), JSON.parse(JSON.stringify(policy)));
}

function refuses(policy: Policy): void {
  throwsCode(() => parsePolicy(canonicalPolicyJson(policy)), 'STUN_POLICY_FORMAT');
}

describe('forms of a policy', () => {
  it('admit a status by name, or within dates of which each may be left open', () => {
    const status = 'OutOfDate' as const;
    const day = '2026-01-01T00:00:00Z';
    reads(policyWith({ tcbStatuses: ['UpToDate', { status, tcbDateFrom: null, admittedUntil: null }] }));
    reads(policyWith({ tcbStatuses: [{ status, tcbDateFrom: day, admittedUntil: null }] }));
    reads(policyWith({ tcbStatuses: [{ status, tcbDateFrom: null, admittedUntil: day }] }));
    refuses(policyWith({ tcbStatuses: [{ status, tcbDateFrom: '2026-01-01', admittedUntil: null }] }));
  });

  it('admit an advisory for ever or until a time', () => {
    reads(policyWith({ advisories: ['INTEL-SA-00001', { id: 'INTEL-SA-00002', admittedUntil: '2026-01-01T00:00:00Z' }] }));
    refuses(policyWith({ advisories: [{ id: 'INTEL-SA-00002', admittedUntil: 'for ever' }] }));
  });

  it('name an enclave by its measurement or its signer', () => {
    const [skip, word] = [{ skip: 'by the other' }, `0x${'ab'.repeat(32)}`];
    const rule = { isvProdId: 7, minIsvSvn: 0 };
    reads(sgxPolicyWith({ enclaves: [{ ...rule, mrEnclave: skip, mrSigner: word }] }));
    reads(sgxPolicyWith({ enclaves: [{ ...rule, mrEnclave: word, mrSigner: skip, isvProdId: skip }] }));
    refuses(sgxPolicyWith({ enclaves: [{ ...rule, mrEnclave: skip, mrSigner: skip }] }));
    refuses(sgxPolicyWith({ enclaves: [{ ...rule, mrEnclave: { skip: '' }, mrSigner: word }] }));
    refuses(sgxPolicyWith({ enclaves: [{ ...rule, mrEnclave: word.toUpperCase(), mrSigner: word }] }));
  });

  it('name privilege levels of which there are four', () => {
    reads(snpPolicyWith({ vmpls: [0, 1, 2, 3] }));
    for (const vmpls of [[4], [-1], [0, 1, 2, 3, 3]]) refuses(snpPolicyWith({ vmpls }));
  });

  it('hold numbers within their bounds', () => {
    reads(policyWith({ minTcbEvaluationDataNumber: 0xffffffff, collateralGraceSeconds: 30 * 86_400 }));
    refuses(policyWith({ minTcbEvaluationDataNumber: 0x100000000 }));
    refuses(policyWith({ collateralGraceSeconds: 30 * 86_400 + 1 }));
    for (const minReportVersion of [2, 5]) reads(snpPolicyWith({ minReportVersion }));
    for (const minReportVersion of [1, 6]) refuses(snpPolicyWith({ minReportVersion }));
  });
});
