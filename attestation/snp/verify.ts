/**
 * Verification of a SEV-SNP report: signed by a chip's own key, certified by AMD up to a pinned root, for this chip and this TCB.
 *
 * Says nothing about whether the guest is one that the customer wants: debug, TCB floors and measurements are the policy's
 * (`validate.ts`), the binding of report_data is the evidence's (`../evidence/`). No I/O, no clock.
 * Source: AMD 56860 (firmware ABI) and AMD 57230 (VCEK and KDS); each check with its section is in `check-sources.ts`.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { equalBytes } from '#protocol/bytes.ts';
import type { Check } from '../checks.ts';
import { Attempts, CheckLedger, snpVerificationChecks } from '../checks.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { AmdTrustRoot, SnpProduct, TrustRoot } from '../trust/roots.ts';
import {
  productOfArk,
  vekKindOf,
  verifyAmdCrl,
  verifyArk,
  verifyConstraints,
  verifyDates,
  verifyNames,
  verifyNotRevoked,
  verifySignedBy,
} from './chain.ts';
import type { VekKind } from './chain.ts';
import type { SnpEndorsements } from './endorsements.ts';
import type { SnpTcb } from './product.ts';
import { componentBelow, productOfCpuid, readSnpTcb, tcbComponents } from './product.ts';
import type { SnpReport } from './report.ts';
import { snpSignedBytes } from './report.ts';
import { readHwId, readVekHolder, readVekProduct, readVekTcb } from './vek-extensions.ts';

/** The four TCB versions of a report, in components. */
export interface SnpTcbs {
  readonly reported: SnpTcb;
  readonly committed: SnpTcb;
  readonly current: SnpTcb;
  readonly launch: SnpTcb;
}

/** What verification established. */
export interface VerifiedSnp {
  readonly kind: 'snp';
  /** Whether the hardware is simulated: the root says so. Simulated hardware protects nothing. */
  readonly simulated: boolean;
  readonly rootName: string;
  readonly product: SnpProduct;
  /** The kind of key that signed: of this one chip, or of a cloud. */
  readonly signer: VekKind;
  /** The cloud of a VLEK; null for a VCEK. */
  readonly cspId: string | null;
  /** The report as it was signed. */
  readonly report: SnpReport;
  readonly tcbs: SnpTcbs;
  /** 64 bytes. What it binds is checked by `verifyEvidence`. */
  readonly reportData: Uint8Array;
  /** DEBUG bit of the guest policy. */
  readonly debug: boolean;
  /** CHIP_ID, 64 bytes. All zeros under a VLEK: such a report names no chip. */
  readonly hardwareId: Uint8Array;
  /** `unknown` when the endorsements had no CRL. */
  readonly revocation: 'checked' | 'unknown';
  /** The earliest end of validity of anything that was relied on, unix seconds. */
  readonly collateralExpiresAtUnix: number;
  readonly verifiedAtUnix: number;
  readonly checks: readonly Check[];
}

/** Whether a bit of an 8-byte little-endian field is set. */
export function bitOf(bytes: Uint8Array, bit: number): boolean {
  return ((bytes[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}

/**
 * Verifies a parsed report with parsed endorsements.
 * @param atUnix - time of verification, unix seconds; must be an integer
 * @param roots - pinned roots; the default store has AMD's for Milan, Genoa and Turin
 * @throws StunError with the code of the first check that fails, see docs/attestation.md
 */
export function verifySnp(
  report: SnpReport,
  endorsements: SnpEndorsements,
  atUnix: number,
  roots: readonly TrustRoot[],
): VerifiedSnp {
  const ledger = new CheckLedger(...snpVerificationChecks);
  ledger.prove('report-format', () => report);
  ledger.prove('endorsements-format', () => endorsements);
  return runSnpVerification(ledger, report, endorsements, atUnix, roots);
}

/** The checks of {@link verifySnp} on a ledger of the caller's, for reports that also show what failed. */
export function runSnpVerification(
  ledger: CheckLedger,
  report: SnpReport,
  endorsements: SnpEndorsements,
  atUnix: number,
  roots: readonly TrustRoot[],
): VerifiedSnp {
  if (!Number.isSafeInteger(atUnix) || atUnix < 0)
    throw new StunError('STUN_RANGE', 'the time of verification must be unix seconds');
  const { vek, ask, ark, crl } = endorsements;
  const attempts = new Attempts(ledger);
  const named = attempts.run('ark-product', () => productOfArk(ark));
  if (named === null) throw failureOf(attempts);
  const product = named;
  const root = attempts.run('ark-key', () => verifyArk(ark, product, roots));
  attempts.run('chain-names', () => verifyNames(endorsements, product));
  attempts.run('chain-constraints', () => verifyConstraints(endorsements));
  attempts.run('ask-signature', () => verifySignedBy(ask, ark));
  attempts.run('vek-signature', () => verifySignedBy(vek, ask));
  attempts.run('certificate-dates', () => verifyDates(endorsements, atUnix));
  const revocation = verifyRevocation(ledger, attempts, endorsements, atUnix);
  attempts.run('signer-kind', () => verifySignerKind(report, endorsements));
  attempts.run('product', () => verifyProduct(report, endorsements, product));
  attempts.run('report-signature', () => verifyReportSignature(report, endorsements));
  attempts.run('tcb', () => verifyTcb(report, endorsements, product));
  attempts.run('hwid', () => verifyHwId(report, endorsements, product));
  const tcbs = attempts.run('tcb-layout', () => readTcbs(report, product));
  if (attempts.failure !== null || root === null || tcbs === null) throw failureOf(attempts);
  const ends = [vek, ask, ark].map((certificate) => certificate.notAfterUnix);
  return established({ report, endorsements, product, root, tcbs, revocation }, atUnix, ledger, [
    ...ends,
    ...(crl === null ? [] : [crl.nextUpdateUnix]),
  ]);
}

function failureOf(attempts: Attempts): StunError {
  return attempts.failure ?? new StunError('STUN_INTERNAL', 'a report failed without a reason');
}

interface Proven {
  readonly report: SnpReport;
  readonly endorsements: SnpEndorsements;
  readonly product: SnpProduct;
  readonly root: AmdTrustRoot;
  readonly tcbs: SnpTcbs;
  readonly revocation: 'checked' | 'unknown';
}

function established(proven: Proven, atUnix: number, ledger: CheckLedger, ends: readonly number[]): VerifiedSnp {
  const { report, endorsements, product, root, tcbs, revocation } = proven;
  const signer = vekKindOf(endorsements.vek);
  return Object.freeze({
    kind: 'snp',
    simulated: root.simulated,
    rootName: root.name,
    product,
    signer,
    cspId: signer === 'vlek' ? readVekHolder(endorsements.vek).cspId : null,
    report,
    tcbs,
    reportData: report.reportData.slice(),
    debug: bitOf(report.policy, 19),
    hardwareId: report.chipId.slice(),
    revocation,
    collateralExpiresAtUnix: Math.min(...ends),
    verifiedAtUnix: atUnix,
    checks: ledger.list(),
  });
}

function verifyRevocation(
  ledger: CheckLedger,
  attempts: Attempts,
  endorsements: SnpEndorsements,
  atUnix: number,
): 'checked' | 'unknown' {
  const { crl, ark } = endorsements;
  if (crl === null) {
    ledger.unknown('ark-crl', 'STUN_REVOCATION_UNKNOWN');
    ledger.unknown('certificate-revocation', 'STUN_REVOCATION_UNKNOWN');
    return 'unknown';
  }
  attempts.run('ark-crl', () => verifyAmdCrl(crl, ark, atUnix));
  attempts.run('certificate-revocation', () => verifyNotRevoked(endorsements, crl));
  return 'checked';
}

function verifySignerKind(report: SnpReport, { vek }: SnpEndorsements): void {
  const kind = vekKindOf(vek);
  if (report.signer !== kind)
    throw new StunError(
      'STUN_SNP_SIGNER',
      `the report says that its signer is ${report.signer}, the certificate is of a ${kind}`,
    );
}

function verifyProduct(report: SnpReport, { vek }: SnpEndorsements, product: SnpProduct): void {
  const certified = readVekProduct(vek);
  if (certified !== product) throw new StunError('STUN_SNP_PRODUCT', `the VEK is for ${certified}, the root for ${product}`);
  if (report.cpuid === null) return;
  const { family, model } = report.cpuid;
  const cpu = productOfCpuid(family, model);
  if (cpu !== product) {
    const numbers = [family, model].map((part) => `0x${part.toString(16)}`).join(' model ');
    throw new StunError(
      'STUN_SNP_PRODUCT',
      `the CPU of family ${numbers} is of ${cpu ?? 'no known product line'}, the VEK for ${product}`,
    );
  }
}

function verifyReportSignature(report: SnpReport, { vek }: SnpEndorsements): void {
  const signed = report.raw.subarray(0, snpSignedBytes);
  if (vek.key.kind !== 'p384' || !cryptoProvider.verifyP384(signed, report.signature, vek.key.point))
    throw new StunError('STUN_SNP_REPORT_SIGNATURE', 'the report is not signed by the key of the VEK certificate');
}

/** The VEK is derived from the TCB version that the firmware reports: only the certificate of exactly that version will do. */
function verifyTcb(report: SnpReport, { vek }: SnpEndorsements, product: SnpProduct): void {
  const certified = readVekTcb(vek, product);
  const reported = readSnpTcb(report.reportedTcb, product);
  const differing = reported === null ? null : tcbComponents.find((component) => certified[component] !== reported[component]);
  if (reported === null) throw new StunError('STUN_SNP_TCB', 'REPORTED_TCB has a reserved byte that is not zero');
  if (differing !== undefined && differing !== null)
    throw new StunError('STUN_SNP_TCB', `${differing}: the VEK has ${certified[differing]}, the report ${reported[differing]}`);
}

function verifyHwId(report: SnpReport, { vek }: SnpEndorsements, product: SnpProduct): void {
  if (vekKindOf(vek) === 'vcek') {
    if (!equalBytes(readHwId(vek, product), report.chipId))
      throw new StunError('STUN_SNP_HWID', 'the HWID of the VCEK is not the CHIP_ID of the report');
    return;
  }
  const { hwId, cspId } = readVekHolder(vek);
  if (hwId !== null || cspId === null) throw new StunError('STUN_SNP_HWID', 'a VLEK must name a cloud and no chip');
  if (report.chipId.some((byte) => byte !== 0)) throw new StunError('STUN_SNP_HWID', 'CHIP_ID must be zero under a VLEK');
}

function readTcbs(report: SnpReport, product: SnpProduct): SnpTcbs {
  const read = (bytes: Uint8Array, name: string): SnpTcb => {
    const tcb = readSnpTcb(bytes, product);
    if (tcb === null) throw new StunError('STUN_SNP_TCB', `${name} has a reserved byte that is not zero`);
    return tcb;
  };
  return Object.freeze({
    reported: read(report.reportedTcb, 'REPORTED_TCB'),
    committed: read(report.committedTcb, 'COMMITTED_TCB'),
    current: read(report.currentTcb, 'CURRENT_TCB'),
    launch: read(report.launchTcb, 'LAUNCH_TCB'),
  });
}

/** Whether the TCB versions are in the order that the firmware keeps: reported ≤ committed ≤ current, launch ≤ current. */
export function tcbDisorder(tcbs: SnpTcbs): string | null {
  const pairs = [
    ['reported', 'committed'],
    ['committed', 'current'],
    ['launch', 'current'],
  ] as const;
  for (const [lower, upper] of pairs) {
    const component = componentBelow(tcbs[upper], tcbs[lower]);
    if (component !== null) return `${component}: ${lower} ${tcbs[lower][component]} is above ${upper} ${tcbs[upper][component]}`;
  }
  return null;
}
