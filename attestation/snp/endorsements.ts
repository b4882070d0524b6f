/**
 * What AMD says about a chip: the certificate of the key that signed the report (VCEK or VLEK), its authority (ASK or ASVK), the root
 * (ARK), and the ARK's CRL when there is one. Parses only.
 *
 * As JSON: `{ "vek": "0x…", "ask": "0x…", "ark": "0x…", "crl": "0x…" }`, DER in lower-case hex; `crl` may be null.
 * Source of all four: https://kdsintf.amd.com/{vcek,vlek}/v1/{product}/…; "VCEK Certificate and KDS Interface Specification" (AMD 57230).
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { maxDerBytes } from '../asn1/der.ts';
import type { JsonObject, JsonValue } from '../json/capped-json.ts';
import { parseCappedJson, parseCappedJsonBytes } from '../json/capped-json.ts';
import { FieldReader } from '../json/fields.ts';
import { maxPemChars, parsePemChain } from '../x509/pem.ts';
import type { AmdCertificate } from './certificate.ts';
import { parseAmdCertificate } from './certificate.ts';
import type { AmdCrl } from './crl.ts';
import { parseAmdCrl } from './crl.ts';

/** Parsed endorsements. Nothing in them is verified. */
export interface SnpEndorsements {
  readonly vek: AmdCertificate;
  readonly ask: AmdCertificate;
  readonly ark: AmdCertificate;
  readonly crl: AmdCrl | null;
}

/** Endorsements as files have them: certificates as DER or PEM of one certificate, the CRL as DER. */
export interface SnpEndorsementBytes {
  readonly vek: Uint8Array;
  readonly ask: Uint8Array;
  readonly ark: Uint8Array;
  readonly crl: Uint8Array | null;
}

/** Endorsements in an evidence document. */
export interface SnpEndorsementsJson {
  readonly vek: string;
  readonly ask: string;
  readonly ark: string;
  readonly crl: string | null;
}

const code = 'STUN_SNP_ENDORSEMENTS_FORMAT';
const pemBegin = '-----BEGIN';

function refuse(reason: string): never {
  throw new StunError(code, reason);
}

/** DER bytes of a certificate that came as DER or as PEM. */
function derOf(bytes: Uint8Array, name: string): Uint8Array {
  const head = String.fromCharCode(...bytes.subarray(0, pemBegin.length));
  if (head !== pemBegin) return bytes;
  if (bytes.length > maxPemChars) refuse(`expected ${name} to have at most ${maxPemChars} bytes`);
  const chain = parsePemChain(new TextDecoder('latin1').decode(bytes));
  const [first] = chain;
  return first !== undefined && chain.length === 1 ? first : refuse(`expected one certificate in ${name}, got ${chain.length}`);
}

/**
 * Parses endorsements from files.
 * @throws `STUN_SNP_ENDORSEMENTS_FORMAT` | `STUN_PEM_FORMAT` | `STUN_DER_FORMAT` | `STUN_CERTIFICATE_FORMAT` | `STUN_CRL_FORMAT`
 */
export function parseSnpEndorsements(bytes: SnpEndorsementBytes): SnpEndorsements {
  return Object.freeze({
    vek: parseAmdCertificate(derOf(bytes.vek, 'vek')),
    ask: parseAmdCertificate(derOf(bytes.ask, 'ask')),
    ark: parseAmdCertificate(derOf(bytes.ark, 'ark')),
    crl: bytes.crl === null ? null : parseAmdCrl(bytes.crl),
  });
}

function hexField(fields: FieldReader, key: string): string {
  const text = fields.string(key);
  if (text.length > 2 + 2 * maxDerBytes || !/^0x([0-9a-f]{2})+$/.test(text))
    refuse(`endorsements.${key} must be 0x and at most ${maxDerBytes} bytes of lower-case hex`);
  return text;
}

/** Reads the fields of endorsements in JSON; the bytes in them are not looked at. @throws `STUN_SNP_ENDORSEMENTS_FORMAT` */
export function readSnpEndorsementsJson(value: JsonValue): SnpEndorsementsJson {
  const fields = new FieldReader(value, 'endorsements', code);
  fields.only('vek', 'ask', 'ark', 'crl');
  return Object.freeze({
    vek: hexField(fields, 'vek'),
    ask: hexField(fields, 'ask'),
    ark: hexField(fields, 'ark'),
    crl: fields.value('crl') === null ? null : hexField(fields, 'crl'),
  });
}

/**
 * The bytes of endorsements in JSON.
 * @param input - JSON text, its UTF-8 bytes, or its value
 * @throws `STUN_JSON_FORMAT` | `STUN_SNP_ENDORSEMENTS_FORMAT`
 */
export function decodeSnpEndorsements(input: string | Uint8Array | JsonObject | SnpEndorsementsJson): SnpEndorsementBytes {
  const value: JsonValue =
    typeof input === 'string' ? parseCappedJson(input) : input instanceof Uint8Array ? parseCappedJsonBytes(input) : { ...input };
  const json = readSnpEndorsementsJson(value);
  return {
    vek: fromHex(json.vek),
    ask: fromHex(json.ask),
    ark: fromHex(json.ark),
    crl: json.crl === null ? null : fromHex(json.crl),
  };
}

/** Endorsements for an evidence document. @throws `STUN_PEM_FORMAT` | `STUN_SNP_ENDORSEMENTS_FORMAT` when a PEM is malformed */
export function encodeSnpEndorsements(bytes: SnpEndorsementBytes): SnpEndorsementsJson {
  return Object.freeze({
    vek: toHex(derOf(bytes.vek, 'vek')),
    ask: toHex(derOf(bytes.ask, 'ask')),
    ark: toHex(derOf(bytes.ark, 'ark')),
    crl: bytes.crl === null ? null : toHex(bytes.crl),
  });
}
