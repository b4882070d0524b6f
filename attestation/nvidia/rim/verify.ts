/**
 * Verification of a RIM: signed by NVIDIA, current, for the version that the report names, and its values are those of the report.
 *
 * Whether the report itself is genuine is not looked at here, and a genuine report does not need a RIM: that is why these checks
 * stand outside the verification of the device. What OCSP responses say of the certificates is a check of its own (`rim-ocsp`): missing
 * ones leave it unknown, and a RIM holds without them. No I/O, no clock.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { asStunError } from '#protocol/errors/registry.ts';
import { equalBytes } from '#protocol/bytes.ts';
import type { Check, RimCheckId } from '../../checks.ts';
import { Attempts, CheckLedger, rimChecks, rimKinds } from '../../checks.ts';
import { cryptoProvider } from '../../crypto/provider.ts';
import type { TrustRoot } from '../../trust/roots.ts';
import type { CertificateRevocation, RevocableCertificate } from '../revocation.ts';
import { proveRevocation } from '../revocation.ts';
import { revocableOfRim, verifyRimChain, verifyRimDates } from './chain.ts';
import type { RuntimeMeasurements } from './compare-measurements.ts';
import { compareMeasurements, verifyIndexOwners } from './compare-measurements.ts';
import type { ReferenceManifest, RimKind } from './reference-manifest.ts';
import { parseRim } from './reference-manifest.ts';

/** What of a report RIMs are held against. */
export interface RimSubject extends RuntimeMeasurements {
  readonly architecture: 'hopper' | 'blackwell' | 'ls10' | null;
  /** As RIMs write them; null when the report names none. */
  readonly driverVersion: string | null;
  readonly vbiosVersion: string | null;
}

/** What verification of one RIM established. */
export interface VerifiedRim {
  readonly kind: RimKind;
  readonly version: string;
  readonly product: string;
  readonly tagId: string;
  readonly rootName: string;
  /** Whether the root is simulated: the values are then nobody's. */
  readonly simulated: boolean;
  /** How many measurements it speaks for. */
  readonly activeCount: number;
  /** The earliest end of validity in the chain, unix seconds. */
  readonly expiresAtUnix: number;
}

/** RIMs as bytes that nothing is known of, with what they are held against. */
export interface RimInput {
  /** At most one of each kind, in any order. */
  readonly rims: readonly Uint8Array[];
  readonly subject: RimSubject;
  /** OCSP responses, DER. Those about other certificates are left alone. */
  readonly ocsp: readonly Uint8Array[];
  /** Time at which certificates and OCSP responses must hold, unix seconds. */
  readonly atUnix: number;
  readonly roots: readonly TrustRoot[];
}

/** The report on RIMs, on refusal too. A kind of which no RIM was given is null, and its checks are unknown. */
export interface RimAssessment {
  readonly driver: VerifiedRim | null;
  readonly vbios: VerifiedRim | null;
  /** One entry for each certificate of a RIM's chain but the root; none of a chain that is not verified, or when a response is refused. */
  readonly revocation: readonly CertificateRevocation[];
  readonly checks: readonly Check[];
  /** The first failure; null when nothing was refuted. */
  readonly failure: StunError | null;
}

/** The chips of an architecture, by how their names begin. */
const products: { readonly [A in NonNullable<RimSubject['architecture']>]: readonly string[] } = {
  hopper: ['GH1'],
  blackwell: ['GB1', 'GB2'],
  ls10: ['LS10'],
};

function verifySignature({ signature, chain }: ReferenceManifest): void {
  const [signer] = chain;
  if (signer === undefined || !cryptoProvider.verifyP384(signature.signedInfo, signature.signature, signer.key))
    throw new StunError('STUN_RIM_SIGNATURE', 'SignedInfo is not signed by the key of the first certificate');
}

function verifyDigest({ signature }: ReferenceManifest): void {
  if (!equalBytes(cryptoProvider.sha384(signature.document), signature.digest))
    throw new StunError('STUN_RIM_DIGEST', 'the canonical document has another SHA-384 than was signed');
}

function verifyVersion(rim: ReferenceManifest, subject: RimSubject): ReferenceManifest {
  const { kind, version, product } = rim;
  const running = kind === 'driver' ? subject.driverVersion : subject.vbiosVersion;
  if (running !== version)
    throw new StunError('STUN_RIM_VERSION', `the RIM is for ${kind} ${version}, the report names ${running ?? 'none'}`);
  const { architecture } = subject;
  if (architecture === null || !products[architecture].some((prefix) => product.startsWith(prefix)))
    throw new StunError(
      'STUN_RIM_VERSION',
      `the RIM is for ${product.slice(0, 16)}, the report is of ${architecture ?? 'no known chip'}`,
    );
  return rim;
}

function checkId(kind: RimKind, name: string): RimCheckId {
  const id = rimChecks.find((known) => known === `rim-${kind}-${name}`);
  if (id === undefined) throw new StunError('STUN_INTERNAL', `there is no check ${name} of RIMs`);
  return id;
}

/** What became of one RIM. Its chain may be verified though the RIM is not. */
interface RimOutcome {
  readonly verified: VerifiedRim | null;
  readonly revocable: readonly RevocableCertificate[];
  readonly failure: StunError | null;
}

function runRim(ledger: CheckLedger, rim: ReferenceManifest, input: RimInput): RimOutcome {
  const { kind, version, product, tagId, chain } = rim;
  const attempts = new Attempts(ledger);
  const root = attempts.run(checkId(kind, 'cert-chain'), () => verifyRimChain(chain, input.roots));
  attempts.run(checkId(kind, 'cert-expired'), () => verifyRimDates(chain, input.atUnix));
  attempts.run(checkId(kind, 'signature'), () => verifySignature(rim));
  attempts.run(checkId(kind, 'digest'), () => verifyDigest(rim));
  // The values of another version say nothing about what runs, so they are not compared.
  const fitting = attempts.run(checkId(kind, 'version'), () => verifyVersion(rim, input.subject));
  if (fitting !== null) attempts.run(checkId(kind, 'measurement'), () => compareMeasurements(input.subject, fitting));
  const { failure } = attempts;
  if (root === null) return { verified: null, revocable: [], failure };
  const revocable = revocableOfRim(kind, chain);
  if (failure !== null) return { verified: null, revocable, failure };
  const verified = Object.freeze({
    kind,
    version,
    product,
    tagId,
    rootName: root.name,
    simulated: root.simulated,
    activeCount: rim.measurements.filter(({ active }) => active).length,
    expiresAtUnix: Math.min(...chain.map(({ notAfterUnix }) => notAfterUnix)),
  });
  return { verified, revocable, failure };
}

/** What is said of the certificates above the RIMs. Nothing rests on it once a RIM is refused for something else. */
function runRevocation(
  ledger: CheckLedger,
  outcomes: readonly RimOutcome[],
  { ocsp, atUnix }: RimInput,
): readonly CertificateRevocation[] {
  const certificates = outcomes.flatMap(({ revocable }) => revocable);
  if (certificates.length === 0) return [];
  const revocation = proveRevocation(ledger, 'rim-ocsp', certificates, ocsp, atUnix);
  if (outcomes.some(({ failure }) => failure !== null)) ledger.unknown('rim-ocsp');
  return revocation;
}

function parseAll(rims: readonly Uint8Array[]): { readonly [Kind in RimKind]: ReferenceManifest | null } {
  const parsed = rims.map(parseRim);
  const of = (kind: RimKind): ReferenceManifest | null => {
    const [rim = null, ...more] = parsed.filter((candidate) => candidate.kind === kind);
    if (more.length > 0) throw new StunError('STUN_RIM_FORMAT', `expected one RIM of the ${kind}, got ${more.length + 1}`);
    return rim;
  };
  return { driver: of('driver'), vbios: of('vbios') };
}

/**
 * Parses and verifies the RIMs of a device and reports on all of it. Never throws for bad RIMs: the answer carries the failure.
 * All checks run; what holds after a failure of the same RIM stays unknown.
 * @throws `STUN_RANGE` when the time is no unix time
 */
export function assessRims(input: RimInput): RimAssessment {
  if (!Number.isSafeInteger(input.atUnix) || input.atUnix < 0)
    throw new StunError('STUN_RANGE', 'the time of verification must be unix seconds');
  const ledger = new CheckLedger(...rimChecks);
  let failure: StunError | null = null;
  const attempt = <T>(body: () => T): T | null => {
    try {
      return body();
    } catch (thrown) {
      failure ??= asStunError(thrown);
      return null;
    }
  };
  const rims = attempt(() => ledger.prove('rim-format', () => parseAll(input.rims)));
  if (rims === null) return { driver: null, vbios: null, revocation: [], checks: ledger.list(), failure };
  const { driver, vbios } = rims;
  const missing = rimKinds.filter((kind) => rims[kind] === null);
  for (const id of rimChecks) {
    const lacksOne = missing.some((kind) => id === 'rim-index-owner' || id.startsWith(`rim-${kind}-`));
    if (lacksOne || missing.length === rimKinds.length) ledger.unknown(id, 'STUN_RIM_UNKNOWN');
  }
  const outcomes = [driver, vbios].flatMap((rim) => (rim === null ? [] : [runRim(ledger, rim, input)]));
  for (const outcome of outcomes) failure ??= outcome.failure;
  if (driver !== null && vbios !== null) attempt(() => ledger.prove('rim-index-owner', () => verifyIndexOwners(driver, vbios)));
  const revocation = attempt(() => runRevocation(ledger, outcomes, input)) ?? [];
  const of = (wanted: RimKind): VerifiedRim | null =>
    outcomes.find(({ verified }) => verified?.kind === wanted)?.verified ?? null;
  return { driver: of('driver'), vbios: of('vbios'), revocation, checks: ledger.list(), failure };
}
