/** Negative vectors of rules with dates, of the grace for collateral, and of service TDs. */
import { parseIntelCollateral, parseTdxQuote, verifyTdx } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { assessTdxPolicy } from '#attestation/tdx/validate.ts';
import {
  acceptedCollateral,
  acceptedQuote,
  assessMachine,
  assessWith,
  atUnix,
  pki,
  policyWith,
} from '../../unit/attestation/simulated-fixture.ts';
import type { NegativeVector } from './negative-vectors.ts';

const vectors: NegativeVector[] = [];
function add(check: NegativeVector['check'], code: NegativeVector['code'], name: string, run: NegativeVector['run']): void {
  vectors.push({ check, code, name, run });
}

const time = (unix: number): string => new Date(unix * 1000).toISOString().replace('.000Z', 'Z');
const day = 86_400;
const advisory = 'STUN-SIMULATED-SA-00001';

add('tcb-info-dates', 'STUN_TCB_INFO_EXPIRED', 'TCB Info a second beyond the grace', () =>
  assessMachine(
    { collateralChanges: { tcbInfo: (info) => ({ ...info, nextUpdate: time(atUnix - day - 1) }) } },
    { policy: policyWith({ collateralGraceSeconds: day }) },
  ),
);
add('pck-chain', 'STUN_CERTIFICATE_EXPIRED', 'PCK certificate that ended within the grace', () =>
  assessMachine({ quoteChanges: { pck: { notAfterUnix: atUnix - 1 } } }, { policy: policyWith({ collateralGraceSeconds: day }) }),
);
add('policy-collateral-age', 'STUN_POLICY_COLLATERAL_AGE', 'collateral verified with more grace than the policy gives', () => {
  const late = atUnix + 30 * day;
  const verified = verifyTdx(parseTdxQuote(acceptedQuote), parseIntelCollateral(acceptedCollateral), late, [pki.root], day);
  const { checks, refusal } = assessTdxPolicy(verified, simulatedPolicy);
  return { checks: [...verified.checks, ...checks], failure: refusal };
});
add('policy-tcb-status', 'STUN_POLICY_TCB_STATUS', 'status that was admitted until a second ago', () =>
  assessWith({
    policy: policyWith({ tcbStatuses: [{ status: 'UpToDate', tcbDateFrom: null, admittedUntil: time(atUnix - 1) }] }),
  }),
);
add('policy-tcb-status', 'STUN_POLICY_TCB_STATUS', 'status of an earlier tcbDate than the policy demands', () =>
  assessWith({
    policy: policyWith({ tcbStatuses: [{ status: 'UpToDate', tcbDateFrom: '2024-11-13T00:00:01Z', admittedUntil: null }] }),
  }),
);
add('policy-advisories', 'STUN_POLICY_ADVISORY', 'advisory that was admitted until a second ago', () =>
  assessMachine(
    { outOfDate: true },
    { policy: policyWith({ tcbStatuses: ['OutOfDate'], advisories: [{ id: advisory, admittedUntil: time(atUnix - 1) }] }) },
  ),
);
add('policy-advisories', 'STUN_POLICY_ADVISORY', 'advisory that is listed and denied', () =>
  assessMachine(
    { outOfDate: true },
    { policy: policyWith({ tcbStatuses: ['OutOfDate'], advisories: [advisory], deniedAdvisories: [advisory] }) },
  ),
);
add('policy-td-attributes', 'STUN_POLICY_TD_ATTRIBUTES', 'TD without an attribute bit that is required', () =>
  assessWith({ policy: policyWith({ tdAttributesRequired: '0x0000004000000000' }) }),
);
add('policy-service-td', 'STUN_POLICY_SERVICE_TD', 'TD with an unknown service TD', () =>
  assessMachine({ quoteVersion: 5, bodyType: 3, quoteChanges: { body: { mrServiceTd: new Uint8Array(48).fill(1) } } }),
);

export const tdxPolicyVectors: readonly NegativeVector[] = vectors;
