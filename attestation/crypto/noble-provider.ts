/**
 * The crypto provider for platforms without node:crypto: @noble for hashes and curves, RSASSA-PSS in the arithmetic of BigInt.
 *
 * Nothing here is constant-time, and nothing needs to be: verification handles public values alone.
 */
import { p256, p384 } from '@noble/curves/nist.js';
import { sha256, sha384 } from '@noble/hashes/sha2.js';
import { bigIntToBytes, bytesToBigInt, concatBytes, equalBytes, uintBytes } from '#protocol/bytes.ts';
import { DerReader, derTag } from '../asn1/der.ts';
import { readBitString, readIntegerHex, readOid, readSmallInteger } from '../asn1/der-values.ts';

const rsaEncryption = '1.2.840.113549.1.1.1';
const nullTag = 0x05;
/** Bounds the work: no key that is verified here is larger. */
const maxModulusBits = 4096;
/** SHA-384's output and, by the profile, the salt. */
const digestBytes = 48;

/** The profile of every signature here: raw r||s, either of the two values of s, the message hashed by the curve's own hash. */
const ecdsa = { lowS: false, prehash: true, format: 'compact' } as const;

interface RsaKey {
  readonly modulus: bigint;
  readonly modulusBits: number;
  readonly exponent: number;
}

/** Reads a SubjectPublicKeyInfo with an RSA key. Throws for anything else. Spec: RFC 3279, section 2.3.1; RFC 8017, appendix A.1.1. */
function readRsaKey(spki: Uint8Array): RsaKey {
  const outer = new DerReader(spki);
  const info = outer.enter(derTag.sequence);
  outer.end();
  const algorithm = info.enter(derTag.sequence);
  if (readOid(algorithm) !== rsaEncryption) throw new RangeError('not an RSA key');
  algorithm.read(nullTag);
  algorithm.end();
  const bits = info.inside(readBitString(info));
  info.end();
  const key = bits.enter(derTag.sequence);
  bits.end();
  const modulusHex = readIntegerHex(key);
  const exponent = readSmallInteger(key);
  key.end();
  if (modulusHex.length > maxModulusBits / 4 + 2) throw new RangeError('an RSA modulus that is too long');
  const modulus = BigInt(`0x${modulusHex}`);
  return { modulus, modulusBits: modulus.toString(2).length, exponent };
}

/** base^exponent mod modulus, by squaring; 17 multiplications for 65537. */
function power(base: bigint, exponent: number, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === '1') result = (result * base) % modulus;
  }
  return result;
}

/** MGF1 with SHA-384. Spec: RFC 8017, appendix B.2.1. */
function mask(seed: Uint8Array, length: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(length / digestBytes) }, (_, i) => sha384(concatBytes(seed, uintBytes(i, 4))));
  return concatBytes(...blocks).subarray(0, length);
}

/** Whether an encoded message is that of a digest. Spec: RFC 8017, section 9.1.2, with the steps' numbers. */
function isPssEncoding(encoded: Uint8Array, encodedBits: number, digest: Uint8Array): boolean {
  const dataBytes = encoded.length - digestBytes - 1;
  const padBytes = dataBytes - digestBytes - 1;
  if (padBytes < 0 || encoded.at(-1) !== 0xbc) return false; // 3, 4
  const masked = encoded.subarray(0, dataBytes);
  const hash = encoded.subarray(dataBytes, dataBytes + digestBytes);
  const unusedBits = 8 * encoded.length - encodedBits;
  const topMask = 0xff >> unusedBits;
  if (((masked[0] ?? 0) & ~topMask) !== 0) return false; // 6
  const stream = mask(hash, dataBytes); // 7
  const data = masked.map((byte, i) => byte ^ (stream[i] ?? 0)); // 8
  data[0] = (data[0] ?? 0) & topMask; // 9
  if (data.subarray(0, padBytes).some((byte) => byte !== 0) || data[padBytes] !== 1) return false; // 10
  const salt = data.subarray(padBytes + 1); // 11
  return equalBytes(sha384(concatBytes(new Uint8Array(8), digest, salt)), hash); // 12 to 14
}

export const platformProvider = {
  sha256(...parts: readonly Uint8Array[]): Uint8Array {
    const hash = sha256.create();
    for (const part of parts) hash.update(part);
    return hash.digest();
  },

  sha384(message: Uint8Array): Uint8Array {
    return sha384(message);
  },

  verifyP256(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
    if (signature.length !== 64 || publicKey.length !== 65 || publicKey[0] !== 4) return false;
    try {
      return p256.verify(signature, message, publicKey, ecdsa);
    } catch {
      return false;
    }
  },

  verifyP384(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
    if (signature.length !== 96 || publicKey.length !== 97 || publicKey[0] !== 4) return false;
    try {
      return p384.verify(signature, message, publicKey, ecdsa);
    } catch {
      return false;
    }
  },

  verifyRsaPssSha384(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
    try {
      const { modulus, modulusBits, exponent } = readRsaKey(publicKey);
      const value = bytesToBigInt(signature);
      if (signature.length !== Math.ceil(modulusBits / 8) || value >= modulus) return false;
      const encodedBits = modulusBits - 1;
      const encoded = bigIntToBytes(power(value, exponent, modulus), Math.ceil(encodedBits / 8));
      return isPssEncoding(encoded, encodedBits, sha384(message));
    } catch {
      return false;
    }
  },
} as const;
