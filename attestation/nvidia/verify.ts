/**
 * Verification of a measurement report: signed by a device's own firmware key, certified by NVIDIA up to a pinned root, for this firmware
 * and this nonce.
 *
 * Revocation (OCSP) is a check of its own: what it refutes or leaves unknown does not undo what the signatures prove, but `validate.ts`
 * refuses it. Says nothing about whether the firmware is one that NVIDIA stands by: that is the reference values' (`rim/`).
 * No I/O, no clock. Source: each check with its document is in `check-sources.ts`.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { asStunError } from '#protocol/errors/registry.ts';
import { equalBytes, fromHex } from '#protocol/bytes.ts';
import type { Check } from '../checks.ts';
import { Attempts, CheckLedger, gpuVerificationChecks } from '../checks.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { NvidiaTrustRoot, TrustRoot } from '../trust/roots.ts';
import type { NvidiaCertificate } from './certificate.ts';
import { verifyConstraints, verifyDates } from './chain.ts';
import type { ChainNames, DeviceChain } from './device-chain.ts';
import { deviceIdentity, verifyDeviceChain, verifyDeviceNames } from './device-chain.ts';
import type { CertifiedFirmware } from './fwid.ts';
import { readCertifiedFirmware } from './fwid.ts';
import type { GpuReport } from './report.ts';
import type { GpuArchitecture } from './report-facts.ts';
import type { CertificateRevocation } from './revocation.ts';
import { endsOf, proveRevocation, revocableOfDevice } from './revocation.ts';

/** What a report is verified with. */
export interface GpuCollateral {
  /** The device's chain, parsed, device first. */
  readonly chain: readonly NvidiaCertificate[];
  /**
   * OCSP responses about the device's chain, and about the chains of its reference values, DER. Those about other certificates are left
   * alone; without one a certificate's revocation is unknown.
   */
  readonly ocsp: readonly Uint8Array[];
  /** Time at which those about the device's chain should hold, unix seconds; null: the time of verification. */
  readonly ocspAtUnix: number | null;
  /** What the report was asked for with, 32 bytes; null leaves the check unknown. */
  readonly nonce: Uint8Array | null;
}

/**
 * What no report of a GPU proves today, in words for people. A genuine GPU may sit in another machine than the CPU it answers through;
 * only TDISP, where the GPU attests itself to the CPU over the bus, will show that it does not.
 */
export const gpuUnproven = Object.freeze([
  'the GPU is in the same machine as the CPU: a genuine one can be relayed from elsewhere until TDISP binds the two',
  'confidential-computing mode is on and developer tools are off: the report does not say so, only its measurements differ',
]);

/** What verification established. */
export interface VerifiedGpu {
  readonly kind: 'nvidia';
  /** Whether the hardware is simulated: the root says so. Simulated hardware protects nothing. */
  readonly simulated: boolean;
  readonly rootName: string;
  readonly architecture: GpuArchitecture;
  /** The chip that the chain names, `GH100` say. */
  readonly chip: string;
  /** The report as it was signed. */
  readonly report: GpuReport;
  /** PDI, 8 bytes: stays with the device. */
  readonly hardwareId: Uint8Array;
  /** UEID, the serial of the firmware's certificate, lower-case hex without `0x`: changes with the first firmware. */
  readonly ueid: string;
  /** The certified digest of the first firmware, 48 bytes. */
  readonly fwid: Uint8Array;
  /** Whether the device says that it is not secure, in recovery or in debug mode; null where nothing says it (Hopper, LS10). */
  readonly debug: boolean | null;
  /** Whether the report answers the nonce that was given; `unknown` when none was. */
  readonly nonce: 'checked' | 'unknown';
  /** One entry for each certificate of the device's chain that can be revoked. */
  readonly revocation: readonly CertificateRevocation[];
  /** The same of the chains of the reference values that were held against the measurements; none without reference values. */
  readonly rimRevocation: readonly CertificateRevocation[];
  /** Whether reference values (RIM documents) were held against the measurements. */
  readonly rim: 'checked' | 'unknown';
  /** The first thing that the collateral refutes; such a report is verified and never accepted. */
  readonly collateralFailure: StunError | null;
  /** The earliest end of validity of anything that was relied on, unix seconds. */
  readonly collateralExpiresAtUnix: number;
  readonly verifiedAtUnix: number;
  /** {@link gpuUnproven}. */
  readonly unproven: readonly string[];
  readonly checks: readonly Check[];
}

/**
 * Verifies a parsed report.
 * @param atUnix - time of verification, unix seconds; must be an integer
 * @param roots - pinned roots; the default store has NVIDIA's device root
 * @throws StunError with the code of the first check that fails, see docs/attestation.md; a failing OCSP response is no such check
 */
export function verifyGpu(
  report: GpuReport,
  collateral: GpuCollateral,
  atUnix: number,
  roots: readonly TrustRoot[],
): VerifiedGpu {
  const ledger = new CheckLedger(...gpuVerificationChecks);
  ledger.prove('report-format', () => report);
  ledger.prove('chain-format', () => collateral.chain);
  return runGpuVerification(ledger, report, collateral, atUnix, roots);
}

/** The checks of {@link verifyGpu} on a ledger of the caller's, for reports that also show what failed. */
export function runGpuVerification(
  ledger: CheckLedger,
  report: GpuReport,
  collateral: GpuCollateral,
  atUnix: number,
  roots: readonly TrustRoot[],
): VerifiedGpu {
  for (const time of [atUnix, collateral.ocspAtUnix ?? atUnix])
    if (!Number.isSafeInteger(time) || time < 0)
      throw new StunError('STUN_RANGE', 'the time of verification must be unix seconds');
  const attempts = new Attempts(ledger);
  const verified = attempts.run('chain', () => verifyDeviceChain(collateral.chain, roots));
  const unsigned = attempts.failure;
  attempts.run('report-signature', () => verifyReportSignature(report, collateral.chain));
  const isSigned = attempts.failure === unsigned;
  if (verified === null) throw failureOf(attempts);
  const { chain } = verified;
  const certificates = [chain.firmware, chain.device, chain.provisioner, chain.identity, chain.root];
  const names = attempts.run('chain-names', () => verifyDeviceNames(chain));
  attempts.run('chain-constraints', () =>
    certificates.forEach((certificate, place) => verifyConstraints(certificate, certificates[place + 1] ?? certificate, place)),
  );
  attempts.run('certificate-dates', () => certificates.forEach((certificate) => verifyDates(certificate, atUnix)));
  // What stands in a report that the device did not sign is no claim of the device: there is nothing to hold against its chain.
  const claims = isSigned ? runClaims(attempts, ledger, report, collateral.nonce, chain, names) : null;
  if (attempts.failure !== null || names === null || claims === null) throw failureOf(attempts);
  return established({ ...verified, ...claims, names, report, collateral }, atUnix, ledger);
}

function failureOf(attempts: Attempts): StunError {
  return attempts.failure ?? new StunError('STUN_INTERNAL', 'a GPU report failed without a reason');
}

interface Claims {
  readonly firmware: CertifiedFirmware;
  readonly identity: `0x${string}`;
}

/** Holds what a signed report says against its chain and its nonce. */
function runClaims(
  attempts: Attempts,
  ledger: CheckLedger,
  report: GpuReport,
  nonce: Uint8Array | null,
  chain: DeviceChain,
  names: ChainNames | null,
): Claims | null {
  if (names !== null) attempts.run('architecture', () => verifyArchitecture(report, names));
  const firmware = attempts.run('fwid', () => verifyFwid(report, chain));
  if (firmware !== null && report.facts.fwid === null) ledger.unknown('fwid');
  const identity = attempts.run('device-identity', () => verifyIdentity(report, chain));
  if (nonce !== null) attempts.run('nonce', () => verifyNonce(report, nonce));
  return firmware === null || identity === null ? null : { firmware, identity };
}

function verifyArchitecture({ facts }: GpuReport, { architecture, chip }: ChainNames): void {
  if (facts.architecture !== architecture)
    throw new StunError(
      'STUN_GPU_ARCHITECTURE',
      `the report claims ${facts.architecture ?? 'no architecture that is known'}, the chain is of ${architecture}`,
    );
  if (facts.chip !== null && facts.chip !== chip)
    throw new StunError('STUN_GPU_ARCHITECTURE', `the report names the chip ${facts.chip}, the chain ${chip}`);
}

function verifyFwid({ facts }: GpuReport, chain: DeviceChain): CertifiedFirmware {
  const certified = readCertifiedFirmware(chain);
  if (facts.fwid !== null && !equalBytes(facts.fwid, certified.fwid))
    throw new StunError('STUN_GPU_FWID', 'the FWID of the report is not the one that is certified');
  return certified;
}

function verifyIdentity({ facts }: GpuReport, chain: DeviceChain): `0x${string}` {
  const identity = deviceIdentity(chain);
  if (facts.switchPdi !== null && facts.switchPdi !== identity)
    throw new StunError('STUN_GPU_DEVICE_IDENTITY', `the report is of the switch ${facts.switchPdi}, the chain of ${identity}`);
  return identity;
}

function verifyReportSignature(report: GpuReport, [signer]: readonly NvidiaCertificate[]): void {
  if (signer === undefined || !cryptoProvider.verifyP384(report.signedBytes, report.signature, signer.key))
    throw new StunError('STUN_GPU_REPORT_SIGNATURE', 'the report is not signed by the key of the first certificate');
}

function verifyNonce(report: GpuReport, nonce: Uint8Array): void {
  if (!equalBytes(report.nonce, nonce)) throw new StunError('STUN_GPU_NONCE', 'the report was asked for with another nonce');
}

interface Proven extends Claims {
  readonly names: ChainNames;
  readonly chain: DeviceChain;
  readonly trusted: NvidiaTrustRoot;
  readonly report: GpuReport;
  readonly collateral: GpuCollateral;
}

function established(proven: Proven, atUnix: number, ledger: CheckLedger): VerifiedGpu {
  const { chain, trusted, report, collateral, names, firmware, identity } = proven;
  let revocation: readonly CertificateRevocation[] = [];
  let collateralFailure: StunError | null = null;
  try {
    const ocspAtUnix = collateral.ocspAtUnix ?? atUnix;
    revocation = proveRevocation(ledger, 'ocsp', revocableOfDevice(chain), collateral.ocsp, ocspAtUnix);
  } catch (thrown) {
    collateralFailure = asStunError(thrown);
  }
  const ends = [chain.firmware, chain.device, chain.provisioner, chain.identity, chain.root].map((held) => held.notAfterUnix);
  return Object.freeze({
    kind: 'nvidia',
    simulated: trusted.simulated,
    rootName: trusted.name,
    architecture: names.architecture,
    chip: names.chip,
    report,
    hardwareId: fromHex(identity),
    ueid: chain.firmware.serialHex,
    fwid: firmware.fwid,
    debug: firmware.debug,
    nonce: collateral.nonce === null ? 'unknown' : 'checked',
    revocation,
    rimRevocation: [],
    rim: 'unknown',
    collateralFailure,
    collateralExpiresAtUnix: Math.min(...ends, ...endsOf(revocation)),
    verifiedAtUnix: atUnix,
    unproven: gpuUnproven,
    checks: ledger.list(),
  });
}
