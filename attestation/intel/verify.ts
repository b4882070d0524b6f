/**
 * What the verification of TDX and SGX quotes has in common: chains up to a pinned root, revocation, the two signed documents, the
 * quoting enclave and the quote's signature. Body, module and TCB are each kind's own. No I/O, no clock.
 * Source: intel/confidential-computing.tee.dcap.qvl (QuoteVerification) for the checks; each is listed in docs/attestation.md.
 */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { concatBytes, equalBytes } from '#protocol/bytes.ts';
import type { Check, CheckLedger } from '../checks.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { TrustRoot } from '../trust/roots.ts';
import type { Certificate } from '../x509/certificate.ts';
import { verifyChain, verifyCrl, verifyNotRevoked } from '../x509/chain.ts';
import type { IntelCollateral, SignedText } from './collateral.ts';
import { assemblePckChain, verifyNamedPlatform } from './pck-chain.ts';
import type { PckExtension } from './pck-extension.ts';
import { parsePckExtension } from './pck-extension.ts';
import type { QeIdentity } from './qe-identity.ts';
import { requireQeKind, verifyQeReportIdentity } from './qe-identity.ts';
import type { QuoteEnvelope } from './quote.ts';
import type { TcbEvaluation } from './tcb-evaluation.ts';
import type { DatedDocument, TcbInfo } from './tcb-info.ts';

const rootName = ['Intel SGX Root CA'];
const pckCaNames = ['Intel SGX PCK Platform CA', 'Intel SGX PCK Processor CA'];
const pckNames = [['Intel SGX PCK Certificate'], pckCaNames, rootName];
const pckCaChainNames = [pckCaNames, rootName];
const signingNames = [['Intel SGX TCB Signing'], rootName];

/** Longest grace for collateral that has expired: one period of Intel's publications. */
export const maxGraceSeconds = 30 * 86_400;

/** Against what a quote is verified. */
export interface VerificationContext {
  readonly collateral: IntelCollateral;
  /** Time of verification, unix seconds; must be an integer. */
  readonly atUnix: number;
  /** Pinned roots; the default store has the vendors' alone. */
  readonly roots: readonly TrustRoot[];
  /** How long TCB Info, QE identity and CRLs are taken after their nextUpdate, at most {@link maxGraceSeconds}. Certificates never are. */
  readonly collateralGraceSeconds: number;
}

/** What verification established of any quote. */
export interface VerifiedIntel extends TcbEvaluation {
  /** Whether the hardware is simulated: the root says so. Simulated hardware protects nothing. */
  readonly simulated: boolean;
  readonly rootName: string;
  /** 64 bytes. What it binds is checked by `verifyEvidence`. */
  readonly reportData: Uint8Array;
  /** DEBUG attribute of the TD or enclave. */
  readonly debug: boolean;
  /** PPID, 16 bytes. */
  readonly hardwareId: Uint8Array;
  /** 6 bytes. */
  readonly fmspc: Uint8Array;
  readonly pck: PckExtension;
  readonly tcbEvaluationDataNumber: number;
  /** `unknown` when the collateral had no CRLs. */
  readonly revocation: 'checked' | 'unknown';
  /** Until when this verification holds: the earliest end of anything that was relied on, the grace included; unix seconds. */
  readonly collateralExpiresAtUnix: number;
  /** How far past its nextUpdate the oldest part of the collateral was; 0 unless a grace was given and used. */
  readonly collateralOverdueSeconds: number;
  readonly trailingBytes: number;
  readonly verifiedAtUnix: number;
  readonly checks: readonly Check[];
}

/** What the common part established. */
export interface IntelFacts<I extends TcbInfo> {
  readonly tcbInfo: I;
  readonly qeIdentity: QeIdentity;
  readonly common: Omit<VerifiedIntel, keyof TcbEvaluation | 'reportData' | 'debug' | 'checks'>;
}

interface Chains {
  readonly certificates: readonly Certificate[];
  readonly leaf: Certificate;
  readonly authority: Certificate;
  readonly rootCertificate: Certificate;
  readonly root: TrustRoot;
  readonly pck: PckExtension;
}

/**
 * Runs the common checks on a ledger.
 * @param narrow - takes TCB Info for one of the quote's kind, or throws `STUN_TCB_INFO_KIND`
 * @throws StunError with the code of the first check that fails, see docs/attestation.md
 */
export function verifyIntel<I extends TcbInfo>(
  ledger: CheckLedger,
  quote: QuoteEnvelope,
  context: VerificationContext,
  narrow: (info: TcbInfo) => I,
): IntelFacts<I> {
  const { collateral, atUnix, collateralGraceSeconds: grace } = context;
  if (!Number.isSafeInteger(atUnix) || atUnix < 0)
    throw new StunError('STUN_RANGE', 'the time of verification must be unix seconds');
  if (!Number.isSafeInteger(grace) || grace < 0 || grace > maxGraceSeconds)
    throw new StunError('STUN_RANGE', `the grace for expired collateral must be 0 to ${maxGraceSeconds} seconds`);
  const chains = verifyChains(ledger, quote, context);
  const revocation = verifyRevocation(ledger, chains, context);
  const tcbInfo = verifyTcbInfo(ledger, chains.pck, context, narrow);
  const qeIdentity = verifyQeIdentity(ledger, tcbInfo, context);
  verifyQuoteSignatures(ledger, quote, chains.leaf, qeIdentity);
  const crls = [collateral.rootCaCrl, collateral.pckCrl].filter((crl) => crl !== null);
  const nextUpdate = Math.min(...[tcbInfo, qeIdentity, ...crls].map((document) => document.nextUpdateUnix));
  const certificates = [...chains.certificates, ...collateral.tcbInfo.chain, ...collateral.qeIdentity.chain];
  return {
    tcbInfo,
    qeIdentity,
    common: {
      simulated: chains.root.simulated,
      rootName: chains.root.name,
      hardwareId: chains.pck.ppid.slice(),
      fmspc: chains.pck.fmspc.slice(),
      pck: chains.pck,
      tcbEvaluationDataNumber: tcbInfo.tcbEvaluationDataNumber,
      revocation,
      collateralExpiresAtUnix: Math.min(nextUpdate + grace, ...certificates.map((certificate) => certificate.notAfterUnix)),
      collateralOverdueSeconds: Math.max(0, atUnix - nextUpdate),
      trailingBytes: quote.trailingBytes,
      verifiedAtUnix: atUnix,
    },
  };
}

function verifyChains(ledger: CheckLedger, quote: QuoteEnvelope, context: VerificationContext): Chains {
  const { collateral, atUnix, roots } = context;
  const { signatures } = collateral;
  const { certificates, leaf, authority, rootCertificate, root } = ledger.prove('pck-chain', () => {
    const chain = assemblePckChain(quote.certification, collateral);
    const [first, second, third] = chain;
    if (first === undefined || second === undefined || third === undefined) {
      throw new StunError('STUN_CHAIN_LENGTH', `expected 3 certificates, got ${chain.length}`);
    }
    const trusted = verifyChain(chain, pckNames, roots, atUnix, 'signer', signatures);
    return { certificates: chain, leaf: first, authority: second, rootCertificate: third, root: trusted };
  });
  const pck = ledger.prove('pck-extension', () => {
    const extension = parsePckExtension(leaf);
    verifyNamedPlatform(quote.certification, extension);
    return extension;
  });
  // Every other chain must end in the very root of the PCK chain, so that roots are never mixed.
  const { pckCrlIssuerChain, tcbInfo, qeIdentity } = collateral;
  ledger.prove('pck-crl-issuer-chain', () => {
    verifyChain(pckCrlIssuerChain, pckCaChainNames, [root], atUnix, 'authority', signatures);
    const issuer = pckCrlIssuerChain[0];
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
  ledger.prove('tcb-info-chain', () => verifyChain(tcbInfo.chain, signingNames, [root], atUnix, 'signer', signatures));
  ledger.prove('qe-identity-chain', () => verifyChain(qeIdentity.chain, signingNames, [root], atUnix, 'signer', signatures));
  return { certificates, leaf, authority, rootCertificate, root, pck };
}

function verifyRevocation(ledger: CheckLedger, chains: Chains, context: VerificationContext): 'checked' | 'unknown' {
  const { collateral, atUnix, collateralGraceSeconds: grace } = context;
  const { rootCaCrl, pckCrl, signatures } = collateral;
  if (rootCaCrl === null) ledger.unknown('root-ca-crl', 'STUN_REVOCATION_UNKNOWN');
  else ledger.prove('root-ca-crl', () => verifyCrl(rootCaCrl, chains.rootCertificate, atUnix, grace, signatures));
  if (pckCrl === null) ledger.unknown('pck-crl', 'STUN_REVOCATION_UNKNOWN');
  else ledger.prove('pck-crl', () => verifyCrl(pckCrl, chains.authority, atUnix, grace, signatures));
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

function verifySignedText(
  document: SignedText<unknown>,
  collateral: IntelCollateral,
  code: 'STUN_TCB_INFO_SIGNATURE' | 'STUN_QE_IDENTITY_SIGNATURE',
): void {
  const signer = document.chain[0];
  if (signer === undefined || !collateral.signatures.isSigned(document, signer.publicKey)) {
    throw new StunError(code, 'the signature over the exact text does not verify with the key of Intel SGX TCB Signing');
  }
}

function verifyDates(document: DatedDocument, context: VerificationContext, early: ErrorCode, late: ErrorCode): void {
  const { atUnix, collateralGraceSeconds: grace } = context;
  if (atUnix < document.issueDateUnix) throw new StunError(early, `issued at ${document.issueDateUnix}, the time is ${atUnix}`);
  if (atUnix > document.nextUpdateUnix + grace) {
    throw new StunError(late, `the next update was due at ${document.nextUpdateUnix}, the time is ${atUnix}`);
  }
}

function verifyTcbInfo<I extends TcbInfo>(
  ledger: CheckLedger,
  pck: PckExtension,
  context: VerificationContext,
  narrow: (info: TcbInfo) => I,
): I {
  const document = context.collateral.tcbInfo;
  ledger.prove('tcb-info-signature', () => verifySignedText(document, context.collateral, 'STUN_TCB_INFO_SIGNATURE'));
  const tcbInfo = ledger.prove('tcb-info-content', () => narrow(document.content()));
  ledger.prove('tcb-info-dates', () => verifyDates(tcbInfo, context, 'STUN_TCB_INFO_NOT_YET_VALID', 'STUN_TCB_INFO_EXPIRED'));
  ledger.prove('tcb-info-platform', () => {
    if (!equalBytes(tcbInfo.fmspc, pck.fmspc))
      throw new StunError('STUN_TCB_INFO_PLATFORM', 'FMSPC differs from the PCK certificate');
    if (!equalBytes(tcbInfo.pceId, pck.pceId))
      throw new StunError('STUN_TCB_INFO_PLATFORM', 'PCEID differs from the PCK certificate');
  });
  return tcbInfo;
}

function verifyQeIdentity(ledger: CheckLedger, tcbInfo: TcbInfo, context: VerificationContext): QeIdentity {
  const document = context.collateral.qeIdentity;
  ledger.prove('qe-identity-signature', () => verifySignedText(document, context.collateral, 'STUN_QE_IDENTITY_SIGNATURE'));
  const identity = ledger.prove('qe-identity-content', () => requireQeKind(document.content(), tcbInfo.kind));
  ledger.prove('qe-identity-dates', () =>
    verifyDates(identity, context, 'STUN_QE_IDENTITY_NOT_YET_VALID', 'STUN_QE_IDENTITY_EXPIRED'),
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

function verifyQuoteSignatures(ledger: CheckLedger, quote: QuoteEnvelope, pckLeaf: Certificate, identity: QeIdentity): void {
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
      throw new StunError('STUN_QUOTE_SIGNATURE', 'header and body are not signed by the attestation key');
    }
  });
}
