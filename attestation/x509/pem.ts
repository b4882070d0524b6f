/** PEM certificate chains. Spec: RFC 7468, section 5, strict: certificates only, line breaks and spaces between them, nothing else. */
import { StunError } from '#protocol/errors/stun-error.ts';

/** Longest chain text and most certificates that are read. */
export const maxPemChars = 65_536;
const maxCertificates = 8;

const block = /-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----/y;
const gap = /[ \t\r\n]*/y;

function refuse(reason: string): never {
  throw new StunError('STUN_PEM_FORMAT', reason);
}

/**
 * The DER bytes of each certificate of a chain, in order.
 * @param text - PEM text; one trailing NUL is allowed, quoting services add it
 * @throws `STUN_PEM_FORMAT`
 */
export function parsePemChain(text: string): readonly Uint8Array[] {
  if (text.length > maxPemChars) refuse(`expected at most ${maxPemChars} characters, got ${text.length}`);
  const chain = text.endsWith('\0') ? text.slice(0, -1) : text;
  const certificates: Uint8Array[] = [];
  let at = 0;
  const skip = (): void => {
    gap.lastIndex = at;
    gap.exec(chain);
    at = gap.lastIndex;
  };
  for (skip(); at < chain.length; skip()) {
    block.lastIndex = at;
    const match = block.exec(chain);
    if (match === null) refuse(`expected a certificate at character ${at}`);
    at = block.lastIndex;
    if (certificates.length === maxCertificates) refuse(`expected at most ${maxCertificates} certificates`);
    certificates.push(decodeBase64((match[1] ?? '').replace(/\r?\n/g, '')));
  }
  if (certificates.length === 0) refuse('expected at least one certificate, got none');
  return certificates;
}

/** The bytes of canonical base64 with padding, without line breaks. @throws `STUN_PEM_FORMAT` */
export function decodeBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) refuse('expected base64 with padding');
  const binary = atob(text);
  if (btoa(binary) !== text) refuse('expected canonical base64');
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** One PEM certificate of DER bytes, lines of 64 characters. */
export function encodePem(der: Uint8Array): string {
  const text = btoa(String.fromCharCode(...der));
  return `-----BEGIN CERTIFICATE-----\n${text.replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
}
