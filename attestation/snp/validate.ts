/**
 * Validation of a verified SEV-SNP report: does it say what the policy demands? All checks run, so that a report shows every reason.
 * Source: docs/design.md, section 6; the bits are those of "SEV Secure Nested Paging Firmware ABI Specification" (AMD 56860).
 */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import type { Check, CheckId } from '../checks.ts';
import { CheckLedger, snpPolicyChecks } from '../checks.ts';
import type { Policy } from '../policy/policy.ts';
import type { Skip } from '../policy/policy-fields.ts';
import { isSkip } from '../policy/policy-fields.ts';
import type { SnpPolicy, SnpTcbFloors } from '../policy/snp-policy.ts';
import type { SnpTcb } from './product.ts';
import { componentBelow } from './product.ts';
import type { VerifiedSnp } from './verify.ts';
import { bitOf, tcbDisorder } from './verify.ts';

/** A verified report that also satisfies a policy. */
export interface ValidatedSnp {
  readonly verified: VerifiedSnp;
  readonly policy: Policy;
  readonly checks: readonly Check[];
}

/** The verdict of a policy: every check, and the first refusal when there is one. */
export interface SnpPolicyAssessment {
  readonly checks: readonly Check[];
  readonly refusal: StunError | null;
}

/** Bits of the guest policy and of the platform info that have checks of their own. */
const debugBit = 19;
const migrateBit = 18;
const aliasCheckBit = 5;

function refuse(code: ErrorCode, reason: string): never {
  throw new StunError(code, reason);
}

/** Bits that `bytes` has outside `mask`, or lacks of `required`; null when there are none. */
function strayBits(bytes: Uint8Array, required: string, mask: string): string | null {
  const [must, may] = [fromHex(required, 8), fromHex(mask, 8)];
  const stray = bytes.map((byte, i) => (byte & ~(may[i] ?? 0) & 0xff) | (~byte & (must[i] ?? 0) & 0xff));
  return stray.every((byte) => byte === 0) ? null : toHex(stray);
}

function validateGuestPolicy({ report }: VerifiedSnp, policy: SnpPolicy): void {
  const bits = report.policy.slice();
  bits.fill(0, 0, 2); // the ABI version
  const own = (1 << (debugBit % 8)) | (1 << (migrateBit % 8));
  bits[2] = (bits[2] ?? 0) & ~own;
  const required = fromHex(policy.guestPolicyRequired, 8);
  required[2] = (required[2] ?? 0) | 2; // bit 17 is one in every policy of a guest
  const stray = strayBits(bits, toHex(required), policy.guestPolicyMask);
  if (stray !== null) refuse('STUN_POLICY_SNP_GUEST_POLICY', `guest policy ${toHex(report.policy)} disagrees in bits ${stray}`);
}

function validatePlatformInfo({ report }: VerifiedSnp, policy: SnpPolicy): void {
  const stray = strayBits(report.platformInfo, policy.platformInfoRequired, policy.platformInfoMask);
  if (stray !== null)
    refuse('STUN_POLICY_SNP_PLATFORM', `platform info ${toHex(report.platformInfo)} disagrees in bits ${stray}`);
}

function validateSigner({ signer, cspId }: VerifiedSnp, policy: SnpPolicy): void {
  if (signer === 'vlek' && (cspId === null || !policy.vlekCspIds.includes(cspId)))
    refuse('STUN_POLICY_SNP_SIGNER', `the VLEK is of ${(cspId ?? 'no cloud').slice(0, 60)}, which the policy does not name`);
}

function validateFloor(tcb: SnpTcb, floor: SnpTcb, which: string): void {
  const component = componentBelow(tcb, floor);
  if (component !== null)
    refuse('STUN_POLICY_SNP_TCB', `${which} ${component}: expected at least ${floor[component]}, got ${tcb[component]}`);
}

function validateMitigations({ report }: VerifiedSnp, wanted: string): void {
  const none = '0xffffffffffffffff';
  for (const [name, vector] of [
    ['launch', report.launchMitigations],
    ['now', report.currentMitigations],
  ] as const) {
    const stray = strayBits(vector ?? new Uint8Array(8), wanted, none);
    if (stray !== null) refuse('STUN_POLICY_SNP_MITIGATIONS', `the mitigations ${stray} are not shown (${name})`);
  }
}

function validateFirmware({ report }: VerifiedSnp, policy: SnpPolicy): void {
  const text = ({ major, minor, build }: SnpPolicy['minFirmware']): string => `${major}.${minor}.${build}`;
  const order = ({ major, minor, build }: SnpPolicy['minFirmware']): number => major * 65_536 + minor * 256 + build;
  if (order(report.committedFirmware) < order(policy.minFirmware))
    refuse('STUN_POLICY_SNP_FIRMWARE', `expected ${text(policy.minFirmware)} or later, got ${text(report.committedFirmware)}`);
}

function validateAuthorKey({ report }: VerifiedSnp, digests: readonly string[]): void {
  if (!report.authorKeyEnabled) refuse('STUN_POLICY_SNP_ID_KEY', 'the policy names author keys and the guest has none');
  if (!digests.includes(toHex(report.authorKeyDigest)))
    refuse('STUN_POLICY_SNP_ID_KEY', 'the author key is not one that the policy names');
}

function validateHardware({ report }: VerifiedSnp, policy: SnpPolicy): void {
  const id = toHex(report.chipId);
  if (policy.deniedHardwareIds.includes(id)) refuse('STUN_POLICY_HARDWARE', 'the chip is on the deny list');
  if (!isSkip(policy.hardwareIds) && !policy.hardwareIds.includes(id))
    refuse('STUN_POLICY_HARDWARE', 'the chip is not on the list of admitted ones');
}

/** Runs every check of a policy; throws nothing for a refusal, the assessment carries it. */
export function assessSnpPolicy(verified: VerifiedSnp, policy: Policy): SnpPolicyAssessment {
  const ledger = new CheckLedger(...snpPolicyChecks);
  let refusal: StunError | null = null;
  const check = (id: CheckId, body: () => void): void => {
    try {
      ledger.prove(id, body);
    } catch (thrown) {
      if (!(thrown instanceof StunError)) throw thrown;
      refusal ??= thrown;
    }
  };
  const { sevSnp: snp } = policy;
  check('policy-kind', () => (snp === null ? refuse('STUN_POLICY_KIND', 'the policy does not admit SEV-SNP') : undefined));
  check('policy-simulated', () =>
    verified.simulated && !policy.allowSimulated ? refuse('STUN_POLICY_SIMULATED', 'the hardware is simulated') : undefined,
  );
  if (snp !== null) runChecks(verified, snp, check);
  return { checks: ledger.list(), refusal };
}

function runChecks(verified: VerifiedSnp, snp: SnpPolicy, check: (id: CheckId, body: () => void) => void): void {
  const { report, tcbs, product } = verified;
  const demand = (id: CheckId, holds: boolean, code: ErrorCode, reason: string): void =>
    check(id, () => (holds ? undefined : refuse(code, reason)));
  /** A check that the policy may skip stays unknown then. */
  const unlessSkipped = <T>(id: CheckId, wanted: T | Skip, body: (wanted: T) => void): void => {
    if (!isSkip(wanted)) check(id, () => body(wanted));
  };
  const listed = (id: CheckId, wanted: readonly string[] | Skip, value: Uint8Array, code: ErrorCode, what: string): void =>
    unlessSkipped(id, wanted, (list) =>
      list.includes(toHex(value)) ? undefined : refuse(code, `${what} is not among the values that the policy names`),
    );
  const floor = (id: CheckId, floors: SnpTcbFloors, tcb: SnpTcb, which: string): void =>
    unlessSkipped(id, floors[product], (least) => validateFloor(tcb, least, which));

  demand(
    'policy-revocation',
    !snp.requireRevocationData || verified.revocation === 'checked',
    'STUN_POLICY_REVOCATION',
    'there is no CRL of the ARK',
  );
  demand(
    'policy-report-version',
    report.version >= snp.minReportVersion,
    'STUN_POLICY_SNP_VERSION',
    `expected version ${snp.minReportVersion} or later, got ${report.version}`,
  );
  demand('policy-product', snp.products.includes(product), 'STUN_POLICY_SNP_PRODUCT', `the policy does not name ${product}`);
  check('policy-signer', () => validateSigner(verified, snp));
  demand('policy-debug', !verified.debug || snp.allowDebug, 'STUN_POLICY_DEBUG', 'DEBUG is set');
  demand(
    'policy-migration',
    !bitOf(report.policy, migrateBit) || snp.allowMigrationAgent,
    'STUN_POLICY_SNP_MIGRATION',
    'MIGRATE_MA is set',
  );
  check('policy-guest-policy', () => validateGuestPolicy(verified, snp));
  demand(
    'policy-alias-check',
    !snp.requireAliasCheck || bitOf(report.platformInfo, aliasCheckBit),
    'STUN_POLICY_SNP_ALIAS_CHECK',
    'ALIAS_CHECK_COMPLETE is not set',
  );
  check('policy-platform-info', () => validatePlatformInfo(verified, snp));
  check('policy-tcb-order', () => {
    const disorder = tcbDisorder(tcbs);
    if (disorder !== null) refuse('STUN_POLICY_SNP_TCB_ORDER', disorder);
  });
  floor('policy-tcb', snp.minTcb, tcbs.reported, 'reported');
  floor('policy-launch-tcb', snp.minLaunchTcb, tcbs.launch, 'launch');
  unlessSkipped('policy-mitigations', snp.mitigations, (wanted) => validateMitigations(verified, wanted));
  demand(
    'policy-vmpl',
    snp.vmpls.includes(report.vmpl),
    'STUN_POLICY_SNP_VMPL',
    `the report was asked for at VMPL ${report.vmpl}`,
  );
  demand(
    'policy-guest-svn',
    report.guestSvn >= snp.minGuestSvn,
    'STUN_POLICY_SNP_GUEST_SVN',
    `expected at least ${snp.minGuestSvn}, got ${report.guestSvn}`,
  );
  check('policy-firmware', () => validateFirmware(verified, snp));
  listed('policy-id-key', snp.idKeyDigests, report.idKeyDigest, 'STUN_POLICY_SNP_ID_KEY', 'the key of the ID block');
  unlessSkipped('policy-author-key', snp.authorKeyDigests, (list) => validateAuthorKey(verified, list));
  listed('policy-host-data', snp.hostData, report.hostData, 'STUN_POLICY_SNP_HOST_DATA', 'HOST_DATA');
  listed('policy-measurements', snp.measurements, report.measurement, 'STUN_POLICY_MEASUREMENT', 'the measurement');
  check('policy-hardware', () => validateHardware(verified, snp));
}

/**
 * Validates a verified report against a policy.
 * @throws the first refusal, of class policy: see `policy-…` in docs/attestation.md
 */
export function validateSnp(verified: VerifiedSnp, policy: Policy): ValidatedSnp {
  const { checks, refusal } = assessSnpPolicy(verified, policy);
  if (refusal !== null) throw refusal;
  return Object.freeze({ verified, policy, checks });
}
