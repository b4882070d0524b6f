/**
 * Verification of an SGX quote: signed by genuine hardware, every signer certified up to a pinned root, everything current.
 *
 * Says nothing about whether the enclave is one that the customer wants: that is the policy's (`validate.ts`). No I/O, no clock.
 * Source: intel/confidential-computing.tee.dcap.qvl (QuoteVerification) for the checks; each is listed in docs/attestation.md.
 */
import { CheckLedger, sgxVerificationChecks } from '../checks.ts';
import type { IntelCollateral } from '../intel/collateral.ts';
import type { EnclaveReport } from '../intel/enclave-report.ts';
import { asSgxTcbInfo } from '../intel/tcb-info.ts';
import type { VerificationContext, VerifiedIntel } from '../intel/verify.ts';
import { verifyIntel } from '../intel/verify.ts';
import type { TrustRoot } from '../trust/roots.ts';
import type { SgxQuote } from './quote.ts';
import { evaluateSgxTcb } from './tcb-evaluation.ts';

/** What verification established. */
export interface VerifiedSgx extends VerifiedIntel {
  readonly kind: 'sgx';
  /** The enclave report as it was signed. */
  readonly body: EnclaveReport;
}

/**
 * Verifies a parsed quote with parsed collateral. Parse collateral once to verify many quotes with it.
 * @param atUnix - time of verification, unix seconds; must be an integer
 * @param roots - pinned roots; the default store has the vendors' alone
 * @param collateralGraceSeconds - how long expired collateral is taken, 0 to 30 days
 * @throws StunError with the code of the first check that fails, see docs/attestation.md
 */
export function verifySgx(
  quote: SgxQuote,
  collateral: IntelCollateral,
  atUnix: number,
  roots: readonly TrustRoot[],
  collateralGraceSeconds = 0,
): VerifiedSgx {
  const ledger = new CheckLedger(...sgxVerificationChecks);
  ledger.prove('quote-format', () => quote);
  ledger.prove('collateral-format', () => collateral);
  return runSgxVerification(ledger, quote, { collateral, atUnix, roots, collateralGraceSeconds });
}

/** The checks of {@link verifySgx} on a ledger of the caller's, for reports that also show what failed. */
export function runSgxVerification(ledger: CheckLedger, quote: SgxQuote, context: VerificationContext): VerifiedSgx {
  const { tcbInfo, qeIdentity, common } = verifyIntel(ledger, quote, context, asSgxTcbInfo);
  const evaluation = ledger.prove('tcb-evaluation', () =>
    evaluateSgxTcb(common.pck, tcbInfo, quote.qeReport.isvSvn, qeIdentity.levels),
  );
  // That no level speaks of this platform is an answer, not a failed proof: policy refuses it.
  if (evaluation.tcbStatus === 'NotSupported') ledger.unknown('tcb-evaluation', 'STUN_POLICY_TCB_NOT_SUPPORTED');
  return Object.freeze({
    ...evaluation,
    ...common,
    kind: 'sgx',
    body: quote.body,
    reportData: quote.body.reportData.slice(),
    debug: ((quote.body.attributes[0] ?? 2) & 2) === 2,
    checks: ledger.list(),
  });
}
