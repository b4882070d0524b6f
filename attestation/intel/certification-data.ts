/**
 * Certification data: how a quote names or carries the PCK certificate of its platform, types 1 to 5.
 * Source: "Intel SGX ECDSA QuoteLibReference DCAP API", appendix A.4, table 9, and the structures `sgx_ql_ppid_*_cert_info_t` of
 * `sgx_quote_3.h`. Types 1 to 3 name the platform and its TCB; the certificate itself has to come from elsewhere.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { concatBytes } from '#protocol/bytes.ts';
import { ByteCursor, littleEndian } from '../byte-cursor.ts';

/** Which TCB the platform had when its PCK key signed. */
interface PlatformTcb {
  readonly cpuSvn: Uint8Array;
  readonly pceSvn: number;
  /** 2 bytes as they stand in the PCK certificate. */
  readonly pceId: Uint8Array;
}

export type CertificationData =
  | ({ readonly type: 1; readonly ppid: Uint8Array } & PlatformTcb)
  | ({ readonly type: 2 | 3; readonly encryptedPpid: Uint8Array } & PlatformTcb)
  /** The PCK certificate alone, PEM. */
  | { readonly type: 4; readonly leafPem: string }
  /** The PCK certificate chain, PEM, leaf first, exactly as it stands in the quote. */
  | { readonly type: 5; readonly chainPem: string };

/** Bytes of the PPID: in the clear, under RSA-2048, under RSA-3072. */
const ppidBytes = { 1: 16, 2: 256, 3: 384 } as const;

/** One character per byte, so that the text encodes back to its bytes whatever they are. */
function byteText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function readTcb(cursor: ByteCursor): PlatformTcb {
  return {
    cpuSvn: cursor.take(16, 'CPUSVN'),
    pceSvn: cursor.uint(2, 'PCESVN'),
    pceId: cursor.take(2, 'PCEID'),
  };
}

/**
 * Reads certification data of a type 1 to 5.
 * @throws `STUN_QUOTE_CERTIFICATION_DATA` for another type and for a size that the type does not have
 */
export function parseCertificationData(type: number, bytes: Uint8Array): CertificationData {
  if (type === 4) return { type, leafPem: byteText(bytes) };
  if (type === 5) return { type, chainPem: byteText(bytes) };
  if (type !== 1 && type !== 2 && type !== 3)
    throw new StunError('STUN_QUOTE_CERTIFICATION_DATA', `expected certification data of type 1 to 5, got ${type}`);
  const expected = ppidBytes[type] + 20;
  if (bytes.length !== expected) {
    throw new StunError(
      'STUN_QUOTE_CERTIFICATION_DATA',
      `certification data of type ${type} must have ${expected} bytes, got ${bytes.length}`,
    );
  }
  const cursor = new ByteCursor(bytes, 'STUN_QUOTE_FORMAT');
  const ppid = cursor.take(ppidBytes[type], 'PPID');
  return type === 1 ? { type, ppid, ...readTcb(cursor) } : { type, encryptedPpid: ppid, ...readTcb(cursor) };
}

/** The inverse of {@link parseCertificationData}, without type and size. */
export function encodeCertificationData(data: CertificationData): Uint8Array {
  switch (data.type) {
    case 4:
      return Uint8Array.from(data.leafPem, (char) => char.charCodeAt(0));
    case 5:
      return Uint8Array.from(data.chainPem, (char) => char.charCodeAt(0));
    case 1:
      return concatBytes(data.ppid, data.cpuSvn, littleEndian(data.pceSvn, 2), data.pceId);
    case 2:
    case 3:
      return concatBytes(data.encryptedPpid, data.cpuSvn, littleEndian(data.pceSvn, 2), data.pceId);
  }
}
