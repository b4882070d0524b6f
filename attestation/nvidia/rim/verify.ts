/**
 * Verification of a RIM: signed by NVIDIA, current, for the version that the report names, and its values are those of the report.
 *
 * Whether the report itself is genuine is not looked at here, and a genuine report does not need a RIM: that is why these checks
 * stand outside the verification of the device. No I/O, no clock.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { asStunError } from '#protocol/errors/registry.ts';
import { equalBytes } from '#protocol/bytes.ts';
import type { Check, RimCheckId } from '../../checks.ts';
import { Attempts, CheckLedger, rimChecks, rimKinds } from '../../checks.ts';
import { cryptoProvider } from '../../crypto/provider.ts';
import type { TrustRoot } from '../../trust/roots.ts';
import { verifyRimChain, verifyRimDates } from './chain.ts';
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
  readonly atUnix: number;
  readonly roots: readonly TrustRoot[];
}

/** The report on RIMs, on refusal too. A kind of which no RIM was given is null, and its checks are unknown. */
export interface RimAssessment {
  readonly driver: VerifiedRim | null;
  readonly vbios: VerifiedRim | null;
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

function verifyVersion({ kind, version, product }: ReferenceManifest, subject: RimSubject): true {
  const running = kind === 'driver' ? subject.driverVersion : subject.vbiosVersion;
  if (running !== version)
    throw new StunError('STUN_RIM_VERSION', `the RIM is for ${kind} ${version}, the report names ${running ?? 'none'}`);
  const { architecture } = subject;
  if (architecture === null || !products[architecture].some((prefix) => product.startsWith(prefix)))
    throw new StunError(
      'STUN_RIM_VERSION',
      `the RIM is for ${product.slice(0, 16)}, the report is of ${architecture ?? 'no known chip'}`,
    );
  return true;
}

function checkId(kind: RimKind, name: string): RimCheckId {
  const id = rimChecks.find((known) => known === `rim-${kind}-${name}`);
  if (id === undefined) throw new StunError('STUN_INTERNAL', `there is no check ${name} of RIMs`);
  return id;
}

function runRim(ledger: CheckLedger, rim: ReferenceManifest, input: RimInput): VerifiedRim {
  const { kind, version, product, tagId, chain } = rim;
  const attempts = new Attempts(ledger);
  const root = attempts.run(checkId(kind, 'cert-chain'), () => verifyRimChain(chain, input.roots));
  attempts.run(checkId(kind, 'cert-expired'), () => verifyRimDates(chain, input.atUnix));
  attempts.run(checkId(kind, 'signature'), () => verifySignature(rim));
  attempts.run(checkId(kind, 'digest'), () => verifyDigest(rim));
  // The values of another version say nothing about what runs, so they are not compared.
  if (attempts.run(checkId(kind, 'version'), () => verifyVersion(rim, input.subject)) === true)
    attempts.run(checkId(kind, 'measurement'), () => compareMeasurements(input.subject, rim));
  if (attempts.failure !== null) throw attempts.failure;
  if (root === null) throw new StunError('STUN_INTERNAL', 'a RIM failed without a reason');
  return Object.freeze({
    kind,
    version,
    product,
    tagId,
    rootName: root.name,
    simulated: root.simulated,
    activeCount: rim.measurements.filter(({ active }) => active).length,
    expiresAtUnix: Math.min(...chain.map(({ notAfterUnix }) => notAfterUnix)),
  });
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
  if (rims === null) return { driver: null, vbios: null, checks: ledger.list(), failure };
  const { driver, vbios } = rims;
  const missing = rimKinds.filter((kind) => rims[kind] === null);
  for (const id of rimChecks) {
    const lacksOne = missing.some((kind) => id === 'rim-index-owner' || id.startsWith(`rim-${kind}-`));
    if (lacksOne || missing.length === rimKinds.length) ledger.unknown(id, 'STUN_RIM_UNKNOWN');
  }
  const verified = [driver, vbios].map((rim) => (rim === null ? null : attempt(() => runRim(ledger, rim, input))));
  if (driver !== null && vbios !== null) attempt(() => ledger.prove('rim-index-owner', () => verifyIndexOwners(driver, vbios)));
  return { driver: verified[0] ?? null, vbios: verified[1] ?? null, checks: ledger.list(), failure };
}
