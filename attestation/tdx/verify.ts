/**
 * Verification of a TDX quote: signed by genuine hardware, every signer certified up to a pinned root, everything current.
 *
 * Says nothing about whether the TD is one that the customer wants: debug, TCB status and measurements are the policy's
 * (`validate.ts`), the binding of report_data is the evidence's (`../evidence/`). No I/O, no clock.
 * Source: intel/confidential-computing.tee.dcap.qvl (QuoteVerification) for the checks; each is listed in docs/attestation.md.
 */
import { CheckLedger, tdxVerificationChecks } from '../checks.ts';
import type { IntelCollateral } from '../intel/collateral.ts';
import type { TdBodyType, TdReport } from '../intel/quote-body.ts';
import { asTdxTcbInfo } from '../intel/tcb-info.ts';
import type { VerificationContext, VerifiedIntel } from '../intel/verify.ts';
import { verifyIntel } from '../intel/verify.ts';
import type { TrustRoot } from '../trust/roots.ts';
import type { TdxQuote } from './quote.ts';
import { evaluateTdxTcb, verifyTdxModule } from './tcb-evaluation.ts';

/** What verification established. */
export interface VerifiedTdx extends VerifiedIntel {
  readonly kind: 'tdx';
  /** 2: TD report 1.0, 3: 1.5, 4: 1.5 Ex. */
  readonly bodyType: TdBodyType;
  /** The TD report as it was signed. */
  readonly body: TdReport;
}

/**
 * Verifies a parsed quote with parsed collateral. Parse collateral once to verify many quotes with it.
 * @param atUnix - time of verification, unix seconds; must be an integer
 * @param roots - pinned roots; the default store has the vendors' alone
 * @param collateralGraceSeconds - how long expired collateral is taken, 0 to 30 days
 * @throws StunError with the code of the first check that fails, see docs/attestation.md
 */
export function verifyTdx(
  quote: TdxQuote,
  collateral: IntelCollateral,
  atUnix: number,
  roots: readonly TrustRoot[],
  collateralGraceSeconds = 0,
): VerifiedTdx {
  const ledger = new CheckLedger(...tdxVerificationChecks);
  ledger.prove('quote-format', () => quote);
  ledger.prove('collateral-format', () => collateral);
  return runTdxVerification(ledger, quote, { collateral, atUnix, roots, collateralGraceSeconds });
}

/** The checks of {@link verifyTdx} on a ledger of the caller's, for reports that also show what failed. */
export function runTdxVerification(ledger: CheckLedger, quote: TdxQuote, context: VerificationContext): VerifiedTdx {
  const { tcbInfo, qeIdentity, common } = verifyIntel(ledger, quote, context, asTdxTcbInfo);
  ledger.prove('tdx-module-identity', () => verifyTdxModule(quote.body, tcbInfo));
  const evaluation = ledger.prove('tcb-evaluation', () =>
    evaluateTdxTcb(quote.body, common.pck, tcbInfo, quote.qeReport.isvSvn, qeIdentity.levels),
  );
  // That no level speaks of this platform is an answer, not a failed proof: policy refuses it.
  if (evaluation.tcbStatus === 'NotSupported') ledger.unknown('tcb-evaluation', 'STUN_POLICY_TCB_NOT_SUPPORTED');
  return Object.freeze({
    ...evaluation,
    ...common,
    kind: 'tdx',
    bodyType: quote.bodyType,
    body: quote.body,
    reportData: quote.body.reportData.slice(),
    debug: ((quote.body.tdAttributes[0] ?? 1) & 1) === 1,
    checks: ledger.list(),
  });
}
