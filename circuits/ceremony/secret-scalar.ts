/**
 * The secret of a contribution: drawn from the system's CSPRNG and from what the contributor adds, kept in bytes that are overwritten after use.
 *
 * What cannot be wiped: the state inside Node's hash objects, copies that the garbage collector moved, registers and swap. Whoever wants to
 * be surer contributes on a machine that is switched off afterwards (docs/ceremony.md).
 */
import { createHash, randomBytes } from 'node:crypto';
import { FIELD_ORDER } from '#protocol/field.ts';

const SEED_BYTES = 64;
const SCALAR_BYTES = 32;
/** The order has 254 bits. */
const TOP_MASK = 0x3f;
const ORDER = Uint8Array.from({ length: SCALAR_BYTES }, (_, i) => Number((FIELD_ORDER >> BigInt(8 * i)) & 0xffn));

/** Whether little-endian bytes are a number in 1..r-1. */
function isScalar(bytes: Uint8Array): boolean {
  if (bytes.every((byte) => byte === 0)) return false;
  for (let i = SCALAR_BYTES - 1; i >= 0; i--) if (bytes[i] !== ORDER[i]) return bytes[i]! < ORDER[i]!;
  return false;
}

/**
 * Draws a scalar of BN254, uniform in 1..r-1 whatever the user adds.
 * @param userInput - bytes that the contributor adds, of any length; the caller wipes them
 * @returns 32 bytes, little-endian; a uniform element in Montgomery form as well as not, since both are bijections. The caller wipes them
 */
export function drawSecretScalar(userInput: Uint8Array): Uint8Array {
  const system = randomBytes(SEED_BYTES);
  const added = createHash('sha512').update(userInput).digest();
  const seed = createHash('sha512').update('stun/ceremony-secret/v1').update(system).update(added).digest();
  system.fill(0);
  added.fill(0);
  try {
    for (let attempt = 0; ; attempt++) {
      const digest = createHash('sha512').update(seed).update(String(attempt)).digest();
      const scalar = new Uint8Array(SCALAR_BYTES);
      scalar.set(digest.subarray(0, SCALAR_BYTES));
      digest.fill(0);
      scalar[SCALAR_BYTES - 1]! &= TOP_MASK;
      if (isScalar(scalar)) return scalar;
      scalar.fill(0);
    }
  } finally {
    seed.fill(0);
  }
}
