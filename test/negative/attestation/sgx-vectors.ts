/** One negative vector per check of SGX quotes: as `negative-vectors.ts`, for quotes of version 3 and the rules of SGX. */
import { toHex } from '#protocol/bytes.ts';
import { assessSgxPolicy } from '#attestation/sgx/validate.ts';
import { parseIntelCollateral, parseSgxQuote, verifySgx } from '#attestation/index.ts';
import type { SgxEnclave } from '#attestation/index.ts';
import { simulatedSgxTcbInfo, simulatedTcbInfo } from '#attestation/simulated/collateral.ts';
import { keyId } from '#attestation/simulated/certificates.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { simulatedEnclave } from '#attestation/simulated/simulated-sgx.ts';
import {
  acceptedSgxCollateral,
  acceptedSgxQuote,
  assessSgxMachine,
  assessSgxWith,
  sgxPolicyWith,
} from '../../unit/attestation/sgx-fixture.ts';
import { acceptedQuote, atUnix, flipped, otherPki, pki, ppid } from '../../unit/attestation/simulated-fixture.ts';
import type { NegativeVector } from './negative-vectors.ts';

const vectors: NegativeVector[] = [];
function add(check: NegativeVector['check'], code: NegativeVector['code'], name: string, run: NegativeVector['run']): void {
  vectors.push({ check, code, name, run });
}

const day = 86_400;
const time = (unix: number): string => new Date(unix * 1000).toISOString().replace('.000Z', 'Z');
const swap = (...fields: readonly (readonly [string, unknown])[]): string =>
  JSON.stringify({ ...acceptedSgxCollateral, ...Object.fromEntries(fields) });

add('quote-format', 'STUN_QUOTE_FORMAT', 'SGX quote cut by one byte', () =>
  assessSgxWith({ quote: acceptedSgxQuote.subarray(0, -1) }),
);
add('quote-format', 'STUN_QUOTE_TEE_TYPE', 'TDX quote where SGX is wanted', () => assessSgxWith({ quote: acceptedQuote }));
add('quote-format', 'STUN_QUOTE_CERTIFICATION_DATA', 'wrapped certification data in version 3', () => {
  const quote = acceptedSgxQuote.slice();
  quote[432 + 4 + 128 + 384 + 64 + 2 + 32] = 6;
  return assessSgxWith({ quote });
});
add('collateral-format', 'STUN_DER_FORMAT', 'a byte after the PCK CRL of an SGX platform', () =>
  assessSgxWith({ collateral: swap(['pck_crl', `${acceptedSgxCollateral.pck_crl ?? ''}00`]) }),
);
add('pck-chain', 'STUN_ROOT_UNTRUSTED', 'SGX quote under another root', () => assessSgxWith({ roots: [otherPki.root] }));
add('pck-extension', 'STUN_PCK_EXTENSION', 'PCK certificate of an SGX platform without the SGX extension', () =>
  assessSgxMachine({ quoteChanges: { pck: { extensions: [] } } }),
);
add('pck-crl-issuer-chain', 'STUN_CHAIN_LENGTH', 'CRL issuer chain of an SGX platform without its root', () =>
  assessSgxWith({
    collateral: swap([
      'pck_crl_issuer_chain',
      acceptedSgxCollateral.pck_crl_issuer_chain.split(/(?<=END CERTIFICATE-----\n)/)[0],
    ]),
  }),
);
for (const [check, key] of [
  ['tcb-info-chain', 'tcb_info_issuer_chain'],
  ['qe-identity-chain', 'qe_identity_issuer_chain'],
] as const) {
  add(check, 'STUN_CHAIN_NAMES', `${key} of the platform CA, SGX`, () =>
    assessSgxWith({ collateral: swap([key, acceptedSgxCollateral.pck_crl_issuer_chain]) }),
  );
}
add('root-ca-crl', 'STUN_CRL_EXPIRED', 'root CRL of an SGX platform that ended a second ago', () =>
  assessSgxMachine({ collateralChanges: { rootCrl: { nextUpdateUnix: atUnix - 1 } } }),
);
add('pck-crl', 'STUN_CRL_EXPIRED', 'PCK CRL of an SGX platform that ended a second ago', () =>
  assessSgxMachine({ collateralChanges: { pckCrl: { nextUpdateUnix: atUnix - 1 } } }),
);
add('certificate-revocation', 'STUN_CERTIFICATE_REVOKED', 'PCK certificate of an SGX platform on the CRL', () =>
  assessSgxMachine({ revoked: true }),
);
add('certificate-revocation', 'STUN_CERTIFICATE_REVOKED', 'platform CA of an SGX platform on the root CRL', () =>
  assessSgxMachine({ collateralChanges: { rootCrl: { revokedSerials: [keyId(pki.platformCaKey.publicKey)] } } }),
);
add('tcb-info-signature', 'STUN_TCB_INFO_SIGNATURE', 'TCB Info of SGX with one character changed', () =>
  assessSgxWith({ collateral: swap(['tcb_info', acceptedSgxCollateral.tcb_info.replace('"version":3', '"version": 3')]) }),
);
add('tcb-info-content', 'STUN_TCB_INFO_KIND', 'TCB Info of TDX for an SGX quote', () =>
  assessSgxMachine({
    collateralChanges: { tcbInfo: () => simulatedTcbInfo(atUnix) },
  }),
);
add('tcb-info-content', 'STUN_TCB_INFO_KIND', 'TCB Info of version 2 with an id', () =>
  assessSgxMachine({ collateralChanges: { tcbInfo: () => ({ ...simulatedSgxTcbInfo(atUnix, 2), id: 'SGX' }) } }),
);
add('tcb-info-content', 'STUN_TCB_INFO_FORMAT', 'TCB Info of version 2 with fifteen components', () =>
  assessSgxMachine({
    collateralChanges: { tcbInfo: () => JSON.stringify(simulatedSgxTcbInfo(atUnix, 2)).replaceAll('sgxtcbcomp16svn', 'comp16') },
  }),
);
add('tcb-info-dates', 'STUN_TCB_INFO_EXPIRED', 'TCB Info of SGX that ended a second ago', () =>
  assessSgxMachine({ collateralChanges: { tcbInfo: (info) => ({ ...info, nextUpdate: time(atUnix - 1) }) } }),
);
add('tcb-info-platform', 'STUN_TCB_INFO_PLATFORM', 'TCB Info of SGX for another FMSPC', () =>
  assessSgxMachine({ collateralChanges: { tcbInfo: (info) => ({ ...info, fmspc: '53494D000002' }) } }),
);
add('qe-identity-signature', 'STUN_QE_IDENTITY_SIGNATURE', 'QE identity of SGX with one character changed', () =>
  assessSgxWith({ collateral: swap(['qe_identity', acceptedSgxCollateral.qe_identity.replace('"version":2', '"version": 2')]) }),
);
add('qe-identity-content', 'STUN_QE_IDENTITY_KIND', 'QE identity with id TD_QE for an SGX quote', () =>
  assessSgxMachine({ collateralChanges: { qeIdentity: (identity) => ({ ...identity, id: 'TD_QE' }) } }),
);
add('qe-identity-dates', 'STUN_QE_IDENTITY_EXPIRED', 'QE identity of SGX that ended a second ago', () =>
  assessSgxMachine({ collateralChanges: { qeIdentity: (identity) => ({ ...identity, nextUpdate: time(atUnix - 1) }) } }),
);
add('evaluation-number', 'STUN_EVALUATION_NUMBER_MISMATCH', 'QE identity of SGX of another evaluation', () =>
  assessSgxMachine({ collateralChanges: { qeIdentity: (identity) => ({ ...identity, tcbEvaluationDataNumber: 19 }) } }),
);
add('qe-report-signature', 'STUN_QE_REPORT_SIGNATURE', 'QE report of an SGX quote with another MRENCLAVE', () =>
  assessSgxWith({ quote: flipped(acceptedSgxQuote, 432 + 4 + 128 + 64) }),
);
add('qe-report-binding', 'STUN_QE_REPORT_BINDING', 'QE report of an SGX quote with a byte in the upper half', () =>
  assessSgxMachine({ quoteChanges: { qeReport: (report) => report.set([1], 383) } }),
);
add('qe-report-identity', 'STUN_QE_REPORT_IDENTITY', 'QE report of an SGX quote with another ISVPRODID', () =>
  assessSgxMachine({ quoteChanges: { qeReport: (report) => report.set([3], 256) } }),
);
add('quote-signature', 'STUN_QUOTE_SIGNATURE', 'SGX quote with another report_data', () =>
  assessSgxWith({ quote: flipped(acceptedSgxQuote, 48 + 320) }),
);

// Policy
add('policy-kind', 'STUN_POLICY_KIND', 'policy that names no enclave of SGX', () => assessSgxWith({ policy: simulatedPolicy }));
add('policy-simulated', 'STUN_POLICY_SIMULATED', 'simulated SGX hardware', () =>
  assessSgxWith({ policy: { ...sgxPolicyWith({}), allowSimulated: false } }),
);
add('policy-revocation', 'STUN_POLICY_REVOCATION', 'collateral of SGX without a PCK CRL', () =>
  assessSgxWith({ collateral: swap(['pck_crl', null]) }),
);
add(
  'policy-collateral-age',
  'STUN_POLICY_COLLATERAL_AGE',
  'SGX collateral verified with more grace than the policy gives',
  () => {
    const collateral = parseIntelCollateral(acceptedSgxCollateral);
    const verified = verifySgx(parseSgxQuote(acceptedSgxQuote), collateral, atUnix + 30 * day, [pki.root], day);
    const { checks, refusal } = assessSgxPolicy(verified, sgxPolicyWith({}));
    return { checks: [...verified.checks, ...checks], failure: refusal };
  },
);
add('policy-evaluation-number', 'STUN_POLICY_EVALUATION_NUMBER', 'evaluation number of SGX below the floor', () =>
  assessSgxWith({ policy: sgxPolicyWith({ minTcbEvaluationDataNumber: 19 }) }),
);
add('policy-tcb-status', 'STUN_POLICY_TCB_STATUS', 'SGX platform that is out of date', () =>
  assessSgxMachine({ outOfDate: true }, { policy: sgxPolicyWith({ advisories: ['STUN-SIMULATED-SA-00001'] }) }),
);
add('policy-tcb-status', 'STUN_POLICY_TCB_NOT_SUPPORTED', 'SGX platform below every level', () =>
  assessSgxMachine({ quoteChanges: { pckExtension: { pceSvn: 1 } } }),
);
add('policy-advisories', 'STUN_POLICY_ADVISORY', 'SGX platform with an open advisory', () =>
  assessSgxMachine({ outOfDate: true }, { policy: sgxPolicyWith({ tcbStatuses: ['OutOfDate'] }) }),
);
add('policy-debug', 'STUN_POLICY_DEBUG', 'debug enclave', () => assessSgxMachine({ debug: true }));
add('policy-hardware', 'STUN_POLICY_HARDWARE', 'SGX platform on the deny list', () =>
  assessSgxWith({ policy: sgxPolicyWith({ deniedHardwareIds: [toHex(ppid)] }) }),
);
const named: SgxEnclave = {
  mrEnclave: toHex(simulatedEnclave.mrEnclave),
  mrSigner: toHex(simulatedEnclave.mrSigner),
  isvProdId: simulatedEnclave.isvProdId,
  minIsvSvn: simulatedEnclave.isvSvn,
};
for (const [field, change] of [
  ['MRENCLAVE', { mrEnclave: `0x${'00'.repeat(32)}` }],
  ['MRSIGNER', { mrSigner: `0x${'00'.repeat(32)}` }],
  ['ISVPRODID', { isvProdId: 8 }],
  ['ISVSVN', { minIsvSvn: simulatedEnclave.isvSvn + 1 }],
] as const) {
  add('policy-enclave', 'STUN_POLICY_ENCLAVE', `enclave of another ${field} than the policy names`, () =>
    assessSgxWith({ policy: sgxPolicyWith({ enclaves: [{ ...named, ...change }] }) }),
  );
}

/** All negative vectors of SGX quotes. */
export const sgxVectors: readonly NegativeVector[] = vectors;
