/**
 * Sealing to an enclave's key: requests and order openings. RFC 9180 base mode with X-Wing (id 0x647a), HKDF-SHA256 and
 * AES-256-GCM. X-Wing in HPKE is a draft, hence the version in the envelope.
 * Nothing here says that the key is good: the caller has verified the evidence that binds the keyset.
 */
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_MLKEM768_X25519, type Key } from 'hpke';
import { concatBytes, fromHex, utf8 } from '../bytes.ts';
import { StunError } from '../errors/stun-error.ts';
import { fieldToHex } from '../field.ts';
import { openEnvelope, parseEnvelope, sealEnvelope } from './envelope.ts';

const suite = new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
const RESULT_CONTEXT = utf8('stun/seal/result/v1');

/** An enclave's HPKE key pair; the private key is not extractable. */
export interface SealingKeyPair {
  readonly privateKey: Key;
  /** 1,216 bytes. */
  readonly publicKey: Uint8Array;
}

/** Makes a key pair; call it inside the TEE. */
export async function generateSealingKeyPair(): Promise<SealingKeyPair> {
  const pair = await suite.GenerateKeyPair(false);
  return { privateKey: pair.privateKey, publicKey: await suite.SerializePublicKey(pair.publicKey) };
}

/** What a request is bound to. */
export interface RequestBinding {
  readonly orderId: bigint;
  readonly provider: string;
  /** 32 bytes. */
  readonly keysetDigest: Uint8Array;
  readonly demandHead: bigint;
}

function requestInfo(binding: RequestBinding): Uint8Array {
  return concatBytes(
    utf8('stun/seal/request/v1'),
    fromHex(fieldToHex(binding.orderId)),
    fromHex(binding.provider, 20, 'provider'),
    binding.keysetDigest,
    fromHex(fieldToHex(binding.demandHead)),
  );
}

function openingInfo(binding: Omit<RequestBinding, 'demandHead'>): Uint8Array {
  return concatBytes(
    utf8('stun/seal/opening/v1'),
    fromHex(fieldToHex(binding.orderId)),
    fromHex(binding.provider, 20, 'provider'),
    binding.keysetDigest,
  );
}

async function sender(publicKey: Uint8Array, info: Uint8Array) {
  try {
    return await suite.SetupSender(await suite.DeserializePublicKey(publicKey), { info });
  } catch (cause) {
    throw new StunError('STUN_KEYSET_LAYOUT', 'the HPKE public key is malformed', { cause });
  }
}

/** A sealed request and the secret that opens its result; the secret stays with the client. */
export interface SealedRequest {
  readonly envelope: Uint8Array<ArrayBuffer>;
  /** 32 bytes. */
  readonly resultSecret: Uint8Array;
}

/**
 * Seals the data of a request.
 * @param hpkePublicKey - from a keyset whose evidence the caller has verified
 * @param data - inputBlinding ‖ outputBlinding ‖ payload
 * @throws `STUN_KEYSET_LAYOUT` for a key of another length or one that nothing can be sealed to
 */
export async function sealRequest(hpkePublicKey: Uint8Array, binding: RequestBinding, data: Uint8Array): Promise<SealedRequest> {
  const { encapsulatedSecret, ctx } = await sender(hpkePublicKey, requestInfo(binding));
  const envelope = await sealEnvelope('request', encapsulatedSecret, data, (chunk, aad) => ctx.Seal(chunk, aad));
  return { envelope, resultSecret: await ctx.Export(RESULT_CONTEXT, 32) };
}

/** An opened request and the secret that seals its result. */
export interface OpenedRequest {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly resultSecret: Uint8Array;
}

async function recipient(pair: SealingKeyPair, enc: Uint8Array, info: Uint8Array, kind: string) {
  try {
    return await suite.SetupRecipient(pair.privateKey, enc, { info });
  } catch (cause) {
    throw new StunError('STUN_ENVELOPE_OPEN', `the ${kind} envelope is not sealed to this key`, { cause });
  }
}

/** Opens a request inside the enclave. @throws `STUN_ENVELOPE_LAYOUT`, `STUN_ENVELOPE_OPEN` */
export async function openRequest(pair: SealingKeyPair, binding: RequestBinding, envelope: Uint8Array): Promise<OpenedRequest> {
  const parts = parseEnvelope('request', suite.KEM.Nenc, envelope);
  const ctx = await recipient(pair, parts.head, requestInfo(binding), 'request');
  const data = await openEnvelope('request', parts, (chunk, aad) => ctx.Open(chunk, aad));
  return { data, resultSecret: await ctx.Export(RESULT_CONTEXT, 32) };
}

/** Seals an order's opening, once per order and enclave. @throws `STUN_KEYSET_LAYOUT` as {@link sealRequest} */
export async function sealOpening(
  hpkePublicKey: Uint8Array,
  binding: Omit<RequestBinding, 'demandHead'>,
  opening: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const { encapsulatedSecret, ctx } = await sender(hpkePublicKey, openingInfo(binding));
  return sealEnvelope('opening', encapsulatedSecret, opening, (chunk, aad) => ctx.Seal(chunk, aad));
}

/** Opens an order's opening inside the enclave. @throws `STUN_ENVELOPE_LAYOUT`, `STUN_ENVELOPE_OPEN` */
export async function openOpening(
  pair: SealingKeyPair,
  binding: Omit<RequestBinding, 'demandHead'>,
  envelope: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts = parseEnvelope('opening', suite.KEM.Nenc, envelope);
  const ctx = await recipient(pair, parts.head, openingInfo(binding), 'opening');
  return openEnvelope('opening', parts, (chunk, aad) => ctx.Open(chunk, aad));
}
