/**
 * Signed tokens: JSON claims in a compact JWS with ES256 or ES384. The algorithm is that of the key that the caller trusts, never
 * what the token would like: `none`, HMAC and everything else have no way in.
 * Spec: RFC 7515, sections 3.1, 4.1, 5.2 and 7.1; RFC 7519, section 7.2; RFC 7518, section 3.4.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { utf8 } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { JsonObject } from '../json/capped-json.ts';
import { parseCappedJsonBytes } from '../json/capped-json.ts';
import { FieldReader } from '../json/fields.ts';
import { fromBase64url, toBase64url } from './base64url.ts';
import type { JwsAlgorithm, PublicJwk } from './jwks.ts';

/** A parsed token. Nothing of it is verified. */
export interface Jws {
  readonly algorithm: JwsAlgorithm;
  readonly keyId: string;
  readonly claims: JsonObject;
  readonly signedBytes: Uint8Array;
  /** Raw r||s: 64 bytes for ES256, 96 for ES384. */
  readonly signature: Uint8Array;
}

/** A key that signs tokens. */
export interface JwsSigner extends PublicJwk {
  /** Raw r||s over the message, with the algorithm of the key. */
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** Longest token. NVIDIA's are 3 KB. */
export const maxJwsChars = 65_536;
const signatureBytes: { readonly [A in JwsAlgorithm]: number } = { ES256: 64, ES384: 96 };
const code = 'STUN_JWS_FORMAT';

function refuse(reason: string): never {
  throw new StunError(code, reason);
}

function decode(part: string, what: string): Uint8Array {
  return fromBase64url(part) ?? refuse(`expected ${what} in base64url without padding`);
}

/**
 * Parses a token.
 * @throws `STUN_JWS_FORMAT` | `STUN_JSON_FORMAT`
 */
export function parseJws(text: string): Jws {
  if (text.length > maxJwsChars) refuse(`expected at most ${maxJwsChars} characters, got ${text.length}`);
  const parts = text.split('.');
  if (parts.length !== 3) refuse(`expected three parts between dots, got ${parts.length}`);
  const [headerPart = '', claimsPart = '', signaturePart = ''] = parts;
  const header = new FieldReader(parseCappedJsonBytes(decode(headerPart, 'the header')), 'header', code);
  const algorithm = header.string('alg');
  if (algorithm !== 'ES256' && algorithm !== 'ES384') refuse(`expected alg ES256 or ES384, got ${algorithm.slice(0, 16)}`);
  if (header.has('crit')) refuse('expected no header parameter that must be understood');
  const claims = parseCappedJsonBytes(decode(claimsPart, 'the claims'));
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) refuse('expected claims as a JSON object');
  const signature = decode(signaturePart, 'the signature');
  if (signature.length !== signatureBytes[algorithm]) refuse(`expected a signature of ${signatureBytes[algorithm]} bytes`);
  return Object.freeze({
    algorithm,
    keyId: header.string('kid'),
    claims: claims as JsonObject,
    signedBytes: utf8(`${headerPart}.${claimsPart}`),
    signature,
  });
}

/**
 * Verifies a token's signature. Time, issuer and everything else that the claims say is the caller's to check.
 * @param keys - the keys that are trusted
 * @returns the claims
 * @throws `STUN_JWS_KEY` | `STUN_JWS_SIGNATURE`
 */
export function verifyJws({ algorithm, keyId, claims, signedBytes, signature }: Jws, keys: readonly PublicJwk[]): JsonObject {
  const key = keys.find((candidate) => candidate.keyId === keyId && candidate.algorithm === algorithm);
  if (key === undefined) throw new StunError('STUN_JWS_KEY', `no ${algorithm} key with the kid ${keyId.slice(0, 60)} is trusted`);
  const verify = algorithm === 'ES256' ? cryptoProvider.verifyP256 : cryptoProvider.verifyP384;
  if (!verify(signedBytes, signature, key.publicKey))
    throw new StunError('STUN_JWS_SIGNATURE', `the token is not signed by the key ${keyId.slice(0, 60)}`);
  return claims;
}

/** Signs claims. @returns a compact JWS */
export function signJws(claims: JsonObject, { algorithm, keyId, sign }: JwsSigner): string {
  const part = (value: JsonObject): string => toBase64url(utf8(JSON.stringify(value)));
  const signed = `${part({ alg: algorithm, kid: keyId, typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${toBase64url(sign(utf8(signed)))}`;
}

/**
 * That a token is valid at a time: issued and begun before, not ended yet. `iat` and `exp` are required, `nbf` is not.
 * @throws `STUN_TOKEN_TIME`
 */
export function verifyTokenTime(
  claims: JsonObject,
  atUnix: number,
): { readonly issuedAtUnix: number; readonly expiresAtUnix: number } {
  const fields = new FieldReader(claims, 'claims', 'STUN_TOKEN_TIME');
  const time = (name: string): number => fields.integer(name, 0, Number.MAX_SAFE_INTEGER);
  const [issuedAtUnix, expiresAtUnix] = [time('iat'), time('exp')];
  const begins = fields.has('nbf') ? Math.max(issuedAtUnix, time('nbf')) : issuedAtUnix;
  if (atUnix < begins || atUnix >= expiresAtUnix)
    throw new StunError('STUN_TOKEN_TIME', `the token holds from ${begins} until before ${expiresAtUnix}, the time is ${atUnix}`);
  return { issuedAtUnix, expiresAtUnix };
}
