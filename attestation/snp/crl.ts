/**
 * AMD's CRLs: X.509 v2, issued and signed by the ARK, with RSASSA-PSS. Parses only.
 *
 * No CRL of AMD's stands in the public collection of evidence that this code is tested with, so what RFC 5280 demands beyond the
 * signature is read where it is present: an authority key identifier must be the ARK's, a CRL number must be an integer.
 * Spec: RFC 5280, section 5; "VCEK Certificate and KDS Interface Specification" (AMD 57230), certificate revocation list.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { DerReader, derTag } from '../asn1/der.ts';
import { readIntegerHex, readSmallInteger, readTime } from '../asn1/der-values.ts';
import { readRevokedSerials } from '../x509/crl.ts';
import type { Name } from '../x509/extension.ts';
import { oid, readAuthorityKeyId, readExtensions, readName } from '../x509/extension.ts';
import { readAmdSignature, readRsaPssSha384 } from './rsa-pss.ts';

/** A parsed CRL. */
export interface AmdCrl {
  /** The signed bytes. */
  readonly tbs: Uint8Array;
  readonly issuer: Name;
  readonly thisUpdateUnix: number;
  readonly nextUpdateUnix: number;
  /** Serials as content octets in lower-case hex, as `serialHex` of a certificate. */
  readonly revokedSerials: ReadonlySet<string>;
  readonly authorityKeyId: string | null;
  /** RSASSA-PSS, 512 bytes. */
  readonly signature: Uint8Array;
}

const code = 'STUN_CRL_FORMAT';

/**
 * Parses one CRL. An unknown critical extension (an indirect or delta CRL, say) is refused.
 * @param bytes - DER, exactly one CRL
 * @throws `STUN_DER_FORMAT` | `STUN_CRL_FORMAT`
 */
export function parseAmdCrl(bytes: Uint8Array): AmdCrl {
  const outer = new DerReader(bytes);
  const list = outer.enter(derTag.sequence);
  outer.end();
  const tbsElement = list.read(derTag.sequence);
  readRsaPssSha384(list, code);
  const signature = readAmdSignature(list, code);
  list.end();

  const tbs = list.inside(tbsElement.content);
  if (readSmallInteger(tbs) !== 1) throw new StunError(code, 'expected CRL version 2');
  readRsaPssSha384(tbs, code);
  const issuer = readName(tbs, code);
  const thisUpdateUnix = readTime(tbs);
  const nextUpdateUnix = readTime(tbs);
  const revokedSerials = tbs.peek() === derTag.sequence ? readRevokedSerials(tbs) : new Set<string>();
  const extensions = tbs.peek() === 0xa0 ? readCrlExtensions(tbs) : new Map<string, never>();
  tbs.end();
  const number = extensions.get(oid.crlNumber);
  if (number !== undefined) {
    const reader = new DerReader(number.value);
    readIntegerHex(reader);
    reader.end();
  }
  const authorityKeyId = readAuthorityKeyId(extensions.get(oid.authorityKeyIdentifier));
  return Object.freeze({
    tbs: tbsElement.raw,
    issuer,
    thisUpdateUnix,
    nextUpdateUnix,
    revokedSerials,
    authorityKeyId,
    signature,
  });
}

function readCrlExtensions(tbs: DerReader): ReturnType<typeof readExtensions> {
  const wrapper = tbs.enter(0xa0);
  const extensions = readExtensions(wrapper, [], code);
  wrapper.end();
  return extensions;
}
