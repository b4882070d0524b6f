/**
 * Validation of a verified TDX quote: does it say what the policy demands? All checks run, so that a report shows every reason.
 * Source: docs/design.md, section 6; the bits are those of "Intel TDX Module Base Architecture Specification", ATTRIBUTES and XFAM.
 */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import type { Check, CheckId } from '../checks.ts';
import { CheckLedger, tdxPolicyChecks } from '../checks.ts';
import { refusalCode } from '../intel/tcb-status.ts';
import type { Policy, Skip, TdxMeasurement, TdxPolicy } from '../policy/policy.ts';
import { measuredFields } from '../policy/policy.ts';
import type { VerifiedTdx } from './verify.ts';

/** A verified quote that also satisfies a policy. */
export interface ValidatedTdx {
  readonly verified: VerifiedTdx;
  readonly policy: Policy;
  readonly checks: readonly Check[];
}

/** The verdict of a policy: every check, and the first refusal when there is one. */
export interface PolicyAssessment {
  readonly checks: readonly Check[];
  readonly refusal: StunError | null;
}

/** Byte and bit of TD attributes (little-endian bit numbers). */
const septVeDisableBit = 28;

function bitSet(bytes: Uint8Array, bit: number): boolean {
  return ((bytes[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}

function within(bytes: Uint8Array, mask: Uint8Array): boolean {
  return bytes.every((byte, i) => (byte & ~(mask[i] ?? 0) & 0xff) === 0);
}

function refuse(code: ErrorCode, reason: string): never {
  throw new StunError(code, reason);
}

function isSkip(value: readonly unknown[] | string | Skip): value is Skip {
  return typeof value === 'object' && 'skip' in value;
}

function matches(verified: VerifiedTdx, measurement: TdxMeasurement): boolean {
  return measuredFields.every((name) => {
    const expected = measurement[name];
    return isSkip(expected) || toHex(verified.body[name]) === expected;
  });
}

function validateStatus(verified: VerifiedTdx, policy: TdxPolicy): void {
  if (!policy.tcbStatuses.includes(verified.tcbStatus)) {
    refuse(
      refusalCode(verified.tcbStatus),
      `expected ${policy.tcbStatuses.join(' or ')}, the TCB status is ${verified.tcbStatus}`,
    );
  }
}

function validateAdvisories(verified: VerifiedTdx, policy: TdxPolicy): void {
  if (!verified.tcbStatus.includes('SWHardeningNeeded')) return;
  const open = verified.advisoryIds.filter((id) => !policy.advisories.includes(id));
  if (open.length > 0) refuse('STUN_POLICY_ADVISORY', `not listed by the policy: ${open.slice(0, 8).join(', ')}`);
}

function validateSeptVeDisable(verified: VerifiedTdx, policy: TdxPolicy): void {
  const excepted = !policy.requireSeptVeDisable || policy.paravisorMrTds.includes(toHex(verified.body.mrTd));
  if (!excepted && !bitSet(verified.body.tdAttributes, septVeDisableBit)) {
    refuse('STUN_POLICY_SEPT_VE_DISABLE', 'SEPT_VE_DISABLE is not set');
  }
}

function validateAttributes(verified: VerifiedTdx, policy: TdxPolicy): void {
  const attributes = verified.body.tdAttributes.slice();
  attributes[0] = (attributes[0] ?? 0) & 0xfe; // DEBUG has a check of its own
  if (!within(attributes, fromHex(policy.tdAttributesMask))) {
    refuse(
      'STUN_POLICY_TD_ATTRIBUTES',
      `TD attributes ${toHex(verified.body.tdAttributes)} have bits outside ${policy.tdAttributesMask}`,
    );
  }
}

function validateXfam(verified: VerifiedTdx, policy: TdxPolicy): void {
  const { xfam } = verified.body;
  if (!within(fromHex(policy.xfamRequired), xfam) || !within(xfam, fromHex(policy.xfamMask))) {
    refuse('STUN_POLICY_XFAM', `XFAM ${toHex(xfam)} must have ${policy.xfamRequired} and nothing outside ${policy.xfamMask}`);
  }
}

function validateHardware(verified: VerifiedTdx, policy: TdxPolicy): void {
  const id = toHex(verified.hardwareId);
  if (policy.deniedHardwareIds.includes(id)) refuse('STUN_POLICY_HARDWARE', 'the platform is on the deny list');
  if (!isSkip(policy.hardwareIds) && !policy.hardwareIds.includes(id))
    refuse('STUN_POLICY_HARDWARE', 'the platform is not on the list of admitted ones');
}

/** Runs every check of a policy; throws nothing for a refusal, the assessment carries it. */
export function assessTdxPolicy(verified: VerifiedTdx, policy: Policy): PolicyAssessment {
  const ledger = new CheckLedger(...tdxPolicyChecks);
  let refusal: StunError | null = null;
  const check = (id: CheckId, body: () => void): void => {
    try {
      ledger.prove(id, body);
    } catch (thrown) {
      if (!(thrown instanceof StunError)) throw thrown;
      refusal ??= thrown;
    }
  };
  const { tdx } = policy;
  check('policy-kind', () => (tdx === null ? refuse('STUN_POLICY_KIND', 'the policy does not admit TDX') : undefined));
  check('policy-simulated', () =>
    verified.simulated && !policy.allowSimulated ? refuse('STUN_POLICY_SIMULATED', 'the hardware is simulated') : undefined,
  );
  if (tdx !== null) {
    check('policy-revocation', () =>
      tdx.requireRevocationData && verified.revocation === 'unknown'
        ? refuse('STUN_POLICY_REVOCATION', 'there is no CRL for a chain')
        : undefined,
    );
    check('policy-evaluation-number', () =>
      verified.tcbEvaluationDataNumber < tdx.minTcbEvaluationDataNumber
        ? refuse(
            'STUN_POLICY_EVALUATION_NUMBER',
            `expected at least ${tdx.minTcbEvaluationDataNumber}, got ${verified.tcbEvaluationDataNumber}`,
          )
        : undefined,
    );
    check('policy-tcb-status', () => validateStatus(verified, tdx));
    check('policy-advisories', () => validateAdvisories(verified, tdx));
    check('policy-debug', () => (verified.debug && !tdx.allowDebug ? refuse('STUN_POLICY_DEBUG', 'DEBUG is set') : undefined));
    check('policy-sept-ve-disable', () => validateSeptVeDisable(verified, tdx));
    check('policy-td-attributes', () => validateAttributes(verified, tdx));
    check('policy-xfam', () => validateXfam(verified, tdx));
    const { measurements } = tdx;
    if (isSkip(measurements)) ledger.unknown('policy-measurements');
    else {
      check('policy-measurements', () =>
        measurements.some((measurement) => matches(verified, measurement))
          ? undefined
          : refuse('STUN_POLICY_MEASUREMENT', 'the TD report equals none of the sets of reference values'),
      );
    }
    check('policy-hardware', () => validateHardware(verified, tdx));
  }
  return { checks: ledger.list(), refusal };
}

/**
 * Validates a verified quote against a policy.
 * @throws the first refusal, of class policy: see `policy-…` in docs/attestation.md
 */
export function validateTdx(verified: VerifiedTdx, policy: Policy): ValidatedTdx {
  const { checks, refusal } = assessTdxPolicy(verified, policy);
  if (refusal !== null) throw refusal;
  return Object.freeze({ verified, policy, checks });
}
