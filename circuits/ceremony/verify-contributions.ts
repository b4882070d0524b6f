/** Verifies the chain of contributions to a key: each transcript, each proof of knowledge, each step of delta, each beacon. */
import { createHash } from 'node:crypto';
import type { Bn128, Element } from 'ffjavascript';
import { StunError } from '#protocol/errors/stun-error.ts';
import { beaconSecret } from './beacon.ts';
import { proofPoint } from './contribute.ts';
import { contributionHashOf, hashContribution, type BeaconSource, type ContributionRecord } from './contribution-record.ts';
import { isPointOfG1, isPointOfG2, isSameRatio } from './point-checks.ts';
import type { Share } from './powers-of-tau.ts';

/** A contribution that holds. */
export interface VerifiedContribution {
  readonly name: string;
  /** BLAKE2b-512, 64 bytes: what its contributor published. */
  readonly hash: Uint8Array;
  readonly beacon: BeaconSource | undefined;
}

/** The chain and the delta that it ends with. */
export interface VerifiedChain {
  readonly contributions: readonly VerifiedContribution[];
  /** Affine; the generator when nobody contributed. */
  readonly delta1: Element;
}

/**
 * Verifies all contributions of a record, which begins with delta = 1.
 * Does not check that the key's sections or its header follow delta: see verify-key.ts.
 * @throws `STUN_CEREMONY_CONTRIBUTION` naming the first that fails, `STUN_CEREMONY_BEACON`
 */
export async function verifyContributions(curve: Bn128, record: ContributionRecord, share: Share): Promise<VerifiedChain> {
  const hash = createHash('blake2b512').update(record.circuitHash);
  const contributions: VerifiedContribution[] = [];
  let delta: Element = curve.G1.toAffine(curve.G1.g).slice(0, 64);
  const count = record.contributions.length;
  for (const [i, one] of record.contributions.entries()) {
    const refuse = (reason: string): never => {
      throw new StunError('STUN_CEREMONY_CONTRIBUTION', `contribution ${i + 1} of ${count}: ${reason}`);
    };
    const points = [one.deltaAfter, one.s, one.sx].every((point) => isPointOfG1(curve, point)) && isPointOfG2(curve, one.spx);
    if (!points) refuse('a point is not in its group');
    const expected = hash.copy().update(curve.G1.toUncompressed(one.s)).update(curve.G1.toUncompressed(one.sx)).digest();
    if (!expected.equals(one.transcript)) refuse('its transcript is not that of the contributions before it');
    const sp = proofPoint(curve, one.transcript);
    if (!(await isSameRatio(curve, one.s, one.sx, sp, one.spx))) refuse('its proof of knowledge does not hold');
    if (!(await isSameRatio(curve, delta, one.deltaAfter, sp, one.spx))) refuse('delta does not follow from it');
    if (one.beacon !== undefined) {
      const { scalar, s } = await beaconSecret(curve, one.beacon, (part) => share((i + part) / count));
      if (!curve.G1.eq(s, one.s) || !curve.G1.eq(curve.G1.timesFr(s, scalar), one.sx)) {
        throw new StunError('STUN_CEREMONY_BEACON', `contribution ${i + 1} of ${count} is not what its beacon gives`);
      }
    }
    hashContribution(hash, curve, one);
    delta = one.deltaAfter;
    contributions.push({ name: one.name, hash: contributionHashOf(curve, one), beacon: one.beacon });
    share((i + 1) / count);
  }
  return { contributions, delta1: delta };
}
