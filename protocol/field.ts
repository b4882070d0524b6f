/** The BN254 scalar field as integers: ranges, hex form, digest halves. See docs/protocol.md section 1. */
import { bytesToBigInt, bigIntToBytes, fromHex, toHex, type Hex } from './bytes.ts';
import { StunError } from './errors/stun-error.ts';

/** Order r of the BN254 scalar field. */
export const FIELD_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/**
 * Checks 0 <= value < r and returns it.
 * @throws `STUN_RANGE` for a non-canonical or negative value
 */
export function assertField(value: bigint, what: string): bigint {
  if (value < 0n || value >= FIELD_ORDER) throw new StunError('STUN_RANGE', `${what} must be a field element below r`);
  return value;
}

/**
 * Checks 0 <= value < 2^bits and returns it.
 * @throws `STUN_RANGE`
 */
export function assertUint(value: bigint, bits: number, what: string): bigint {
  if (value < 0n || value >> BigInt(bits) !== 0n) throw new StunError('STUN_RANGE', `${what} must be in 0..2^${bits}-1`);
  return value;
}

/** A field element as `0x` and 64 hex digits, big-endian. */
export function fieldToHex(value: bigint, what = 'field element'): Hex {
  return toHex(bigIntToBytes(assertField(value, what), 32));
}

/**
 * Reads a field element of 64 hex digits.
 * @throws `STUN_INPUT` on the form, `STUN_RANGE` when it is r or more
 */
export function fieldFromHex(hex: string, what = 'field element'): bigint {
  return assertField(bytesToBigInt(fromHex(hex, 32, what)), what);
}

/** The two 128-bit halves of a 32-byte digest, big-endian: bytes 0..15 and 16..31. */
export function halves(digest: Uint8Array): readonly [hi: bigint, lo: bigint] {
  if (digest.length !== 32) throw new StunError('STUN_INPUT', `a digest must have 32 bytes, got ${digest.length}`);
  return [bytesToBigInt(digest.subarray(0, 16)), bytesToBigInt(digest.subarray(16))];
}

/** An Ethereum address as its 160-bit integer. Either case is taken; checksums are not checked. */
export function addressToField(address: string, what = 'address'): bigint {
  return bytesToBigInt(fromHex(address, 20, what));
}

/** A 160-bit integer as a lower-case address. */
export function fieldToAddress(value: bigint): Hex {
  return toHex(bigIntToBytes(value, 20, 'address'));
}
