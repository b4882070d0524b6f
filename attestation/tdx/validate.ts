/**
 * Validation of a verified TDX quote: does it say what the policy demands? All checks run, so that a report shows every reason.
 * Source: docs/design.md, section 6; the bits are those of "Intel TDX Module Base Architecture Specification", ATTRIBUTES and XFAM.
 */
import { fromHex, toHex } from '#protocol/bytes.ts';
import type { Check } from '../checks.ts';
import { tdxPolicyChecks } from '../checks.ts';
import type { PolicyAssessment } from '../intel/validate.ts';
import { checkPlatform, PolicyRun, refuse } from '../intel/validate.ts';
import type { Policy } from '../policy/policy.ts';
import { isSkip } from '../policy/policy-fields.ts';
import type { TdxMeasurement, TdxPolicy } from '../policy/tdx-policy.ts';
import { measuredFields } from '../policy/tdx-policy.ts';
import type { VerifiedTdx } from './verify.ts';

/** A verified quote that also satisfies a policy. */
export interface ValidatedTdx {
  readonly verified: VerifiedTdx;
  readonly policy: Policy;
  readonly checks: readonly Check[];
}

/** Bit of the TD attributes (little-endian bit numbers). */
const septVeDisableBit = 28;

function bitSet(bytes: Uint8Array, bit: number): boolean {
  return ((bytes[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}

function within(bytes: Uint8Array, mask: Uint8Array): boolean {
  return bytes.every((byte, i) => (byte & ~(mask[i] ?? 0) & 0xff) === 0);
}

function matches(verified: VerifiedTdx, measurement: TdxMeasurement): boolean {
  return measuredFields.every((name) => {
    const expected = measurement[name];
    return isSkip(expected) || toHex(verified.body[name]) === expected;
  });
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
  if (!within(attributes, fromHex(policy.tdAttributesMask)) || !within(fromHex(policy.tdAttributesRequired), attributes)) {
    refuse(
      'STUN_POLICY_TD_ATTRIBUTES',
      `TD attributes ${toHex(verified.body.tdAttributes)} must have ${policy.tdAttributesRequired} and nothing outside ${policy.tdAttributesMask}`,
    );
  }
}

function validateXfam(verified: VerifiedTdx, policy: TdxPolicy): void {
  const { xfam } = verified.body;
  if (!within(fromHex(policy.xfamRequired), xfam) || !within(xfam, fromHex(policy.xfamMask))) {
    refuse('STUN_POLICY_XFAM', `XFAM ${toHex(xfam)} must have ${policy.xfamRequired} and nothing outside ${policy.xfamMask}`);
  }
}

function validateServiceTd(verified: VerifiedTdx, admitted: readonly string[]): void {
  const bytes = verified.body.mrServiceTd;
  if (bytes === undefined || bytes.every((byte) => byte === 0)) return;
  if (!admitted.includes(toHex(bytes))) refuse('STUN_POLICY_SERVICE_TD', `the service TD ${toHex(bytes)} is not admitted`);
}

/** Runs every check of a policy; throws nothing for a refusal, the assessment carries it. */
export function assessTdxPolicy(verified: VerifiedTdx, policy: Policy): PolicyAssessment {
  const run = new PolicyRun(...tdxPolicyChecks);
  const { tdx } = policy;
  run.check('policy-kind', () => (tdx === null ? refuse('STUN_POLICY_KIND', 'the policy does not admit TDX') : undefined));
  run.check('policy-simulated', () =>
    verified.simulated && !policy.allowSimulated ? refuse('STUN_POLICY_SIMULATED', 'the hardware is simulated') : undefined,
  );
  if (tdx === null) return run.result();
  checkPlatform(run, verified, tdx);
  run.check('policy-sept-ve-disable', () => validateSeptVeDisable(verified, tdx));
  run.check('policy-td-attributes', () => validateAttributes(verified, tdx));
  run.check('policy-xfam', () => validateXfam(verified, tdx));
  const { measurements, mrServiceTds } = tdx;
  if (isSkip(measurements)) run.skip('policy-measurements');
  else {
    run.check('policy-measurements', () =>
      measurements.some((measurement) => matches(verified, measurement))
        ? undefined
        : refuse('STUN_POLICY_MEASUREMENT', 'the TD report equals none of the sets of reference values'),
    );
  }
  if (isSkip(mrServiceTds)) run.skip('policy-service-td');
  else run.check('policy-service-td', () => validateServiceTd(verified, mrServiceTds));
  return run.result();
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
