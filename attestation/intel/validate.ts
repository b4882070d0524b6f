/**
 * The policy checks that TDX and SGX share. All of them run, so that a report shows every reason.
 * Source: docs/design.md, section 6.
 */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { toHex } from '#protocol/bytes.ts';
import type { Check, CheckId } from '../checks.ts';
import { CheckLedger } from '../checks.ts';
import type { IntelPolicy } from '../policy/intel-policy.ts';
import { isSkip } from '../policy/policy-fields.ts';
import { refusalCode } from './tcb-status.ts';
import type { VerifiedIntel } from './verify.ts';

/** The verdict of a policy: every check, and the first refusal when there is one. */
export interface PolicyAssessment {
  readonly checks: readonly Check[];
  readonly refusal: StunError | null;
}

/** @throws the code, always */
export function refuse(code: ErrorCode, reason: string): never {
  throw new StunError(code, reason);
}

/** Runs policy checks on a ledger and keeps the first refusal. */
export class PolicyRun {
  readonly #ledger: CheckLedger;
  #refusal: StunError | null = null;

  constructor(...ids: readonly CheckId[]) {
    this.#ledger = new CheckLedger(...ids);
  }

  check(id: CheckId, body: () => void): void {
    try {
      this.#ledger.prove(id, body);
    } catch (thrown) {
      if (!(thrown instanceof StunError)) throw thrown;
      this.#refusal ??= thrown;
    }
  }

  /** A check that the policy opts out of stays unknown. */
  skip(id: CheckId): void {
    this.#ledger.unknown(id);
  }

  result(): PolicyAssessment {
    return { checks: this.#ledger.list(), refusal: this.#refusal };
  }
}

/** Times of policies are UTC texts of one form: they order as texts. */
function timeText(unix: number): string {
  return new Date(unix * 1000).toISOString().replace('.000Z', 'Z');
}

function validateStatus(verified: VerifiedIntel, policy: IntelPolicy): void {
  const now = timeText(verified.verifiedAtUnix);
  const { tcbStatus, tcbDate } = verified;
  const admits = (rule: IntelPolicy['tcbStatuses'][number]): boolean => {
    if (typeof rule === 'string') return rule === tcbStatus;
    const recent = rule.tcbDateFrom === null || (tcbDate !== null && tcbDate >= rule.tcbDateFrom);
    return rule.status === tcbStatus && recent && (rule.admittedUntil === null || now <= rule.admittedUntil);
  };
  if (policy.tcbStatuses.some(admits)) return;
  const names = policy.tcbStatuses.map((rule) => (typeof rule === 'string' ? rule : `${rule.status} within its dates`));
  refuse(refusalCode(tcbStatus), `expected ${names.join(' or ')}, the TCB status is ${tcbStatus} of ${tcbDate ?? 'no date'}`);
}

function validateAdvisories(verified: VerifiedIntel, policy: IntelPolicy): void {
  const denied = verified.advisoryIds.filter((id) => policy.deniedAdvisories.includes(id));
  if (denied.length > 0) refuse('STUN_POLICY_ADVISORY', `denied by the policy: ${denied.slice(0, 8).join(', ')}`);
  if (verified.tcbStatus === 'UpToDate') return;
  const now = timeText(verified.verifiedAtUnix);
  const admits = (id: string): boolean =>
    policy.advisories.some((rule) => (typeof rule === 'string' ? rule === id : rule.id === id && now <= rule.admittedUntil));
  const open = verified.advisoryIds.filter((id) => !admits(id));
  if (open.length > 0) refuse('STUN_POLICY_ADVISORY', `not listed by the policy: ${open.slice(0, 8).join(', ')}`);
}

function validateHardware(verified: VerifiedIntel, policy: IntelPolicy): void {
  const id = toHex(verified.hardwareId);
  if (policy.deniedHardwareIds.includes(id)) refuse('STUN_POLICY_HARDWARE', 'the platform is on the deny list');
  if (!isSkip(policy.hardwareIds) && !policy.hardwareIds.includes(id))
    refuse('STUN_POLICY_HARDWARE', 'the platform is not on the list of admitted ones');
}

/** Runs the shared checks, up to and without those that look at the body. */
export function checkPlatform(run: PolicyRun, verified: VerifiedIntel, policy: IntelPolicy): void {
  run.check('policy-revocation', () =>
    policy.requireRevocationData && verified.revocation === 'unknown'
      ? refuse('STUN_POLICY_REVOCATION', 'there is no CRL for a chain')
      : undefined,
  );
  run.check('policy-collateral-age', () =>
    verified.collateralOverdueSeconds > policy.collateralGraceSeconds
      ? refuse(
          'STUN_POLICY_COLLATERAL_AGE',
          `collateral was due ${verified.collateralOverdueSeconds} s ago, the policy gives ${policy.collateralGraceSeconds} s`,
        )
      : undefined,
  );
  run.check('policy-evaluation-number', () =>
    verified.tcbEvaluationDataNumber < policy.minTcbEvaluationDataNumber
      ? refuse(
          'STUN_POLICY_EVALUATION_NUMBER',
          `expected at least ${policy.minTcbEvaluationDataNumber}, got ${verified.tcbEvaluationDataNumber}`,
        )
      : undefined,
  );
  run.check('policy-tcb-status', () => validateStatus(verified, policy));
  run.check('policy-advisories', () => validateAdvisories(verified, policy));
  run.check('policy-debug', () =>
    verified.debug && !policy.allowDebug ? refuse('STUN_POLICY_DEBUG', 'DEBUG is set') : undefined,
  );
  run.check('policy-hardware', () => validateHardware(verified, policy));
}
