/**
 * A question about one certificate to an OCSP responder. Source: RFC 6960, section 4.1 (OCSPRequest, CertID), RFC 9654 for the nonce.
 * CertID is made with SHA-384, as NVIDIA's own tools make it.
 */
import { createHash } from 'node:crypto';
import { StunError } from '#protocol/errors/stun-error.ts';

/** Which certificate is asked about. */
export interface OcspSubject {
  /** The issuer's subject name, DER. */
  readonly issuerName: Uint8Array;
  /** The issuer's public key as its certificate carries it: the BIT STRING without the count of unused bits. */
  readonly issuerKey: Uint8Array;
  /** Content of the certificate's serial number, big-endian, at most 20 bytes. */
  readonly serial: Uint8Array;
}

const SHA384 = Buffer.from('0609608648016503040202', 'hex');
const NONCE = Buffer.from('06092b0601050507300102', 'hex');
const NULL = Buffer.from('0500', 'hex');
const tags = { integer: 0x02, octets: 0x04, sequence: 0x30, requestExtensions: 0xa2 } as const;

/** One DER value around others. Requests stay far below 64 KiB. */
function der(tag: keyof typeof tags, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const length =
    content.length < 0x80
      ? [content.length]
      : content.length < 0x100
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tags[tag], ...length]), content]);
}

function sha384(bytes: Uint8Array): Buffer {
  return createHash('sha384').update(bytes).digest();
}

/**
 * Encodes a request.
 * @param nonce - 1 to 32 bytes that the response must repeat
 * @throws `STUN_INPUT` for a serial or nonce of another length
 */
export function encodeOcspRequest({ issuerName, issuerKey, serial }: OcspSubject, nonce: Uint8Array): Uint8Array<ArrayBuffer> {
  if (serial.length < 1 || serial.length > 20) throw new StunError('STUN_INPUT', 'a serial number has 1 to 20 bytes');
  if (nonce.length < 1 || nonce.length > 32) throw new StunError('STUN_INPUT', 'an OCSP nonce has 1 to 32 bytes');
  const certId = der(
    'sequence',
    der('sequence', SHA384, NULL),
    der('octets', sha384(issuerName)),
    der('octets', sha384(issuerKey)),
    der('integer', serial),
  );
  const requests = der('sequence', der('sequence', certId));
  const extension = der('sequence', NONCE, der('octets', der('octets', nonce)));
  return new Uint8Array(der('sequence', der('sequence', requests, der('requestExtensions', der('sequence', extension)))));
}
