/**
 * Verifies that a proving key is what a circuit, powers of tau and a chain of contributions give: the circuit's key is computed again and
 * compared, and what contributions change is compared by random combinations and pairings.
 */
import { randomBytes } from 'node:crypto';
import type { Bn128 } from 'ffjavascript';
import { StunError } from '#protocol/errors/stun-error.ts';
import { DELTA_SECTIONS, KEY_SECTIONS, type OpenKey } from './key-file.ts';
import { firstStrayPoint, isPointOfG2, isSameRatio } from './point-checks.ts';
import type { Share } from './powers-of-tau.ts';
import type { StartedKey } from './start-key.ts';
import { verifyContributions, type VerifiedContribution } from './verify-contributions.ts';

/** Random factors have 128 bits: a false section passes with probability 2^-128. */
const FACTOR_BYTES = 16;

function refuseCircuit(what: string): never {
  throw new StunError('STUN_CEREMONY_CIRCUIT', `${what} is not that of this circuit and these powers of tau`);
}

function refuseKey(what: string): never {
  throw new StunError('STUN_CEREMONY_KEY', `${what} does not follow from the contributions`);
}

/** What does not depend on delta must be the same bytes. */
async function compareFixed(started: StartedKey, key: OpenKey): Promise<void> {
  if (!key.record.circuitHash.every((byte, i) => byte === started.record.circuitHash[i])) refuseCircuit('the circuit hash');
  for (const name of ['wireCount', 'publicCount', 'domainSize'] as const) {
    if (key.header[name] !== started.header[name]) refuseCircuit(name);
  }
  for (const name of ['alpha1', 'beta1', 'beta2', 'gamma2'] as const) {
    if (Buffer.compare(key.header[name], started.header[name]) !== 0) refuseCircuit(name);
  }
  for (const type of KEY_SECTIONS) {
    if ((DELTA_SECTIONS as readonly number[]).includes(type)) continue;
    if (!(await key.sections.read(type)).equals(started.parts.get(type)!)) refuseCircuit(`section ${type}`);
  }
}

/** A section of the key must be the started one divided by delta. */
async function compareScaled(curve: Bn128, started: StartedKey, key: OpenKey, type: 8 | 9): Promise<void> {
  const [before, after] = [started.parts.get(type)!, await key.sections.read(type)];
  const stray = firstStrayPoint(curve, after);
  if (stray >= 0) refuseKey(`point ${stray} of section ${type} is not on the curve and`);
  if (after.length === 0) return;
  const factors = randomBytes((after.length / 64) * FACTOR_BYTES);
  const [sumBefore, sumAfter] = [await curve.G1.multiExpAffine(before, factors), await curve.G1.multiExpAffine(after, factors)];
  const { delta2 } = key.header;
  // after · delta = before, so before is to after as delta2 is to the generator.
  const bothZero = curve.G1.isZero(sumBefore) && curve.G1.isZero(sumAfter);
  if (!bothZero && !(await isSameRatio(curve, sumAfter, sumBefore, started.header.delta2, delta2))) refuseKey(`section ${type}`);
}

/**
 * Verifies a key against the key that its circuit and powers of tau start with.
 * @param curve - single-threaded BN254
 * @returns the contributions, verified
 * @throws `STUN_CEREMONY_CIRCUIT`, `STUN_CEREMONY_CONTRIBUTION`, `STUN_CEREMONY_BEACON`, `STUN_CEREMONY_KEY`
 */
export async function verifyKey(
  curve: Bn128,
  started: StartedKey,
  key: OpenKey,
  share: Share,
): Promise<readonly VerifiedContribution[]> {
  await compareFixed(started, key);
  const chain = await verifyContributions(curve, key.record, (part) => share(part / 2));
  const { delta1, delta2 } = key.header;
  if (Buffer.compare(delta1, chain.delta1) !== 0) refuseKey('delta in G1');
  const { delta1: one1, delta2: one2 } = started.header;
  if (!isPointOfG2(curve, delta2) || !(await isSameRatio(curve, one1, delta1, one2, delta2))) refuseKey('delta in G2');
  for (const [i, type] of DELTA_SECTIONS.entries()) {
    await compareScaled(curve, started, key, type);
    share((3 + i) / 4);
  }
  return chain.contributions;
}
