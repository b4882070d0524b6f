/**
 * Sealing of results: a key from the request's HPKE export and a fresh salt, so the answer opens for the sender of the request
 * alone, no second key can be swapped in, and a job that is run twice never reuses a key and nonce.
 */
import type { webcrypto } from 'node:crypto';
import { concatBytes, fromHex, utf8 } from '../bytes.ts';
import { fieldToHex } from '../field.ts';
import { counterNonce, openEnvelope, parseEnvelope, sealEnvelope, type ChunkCipher } from './envelope.ts';

const SALT_LENGTH = 32;

async function resultKey(secret: Uint8Array, salt: Uint8Array, demandHead: bigint): Promise<webcrypto.CryptoKey> {
  const ikm = await crypto.subtle.importKey('raw', new Uint8Array(secret), 'HKDF', false, ['deriveKey']);
  const info = concatBytes(utf8('stun/seal/result/v1'), fromHex(fieldToHex(demandHead)));
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(salt), info },
    ikm,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );
}

function cipher(key: webcrypto.CryptoKey, direction: 'encrypt' | 'decrypt'): ChunkCipher {
  return async (chunk, additionalData, index) =>
    new Uint8Array(
      await crypto.subtle[direction](
        { name: 'AES-GCM', iv: counterNonce(index), additionalData: new Uint8Array(additionalData) },
        key,
        new Uint8Array(chunk),
      ),
    );
}

/**
 * Seals a result inside the enclave.
 * @param resultSecret - 32 bytes, from openRequest
 * @param data - outputBlinding ‖ payload
 */
export async function sealResult(
  resultSecret: Uint8Array,
  demandHead: bigint,
  data: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_LENGTH));
  return sealEnvelope('result', salt, data, cipher(await resultKey(resultSecret, salt, demandHead), 'encrypt'));
}

/** Opens a result with the secret the client kept. @throws `STUN_ENVELOPE_LAYOUT`, `STUN_ENVELOPE_OPEN` */
export async function openResult(
  resultSecret: Uint8Array,
  demandHead: bigint,
  envelope: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts = parseEnvelope('result', SALT_LENGTH, envelope);
  return openEnvelope('result', parts, cipher(await resultKey(resultSecret, parts.head, demandHead), 'decrypt'));
}
