/**
 * The authorities of simulated SEV-SNP hardware: an ARK and an ASK with RSA keys of 4,096 bits, as AMD's have.
 *
 * Whoever holds the keys can make reports that verify under this root. That is their purpose: machines that share them share a
 * root, and a verifier that does not name this root refuses all of them. They are not secret material of anything real.
 */
import { constants, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { p384 } from '@noble/curves/nist.js';
import { concatBytes, fromHex, toHex, utf8 } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import { parseCappedJson } from '../json/capped-json.ts';
import { FieldReader } from '../json/fields.ts';
import type { AmdTrustRoot, SnpProduct } from '../trust/roots.ts';

/** An RSA key of an authority. */
export interface AuthorityKey {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** RSASSA-PSS with SHA-384 and 48 bytes of salt: 512 bytes. */
  readonly sign: (message: Uint8Array) => Uint8Array;
  /** PKCS #8, DER. */
  readonly export: () => Uint8Array;
}

/** The authorities. */
export interface SimulatedSnpPki {
  readonly arkKey: AuthorityKey;
  /** Signs VCEKs as ASK and VLEKs as ASVK. */
  readonly askKey: AuthorityKey;
  /** For a trust store that is meant to accept simulated hardware of a product line. Never in the default store. */
  readonly root: (product: SnpProduct) => AmdTrustRoot;
}

function authorityKey(privateKey: KeyObject): AuthorityKey {
  const spki = new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
  return Object.freeze({
    spki,
    sign: (message: Uint8Array) =>
      new Uint8Array(sign('sha384', message, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 })),
    export: () => new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' })),
  });
}

/** Authorities from their keys. */
export function simulatedSnpPkiOf(arkKey: AuthorityKey, askKey: AuthorityKey): SimulatedSnpPki {
  const publicKeySha256 = toHex(cryptoProvider.sha256(arkKey.spki));
  return Object.freeze({
    arkKey,
    askKey,
    root: (product: SnpProduct): AmdTrustRoot =>
      Object.freeze({ vendor: 'amd', name: `STUN simulated ARK-${product}`, product, publicKeySha256, simulated: true }),
  });
}

/** Makes fresh authorities. Two RSA keys of 4,096 bits: this takes a second or so. */
export function createSimulatedSnpPki(): SimulatedSnpPki {
  const fresh = (): AuthorityKey => authorityKey(generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey);
  return simulatedSnpPkiOf(fresh(), fresh());
}

/** The JSON in which simulated authorities are stored: `{ "version": 1, "ark": "0x…", "ask": "0x…" }`, PKCS #8 in hex. */
export function exportSimulatedSnpPki(pki: SimulatedSnpPki): string {
  return JSON.stringify({ version: 1, ark: toHex(pki.arkKey.export()), ask: toHex(pki.askKey.export()) });
}

/** Restores authorities. @throws `STUN_JSON_FORMAT` | `STUN_SIMULATOR_STATE` | `STUN_INPUT` */
export function importSimulatedSnpPki(text: string): SimulatedSnpPki {
  const fields = new FieldReader(parseCappedJson(text), 'simulatedSnpPki', 'STUN_SIMULATOR_STATE');
  fields.only('version', 'ark', 'ask');
  fields.integer('version', 1, 1);
  const key = (name: string): AuthorityKey => {
    const der = Buffer.from(fromHex(fields.string(name)));
    let privateKey: KeyObject;
    try {
      privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    } catch (cause) {
      throw new StunError('STUN_SIMULATOR_STATE', `simulatedSnpPki.${name} must be a private key`, { cause });
    }
    if (privateKey.asymmetricKeyType !== 'rsa' || privateKey.asymmetricKeyDetails?.modulusLength !== 4096)
      throw new StunError('STUN_SIMULATOR_STATE', `simulatedSnpPki.${name} must be an RSA key of 4096 bits`);
    return authorityKey(privateKey);
  };
  return simulatedSnpPkiOf(key('ark'), key('ask'));
}

/** The P-384 key of a simulated chip, or of a simulated cloud. */
export interface VekKey {
  /** SEC1 uncompressed point, 97 bytes. */
  readonly point: Uint8Array;
  /** ECDSA with SHA-384: raw r||s, 96 bytes, big-endian; deterministic (RFC 6979). */
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** Derives the key of a chip at a TCB version under some authorities, as AMD's does from its fuses. */
export function deriveVekKey(pki: SimulatedSnpPki, chipId: Uint8Array, tcb: Uint8Array): VekKey {
  const seed = concatBytes(utf8('stun/simulated-vek/v1'), cryptoProvider.sha256(pki.askKey.export()), chipId, tcb);
  for (let counter = 0; ; counter++) {
    const half = (part: number): Uint8Array => cryptoProvider.sha256(seed, Uint8Array.of(counter, part));
    const secret = concatBytes(half(0), half(1).subarray(0, 16));
    if (!p384.utils.isValidSecretKey(secret)) continue;
    return Object.freeze({
      point: p384.getPublicKey(secret, false),
      sign: (message: Uint8Array) => p384.sign(message, secret, { lowS: false }),
    });
  }
}
