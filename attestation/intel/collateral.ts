/**
 * Collateral of a quote: what Intel publishes and signs about the platform, taken as an argument.
 *
 * The layout is that of Intel's and Phala's tools: texts exactly as signed, signatures and CRLs in hex, chains in PEM.
 * Parsing checks form alone; the verification of a quote checks everything else. Whoever verifies many quotes of one platform
 * family parses their collateral once: what does not depend on the time or the quote is then computed once too.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { equalBytes, fromHex, utf8 } from '#protocol/bytes.ts';
import { parseCappedJson, parseCappedJsonBytes } from '../json/capped-json.ts';
import { FieldReader } from '../json/fields.ts';
import type { Certificate } from '../x509/certificate.ts';
import { parseCertificate } from '../x509/certificate.ts';
import type { Crl } from '../x509/crl.ts';
import { parseCrl } from '../x509/crl.ts';
import { parsePemChain } from '../x509/pem.ts';
import type { SignedObject } from '../x509/signature-memo.ts';
import { SignatureMemo } from '../x509/signature-memo.ts';
import { once } from './once.ts';
import type { QeIdentity } from './qe-identity.ts';
import { parseQeIdentity } from './qe-identity.ts';
import type { TcbInfo } from './tcb-info.ts';
import { parseTcbInfo } from './tcb-info.ts';

/** The JSON layout. A CRL may be null: then revocation stays unknown, which the default policy refuses. */
export interface IntelCollateralJson {
  readonly pck_crl_issuer_chain: string;
  readonly root_ca_crl: string | null;
  readonly pck_crl: string | null;
  readonly tcb_info_issuer_chain: string;
  readonly tcb_info: string;
  readonly tcb_info_signature: string;
  readonly qe_identity_issuer_chain: string;
  readonly qe_identity: string;
  readonly qe_identity_signature: string;
  /** The PCK certificate chain, leaf first, for a quote that does not carry it; absent otherwise. */
  readonly pck_certificate_chain?: string;
}

/** A signed document: its exact text, its signature (raw r||s, 64 bytes) and the chain of its signer. */
export interface SignedText<T> extends SignedObject {
  readonly text: string;
  readonly chain: readonly Certificate[];
  /** What the text says, parsed when it is first wanted. Throws the code of its parser. */
  readonly content: () => T;
}

/** Parsed collateral. */
export interface IntelCollateral {
  readonly json: IntelCollateralJson;
  readonly pckCrlIssuerChain: readonly Certificate[];
  readonly rootCaCrl: Crl | null;
  readonly pckCrl: Crl | null;
  readonly tcbInfo: SignedText<TcbInfo>;
  readonly qeIdentity: SignedText<QeIdentity>;
  /** The PCK chain that was given separately, leaf first. */
  readonly pckChain: readonly Certificate[] | null;
  /** Which signatures inside this collateral were verified already. */
  readonly signatures: SignatureMemo;
}

const maxSignedChars = 262_144;

/** Reads the JSON layout from an object. Unknown fields are ignored. */
export function readCollateralFields(fields: FieldReader): IntelCollateralJson {
  const pckChain = fields.stringOrNull('pck_certificate_chain');
  return Object.freeze({
    pck_crl_issuer_chain: fields.string('pck_crl_issuer_chain'),
    root_ca_crl: fields.stringOrNull('root_ca_crl'),
    pck_crl: fields.stringOrNull('pck_crl'),
    tcb_info_issuer_chain: fields.string('tcb_info_issuer_chain'),
    tcb_info: fields.string('tcb_info'),
    tcb_info_signature: fields.string('tcb_info_signature'),
    qe_identity_issuer_chain: fields.string('qe_identity_issuer_chain'),
    qe_identity: fields.string('qe_identity'),
    qe_identity_signature: fields.string('qe_identity_signature'),
    ...(pckChain === null ? {} : { pck_certificate_chain: pckChain }),
  });
}

/**
 * Reads the JSON layout. Unknown fields are ignored.
 * @param input - the JSON text, its UTF-8 bytes, or its value
 * @throws `STUN_JSON_FORMAT` | `STUN_COLLATERAL_FORMAT`
 */
export function readIntelCollateralJson(input: string | Uint8Array | IntelCollateralJson): IntelCollateralJson {
  const value =
    typeof input === 'string' ? parseCappedJson(input) : input instanceof Uint8Array ? parseCappedJsonBytes(input) : { ...input };
  return readCollateralFields(new FieldReader(value, 'collateral', 'STUN_COLLATERAL_FORMAT'));
}

/** Whether collateral is parsed already. */
export function isParsedCollateral(input: unknown): input is IntelCollateral {
  return typeof input === 'object' && input !== null && 'signatures' in input && input.signatures instanceof SignatureMemo;
}

function hexField(text: string, what: string, length?: number): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text) || (length !== undefined && text.length !== 2 * length)) {
    throw new StunError(
      'STUN_COLLATERAL_FORMAT',
      `collateral.${what} must be hex${length === undefined ? '' : ` of ${length} bytes`}`,
    );
  }
  return fromHex(`0x${text}`);
}

/** Reads chains of which several hold the same certificates: the same bytes give the same object, so that nothing is parsed or verified twice. */
function chainReader(): (pem: string) => readonly Certificate[] {
  const seen: Certificate[] = [];
  return (pem) =>
    parsePemChain(pem).map((der) => {
      const known = seen.find((certificate) => equalBytes(certificate.raw, der));
      if (known !== undefined) return known;
      const certificate = parseCertificate(der);
      seen.push(certificate);
      return certificate;
    });
}

function signedText<T>(
  text: string,
  signature: string,
  chain: readonly Certificate[],
  what: string,
  parse: (text: string) => T,
): SignedText<T> {
  if (text.length > maxSignedChars)
    throw new StunError('STUN_COLLATERAL_FORMAT', `collateral.${what} must have at most ${maxSignedChars} characters`);
  return {
    text,
    tbs: utf8(text),
    signature: hexField(signature, `${what}_signature`, 64),
    chain,
    content: once(() => parse(text)),
  };
}

/**
 * Parses collateral: JSON layout, certificates and CRLs. The two signed texts stay text until their signatures are verified.
 * @param input - as {@link readIntelCollateralJson}
 * @throws `STUN_JSON_FORMAT` | `STUN_COLLATERAL_FORMAT` | `STUN_PEM_FORMAT` | `STUN_DER_FORMAT` | `STUN_CERTIFICATE_FORMAT` | `STUN_CRL_FORMAT`
 */
export function parseIntelCollateral(input: string | Uint8Array | IntelCollateralJson): IntelCollateral {
  const json = readIntelCollateralJson(input);
  const chain = chainReader();
  return {
    json,
    pckCrlIssuerChain: chain(json.pck_crl_issuer_chain),
    rootCaCrl: json.root_ca_crl === null ? null : parseCrl(hexField(json.root_ca_crl, 'root_ca_crl')),
    pckCrl: json.pck_crl === null ? null : parseCrl(hexField(json.pck_crl, 'pck_crl')),
    tcbInfo: signedText(json.tcb_info, json.tcb_info_signature, chain(json.tcb_info_issuer_chain), 'tcb_info', parseTcbInfo),
    qeIdentity: signedText(
      json.qe_identity,
      json.qe_identity_signature,
      chain(json.qe_identity_issuer_chain),
      'qe_identity',
      parseQeIdentity,
    ),
    pckChain: json.pck_certificate_chain === undefined ? null : chain(json.pck_certificate_chain),
    signatures: new SignatureMemo(),
  };
}
