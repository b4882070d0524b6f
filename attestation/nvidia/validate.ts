/**
 * Validation of a verified GPU report: does it say what the policy demands? All checks run, so that a report shows every reason.
 * What the collateral refutes is refused whatever the policy says. Source: docs/design.md, section 6.
 */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { toHex } from '#protocol/bytes.ts';
import type { Check, CheckId } from '../checks.ts';
import { CheckLedger, gpuPolicyChecks } from '../checks.ts';
import type { GpuPolicy } from '../policy/gpu-policy.ts';
import type { Policy } from '../policy/policy.ts';
import type { Skip } from '../policy/policy-fields.ts';
import { isSkip } from '../policy/policy-fields.ts';
import type { CertificateRevocation } from './revocation.ts';
import type { VerifiedGpu } from './verify.ts';
import { isVersionBelow } from './version-order.ts';

/** A verified report that also satisfies a policy. */
export interface ValidatedGpu {
  readonly verified: VerifiedGpu;
  readonly policy: Policy;
  readonly checks: readonly Check[];
}

/** The verdict of a policy: every check, and the first refusal when there is one. */
export interface GpuPolicyAssessment {
  readonly checks: readonly Check[];
  readonly refusal: StunError | null;
}

function refuse(code: ErrorCode, reason: string): never {
  throw new StunError(code, reason);
}

/** How a check of the policy is made: each on its own, whatever the others say. */
type RunCheck = (id: CheckId, body: () => void) => void;

/** Runs every check of a policy; throws nothing for a refusal, the assessment carries it. */
export function assessGpuPolicy(verified: VerifiedGpu, policy: Policy): GpuPolicyAssessment {
  const ledger = new CheckLedger(...gpuPolicyChecks);
  let refusal = verified.collateralFailure;
  const check: RunCheck = (id, body) => {
    try {
      ledger.prove(id, body);
    } catch (thrown) {
      if (!(thrown instanceof StunError)) throw thrown;
      refusal ??= thrown;
    }
  };
  const { nvidia } = policy;
  check('policy-kind', () => (nvidia === null ? refuse('STUN_POLICY_KIND', 'the policy does not admit GPUs') : undefined));
  check('policy-simulated', () =>
    verified.simulated && !policy.allowSimulated ? refuse('STUN_POLICY_SIMULATED', 'the hardware is simulated') : undefined,
  );
  if (nvidia !== null) {
    if (verified.collateralFailure === null) checkCollateral(verified, nvidia, check);
    checkReport(verified, nvidia, check);
  }
  return { checks: ledger.list(), refusal };
}

/** What is known from outside the report. Where something is refuted, the refutation speaks for itself. */
function checkCollateral({ revocation, rimRevocation, rim }: VerifiedGpu, nvidia: GpuPolicy, check: RunCheck): void {
  check('policy-revocation', () => {
    if (nvidia.requireRevocationData) requireKnown(revocation);
  });
  check('policy-hold', () => {
    const held = [...revocation, ...rimRevocation].find(({ status }) => status === 'hold');
    if (held !== undefined && !nvidia.admitCertificateHold)
      refuse('STUN_POLICY_GPU_HOLD', `the ${held.certificate} certificate is on hold`);
  });
  check('policy-rim', () => {
    if (nvidia.requireRim && rim === 'unknown')
      refuse('STUN_POLICY_GPU_RIM', 'no reference values were held against the measurements');
  });
  // Without reference values there are no chains of theirs, and the check stays unknown.
  if (rimRevocation.length > 0)
    check('policy-rim-revocation', () => {
      if (nvidia.requireRimRevocationData) requireKnown(rimRevocation);
    });
}

function requireKnown(revocation: readonly CertificateRevocation[]): void {
  const open = revocation.find(({ status }) => status === 'unknown');
  if (open !== undefined)
    refuse('STUN_POLICY_REVOCATION', `nothing is known of the revocation of the ${open.certificate} certificate`);
}

function checkReport(verified: VerifiedGpu, nvidia: GpuPolicy, check: RunCheck): void {
  const { architecture, report, debug } = verified;
  const { driverVersion, vbiosVersion } = report.facts;
  /** A check that the policy may skip stays unknown then. */
  const unlessSkipped = <T>(id: CheckId, wanted: T | Skip, body: (wanted: T) => void): void => {
    if (!isSkip(wanted)) check(id, () => body(wanted));
  };
  check('policy-architecture', () => {
    if (!nvidia.architectures.includes(architecture))
      refuse('STUN_POLICY_GPU_ARCHITECTURE', `the policy does not name ${architecture}`);
  });
  check('policy-nonce', () => {
    if (nvidia.requireNonce && verified.nonce === 'unknown')
      refuse('STUN_POLICY_GPU_NONCE', 'no nonce was given to hold the report against');
  });
  // Hopper's certificates do not say it: then there is nothing to judge, and the check stays unknown.
  if (debug !== null)
    check('policy-debug', () => {
      if (debug && !nvidia.allowDebug)
        refuse('STUN_POLICY_DEBUG', 'the device says that it is not secure, in recovery or in debug mode');
    });
  check('policy-mode', () => validateMode(verified, nvidia));
  // A switch has no driver.
  if (architecture !== 'ls10')
    unlessSkipped('policy-driver', nvidia.minDriverVersion, (floor) => validateFloor('driver', driverVersion, floor));
  unlessSkipped('policy-vbios', nvidia.minVbiosVersions[architecture], (floor) => validateFloor('VBIOS', vbiosVersion, floor));
  unlessSkipped('policy-firmware', nvidia.firmwareIds, (list) => {
    if (!list.includes(toHex(verified.fwid)))
      refuse('STUN_POLICY_GPU_FIRMWARE', 'the first firmware is not among those that the policy names');
  });
  check('policy-hardware', () => validateHardware(verified, nvidia));
}

/** A switch stands in protected-PCIe systems alone. */
function validateMode({ architecture, report }: VerifiedGpu, nvidia: GpuPolicy): void {
  const mode = architecture === 'ls10' ? 'ppcie' : report.facts.mode;
  if (mode === null) refuse('STUN_POLICY_GPU_MODE', 'the report does not say in which mode the GPU is');
  if (!nvidia.modes.includes(mode)) refuse('STUN_POLICY_GPU_MODE', `the GPU is in mode ${mode}, which the policy does not name`);
}

function validateFloor(what: string, version: string | null, floor: string): void {
  if (version === null || isVersionBelow(version, floor))
    refuse('STUN_POLICY_GPU_VERSION', `${what}: expected at least ${floor}, got ${version ?? 'none'}`);
}

function validateHardware({ hardwareId }: VerifiedGpu, nvidia: GpuPolicy): void {
  const id = toHex(hardwareId);
  if (nvidia.deniedHardwareIds.includes(id)) refuse('STUN_POLICY_HARDWARE', 'the GPU is on the deny list');
  if (!isSkip(nvidia.hardwareIds) && !nvidia.hardwareIds.includes(id))
    refuse('STUN_POLICY_HARDWARE', 'the GPU is not on the list of admitted ones');
}

/**
 * Validates a verified report against a policy.
 * @throws what the collateral refuted, or the first refusal of class policy: see `policy-…` in docs/attestation.md
 */
export function validateGpu(verified: VerifiedGpu, policy: Policy): ValidatedGpu {
  const { checks, refusal } = assessGpuPolicy(verified, policy);
  if (refusal !== null) throw refusal;
  return Object.freeze({ verified, policy, checks });
}
