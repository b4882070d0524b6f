/**
 * Adds a contribution to a proving key: delta is multiplied by a secret x, the sections that are divided by delta are divided by x, and a
 * proof of knowledge of x is appended. After it nobody knows delta unless all contributors ever put their secrets together.
 *
 * The protocol is that of snarkjs 0.7.6, after S. Bowe, A. Gabizon, I. Miers, "Scalable Multi-party Computation for zk-SNARK Parameters in
 * the Random Beacon Model", 2017.
 */
import { randomBytes } from 'node:crypto';
import { buildBn128, type Bn128, type Element } from 'ffjavascript';
import { StunError } from '#protocol/errors/stun-error.ts';
import { G1_BYTES, G2_BYTES } from '../build/zkey-format.ts';
import { beaconSecret, chachaOf } from './beacon.ts';
import { contributionHashOf, transcriptHash, type BeaconSource, type Contribution } from './contribution-record.ts';
import { DELTA_SECTIONS, openKey, writeKey, type KeySection, type OpenKey } from './key-file.ts';
import type { Share } from './powers-of-tau.ts';
import { scaled, wipe } from './scaled-points.ts';
import { drawSecretScalar } from './secret-scalar.ts';

/** Longest name of a contributor: what snarkjs keeps. */
const MOST_NAME_LENGTH = 64;

/** What a contribution is made of. */
export interface ContributionRequest {
  /** Key to start from. */
  readonly from: string;
  /** Key to write; must not be there. */
  readonly to: string;
  /** Shown in the transcript; at most 64 characters, empty for none. */
  readonly name: string;
}

/** The point that the proof of knowledge of a contribution is about: hashed from the transcript, so that nobody chose it. */
export function proofPoint(curve: Bn128, transcript: Uint8Array): Element {
  return curve.G2.toAffine(curve.G2.fromRng(chachaOf(transcript))).slice(0, G2_BYTES);
}

function prove(curve: Bn128, key: OpenKey, scalar: Element, s: Element): Omit<Contribution, 'name' | 'beacon'> {
  const g1 = (point: Element): Element => curve.G1.toAffine(curve.G1.timesFr(point, scalar)).slice(0, G1_BYTES);
  const sx = g1(s);
  const hash = transcriptHash(curve, key.record);
  const transcript = hash.update(curve.G1.toUncompressed(s)).update(curve.G1.toUncompressed(sx)).digest();
  const spx = curve.G2.toAffine(curve.G2.timesFr(proofPoint(curve, transcript), scalar)).slice(0, G2_BYTES);
  return { deltaAfter: g1(key.header.delta1), s, sx, spx, transcript };
}

/** Writes the key after a contribution with a known secret. */
async function apply(
  curve: Bn128,
  request: ContributionRequest,
  secret: { scalar: Element; s: Element },
  beacon: BeaconSource | undefined,
  share: Share,
  threads: number | undefined,
): Promise<Uint8Array> {
  if (request.name.length > MOST_NAME_LENGTH) {
    throw new StunError('STUN_INPUT', `the name of a contributor must have at most ${MOST_NAME_LENGTH} characters`);
  }
  const key = await openKey(request.from);
  try {
    const { header, record, sections } = key;
    if (record.contributions.some((one) => one.beacon !== undefined)) {
      throw new StunError('STUN_CEREMONY_CLOSED', `${request.from} ends with a beacon`);
    }
    const contribution = { ...prove(curve, key, secret.scalar, secret.s), name: request.name, beacon };
    const inverse = new Uint8Array(new SharedArrayBuffer(32));
    const drawn = curve.Fr.inv(secret.scalar);
    inverse.set(drawn);
    drawn.fill(0);
    const sizes = DELTA_SECTIONS.map((type) => sections.place(type).length);
    const whole = sizes[0]! + sizes[1]!;
    const section = async (type: KeySection): Promise<Uint8Array> => {
      const data = await sections.read(type);
      const index = (DELTA_SECTIONS as readonly number[]).indexOf(type);
      if (index < 0) return data;
      return scaled(curve, data, inverse, (part) => share((index * sizes[0]! + part * sizes[index]!) / whole), threads);
    };
    try {
      await writeKey(request.to, {
        header: {
          ...header,
          delta1: contribution.deltaAfter,
          delta2: curve.G2.toAffine(curve.G2.timesFr(header.delta2, secret.scalar)).slice(0, G2_BYTES),
        },
        record: { ...record, contributions: [...record.contributions, contribution] },
        section,
      });
    } finally {
      inverse.fill(0);
    }
    return contributionHashOf(curve, contribution);
  } finally {
    await key.sections.close();
  }
}

/**
 * Contributes to a key.
 * @param userInput - bytes that are mixed with the system's randomness; the caller wipes them
 * @param share - told how far it has come
 * @param threads - that scale the points; as many as are worth it when left out
 * @returns the contribution's hash, 64 bytes, which the contributor publishes
 * @throws `STUN_FILE`, `STUN_INPUT`, `STUN_CEREMONY_KEY_FORMAT`, `STUN_CEREMONY_CLOSED`
 */
export async function contribute(
  request: ContributionRequest,
  userInput: Uint8Array,
  share: Share,
  threads?: number,
): Promise<Uint8Array> {
  const curve = await buildBn128(true);
  const scalar = drawSecretScalar(userInput);
  try {
    // s is public; that its logarithm is unknown too costs nothing.
    const s = curve.G1.fromRng(chachaOf(randomBytes(32))).slice(0, G1_BYTES);
    return await apply(curve, request, { scalar, s }, undefined, share, threads);
  } finally {
    scalar.fill(0);
    wipe(curve);
  }
}

/**
 * Closes a key with a beacon; nothing can be added afterwards.
 * @param threads - as of {@link contribute}
 * @returns the contribution's hash, 64 bytes
 * @throws `STUN_FILE`, `STUN_INPUT`, `STUN_CEREMONY_BEACON`, `STUN_CEREMONY_KEY_FORMAT`, `STUN_CEREMONY_CLOSED`
 */
export async function applyBeacon(
  request: ContributionRequest,
  source: BeaconSource,
  share: Share,
  threads?: number,
): Promise<Uint8Array> {
  const curve = await buildBn128(true);
  const secret = await beaconSecret(curve, source, (part) => share(part / 2));
  return apply(curve, request, secret, source, (part) => share((1 + part) / 2), threads);
}
