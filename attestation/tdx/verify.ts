/**
 * Verification of a TDX quote: signed by genuine hardware, every signer certified up to a pinned root, everything current.
 *
 * Says nothing about whether the TD is one that the customer wants: debug, TCB status and measurements are the policy's
 * (`validate.ts`), the binding of report_data is the evidence's (`../evidence/`). No I/O, no clock.
 * Source: intel/confidential-computing.tee.dcap.qvl (QuoteVerification) for the checks; each is listed in docs/attestation.md.
 */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { concatBytes, equalBytes } from '#protocol/bytes.ts';
import type { Check } from '../checks.ts';
import { CheckLedger, tdxVerificationChecks } from '../checks.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { SignedText, TdxCollateral } from '../intel/collateral.ts';
import type { PckExtension } from '../intel/pck-extension.ts';
import { parsePckExtension } from '../intel/pck-extension.ts';
import type { QeIdentity } from '../intel/qe-identity.ts';
import { parseTdxQeIdentity, verifyQeReportIdentity } from '../intel/qe-identity.ts';
import type { DatedDocument, TdxTcbInfo } from '../intel/tcb-info.ts';
import { parseTdxTcbInfo } from '../intel/tcb-info.ts';
import type { TrustRoot } from '../trust/roots.ts';
import type { Certificate } from '../x509/certificate.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { verifyChain, verifyCrl, verifyNotRevoked } from '../x509/chain.ts';
import { parsePemChain } from '../x509/pem.ts';
import type { TdReport, TdxQuote } from './quote.ts';
import type { TcbEvaluation } from './tcb-evaluation.ts';
import { evaluateTdxTcb, verifyTdxModule } from './tcb-evaluation.ts';

const rootName = ['Intel SGX Root CA'];
const pckCaNames = ['Intel SGX PCK Platform CA', 'Intel SGX PCK Processor CA'];
const pckNames = [['Intel SGX PCK Certificate'], pckCaNames, rootName];
const pckCaChainNames = [pckCaNames, rootName];
const signingNames = [['Intel SGX TCB Signing'], rootName];

/** What verification established. */
export interface VerifiedTdx extends TcbEvaluation {
  readonly kind: 'tdx';
  /** Whether the hardware is simulated: the root says so. Simulated hardware protects nothing. */
  readonly simulated: boolean;
  readonly rootName: string;
  /** The TD report as it was signed. */
  readonly body: TdReport;
  /** 64 bytes. What it binds is checked by `verifyEvidence`. */
  readonly reportData: Uint8Array;
  /** DEBUG attribute of the TD. */
  readonly debug: boolean;
  /** PPID, 16 bytes. */
  readonly hardwareId: Uint8Array;
  /** 6 bytes. */
  readonly fmspc: Uint8Array;
  readonly pck: PckExtension;
  readonly tcbEvaluationDataNumber: number;
  /** `unknown` when the collateral had no CRLs. */
  readonly revocation: 'checked' | 'unknown';
  /** The earliest end of validity of anything that was relied on, unix seconds. */
  readonly collateralExpiresAtUnix: number;
  readonly trailingBytes: number;
  readonly verifiedAtUnix: number;
  readonly checks: readonly Check[];
}

/**
 * Verifies a parsed quote with parsed collateral.
 * @param atUnix - time of verification, unix seconds; must be an integer
 * @param roots - pinned roots; the default store has Intel's alone
 * @throws StunError with the code of the first check that fails, see docs/attestation.md
 */
export function verifyTdx(quote: TdxQuote, collateral: TdxCollateral, atUnix: number, roots: readonly TrustRoot[]): VerifiedTdx {
  const ledger = new CheckLedger(...tdxVerificationChecks);
  ledger.prove('quote-format', () => quote);
  ledger.prove('collateral-format', () => collateral);
  return runTdxVerification(ledger, quote, collateral, atUnix, roots);
}

/** The checks of {@link verifyTdx} on a ledger of the caller's, for reports that also show what failed. */
export function runTdxVerification(
  ledger: CheckLedger,
  quote: TdxQuote,
  collateral: TdxCollateral,
  atUnix: number,
  roots: readonly TrustRoot[],
): VerifiedTdx {
  if (!Number.isSafeInteger(atUnix) || atUnix < 0)
    throw new StunError('STUN_RANGE', 'the time of verification must be unix seconds');
  const chains = verifyChains(ledger, quote, collateral, atUnix, roots);
  const revocation = verifyRevocation(ledger, collateral, chains, atUnix);
  const tcbInfo = verifyTcbInfo(ledger, collateral.tcbInfo, chains.pck, atUnix);
  const qeIdentity = verifyQeIdentity(ledger, collateral.qeIdentity, tcbInfo, atUnix);
  verifyQuoteSignatures(ledger, quote, chains.leaf, qeIdentity);
  const module = ledger.prove('tdx-module-identity', () => verifyTdxModule(quote.body, tcbInfo));
  const evaluation = ledger.prove('tcb-evaluation', () =>
    evaluateTdxTcb(quote.body, chains.pck, tcbInfo, module, quote.qeReport.isvSvn, qeIdentity.levels),
  );
  // That no level speaks of this platform is an answer, not a failed proof: policy refuses it.
  if (evaluation.tcbStatus === 'NotSupported') ledger.unknown('tcb-evaluation', 'STUN_POLICY_TCB_NOT_SUPPORTED');
  const ends = [
    tcbInfo.nextUpdateUnix,
    qeIdentity.nextUpdateUnix,
    ...[collateral.rootCaCrl, collateral.pckCrl].flatMap((crl) => (crl === null ? [] : [crl.nextUpdateUnix])),
    ...[chains.certificates, collateral.tcbInfo.chain, collateral.qeIdentity.chain]
      .flat()
      .map((certificate) => certificate.notAfterUnix),
  ];
  return Object.freeze({
    ...evaluation,
    kind: 'tdx',
    simulated: chains.root.simulated,
    rootName: chains.root.name,
    body: quote.body,
    reportData: quote.body.reportData.slice(),
    debug: ((quote.body.tdAttributes[0] ?? 1) & 1) === 1,
    hardwareId: chains.pck.ppid.slice(),
    fmspc: chains.pck.fmspc.slice(),
    pck: chains.pck,
    tcbEvaluationDataNumber: tcbInfo.tcbEvaluationDataNumber,
    revocation,
    collateralExpiresAtUnix: Math.min(...ends),
    trailingBytes: quote.trailingBytes,
    verifiedAtUnix: atUnix,
    checks: ledger.list(),
  });
}

interface Chains {
  readonly certificates: readonly Certificate[];
  readonly leaf: Certificate;
  readonly authority: Certificate;
  readonly rootCertificate: Certificate;
  readonly root: TrustRoot;
  readonly pck: PckExtension;
}

function verifyChains(
  ledger: CheckLedger,
  quote: TdxQuote,
  collateral: TdxCollateral,
  atUnix: number,
  roots: readonly TrustRoot[],
): Chains {
  const { certificates, leaf, authority, rootCertificate, root } = ledger.prove('pck-chain', () => {
    const chain = parsePemChain(quote.pckChainPem).map(parseCertificate);
    const [first, second, third] = chain;
    if (first === undefined || second === undefined || third === undefined) {
      throw new StunError('STUN_CHAIN_LENGTH', `expected 3 certificates, got ${chain.length}`);
    }
    const trusted = verifyChain(chain, pckNames, roots, atUnix, 'signer');
    return { certificates: chain, leaf: first, authority: second, rootCertificate: third, root: trusted };
  });
  const pck = ledger.prove('pck-extension', () => parsePckExtension(leaf));
  // Every other chain must end in the very root of the PCK chain, so that roots are never mixed.
  ledger.prove('pck-crl-issuer-chain', () => {
    verifyChain(collateral.pckCrlIssuerChain, pckCaChainNames, [root], atUnix, 'authority');
    const issuer = collateral.pckCrlIssuerChain[0];
    if (
      issuer === undefined ||
      !equalBytes(issuer.subject.raw, authority.subject.raw) ||
      !equalBytes(issuer.publicKey, authority.publicKey)
    ) {
      throw new StunError(
        'STUN_CRL_ISSUER',
        'the CRL issuer chain is of another authority than the one that issued the PCK certificate',
      );
    }
  });
  ledger.prove('tcb-info-chain', () => verifyChain(collateral.tcbInfo.chain, signingNames, [root], atUnix, 'signer'));
  ledger.prove('qe-identity-chain', () => verifyChain(collateral.qeIdentity.chain, signingNames, [root], atUnix, 'signer'));
  return { certificates, leaf, authority, rootCertificate, root, pck };
}

function verifyRevocation(ledger: CheckLedger, collateral: TdxCollateral, chains: Chains, atUnix: number): 'checked' | 'unknown' {
  const { rootCaCrl, pckCrl } = collateral;
  if (rootCaCrl === null) ledger.unknown('root-ca-crl', 'STUN_REVOCATION_UNKNOWN');
  else ledger.prove('root-ca-crl', () => verifyCrl(rootCaCrl, chains.rootCertificate, atUnix));
  if (pckCrl === null) ledger.unknown('pck-crl', 'STUN_REVOCATION_UNKNOWN');
  else ledger.prove('pck-crl', () => verifyCrl(pckCrl, chains.authority, atUnix));
  const checkAvailable = (): void => {
    if (pckCrl !== null) verifyNotRevoked(chains.leaf, pckCrl);
    if (rootCaCrl === null) return;
    const signers = [chains.authority, collateral.tcbInfo.chain[0], collateral.qeIdentity.chain[0]];
    for (const certificate of signers) if (certificate !== undefined) verifyNotRevoked(certificate, rootCaCrl);
  };
  ledger.prove('certificate-revocation', checkAvailable);
  if (rootCaCrl !== null && pckCrl !== null) return 'checked';
  ledger.unknown('certificate-revocation', 'STUN_REVOCATION_UNKNOWN');
  return 'unknown';
}

function verifySignedText(document: SignedText, code: 'STUN_TCB_INFO_SIGNATURE' | 'STUN_QE_IDENTITY_SIGNATURE'): void {
  const signer = document.chain[0];
  if (
    signer === undefined ||
    !cryptoProvider.verifyP256(new TextEncoder().encode(document.text), document.signature, signer.publicKey)
  ) {
    throw new StunError(code, 'the signature over the exact text does not verify with the key of Intel SGX TCB Signing');
  }
}

function verifyDates(document: DatedDocument, atUnix: number, early: ErrorCode, late: ErrorCode): void {
  if (atUnix < document.issueDateUnix) throw new StunError(early, `issued at ${document.issueDateUnix}, the time is ${atUnix}`);
  if (atUnix > document.nextUpdateUnix) {
    throw new StunError(late, `the next update was due at ${document.nextUpdateUnix}, the time is ${atUnix}`);
  }
}

function verifyTcbInfo(ledger: CheckLedger, document: SignedText, pck: PckExtension, atUnix: number): TdxTcbInfo {
  ledger.prove('tcb-info-signature', () => verifySignedText(document, 'STUN_TCB_INFO_SIGNATURE'));
  const tcbInfo = ledger.prove('tcb-info-content', () => parseTdxTcbInfo(document.text));
  ledger.prove('tcb-info-dates', () => verifyDates(tcbInfo, atUnix, 'STUN_TCB_INFO_NOT_YET_VALID', 'STUN_TCB_INFO_EXPIRED'));
  ledger.prove('tcb-info-platform', () => {
    if (!equalBytes(tcbInfo.fmspc, pck.fmspc))
      throw new StunError('STUN_TCB_INFO_PLATFORM', 'FMSPC differs from the PCK certificate');
    if (!equalBytes(tcbInfo.pceId, pck.pceId))
      throw new StunError('STUN_TCB_INFO_PLATFORM', 'PCEID differs from the PCK certificate');
  });
  return tcbInfo;
}

function verifyQeIdentity(ledger: CheckLedger, document: SignedText, tcbInfo: TdxTcbInfo, atUnix: number): QeIdentity {
  ledger.prove('qe-identity-signature', () => verifySignedText(document, 'STUN_QE_IDENTITY_SIGNATURE'));
  const identity = ledger.prove('qe-identity-content', () => parseTdxQeIdentity(document.text));
  ledger.prove('qe-identity-dates', () =>
    verifyDates(identity, atUnix, 'STUN_QE_IDENTITY_NOT_YET_VALID', 'STUN_QE_IDENTITY_EXPIRED'),
  );
  ledger.prove('evaluation-number', () => {
    if (identity.tcbEvaluationDataNumber !== tcbInfo.tcbEvaluationDataNumber) {
      throw new StunError(
        'STUN_EVALUATION_NUMBER_MISMATCH',
        `TCB Info has ${tcbInfo.tcbEvaluationDataNumber}, the QE identity ${identity.tcbEvaluationDataNumber}`,
      );
    }
  });
  return identity;
}

function verifyQuoteSignatures(ledger: CheckLedger, quote: TdxQuote, pckLeaf: Certificate, identity: QeIdentity): void {
  ledger.prove('qe-report-signature', () => {
    if (!cryptoProvider.verifyP256(quote.qeReport.raw, quote.qeReportSignature, pckLeaf.publicKey)) {
      throw new StunError('STUN_QE_REPORT_SIGNATURE', 'the QE report is not signed by the key of the PCK certificate');
    }
  });
  ledger.prove('qe-report-binding', () => {
    const expected = concatBytes(cryptoProvider.sha256(quote.attestationKey, quote.qeAuthData), new Uint8Array(32));
    if (!equalBytes(quote.qeReport.reportData, expected)) {
      throw new StunError(
        'STUN_QE_REPORT_BINDING',
        'report data of the QE report is not SHA-256(attestation key || authentication data) and 32 zeros',
      );
    }
  });
  ledger.prove('qe-report-identity', () => verifyQeReportIdentity(quote.qeReport, identity));
  ledger.prove('quote-signature', () => {
    if (!cryptoProvider.verifyP256(quote.signedBytes, quote.signature, concatBytes(Uint8Array.of(4), quote.attestationKey))) {
      throw new StunError('STUN_QUOTE_SIGNATURE', 'header and TD report are not signed by the attestation key');
    }
  });
}
