/** Forms that answers of collateral services have: DER, hex, PEM chains. Form alone is checked, never a signature. */
import { StunError } from '#protocol/errors/stun-error.ts';

/** @throws `STUN_COLLATERAL_RESPONSE` */
export function refuseAnswer(reason: string): never {
  throw new StunError('STUN_COLLATERAL_RESPONSE', reason);
}

/** Bytes as lower-case hex without a prefix. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** The length that the head of a DER value announces, head included; undefined where there is no head. */
function announcedLength(der: Uint8Array): number | undefined {
  const [tag, first] = der;
  if (tag !== 0x30 || first === undefined) return undefined;
  if (first < 0x80) return 2 + first;
  const octets = first & 0x7f;
  if (octets === 0 || octets > 3 || der.length < 2 + octets) return undefined;
  return 2 + octets + Number.parseInt(hexOf(der.subarray(2, 2 + octets)), 16);
}

/** One whole DER value as hex. @throws `STUN_COLLATERAL_RESPONSE` when it is cut, has a tail, or is something else */
export function derHex(body: Uint8Array, what: string): string {
  return announcedLength(body) === body.length ? hexOf(body) : refuseAnswer(`${what} is not one DER value`);
}

/** A DER value that may also come as the hex of one, in quotes or not. @throws `STUN_COLLATERAL_RESPONSE` */
export function derOrHex(body: Uint8Array, what: string): string {
  if (body[0] === 0x30) return derHex(body, what);
  const text = new TextDecoder().decode(body).trim().replace(/^"|"$/g, '');
  return /^30([0-9a-fA-F]{2})+$/.test(text)
    ? derHex(Buffer.from(text, 'hex'), what)
    : refuseAnswer(`${what} is neither DER nor hex`);
}

const pemCertificate = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, DER in hex. @throws `STUN_COLLATERAL_RESPONSE` when there are not exactly so many */
export function pemCertificates(text: string, count: number, what: string): readonly string[] {
  const found = [...text.matchAll(pemCertificate)].map(([, base64]) => derHex(Buffer.from(base64 ?? '', 'base64'), what));
  return found.length === count ? found : refuseAnswer(`${what} must hold ${count} certificates, it holds ${found.length}`);
}

/** The PEM chain of a header, URL-encoded, under the first of some names that is there. @throws `STUN_COLLATERAL_RESPONSE` */
export function chainOf(headers: Headers, ...names: readonly string[]): string {
  const value = names.map((name) => headers.get(name)).find((header) => header !== null);
  if (value === undefined || value === null) return refuseAnswer(`expected a header ${names.join(' or ')}`);
  let chain: string;
  try {
    chain = decodeURIComponent(value);
  } catch {
    return refuseAnswer(`header ${names[0] ?? ''} is not URL-encoded`);
  }
  return chain.startsWith('-----BEGIN CERTIFICATE-----') ? chain : refuseAnswer(`header ${names[0] ?? ''} is no PEM chain`);
}
