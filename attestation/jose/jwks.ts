/**
 * Key sets of token issuers: EC keys on P-256 and P-384 for signatures. Keys of other kinds are left out, not refused: issuers
 * publish them side by side.
 * Spec: RFC 7517, sections 4 and 5; RFC 7518, section 6.2.1.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { concatBytes, utf8 } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { JsonObject } from '../json/capped-json.ts';
import { parseCappedJson, parseCappedJsonBytes } from '../json/capped-json.ts';
import { FieldReader } from '../json/fields.ts';
import { fromBase64url, toBase64url } from './base64url.ts';

/** Algorithms of tokens: ECDSA with the hash of the curve. Spec: RFC 7518, section 3.4. */
export type JwsAlgorithm = 'ES256' | 'ES384';

/** A key that verifies tokens. */
export interface PublicJwk {
  readonly keyId: string;
  readonly algorithm: JwsAlgorithm;
  /** SEC1 uncompressed point: 65 bytes for ES256, 97 for ES384. */
  readonly publicKey: Uint8Array;
}

const curves: ReadonlyMap<string, { readonly algorithm: JwsAlgorithm; readonly bytes: number }> = new Map([
  ['P-256', { algorithm: 'ES256', bytes: 32 }],
  ['P-384', { algorithm: 'ES384', bytes: 48 }],
]);
const code = 'STUN_JWKS_FORMAT';
const maxKeys = 64;

function refuse(reason: string): never {
  throw new StunError(code, reason);
}

function readKey(fields: FieldReader): PublicJwk | null {
  if (fields.string('kty') !== 'EC' || (fields.has('use') && fields.string('use') !== 'sig')) return null;
  const curve = curves.get(fields.string('crv'));
  if (curve === undefined) return null;
  if (fields.has('alg') && fields.string('alg') !== curve.algorithm)
    refuse(`expected alg ${curve.algorithm} for the key's curve`);
  const keyId = fields.string('kid');
  if (keyId === '' || keyId.length > 200) refuse('expected a kid of 1 to 200 characters');
  const [x, y] = ['x', 'y'].map((name) => {
    const value = fromBase64url(fields.string(name));
    return value?.length === curve.bytes ? value : refuse(`expected ${name} of ${curve.bytes} bytes in base64url`);
  }) as [Uint8Array, Uint8Array];
  return Object.freeze({ keyId, algorithm: curve.algorithm, publicKey: concatBytes(Uint8Array.of(4), x, y) });
}

/**
 * Reads a key set.
 * @param input - JSON text or its UTF-8 bytes
 * @returns the keys that verify tokens; each kid once
 * @throws `STUN_JSON_FORMAT` | `STUN_JWKS_FORMAT`
 */
export function parseJwks(input: string | Uint8Array): readonly PublicJwk[] {
  const value = typeof input === 'string' ? parseCappedJson(input) : parseCappedJsonBytes(input);
  const keys = new FieldReader(value, 'jwks', code)
    .objects('keys', maxKeys)
    .map(readKey)
    .filter((key) => key !== null);
  if (keys.length === 0) refuse('expected at least one EC key for signatures');
  if (new Set(keys.map(({ keyId }) => keyId)).size !== keys.length) refuse('expected each kid once');
  return Object.freeze(keys);
}

/** The members of a JWK that are the key itself, in the order of their names. */
function membersOf(publicKey: Uint8Array): JsonObject {
  const half = (publicKey.length - 1) / 2;
  const [curve] = [...curves].find(([, { bytes }]) => bytes === half) ?? [''];
  return {
    crv: curve,
    kty: 'EC',
    x: toBase64url(publicKey.subarray(1, 1 + half)),
    y: toBase64url(publicKey.subarray(1 + half)),
  };
}

/** Writes a key set. */
export function encodeJwks(keys: readonly PublicJwk[]): JsonObject {
  return {
    keys: keys.map(({ keyId, algorithm, publicKey }) => ({ ...membersOf(publicKey), use: 'sig', alg: algorithm, kid: keyId })),
  };
}

/**
 * The name of a key by its content: SHA-256 over its members, in base64url. Spec: RFC 7638, section 3.
 * @param publicKey - SEC1 uncompressed point of P-256 or P-384
 */
export function jwkThumbprint(publicKey: Uint8Array): string {
  return toBase64url(cryptoProvider.sha256(utf8(JSON.stringify(membersOf(publicKey)))));
}
