/** The keyset: an enclave's three public keys and what they are for, in one fixed layout. docs/protocol.md section 4. */
import { sha256 } from '@noble/hashes/sha2.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { assertPublicKey, type JubPoint } from './babyjub.ts';
import { bigIntToBytes, bytesToBigInt, concatBytes, fromHex, toHex, uintBytes, utf8, type Hex } from './bytes.ts';
import { StunError } from './errors/stun-error.ts';

/** HPKE KEM id of X-Wing. */
export const KEM_X_WING = 0x647a;
/** Length of the layout. */
export const KEYSET_LENGTH = 1442;
const MAGIC = utf8('STUNKS01');

/** A keyset's fields. */
export interface Keyset {
  readonly chainId: bigint;
  readonly registry: Hex;
  readonly provider: Hex;
  /** X-Wing public key, 1,216 bytes. */
  readonly hpkePublicKey: Uint8Array;
  readonly receiptKey: JubPoint;
  /** secp256k1 receipt key, x ‖ y, 64 bytes. */
  readonly secpPublicKey: Uint8Array;
  /** sha256 over what the enclave runs, 32 bytes. */
  readonly runtimeDigest: Uint8Array;
  readonly expiresAtUnix: number;
}

/** The layout's bytes. @throws `STUN_KEY_*` for a bad receipt key, `STUN_KEYSET_LAYOUT` for a bad length */
export function encodeKeyset(keyset: Keyset): Uint8Array<ArrayBuffer> {
  assertPublicKey(keyset.receiptKey, 'receipt key');
  const bytes = concatBytes(
    MAGIC,
    bigIntToBytes(keyset.chainId, 8, 'chain id'),
    fromHex(keyset.registry, 20, 'registry'),
    fromHex(keyset.provider, 20, 'provider'),
    uintBytes(KEM_X_WING, 2),
    keyset.hpkePublicKey,
    bigIntToBytes(keyset.receiptKey.x, 32),
    bigIntToBytes(keyset.receiptKey.y, 32),
    keyset.secpPublicKey,
    keyset.runtimeDigest,
    bigIntToBytes(BigInt(keyset.expiresAtUnix), 8, 'expiry'),
  );
  return parseKeyset(bytes) && bytes;
}

/**
 * Reads a keyset and checks its keys: receipt key in the subgroup, secp256k1 key on its curve.
 * Does not check expiry, chain, registry or provider against anything.
 * @throws `STUN_KEYSET_LAYOUT`, `STUN_KEY_*`
 */
export function parseKeyset(bytes: Uint8Array): Keyset {
  if (bytes.length !== KEYSET_LENGTH) {
    throw new StunError('STUN_KEYSET_LAYOUT', `a keyset has ${KEYSET_LENGTH} bytes, got ${bytes.length}`);
  }
  if (toHex(bytes.subarray(0, 8)) !== toHex(MAGIC)) throw new StunError('STUN_KEYSET_LAYOUT', 'a keyset starts with STUNKS01');
  if (bytesToBigInt(bytes.subarray(56, 58)) !== BigInt(KEM_X_WING)) {
    throw new StunError('STUN_KEYSET_LAYOUT', 'the KEM id must be 0x647a');
  }
  const receiptKey = { x: bytesToBigInt(bytes.subarray(1274, 1306)), y: bytesToBigInt(bytes.subarray(1306, 1338)) };
  assertPublicKey(receiptKey, 'receipt key');
  const secpPublicKey = bytes.slice(1338, 1402);
  try {
    secp256k1.Point.fromBytes(concatBytes(Uint8Array.of(4), secpPublicKey));
  } catch (cause) {
    throw new StunError('STUN_KEY_NOT_ON_CURVE', 'the secp256k1 receipt key must be a curve point', { cause });
  }
  const expiry = bytesToBigInt(bytes.subarray(1434, 1442));
  if (expiry >> 40n !== 0n) throw new StunError('STUN_KEYSET_LAYOUT', 'the expiry must fit 40 bits');
  return {
    chainId: bytesToBigInt(bytes.subarray(8, 16)),
    registry: toHex(bytes.subarray(16, 36)),
    provider: toHex(bytes.subarray(36, 56)),
    hpkePublicKey: bytes.slice(58, 1274),
    receiptKey,
    secpPublicKey,
    runtimeDigest: bytes.slice(1402, 1434),
    expiresAtUnix: Number(expiry),
  };
}

/** keysetDigest: sha256 of the layout, 32 bytes. */
export function keysetDigestOf(keyset: Uint8Array): Uint8Array<ArrayBuffer> {
  if (keyset.length !== KEYSET_LENGTH) throw new StunError('STUN_KEYSET_LAYOUT', `a keyset has ${KEYSET_LENGTH} bytes`);
  return sha256(keyset);
}

/** The Ethereum address of the secp256k1 receipt key. */
export function secpAddressOf(keyset: Keyset): Hex {
  return toHex(keccak_256(keyset.secpPublicKey).subarray(12));
}

/** report_data: 64 bytes that the quote must carry for this keyset, nonce and GPU evidence. Each part has 32 bytes. */
export function reportDataOf(
  keysetDigest: Uint8Array,
  nonce: Uint8Array,
  gpuEvidenceDigest: Uint8Array,
): Uint8Array<ArrayBuffer> {
  for (const part of [keysetDigest, nonce, gpuEvidenceDigest]) {
    if (part.length !== 32) throw new StunError('STUN_INPUT', 'keyset digest, nonce and GPU evidence digest have 32 bytes each');
  }
  return concatBytes(
    sha256(concatBytes(utf8('stun/report-data/v1'), keysetDigest, nonce, gpuEvidenceDigest)),
    new Uint8Array(32),
  );
}

/** The nonce a GPU's report must carry. */
export function gpuNonceOf(keysetDigest: Uint8Array, nonce: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8('stun/gpu-nonce/v1'), keysetDigest, nonce));
}

/**
 * What report_data says of the GPUs: SHA-256("stun/gpu-evidence/v1" || n || for each report its length and its bytes), n in one byte, lengths
 * in four, big-endian. @param reports - in the document's order
 * @returns 32 bytes, zeros without a GPU
 * @throws `STUN_RANGE` for more than 255
 */
export function gpuEvidenceDigestOf(reports: readonly Uint8Array[]): Uint8Array {
  if (reports.length === 0) return new Uint8Array(32);
  const parts = reports.flatMap((report) => [uintBytes(report.length, 4, 'length of a GPU report'), report]);
  return sha256(concatBytes(utf8('stun/gpu-evidence/v1'), uintBytes(reports.length, 1, 'number of GPU reports'), ...parts));
}
