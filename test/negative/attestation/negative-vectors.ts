/**
 * One negative vector per check and code: evidence that differs from accepted evidence in one thing, signed over again wherever
 * the change lies inside something signed. docs/attestation.md lists the same rows.
 */
import { concatBytes, fromHex, toHex, utf8 } from '#protocol/bytes.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import type { StunError } from '#protocol/errors/stun-error.ts';
import { assessEvidence, measuredFields } from '#attestation/index.ts';
import type { Check, CheckId, Policy, Skip, IntelCollateralJson } from '#attestation/index.ts';
import { defaultGpuPolicy } from '#attestation/policy/gpu-policy.ts';
import type { CollateralChanges } from '#attestation/simulated/collateral.ts';
import { makeSimulatedCollateral, simulatedPceId } from '#attestation/simulated/collateral.ts';
import { derOctets } from '#attestation/simulated/der-writer.ts';
import { keyId } from '#attestation/simulated/certificates.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import type { QuoteChanges } from '#attestation/simulated/simulated-tdx.ts';
import {
  acceptedCollateral,
  acceptedQuote,
  assessMachine,
  assessWith,
  atUnix,
  collateralWith,
  flipped,
  keysetDigest,
  machine,
  nonce,
  otherPki,
  pki,
  policyWith,
  ppid,
  reportData,
} from '../../unit/attestation/simulated-fixture.ts';
import { tdxFormatVectors } from './tdx-format-vectors.ts';
import { tdxPolicyVectors } from './tdx-policy-vectors.ts';

/** What a vector gives. */
interface Outcome {
  readonly checks: readonly Check[];
  readonly failure: StunError | null;
}

export interface NegativeVector {
  readonly check: CheckId;
  readonly code: ErrorCode;
  readonly name: string;
  readonly run: () => Outcome;
}

const vectors: NegativeVector[] = [];
function add(check: CheckId, code: ErrorCode, name: string, run: () => Outcome): void {
  vectors.push({ check, code, name, run });
}

const day = 86_400;
const quoted = (quoteChanges: QuoteChanges): Outcome => assessMachine({ quoteChanges });
const withCollateral = (collateralChanges: CollateralChanges): Outcome => assessMachine({ collateralChanges });
/** Only the named fields come from collateral that was made with changes; the quote keeps its own chain. */
const swapped = (changes: CollateralChanges, ...keys: readonly (keyof IntelCollateralJson)[]): Outcome => {
  const made = makeSimulatedCollateral(pki, atUnix, [], changes);
  return assessWith({ collateral: collateralWith(Object.fromEntries(keys.map((key) => [key, made[key]]))) });
};
const foreign = makeSimulatedCollateral(otherPki, atUnix);
const unknownCritical = { id: '1.2.3.4', critical: true, value: derOctets(Uint8Array.of(1)) };
const literal = <T>(value: unknown): T => value as T;

// quote-format: the encoder signs whatever the header says.
add('quote-format', 'STUN_QUOTE_FORMAT', 'quote cut by one byte', () => assessWith({ quote: acceptedQuote.subarray(0, -1) }));
add('quote-format', 'STUN_QUOTE_VERSION', 'quote of version 6', () => quoted({ header: { version: literal<4>(6) } }));
add('quote-format', 'STUN_QUOTE_KEY_TYPE', 'attestation key of type 3', () =>
  quoted({ header: { attestationKeyType: literal<2>(3) } }),
);
add('quote-format', 'STUN_QUOTE_TEE_TYPE', 'TEE type 0x82', () => quoted({ header: { teeType: literal<0x81>(0x82) } }));
add('quote-format', 'STUN_QUOTE_QE_VENDOR', 'vendor id of zeros', () => quoted({ header: { qeVendorId: new Uint8Array(16) } }));
add('quote-format', 'STUN_QUOTE_CERTIFICATION_DATA', 'inner certification data of type 1', () => {
  const at = acceptedQuote.findIndex((_, i) => String.fromCharCode(...acceptedQuote.subarray(i, i + 10)) === '-----BEGIN') - 6;
  const quote = acceptedQuote.slice();
  quote[at] = 1;
  return assessWith({ quote });
});

// collateral-format
add('collateral-format', 'STUN_JSON_FORMAT', 'collateral with a repeated key', () =>
  assessWith({ collateral: `${JSON.stringify(acceptedCollateral).slice(0, -1)},"tcb_info":"x"}` }),
);
add('collateral-format', 'STUN_COLLATERAL_FORMAT', 'collateral without qe_identity', () => {
  const { qe_identity: _left, ...rest } = acceptedCollateral;
  return assessWith({ collateral: JSON.stringify(rest) });
});
add('collateral-format', 'STUN_PEM_FORMAT', 'text before the first certificate', () =>
  assessWith({ collateral: collateralWith({ tcb_info_issuer_chain: `x${acceptedCollateral.tcb_info_issuer_chain}` }) }),
);
add('collateral-format', 'STUN_DER_FORMAT', 'a byte after the root CRL', () =>
  assessWith({ collateral: collateralWith({ root_ca_crl: `${acceptedCollateral.root_ca_crl ?? ''}00` }) }),
);
add('collateral-format', 'STUN_CERTIFICATE_FORMAT', 'TCB signing certificate with an unknown critical extension', () =>
  swapped({ tcbSigning: { extensions: [unknownCritical] } }, 'tcb_info_issuer_chain'),
);
add('collateral-format', 'STUN_CRL_FORMAT', 'PCK CRL without an authority key identifier', () =>
  swapped({ pckCrl: { authorityKeyId: null } }, 'pck_crl'),
);
add('collateral-format', 'STUN_CRL_FORMAT', 'root CRL without a number', () =>
  swapped({ rootCrl: { crlNumber: null } }, 'root_ca_crl'),
);
add('collateral-format', 'STUN_CRL_FORMAT', 'PCK CRL with an unknown critical extension', () =>
  swapped({ pckCrl: { extensions: [unknownCritical] } }, 'pck_crl'),
);

// pck-chain
const chainWith = (change: (pem: string) => string): Outcome => {
  const text = String.fromCharCode(...acceptedQuote);
  const begin = text.indexOf('-----BEGIN');
  const pem = utf8(change(text.slice(begin)));
  const quote = concatBytes(acceptedQuote.subarray(0, begin), pem);
  const view = new DataView(quote.buffer);
  view.setUint32(begin - 4, pem.length, true);
  view.setUint32(632 + 4 + 128 + 2, quote.length - (632 + 4 + 128 + 6), true);
  view.setUint32(632, quote.length - 636, true);
  return assessWith({ quote });
};
const certificates = (pem: string): string[] => pem.split(/(?<=-----END CERTIFICATE-----\n)/);
add('pck-chain', 'STUN_PEM_FORMAT', 'PCK chain with text between certificates', () =>
  chainWith((pem) => certificates(pem).join('x\n')),
);
add('pck-chain', 'STUN_DER_FORMAT', 'PCK certificate that is not DER', () =>
  chainWith((pem) => ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', ...certificates(pem).slice(1)].join('')),
);
add('pck-chain', 'STUN_CERTIFICATE_FORMAT', 'PCK certificate with an unknown critical extension', () =>
  quoted({ pck: { extensions: [unknownCritical] } }),
);
add('pck-chain', 'STUN_CHAIN_LENGTH', 'PCK chain without its root', () =>
  chainWith((pem) => certificates(pem).slice(0, 2).join('')),
);
add('pck-chain', 'STUN_CHAIN_LENGTH', 'PCK chain with its root twice', () =>
  chainWith((pem) => [...certificates(pem), certificates(pem).at(-1) ?? ''].join('')),
);
add('pck-chain', 'STUN_CHAIN_NAMES', 'PCK certificate with another common name', () =>
  quoted({ pck: { subject: 'Intel SGX PCK' } }),
);
add('pck-chain', 'STUN_CHAIN_NAMES', 'PCK certificate that names another issuer', () =>
  quoted({ pck: { issuer: 'Intel SGX PCK Processor CA' } }),
);
add('pck-chain', 'STUN_CHAIN_CONSTRAINTS', 'PCK certificate that is an authority', () => quoted({ pck: { isCa: true } }));
add('pck-chain', 'STUN_CHAIN_CONSTRAINTS', 'PCK certificate without digitalSignature', () => quoted({ pck: { keyUsage: [1] } }));
add('pck-chain', 'STUN_CHAIN_CONSTRAINTS', 'PCK certificate with another authority key identifier', () =>
  quoted({ pck: { authorityKeyId: new Uint8Array(20) } }),
);
add('pck-chain', 'STUN_CHAIN_CONSTRAINTS', 'platform CA that is no authority', () =>
  withCollateral({ platformCa: { isCa: false, pathLength: null } }),
);
add('pck-chain', 'STUN_CHAIN_CONSTRAINTS', 'platform CA without keyCertSign', () =>
  withCollateral({ platformCa: { keyUsage: [6] } }),
);
add('pck-chain', 'STUN_CHAIN_CONSTRAINTS', 'platform CA without cRLSign', () =>
  withCollateral({ platformCa: { keyUsage: [5] } }),
);
add('pck-chain', 'STUN_CHAIN_CONSTRAINTS', 'root with path length 0', () => withCollateral({ root: { pathLength: 0 } }));
add('pck-chain', 'STUN_CHAIN_SIGNATURE', 'PCK certificate with a changed serial', () =>
  chainWith((pem) => {
    const [leaf = '', ...rest] = certificates(pem);
    const bytes = Uint8Array.from(atob(leaf.replace(/-----[A-Z ]+-----|\n/g, '')), (char) => char.charCodeAt(0));
    const text = btoa(String.fromCharCode(...flipped(bytes, 20))).replace(/.{1,64}/g, '$&\n');
    return [`-----BEGIN CERTIFICATE-----\n${text}-----END CERTIFICATE-----\n`, ...rest].join('');
  }),
);
add('pck-chain', 'STUN_ROOT_UNTRUSTED', 'root of another authority', () => assessWith({ roots: [otherPki.root] }));
add('pck-chain', 'STUN_CERTIFICATE_EXPIRED', 'PCK certificate that ended yesterday', () =>
  quoted({ pck: { notAfterUnix: atUnix - day } }),
);
add('pck-chain', 'STUN_CERTIFICATE_NOT_YET_VALID', 'PCK certificate that begins tomorrow', () =>
  quoted({ pck: { notBeforeUnix: atUnix + day } }),
);

// pck-extension
add('pck-extension', 'STUN_PCK_EXTENSION', 'PCK certificate without the SGX extension', () =>
  quoted({ pck: { extensions: [] } }),
);
add('pck-extension', 'STUN_PCK_EXTENSION', 'PPID of 15 bytes', () => quoted({ pckExtension: { ppid: new Uint8Array(15) } }));
add('pck-extension', 'STUN_PCK_EXTENSION', 'SGX extension with fifteen components', () =>
  quoted({ pckExtension: { componentSvns: new Array<number>(15).fill(5) } }),
);

// pck-crl-issuer-chain
add('pck-crl-issuer-chain', 'STUN_CHAIN_LENGTH', 'CRL issuer chain without its root', () =>
  assessWith({
    collateral: collateralWith({ pck_crl_issuer_chain: certificates(acceptedCollateral.pck_crl_issuer_chain)[0] ?? '' }),
  }),
);
add('pck-crl-issuer-chain', 'STUN_ROOT_UNTRUSTED', 'CRL issuer chain of a root that is trusted, but not that of the PCK', () =>
  assessWith({
    collateral: collateralWith({ pck_crl_issuer_chain: foreign.pck_crl_issuer_chain }),
    roots: [pki.root, otherPki.root],
  }),
);
add('pck-crl-issuer-chain', 'STUN_CHAIN_NAMES', 'CRL issuer with a name that is no PCK authority', () =>
  swapped({ platformCa: { subject: 'Intel SGX PCK CA' } }, 'pck_crl_issuer_chain'),
);
add('pck-crl-issuer-chain', 'STUN_CHAIN_CONSTRAINTS', 'CRL issuer without cRLSign', () =>
  swapped({ platformCa: { keyUsage: [5] } }, 'pck_crl_issuer_chain'),
);
add('pck-crl-issuer-chain', 'STUN_CRL_ISSUER', 'CRL issuer chain of the processor CA', () =>
  swapped({ platformCa: { subject: 'Intel SGX PCK Processor CA' } }, 'pck_crl_issuer_chain'),
);
add('pck-crl-issuer-chain', 'STUN_CERTIFICATE_EXPIRED', 'CRL issuer that ended yesterday', () =>
  swapped({ platformCa: { notAfterUnix: atUnix - day } }, 'pck_crl_issuer_chain'),
);

// tcb-info-chain and qe-identity-chain
for (const [check, key] of [
  ['tcb-info-chain', 'tcb_info_issuer_chain'],
  ['qe-identity-chain', 'qe_identity_issuer_chain'],
] as const) {
  add(check, 'STUN_CHAIN_LENGTH', `${key} without its root`, () =>
    assessWith({ collateral: collateralWith({ [key]: certificates(acceptedCollateral[key])[0] ?? '' }) }),
  );
  add(check, 'STUN_CHAIN_NAMES', `${key} of the platform CA`, () =>
    assessWith({ collateral: collateralWith({ [key]: acceptedCollateral.pck_crl_issuer_chain }) }),
  );
  add(check, 'STUN_CHAIN_CONSTRAINTS', `${key} with a signer without digitalSignature`, () =>
    swapped({ tcbSigning: { keyUsage: [1] } }, key),
  );
  add(check, 'STUN_ROOT_UNTRUSTED', `${key} of another root`, () =>
    assessWith({ collateral: collateralWith({ [key]: foreign[key] }), roots: [pki.root, otherPki.root] }),
  );
  add(check, 'STUN_CERTIFICATE_EXPIRED', `${key} with a signer that ended yesterday`, () =>
    swapped({ tcbSigning: { notAfterUnix: atUnix - day } }, key),
  );
  add(check, 'STUN_CERTIFICATE_NOT_YET_VALID', `${key} with a signer that begins tomorrow`, () =>
    swapped({ tcbSigning: { notBeforeUnix: atUnix + day } }, key),
  );
}

// root-ca-crl and pck-crl
for (const [check, key, change] of [
  ['root-ca-crl', 'root_ca_crl', 'rootCrl'],
  ['pck-crl', 'pck_crl', 'pckCrl'],
] as const) {
  add(check, 'STUN_CRL_ISSUER', `${key} with another issuer name`, () =>
    swapped({ [change]: { issuer: 'Intel SGX Other CA' } }, key),
  );
  add(check, 'STUN_CRL_ISSUER', `${key} with another authority key identifier`, () =>
    swapped({ [change]: { authorityKeyId: new Uint8Array(20) } }, key),
  );
  add(check, 'STUN_CRL_SIGNATURE', `${key} with a changed number`, () => {
    const crl = acceptedCollateral[key] ?? '';
    return assessWith({ collateral: collateralWith({ [key]: crl.replace('0603551d140403020101', '0603551d140403020102') }) });
  });
  add(check, 'STUN_CRL_EXPIRED', `${key} that ended a second ago`, () =>
    swapped({ [change]: { nextUpdateUnix: atUnix - 1 } }, key),
  );
  add(check, 'STUN_CRL_NOT_YET_VALID', `${key} that begins in a second`, () =>
    swapped({ [change]: { thisUpdateUnix: atUnix + 1 } }, key),
  );
}

// certificate-revocation
add('certificate-revocation', 'STUN_CERTIFICATE_REVOKED', 'PCK certificate on the CRL', () => assessMachine({ revoked: true }));
add('certificate-revocation', 'STUN_CERTIFICATE_REVOKED', 'platform CA on the root CRL', () =>
  withCollateral({ rootCrl: { revokedSerials: [keyId(pki.platformCaKey.publicKey)] } }),
);
add('certificate-revocation', 'STUN_CERTIFICATE_REVOKED', 'TCB signing certificate on the root CRL', () =>
  withCollateral({ rootCrl: { revokedSerials: [keyId(pki.tcbSigningKey.publicKey)] } }),
);

// tcb-info and qe-identity: signed over again unless the signature is the point.
add('tcb-info-signature', 'STUN_TCB_INFO_SIGNATURE', 'TCB Info with one character changed', () =>
  assessWith({ collateral: collateralWith({ tcb_info: acceptedCollateral.tcb_info.replace('"version":3', '"version": 3') }) }),
);
add('tcb-info-content', 'STUN_TCB_INFO_KIND', 'TCB Info with id SGX', () =>
  withCollateral({ tcbInfo: (info) => ({ ...info, id: 'SGX' }) }),
);
add('tcb-info-content', 'STUN_TCB_INFO_KIND', 'TCB Info of version 4', () =>
  withCollateral({ tcbInfo: (info) => ({ ...info, version: 4 }) }),
);
add('tcb-info-content', 'STUN_TCB_INFO_KIND', 'TCB Info with tcbType 1', () =>
  withCollateral({ tcbInfo: (info) => ({ ...info, tcbType: 1 }) }),
);
add('tcb-info-content', 'STUN_TCB_INFO_FORMAT', 'TCB Info without levels', () =>
  withCollateral({ tcbInfo: ({ tcbLevels: _left, ...rest }) => rest }),
);
add('tcb-info-content', 'STUN_JSON_FORMAT', 'TCB Info that ends early', () =>
  withCollateral({ tcbInfo: (info) => JSON.stringify(info).slice(0, -1) }),
);
add('tcb-info-content', 'STUN_TCB_STATUS_UNKNOWN', 'TCB Info with an unknown status', () =>
  withCollateral({ tcbInfo: (info) => JSON.stringify(info).replace('"UpToDate"', '"Fine"') }),
);
add('tcb-info-dates', 'STUN_TCB_INFO_EXPIRED', 'TCB Info that ended a second ago', () => {
  return withCollateral({
    tcbInfo: (info) => ({ ...info, nextUpdate: new Date((atUnix - 1) * 1000).toISOString().replace('.000Z', 'Z') }),
  });
});
add('tcb-info-dates', 'STUN_TCB_INFO_NOT_YET_VALID', 'TCB Info that begins in a second', () =>
  withCollateral({
    tcbInfo: (info) => ({ ...info, issueDate: new Date((atUnix + 1) * 1000).toISOString().replace('.000Z', 'Z') }),
  }),
);
add('tcb-info-platform', 'STUN_TCB_INFO_PLATFORM', 'TCB Info of another FMSPC', () =>
  withCollateral({ tcbInfo: (info) => ({ ...info, fmspc: '53494D000002' }) }),
);
add('tcb-info-platform', 'STUN_TCB_INFO_PLATFORM', 'TCB Info of another PCEID', () =>
  withCollateral({ tcbInfo: (info) => ({ ...info, pceId: simulatedPceId.replace('0000', '0001') }) }),
);
add('qe-identity-signature', 'STUN_QE_IDENTITY_SIGNATURE', 'QE identity with one character changed', () =>
  assessWith({
    collateral: collateralWith({ qe_identity: acceptedCollateral.qe_identity.replace('"version":2', '"version": 2') }),
  }),
);
add('qe-identity-content', 'STUN_QE_IDENTITY_KIND', 'QE identity with id QE', () =>
  withCollateral({ qeIdentity: (identity) => ({ ...identity, id: 'QE' }) }),
);
add('qe-identity-content', 'STUN_QE_IDENTITY_KIND', 'QE identity of version 3', () =>
  withCollateral({ qeIdentity: (identity) => ({ ...identity, version: 3 }) }),
);
add('qe-identity-content', 'STUN_QE_IDENTITY_FORMAT', 'QE identity with a short mrsigner', () =>
  withCollateral({ qeIdentity: (identity) => ({ ...identity, mrsigner: 'dc' }) }),
);
add('qe-identity-content', 'STUN_JSON_FORMAT', 'QE identity that ends early', () =>
  withCollateral({ qeIdentity: (identity) => JSON.stringify(identity).slice(0, -1) }),
);
add('qe-identity-content', 'STUN_TCB_STATUS_UNKNOWN', 'QE identity with a status of platforms', () =>
  withCollateral({ qeIdentity: (identity) => JSON.stringify(identity).replace('"UpToDate"', '"SWHardeningNeeded"') }),
);
add('qe-identity-dates', 'STUN_QE_IDENTITY_EXPIRED', 'QE identity that ended a second ago', () =>
  withCollateral({
    qeIdentity: (identity) => ({ ...identity, nextUpdate: new Date((atUnix - 1) * 1000).toISOString().replace('.000Z', 'Z') }),
  }),
);
add('qe-identity-dates', 'STUN_QE_IDENTITY_NOT_YET_VALID', 'QE identity that begins in a second', () =>
  withCollateral({
    qeIdentity: (identity) => ({ ...identity, issueDate: new Date((atUnix + 1) * 1000).toISOString().replace('.000Z', 'Z') }),
  }),
);
add('evaluation-number', 'STUN_EVALUATION_NUMBER_MISMATCH', 'QE identity of another evaluation', () =>
  withCollateral({ qeIdentity: (identity) => ({ ...identity, tcbEvaluationDataNumber: 19 }) }),
);

// The quoting enclave and the quote. Offsets: signature data begins at 636, the QE report at 636 + 128 + 6.
const qeReportAt = 770;
add('qe-report-signature', 'STUN_QE_REPORT_SIGNATURE', 'QE report with another MRENCLAVE', () =>
  assessWith({ quote: flipped(acceptedQuote, qeReportAt + 64) }),
);
add('qe-report-binding', 'STUN_QE_REPORT_BINDING', 'QE report of another attestation key', () =>
  quoted({ qeReport: (report) => report.set([report[320] === 0 ? 1 : 0], 320) }),
);
add('qe-report-binding', 'STUN_QE_REPORT_BINDING', 'QE report with a byte in the upper half', () =>
  quoted({ qeReport: (report) => report.set([1], 383) }),
);
add('qe-report-identity', 'STUN_QE_REPORT_IDENTITY', 'QE report with another MISCSELECT', () =>
  quoted({ qeReport: (report) => report.set([1], 16) }),
);
add('qe-report-identity', 'STUN_QE_REPORT_IDENTITY', 'debug quoting enclave', () =>
  quoted({ qeReport: (report) => report.set([0x13], 48) }),
);
add('qe-report-identity', 'STUN_QE_REPORT_IDENTITY', 'QE report with another MRSIGNER', () =>
  quoted({ qeReport: (report) => report.set([0], 128) }),
);
add('qe-report-identity', 'STUN_QE_REPORT_IDENTITY', 'QE report with another ISVPRODID', () =>
  quoted({ qeReport: (report) => report.set([3], 256) }),
);
add('quote-signature', 'STUN_QUOTE_SIGNATURE', 'quote with another report_data', () =>
  assessWith({ quote: flipped(acceptedQuote, 48 + 520) }),
);

// tdx-module-identity
add('tdx-module-identity', 'STUN_TDX_MODULE_IDENTITY', 'module of an unknown major version', () =>
  quoted({ body: { teeTcbSvn: Uint8Array.of(5, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) } }),
);
add('tdx-module-identity', 'STUN_TDX_MODULE_IDENTITY', 'module of another signer', () =>
  quoted({ body: { mrSignerSeam: new Uint8Array(48).fill(1) } }),
);
add('tdx-module-identity', 'STUN_TDX_MODULE_IDENTITY', 'module with SEAM attributes', () =>
  quoted({ body: { seamAttributes: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) } }),
);
add('tdx-module-identity', 'STUN_TDX_MODULE_IDENTITY', 'module with SEAM attributes that TCB Info lists', () =>
  assessMachine({
    quoteChanges: { body: { seamAttributes: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) } },
    collateralChanges: {
      tcbInfo: (info) => JSON.stringify(info).replaceAll('"attributes":"0000000000000000"', '"attributes":"0100000000000000"'),
    },
  }),
);

// Policy: everything is genuine and current, the policy says no.
const judged = (policy: Policy): Outcome => assessWith({ policy });
const withStatus = (status: string, policy: Policy = simulatedPolicy, advisoryIDs: readonly string[] = []): Outcome =>
  assessMachine(
    {
      collateralChanges: {
        tcbInfo: (info) =>
          JSON.stringify(info).replace(
            /"tcbStatus":"UpToDate"(?=[^\]]*\}\]?,\{"tcb":\{"sgx)/,
            `"tcbStatus":"${status}","advisoryIDs":${JSON.stringify(advisoryIDs)}`,
          ),
      },
    },
    { policy },
  );
add('policy-kind', 'STUN_POLICY_KIND', 'policy without TDX', () => judged({ ...simulatedPolicy, tdx: null }));
add('policy-simulated', 'STUN_POLICY_SIMULATED', 'simulated hardware under the default policy', () =>
  judged({ ...simulatedPolicy, allowSimulated: false }),
);
add('policy-revocation', 'STUN_POLICY_REVOCATION', 'collateral without a PCK CRL', () =>
  assessWith({ collateral: collateralWith({ pck_crl: null }) }),
);
add('policy-revocation', 'STUN_POLICY_REVOCATION', 'collateral without a root CRL', () =>
  assessWith({ collateral: collateralWith({ root_ca_crl: null }) }),
);
add('policy-evaluation-number', 'STUN_POLICY_EVALUATION_NUMBER', 'evaluation number below the floor', () =>
  judged(policyWith({ minTcbEvaluationDataNumber: 19 })),
);
add('policy-tcb-status', 'STUN_POLICY_TCB_STATUS', 'platform that is out of date', () =>
  assessMachine({ outOfDate: true }, { policy: policyWith({ advisories: ['STUN-SIMULATED-SA-00001'] }) }),
);
add('policy-tcb-status', 'STUN_POLICY_TCB_STATUS', 'platform that needs configuration', () => withStatus('ConfigurationNeeded'));
add('policy-tcb-status', 'STUN_POLICY_TCB_REVOKED', 'platform level that Intel revoked', () => withStatus('Revoked'));
add('policy-tcb-status', 'STUN_POLICY_TCB_NOT_SUPPORTED', 'platform below every level', () =>
  quoted({ pckExtension: { pceSvn: 1 } }),
);
add('policy-advisories', 'STUN_POLICY_ADVISORY', 'software hardening against an advisory that is not listed', () =>
  withStatus('SWHardeningNeeded', policyWith({ advisories: ['INTEL-SA-00001'] }), ['INTEL-SA-00001', 'INTEL-SA-00002']),
);
add('policy-debug', 'STUN_POLICY_DEBUG', 'debug TD', () => assessMachine({ debug: true }));
add('policy-sept-ve-disable', 'STUN_POLICY_SEPT_VE_DISABLE', 'TD without SEPT_VE_DISABLE', () =>
  assessMachine({ withoutSeptVeDisable: true }),
);
add('policy-td-attributes', 'STUN_POLICY_TD_ATTRIBUTES', 'migratable TD', () =>
  quoted({ body: { tdAttributes: Uint8Array.of(0, 0, 0, 0x30, 0, 0, 0, 0) } }),
);
add('policy-td-attributes', 'STUN_POLICY_TD_ATTRIBUTES', 'TD with a reserved attribute bit', () =>
  quoted({ body: { tdAttributes: Uint8Array.of(2, 0, 0, 0x10, 0, 0, 0, 0) } }),
);
add('policy-xfam', 'STUN_POLICY_XFAM', 'XFAM without SSE', () =>
  quoted({ body: { xfam: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) } }),
);
add('policy-xfam', 'STUN_POLICY_XFAM', 'XFAM with an unknown bit', () =>
  quoted({ body: { xfam: Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 1) } }),
);
const skipped = Object.fromEntries(measuredFields.map((name) => [name, { skip: 'not part of this test' }])) as {
  readonly [Field in (typeof measuredFields)[number]]: Skip;
};
for (const field of ['mrTd', 'rtMr3', 'mrConfigId'] as const) {
  add('policy-measurements', 'STUN_POLICY_MEASUREMENT', `${field} that is no reference value`, () =>
    judged(policyWith({ measurements: [{ ...skipped, [field]: `0x${'ee'.repeat(48)}` }] })),
  );
}
add('policy-hardware', 'STUN_POLICY_HARDWARE', 'platform on the deny list', () =>
  judged(policyWith({ deniedHardwareIds: [toHex(ppid)] })),
);
add('policy-hardware', 'STUN_POLICY_HARDWARE', 'platform outside the list of admitted ones', () =>
  judged(policyWith({ hardwareIds: [`0x${'00'.repeat(16)}`] })),
);

// Evidence documents
const document = machine().evidence(keysetDigest, nonce);
const documentWith = (change: (value: Record<string, unknown>) => void): Outcome => {
  const value = JSON.parse(new TextDecoder().decode(document)) as Record<string, unknown>;
  change(value);
  return assessEvidence(utf8(JSON.stringify(value)), { atUnix, roots: [pki.root], policy: simulatedPolicy, keysetDigest });
};
add('evidence-format', 'STUN_EVIDENCE_FORMAT', 'document with an unknown field', () =>
  documentWith((value) => (value['comment'] = 'hello')),
);
add('evidence-format', 'STUN_JSON_FORMAT', 'document that ends early', () =>
  assessEvidence(document.subarray(0, -1), { atUnix, roots: [pki.root], policy: simulatedPolicy, keysetDigest }),
);
add('evidence-kind', 'STUN_EVIDENCE_KIND', 'document of another kind', () => documentWith((value) => (value['kind'] = 'nvidia')));
add('evidence-gpu', 'STUN_EVIDENCE_GPU', 'document with GPU evidence of another form', () =>
  documentWith((value) => (value['gpuEvidence'] = {})),
);
add('policy-gpus', 'STUN_POLICY_GPU_COUNT', 'document without the GPU that the policy demands', () =>
  assessEvidence(document, {
    atUnix,
    roots: [pki.root],
    policy: { ...simulatedPolicy, nvidia: { ...defaultGpuPolicy, minGpus: 1 } },
    keysetDigest,
  }),
);
add('evidence-simulated-tag', 'STUN_EVIDENCE_SIMULATED_TAG', 'simulated evidence that calls itself real', () =>
  documentWith((value) => (value['simulated'] = false)),
);
add('report-data', 'STUN_REPORT_DATA', 'document with another nonce', () =>
  documentWith((value) => (value['nonce'] = `0x${'00'.repeat(32)}`)),
);
add('report-data', 'STUN_REPORT_DATA', 'document for another keyset', () =>
  assessEvidence(document, { atUnix, roots: [pki.root], policy: simulatedPolicy, keysetDigest: fromHex(`0x${'01'.repeat(32)}`) }),
);
add('report-data', 'STUN_REPORT_DATA', 'quote with a byte in the upper half of report_data', () => {
  const data = reportData.slice();
  data[63] = 1;
  const quote = toHex(machine().quote(data));
  return documentWith((value) => (value['quote'] = quote));
});

/** All negative vectors of TDX evidence. */
export const negativeVectors: readonly NegativeVector[] = [...vectors, ...tdxFormatVectors, ...tdxPolicyVectors];
