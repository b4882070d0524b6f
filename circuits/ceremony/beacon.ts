/**
 * The beacon that closes a ceremony: a public value that nobody could foresee, hashed so long that nobody could try many. Its contribution
 * has no secret: everybody computes it again. As snarkjs 0.7.6 does it: SHA-256 iterated 2^exponent times, the digest as eight big-endian
 * words seeds ChaCha, which gives the scalar and then s.
 */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { ChaCha, type Bn128, type Element } from 'ffjavascript';
import { StunError } from '#protocol/errors/stun-error.ts';
import { G1_BYTES } from '../build/zkey-format.ts';
import type { BeaconSource } from './contribution-record.ts';
import type { Share } from './powers-of-tau.ts';

/** Fewest and most iterations as exponents of 2: below, snarkjs refuses; above, nobody would verify it within an hour. */
export const BEACON_EXPONENTS = { least: 10, most: 32 } as const;
const MOST_VALUE_BYTES = 255;
const ITERATIONS_A_TURN = 2 ** 16;

/** Eight big-endian words as a seed. */
export function chachaOf(digest: Uint8Array): ChaCha {
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  return new ChaCha(Array.from({ length: 8 }, (_, i) => view.getUint32(4 * i)));
}

/**
 * What a beacon contributes.
 * @returns the scalar in Montgomery form and the point s, affine
 * @throws `STUN_CEREMONY_BEACON` when value or exponent is out of range
 */
export async function beaconSecret(curve: Bn128, source: BeaconSource, share: Share): Promise<{ scalar: Element; s: Element }> {
  const { iterationsExponent, value } = source;
  if (value.length === 0 || value.length > MOST_VALUE_BYTES) {
    throw new StunError('STUN_CEREMONY_BEACON', `the value of a beacon must have 1..${MOST_VALUE_BYTES} bytes`);
  }
  if (!(iterationsExponent >= BEACON_EXPONENTS.least && iterationsExponent <= BEACON_EXPONENTS.most)) {
    const { least, most } = BEACON_EXPONENTS;
    throw new StunError(
      'STUN_CEREMONY_BEACON',
      `a beacon must be iterated 2^${least} to 2^${most} times, not 2^${iterationsExponent}`,
    );
  }
  const iterations = 2 ** iterationsExponent;
  let digest = value;
  for (let done = 0; done < iterations; done++) {
    digest = createHash('sha256').update(digest).digest();
    if (done % ITERATIONS_A_TURN === 0) {
      share(done / iterations);
      await setImmediate();
    }
  }
  const random = chachaOf(digest);
  const scalar = curve.Fr.fromRng(random);
  return { scalar, s: curve.G1.fromRng(random).slice(0, G1_BYTES) };
}
