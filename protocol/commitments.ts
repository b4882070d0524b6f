/** The commitments and identifiers that stand alone; chains are in demand.ts and receipt.ts. docs/protocol.md section 2. */
import { sha256 } from '@noble/hashes/sha2.js';
import { assertPublicKey, type JubPoint } from './babyjub.ts';
import { StunError } from './errors/stun-error.ts';
import { addressToField, assertField, assertUint, FIELD_ORDER, halves } from './field.ts';
import { bytesToBigInt } from './bytes.ts';
import { poseidon } from './poseidon.ts';
import { TAG } from './tags.ts';

/** A uniform field element from the CSPRNG: blindings, salts, seeds. 64 bytes reduced, bias below 2^-250. */
export function randomField(): bigint {
  return bytesToBigInt(globalThis.crypto.getRandomValues(new Uint8Array(64))) % FIELD_ORDER;
}

/** policyId of a canonical policy text (UTF-8 bytes as they are hashed). */
export function policyIdOf(canonicalPolicy: Uint8Array): bigint {
  return poseidon(TAG.policyId, [...halves(sha256(canonicalPolicy))]);
}

/** Commitment to opaque bytes. @param blinding - a random field element: payloads may have low entropy */
export function payloadCommitment(payload: Uint8Array, blinding: bigint): bigint {
  return poseidon(TAG.payloadCommitment, [...halves(sha256(payload)), assertField(blinding, 'blinding')]);
}

/** modelId of a model that is run but not compiled: binds the file and its manifest, byte for byte. */
export function opaqueModelId(model: Uint8Array, manifest: Uint8Array): bigint {
  return opaqueModelIdOfDigests(sha256(model), sha256(manifest));
}

/** The same from the two sha256 digests. */
export function opaqueModelIdOfDigests(modelSha256: Uint8Array, manifestSha256: Uint8Array): bigint {
  return poseidon(TAG.modelOpaque, [...halves(modelSha256), ...halves(manifestSha256)]);
}

/** modelId of a compiled model. @param vkHash, manifestSha256, ceremonyHash - 32 bytes each */
export function compiledModelId(vkHash: Uint8Array, manifestSha256: Uint8Array, ceremonyHash: Uint8Array): bigint {
  return poseidon(TAG.modelCompiled, [...halves(vkHash), ...halves(manifestSha256), ...halves(ceremonyHash)]);
}

/**
 * signerId of an enclave's receipt key.
 * @throws `STUN_KEY_*` when the key is not a good public key
 */
export function signerIdOf(receiptKey: JubPoint): bigint {
  assertPublicKey(receiptKey, 'receipt key');
  return poseidon(TAG.signerId, [receiptKey.x, receiptKey.y]);
}

/** deliveryDigest of a sealed result, the exact envelope bytes that were released. */
export function deliveryDigestOf(sealedResult: Uint8Array): bigint {
  return poseidon(TAG.deliveryDigest, [...halves(sha256(sealedResult))]);
}

/** The output blinding of one job: only it travels, the seed stays with the client. */
export function outputBlindingOf(seed: bigint, demandHead: bigint): bigint {
  return poseidon(TAG.outputBlinding, [assertField(seed, 'seed'), assertField(demandHead, 'demand head')]);
}

/** Platform codes; 128 and above is simulated hardware. */
export const PLATFORM = { tdx: 1, snp: 2, sgx: 3, simulatedTdx: 129, simulatedSnp: 130, simulatedSgx: 131 } as const;

/** Whether a platform code names simulated hardware. */
export function isSimulatedPlatform(platform: number): boolean {
  return platform >= 128;
}

/** hardwareIdHash of a machine. @param hardwareId - PPID (16 bytes) or CHIP_ID (64 bytes) */
export function hardwareIdHashOf(platform: number, hardwareId: Uint8Array): bigint {
  return poseidon(TAG.hardwareId, [assertUint(BigInt(platform), 8, 'platform'), ...halves(sha256(hardwareId))]);
}

/** What an enclave leaf binds. */
export interface EnclaveLeaf {
  readonly signerId: bigint;
  readonly policyId: bigint;
  /** 20-byte address. */
  readonly provider: string;
  readonly hardwareIdHash: bigint;
  /** Unix seconds, 40 bits. */
  readonly expiresAtUnix: number;
}

/** The leaf of the provider's enclave tree. */
export function enclaveLeafOf(leaf: EnclaveLeaf): bigint {
  return poseidon(TAG.enclaveLeaf, [
    assertField(leaf.signerId, 'signerId'),
    assertField(leaf.policyId, 'policyId'),
    addressToField(leaf.provider, 'provider'),
    assertField(leaf.hardwareIdHash, 'hardwareIdHash'),
    assertUint(BigInt(leaf.expiresAtUnix), 40, 'expiresAt'),
  ]);
}

/** Shape of a committed tensor: fixed length, integers biased to unsigned. */
export interface TensorShape {
  /** ONNX TensorProto code. */
  readonly dtype: number;
  /** Binary scale exponent, 0..255. */
  readonly scale: number;
  readonly dims: readonly number[];
  /** Bytes per element after biasing, 1..8. */
  readonly bytesPerElement: number;
}

/**
 * Commitment to a tensor that a circuit opens: state_0 over the shape and the blinding, then a Poseidon(16) chain over words of
 * 31 bytes. Elements are written big-endian, one after the other, and packed into 31-byte words, the last one zero-padded on
 * the right; a step takes 14 words, the last step zero-padded.
 * @param elements - unsigned (already biased) integers below 256^bytesPerElement, as many as the product of dims
 */
export function tensorCommitment(shape: TensorShape, elements: readonly bigint[], blinding: bigint): bigint {
  const size = shape.dims.reduce((product, dim) => product * dim, 1);
  if (elements.length !== size)
    throw new StunError('STUN_INPUT', `a tensor of ${size} elements was expected, got ${elements.length}`);
  if (shape.dims.length > 8) throw new StunError('STUN_RANGE', 'a committed tensor has at most 8 dimensions');
  let state = poseidon(TAG.tensorFirst, [
    BigInt(shape.dtype),
    BigInt(shape.scale),
    BigInt(shape.dims.length),
    ...shape.dims.map(BigInt),
    assertField(blinding, 'blinding'),
  ]);
  const words = tensorWords(elements, shape.bytesPerElement);
  for (let i = 0; i < words.length; i += 14) {
    const step = words.slice(i, i + 14);
    while (step.length < 14) step.push(0n);
    state = poseidon(TAG.tensorStep, [state, ...step]);
  }
  return state;
}

function tensorWords(elements: readonly bigint[], bytesPerElement: number): bigint[] {
  let hex = '';
  for (const element of elements) {
    assertUint(element, 8 * bytesPerElement, 'tensor element');
    hex += element.toString(16).padStart(2 * bytesPerElement, '0');
  }
  const words: bigint[] = [];
  for (let i = 0; i < hex.length; i += 62) words.push(BigInt(`0x${hex.slice(i, i + 62).padEnd(62, '0')}`));
  return words;
}
