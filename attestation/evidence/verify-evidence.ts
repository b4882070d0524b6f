/**
 * From an evidence document to an answer: verify the quote, validate it by policy, and check that it binds this keyset and nonce.
 * No I/O, no clock: the time and the roots are arguments. Whether the nonce is recent is the caller's to decide.
 */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { asStunError, StunError } from '#protocol/errors/stun-error.ts';
import { equalBytes } from '#protocol/bytes.ts';
import type { Check, CheckId } from '../checks.ts';
import {
  CheckLedger,
  evidenceChecks,
  sgxPolicyChecks,
  sgxVerificationChecks,
  tdxPolicyChecks,
  tdxVerificationChecks,
} from '../checks.ts';
import type { IntelCollateral } from '../intel/collateral.ts';
import { isParsedCollateral, parseIntelCollateral } from '../intel/collateral.ts';
import { quoteKind } from '../intel/quote.ts';
import type { PolicyAssessment } from '../intel/validate.ts';
import type { VerificationContext } from '../intel/verify.ts';
import type { IntelPolicy } from '../policy/intel-policy.ts';
import type { Policy } from '../policy/policy.ts';
import type { GpuAssessment } from '../nvidia/assess.ts';
import type { VerifiedGpu } from '../nvidia/verify.ts';
import { computeGpuEvidenceDigest, computeReportData } from '../report-data.ts';
import type { TcbStatus } from '../intel/tcb-status.ts';
import { parseSgxQuote } from '../sgx/quote.ts';
import { assessSgxPolicy } from '../sgx/validate.ts';
import type { VerifiedSgx } from '../sgx/verify.ts';
import { runSgxVerification } from '../sgx/verify.ts';
import type { SnpAssessment } from '../snp/assess.ts';
import { assessSnp } from '../snp/assess.ts';
import type { VerifiedSnp } from '../snp/verify.ts';
import { parseTdxQuote } from '../tdx/quote.ts';
import { assessTdxPolicy } from '../tdx/validate.ts';
import type { VerifiedTdx } from '../tdx/verify.ts';
import { runTdxVerification } from '../tdx/verify.ts';
import type { TrustRoot } from '../trust/roots.ts';
import type { EvidenceDocument } from './document.ts';
import { evidenceDigest, parseEvidence } from './document.ts';
import { assessGpuEvidence, demandedGpus, requireGpuCount, requireGpus } from './gpu-evidence.ts';

/** Platform codes of docs/protocol.md, section 2; 128 and more is simulated hardware. */
export const platformCode = Object.freeze({ tdx: 1, snp: 2, sgx: 3, simulatedTdx: 129, simulatedSnp: 130, simulatedSgx: 131 });
const simulatedCode = { tdx: platformCode.simulatedTdx, snp: platformCode.simulatedSnp, sgx: platformCode.simulatedSgx } as const;

/** A quote with its collateral, as bytes that nothing is known of. */
export interface QuoteInput {
  readonly quote: Uint8Array;
  /** Collateral as JSON text, its bytes, its value, or parsed already: that saves time from the second quote on. */
  readonly collateral: Parameters<typeof parseIntelCollateral>[0] | IntelCollateral;
  readonly atUnix: number;
  readonly roots: readonly TrustRoot[];
  readonly policy: Policy;
}

/** The report on a quote, on refusal too. `verified` and `validated` hold together for an acceptance. */
export interface QuoteAssessment<V> {
  /** What verification established; null when it failed. */
  readonly verified: V | null;
  /** Whether the policy is satisfied. False whenever `verified` is null. */
  readonly validated: boolean;
  readonly checks: readonly Check[];
  /** The first failure; null when the quote is accepted. */
  readonly failure: StunError | null;
}

export type TdxAssessment = QuoteAssessment<VerifiedTdx>;
export type SgxAssessment = QuoteAssessment<VerifiedSgx>;

/** How a kind of quote is read, verified and judged. */
interface QuoteKind<Q, V> {
  readonly parse: (bytes: Uint8Array) => Q;
  readonly verify: (ledger: CheckLedger, quote: Q, context: VerificationContext) => V;
  readonly rules: (policy: Policy) => IntelPolicy | null;
  readonly judge: (verified: V, policy: Policy) => PolicyAssessment;
  readonly policyChecks: readonly CheckId[];
}

const tdxKind: QuoteKind<ReturnType<typeof parseTdxQuote>, VerifiedTdx> = {
  parse: parseTdxQuote,
  verify: runTdxVerification,
  rules: (policy) => policy.tdx,
  judge: assessTdxPolicy,
  policyChecks: tdxPolicyChecks,
};

const sgxKind: QuoteKind<ReturnType<typeof parseSgxQuote>, VerifiedSgx> = {
  parse: parseSgxQuote,
  verify: runSgxVerification,
  rules: (policy) => policy.sgx,
  judge: assessSgxPolicy,
  policyChecks: sgxPolicyChecks,
};

function assess<Q, V>(kind: QuoteKind<Q, V>, ledger: CheckLedger, input: QuoteInput): QuoteAssessment<V> {
  let verified: V;
  try {
    const quote = ledger.prove('quote-format', () => kind.parse(input.quote));
    const given = input.collateral;
    const collateral = ledger.prove('collateral-format', () => (isParsedCollateral(given) ? given : parseIntelCollateral(given)));
    const collateralGraceSeconds = kind.rules(input.policy)?.collateralGraceSeconds ?? 0;
    verified = kind.verify(ledger, quote, { ...input, collateral, collateralGraceSeconds });
  } catch (thrown) {
    const unknown = new CheckLedger(...kind.policyChecks).list();
    return { verified: null, validated: false, checks: [...ledger.list(), ...unknown], failure: asStunError(thrown) };
  }
  const { checks, refusal } = kind.judge(verified, input.policy);
  return { verified, validated: refusal === null, checks: [...ledger.list(), ...checks], failure: refusal };
}

/**
 * Parses, verifies and validates a TDX quote and reports on all of it. Never throws for bad evidence: the report carries the failure.
 * Does not check what report_data binds: see {@link verifyEvidence}.
 */
export function assessTdx(input: QuoteInput): TdxAssessment {
  return assess(tdxKind, new CheckLedger(...tdxVerificationChecks), input);
}

/** As {@link assessTdx}, for a quote of SGX. */
export function assessSgx(input: QuoteInput): SgxAssessment {
  return assess(sgxKind, new CheckLedger(...sgxVerificationChecks), input);
}

/** The report on what a document carries, of whichever kind. */
export type PlatformAssessment =
  | (TdxAssessment & { readonly kind: 'tdx' })
  | (SgxAssessment & { readonly kind: 'sgx' })
  | (SnpAssessment & { readonly kind: 'snp' });

/** Assesses a bare quote of TDX or SGX, whichever its header names. */
export function assessQuote(input: QuoteInput): PlatformAssessment {
  return quoteKind(input.quote) === 'sgx' ? { kind: 'sgx', ...assessSgx(input) } : { kind: 'tdx', ...assessTdx(input) };
}

/** Assesses what a document carries, without what it says of itself and without what report_data binds. */
export function assessDocument(document: EvidenceDocument, context: Omit<EvidenceContext, 'keysetDigest'>): PlatformAssessment {
  const { atUnix, roots, policy } = context;
  const { quote } = document;
  if (document.kind === 'snp')
    return { kind: 'snp', ...assessSnp({ report: quote, endorsements: document.collateral, atUnix, roots, policy }) };
  const input = { quote, collateral: document.collateral, atUnix, roots, policy };
  return document.kind === 'sgx' ? { kind: 'sgx', ...assessSgx(input) } : { kind: 'tdx', ...assessTdx(input) };
}

/** What {@link verifyEvidence} needs beside the document. */
export interface EvidenceContext {
  readonly atUnix: number;
  readonly roots: readonly TrustRoot[];
  readonly policy: Policy;
  /** SHA-256 of the keyset that the evidence should bind, 32 bytes. */
  readonly keysetDigest: Uint8Array;
}

/** Evidence that was verified, satisfies the policy and binds the keyset. */
export interface VerifiedEvidence {
  readonly document: EvidenceDocument;
  /** What was verified of the hardware. */
  readonly platform: VerifiedTdx | VerifiedSgx | VerifiedSnp;
  /** Intel's status of the platform; null for SEV-SNP, where AMD gives none. */
  readonly tcbStatus: TcbStatus | null;
  readonly simulated: boolean;
  /** One of {@link platformCode}. */
  readonly platformCode: number;
  /** PPID, 16 bytes, or CHIP_ID, 64 bytes: input of hardwareIdHash. */
  readonly hardwareId: Uint8Array;
  /** What was verified of the GPUs; empty without any. */
  readonly gpus: readonly VerifiedGpu[];
  readonly keysetDigest: Uint8Array;
  readonly nonce: Uint8Array;
  /** SHA-256 of the document's exact bytes. */
  readonly evidenceDigest: Uint8Array;
  /** The evidence stands until here at most, unix seconds. */
  readonly collateralExpiresAtUnix: number;
  readonly checks: readonly Check[];
}

/** The report on an evidence document, on refusal too. */
export interface EvidenceAssessment {
  /** The verified evidence; null when anything failed. */
  readonly evidence: VerifiedEvidence | null;
  /** The report on the quote or report inside; null when the document could not be read. */
  readonly platform: PlatformAssessment | null;
  /** The report on each GPU of the document, in its order. */
  readonly gpus: readonly GpuAssessment[];
  readonly checks: readonly Check[];
  readonly failure: StunError | null;
}

function parseDocument(ledger: CheckLedger, bytes: Uint8Array): EvidenceDocument {
  const idOf: Partial<Record<ErrorCode, CheckId>> = { STUN_EVIDENCE_KIND: 'evidence-kind', STUN_EVIDENCE_GPU: 'evidence-gpu' };
  try {
    const document = parseEvidence(bytes);
    for (const id of ['evidence-format', 'evidence-kind'] as const) ledger.prove(id, () => document);
    return document;
  } catch (thrown) {
    const error = asStunError(thrown);
    return ledger.prove(idOf[error.code] ?? 'evidence-format', () => {
      throw error;
    });
  }
}

/**
 * Reports on an evidence document. Never throws for bad evidence.
 * @param bytes - the document exactly as it came
 */
export function assessEvidence(bytes: Uint8Array, context: EvidenceContext): EvidenceAssessment {
  const own = new CheckLedger(...evidenceChecks);
  let platform: PlatformAssessment | null = null;
  let gpus: readonly GpuAssessment[] = [];
  const all = (): readonly Check[] => {
    const unknown = (): readonly Check[] => new CheckLedger(...tdxVerificationChecks, ...tdxPolicyChecks).list();
    return Object.freeze([...own.list(), ...(platform?.checks ?? unknown())]);
  };
  try {
    const document = parseDocument(own, bytes);
    platform = assessDocument(document, context);
    const { verified } = platform;
    if (verified === null) throw platform.failure ?? new StunError('STUN_INTERNAL', 'a quote failed without a reason');
    own.prove('evidence-simulated-tag', () => {
      if (document.simulated !== verified.simulated) {
        throw new StunError(
          'STUN_EVIDENCE_SIMULATED_TAG',
          `the document says simulated ${document.simulated}, its root says ${verified.simulated}`,
        );
      }
    });
    const { gpuEvidence, nonce } = document;
    own.prove('report-data', () => {
      const gpuDigest =
        gpuEvidence === null ? undefined : computeGpuEvidenceDigest(gpuEvidence.devices.map(({ report }) => report));
      if (!equalBytes(verified.reportData, computeReportData(context.keysetDigest, nonce, gpuDigest))) {
        throw new StunError('STUN_REPORT_DATA', 'report_data does not bind this keyset, nonce and GPU evidence');
      }
    });
    const gpuContext = { ...context, nonce, simulated: document.simulated };
    gpus = gpuEvidence === null ? [] : assessGpuEvidence(gpuEvidence, gpuContext);
    const verifiedGpus = own.prove('evidence-gpu', () => requireGpus(gpus, gpuContext));
    const minGpus = demandedGpus(context.policy);
    if (minGpus !== null) own.prove('policy-gpus', () => requireGpuCount(verifiedGpus, minGpus));
    if (platform.failure !== null) throw platform.failure;
    const evidence: VerifiedEvidence = Object.freeze({
      document,
      platform: verified,
      tcbStatus: verified.kind === 'snp' ? null : verified.tcbStatus,
      simulated: verified.simulated,
      platformCode: verified.simulated ? simulatedCode[verified.kind] : platformCode[verified.kind],
      hardwareId: verified.hardwareId,
      gpus: verifiedGpus,
      keysetDigest: context.keysetDigest.slice(),
      nonce: document.nonce,
      evidenceDigest: evidenceDigest(bytes),
      collateralExpiresAtUnix: Math.min(
        verified.collateralExpiresAtUnix,
        ...verifiedGpus.map((gpu) => gpu.collateralExpiresAtUnix),
      ),
      checks: all(),
    });
    return { evidence, platform, gpus, checks: evidence.checks, failure: null };
  } catch (thrown) {
    return { evidence: null, platform, gpus, checks: all(), failure: asStunError(thrown) };
  }
}

/**
 * Verifies an evidence document whole: the quote, the policy, and the binding of keyset and nonce.
 * @param bytes - the document exactly as it came; its digest is taken over these bytes
 * @returns the verified evidence
 * @throws StunError with the first failure's code, see docs/attestation.md
 */
export function verifyEvidence(bytes: Uint8Array, context: EvidenceContext): VerifiedEvidence {
  const { evidence, failure } = assessEvidence(bytes, context);
  if (evidence === null) throw failure ?? new StunError('STUN_INTERNAL', 'evidence failed without a reason');
  return evidence;
}
