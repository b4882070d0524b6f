/**
 * The enclave's keys: made inside when the worker starts, held in memory alone, never exported. A restart makes new ones, so a
 * stored receipt can never be continued by a second process under the same key.
 */
import { createHash } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import {
  canonicalJson,
  encodeKeyset,
  generateEddsaKeyPair,
  generateSealingKeyPair,
  keysetDigestOf,
  openOpening,
  openRequest,
  parseKeyset,
  signEip712,
  signerIdOf,
  signStatement,
  toHex,
  type EddsaSignature,
  type Hex,
  type Keyset,
  type OpenedRequest,
  type RequestBinding,
  type RunningStatement,
} from '#protocol/index.ts';
import type { ExecutionProvider } from './model/runner-messages.ts';

/** What the runtime digest is taken over: what this worker runs. */
export interface RuntimeDescription {
  readonly version: 1;
  /** Version of this package. */
  readonly stun: string;
  readonly node: string;
  readonly onnxruntime: string;
  readonly platform: string;
  /** In ascending order of modelId; each with the provider that really runs it. */
  readonly models: readonly { readonly modelId: Hex; readonly executionProvider: ExecutionProvider }[];
}

/** runtimeDigest of the keyset: sha256 of the description's canonical JSON. It is what the worker says of itself; the image's measurements in the quote are what vouches for it. */
export function runtimeDigestOf(description: RuntimeDescription): Uint8Array {
  return createHash('sha256').update(canonicalJson(description)).digest();
}

/** What a keyset is made for. */
export interface KeysetPlace {
  readonly chainId: bigint;
  readonly registry: Hex;
  readonly provider: Hex;
  readonly runtimeDigest: Uint8Array;
  readonly expiresAtUnix: number;
}

/** What the rest of the worker may do with the keys. */
export interface EnclaveKeys {
  readonly keyset: Keyset;
  readonly keysetBytes: Uint8Array;
  readonly keysetDigest: Uint8Array;
  /** `keysetDigest` as the service names the enclave. */
  readonly enclaveId: Hex;
  readonly signerId: bigint;
  readonly openRequest: (binding: Omit<RequestBinding, 'keysetDigest'>, envelope: Uint8Array) => Promise<OpenedRequest>;
  readonly openOpening: (
    binding: Omit<RequestBinding, 'keysetDigest' | 'demandHead'>,
    envelope: Uint8Array,
  ) => Promise<Uint8Array<ArrayBuffer>>;
  /** EIP-712 `Receipt` over R_k. */
  readonly signReceipt: (escrow: string, receiptHash: bigint) => Hex;
  readonly signStatement: (statement: RunningStatement) => EddsaSignature;
}

/**
 * Makes the three key pairs and the keyset. The private halves stay in this closure.
 * @throws `STUN_RANGE`, `STUN_INPUT` when the place does not fit the layout
 */
export async function createEnclaveKeys(place: KeysetPlace): Promise<EnclaveKeys> {
  const sealing = await generateSealingKeyPair();
  const receiptKey = generateEddsaKeyPair();
  const secpSecret = secp256k1.utils.randomSecretKey();
  const keysetBytes = encodeKeyset({
    ...place,
    hpkePublicKey: sealing.publicKey,
    receiptKey: receiptKey.publicKey,
    secpPublicKey: secp256k1.getPublicKey(secpSecret, false).subarray(1),
  });
  const keysetDigest = keysetDigestOf(keysetBytes);
  return Object.freeze({
    keyset: parseKeyset(keysetBytes),
    keysetBytes,
    keysetDigest,
    enclaveId: toHex(keysetDigest),
    signerId: signerIdOf(receiptKey.publicKey),
    openRequest: (binding, envelope) => openRequest(sealing, { ...binding, keysetDigest }, envelope),
    openOpening: (binding, envelope) => openOpening(sealing, { ...binding, keysetDigest }, envelope),
    signReceipt: (escrow, receipt) =>
      signEip712(secpSecret, 'Receipt', { chainId: place.chainId, verifyingContract: escrow }, { receipt }),
    signStatement: (statement) => signStatement(receiptKey, statement),
  } satisfies EnclaveKeys);
}
