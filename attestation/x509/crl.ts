/** X.509 v2 certificate revocation lists of the profile that Intel uses. Parses only. Spec: RFC 5280, section 5. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { DerReader, derTag } from '../asn1/der.ts';
import { parseEcdsaSignature, readBitString, readIntegerHex, readSmallInteger, readTime } from '../asn1/der-values.ts';
import type { Name } from './extension.ts';
import { oid, readAuthorityKeyId, readEcdsaWithSha256, readExtensions, readName } from './extension.ts';

/** A parsed CRL. */
export interface Crl {
  /** The signed bytes. */
  readonly tbs: Uint8Array;
  readonly issuer: Name;
  readonly thisUpdateUnix: number;
  readonly nextUpdateUnix: number;
  /** Serials as content octets in lower-case hex, as {@link Certificate.serialHex}. */
  readonly revokedSerials: ReadonlySet<string>;
  readonly authorityKeyId: string;
  /** Raw r||s, 64 bytes, big-endian. */
  readonly signature: Uint8Array;
}

function refuse(reason: string): never {
  throw new StunError('STUN_CRL_FORMAT', reason);
}

/**
 * Parses one CRL. An unknown critical extension (a delta or partitioned CRL, say) is refused.
 * @param bytes - DER, exactly one CRL
 * @throws `STUN_DER_FORMAT` | `STUN_CRL_FORMAT`
 */
export function parseCrl(bytes: Uint8Array): Crl {
  const outer = new DerReader(bytes);
  const list = outer.enter(derTag.sequence);
  outer.end();
  const tbsElement = list.read(derTag.sequence);
  readEcdsaWithSha256(list, 'STUN_CRL_FORMAT');
  const signature = parseEcdsaSignature(readBitString(list));
  list.end();

  const tbs = list.inside(tbsElement.content);
  if (readSmallInteger(tbs) !== 1) refuse('expected CRL version 2');
  readEcdsaWithSha256(tbs, 'STUN_CRL_FORMAT');
  const issuer = readName(tbs, 'STUN_CRL_FORMAT');
  const thisUpdateUnix = readTime(tbs);
  const nextUpdateUnix = readTime(tbs);
  const revokedSerials = tbs.peek() === derTag.sequence ? readRevokedSerials(tbs) : new Set<string>();
  const wrapper = tbs.enter(0xa0);
  const extensions = readExtensions(wrapper, [], 'STUN_CRL_FORMAT');
  wrapper.end();
  tbs.end();

  const authorityKeyId = readAuthorityKeyId(extensions.get(oid.authorityKeyIdentifier));
  if (authorityKeyId === null) refuse('expected an authority key identifier');
  const number = extensions.get(oid.crlNumber);
  if (number === undefined) refuse('expected a CRL number');
  const numberReader = new DerReader(number.value);
  readIntegerHex(numberReader);
  numberReader.end();
  return { tbs: tbsElement.raw, issuer, thisUpdateUnix, nextUpdateUnix, revokedSerials, authorityKeyId, signature };
}

/** Reads the list of revoked certificates: their serials, as content octets in lower-case hex. */
export function readRevokedSerials(tbs: DerReader): ReadonlySet<string> {
  const serials = new Set<string>();
  for (const entry of tbs.enter(derTag.sequence).rest(derTag.sequence)) {
    serials.add(readIntegerHex(entry));
    readTime(entry);
    if (entry.peek() !== null) readExtensions(entry, [oid.reasonCode], 'STUN_CRL_FORMAT');
    entry.end();
  }
  return serials;
}
