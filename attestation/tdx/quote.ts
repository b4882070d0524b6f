/**
 * The TDX quote, version 4: layout, parser and encoder. All integers are little-endian.
 *
 * Parses structure alone and refuses what is not a v4 TDX quote by Intel's quoting enclave. Nothing in the result is verified.
 * Bytes after the signature data are legal and ignored (clouds pad the file); their number is reported.
 * Source: "Intel TDX DCAP Quoting Library API", appendix 3 "Version 4 Quote Format"; the constants of
 * intel/confidential-computing.tee.dcap.qvl, `QuoteConstants.h`.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { concatBytes, equalBytes, fromHex, toHex } from '#protocol/bytes.ts';
import type { EnclaveReport } from '../intel/enclave-report.ts';
import { enclaveReportBytes, parseEnclaveReport } from '../intel/enclave-report.ts';

export const quoteHeaderBytes = 48;
export const tdReportBytes = 584;
/** Largest quote that is read, padding included. Real ones are 4.9 to 8 KB. */
export const maxQuoteBytes = 65_536;
/** Intel's quoting enclave vendor id. */
export const intelQeVendorId = '0x939a7233f79c4ca9940a0db3957f0607';

/** Fields of the TD report 1.0 in order, with their sizes in bytes. */
export const tdReportFields = [
  ['teeTcbSvn', 16],
  ['mrSeam', 48],
  ['mrSignerSeam', 48],
  ['seamAttributes', 8],
  ['tdAttributes', 8],
  ['xfam', 8],
  ['mrTd', 48],
  ['mrConfigId', 48],
  ['mrOwner', 48],
  ['mrOwnerConfig', 48],
  ['rtMr0', 48],
  ['rtMr1', 48],
  ['rtMr2', 48],
  ['rtMr3', 48],
  ['reportData', 64],
] as const;

export type TdReportField = (typeof tdReportFields)[number][0];
/** The TD report: each field as the bytes of the quote. */
export type TdReport = { readonly [Field in TdReportField]: Uint8Array };

/** The quote's header. `svns` are the bytes 8..11: which of the two u16 is QE SVN and which PCE SVN differs between tools. */
export interface QuoteHeader {
  readonly version: 4;
  readonly attestationKeyType: 2;
  readonly teeType: 0x81;
  readonly svns: Uint8Array;
  readonly qeVendorId: Uint8Array;
  readonly userData: Uint8Array;
}

/** A parsed v4 TDX quote. */
export interface TdxQuote {
  readonly header: QuoteHeader;
  readonly body: TdReport;
  /** Header and body as they were signed, 632 bytes. */
  readonly signedBytes: Uint8Array;
  /** Raw r||s, 64 bytes, big-endian. */
  readonly signature: Uint8Array;
  /** x||y of the P-256 attestation key, 64 bytes. */
  readonly attestationKey: Uint8Array;
  readonly qeReport: EnclaveReport;
  /** Raw r||s by the PCK key, 64 bytes. */
  readonly qeReportSignature: Uint8Array;
  readonly qeAuthData: Uint8Array;
  /** The PCK certificate chain as PEM text, exactly as it stands in the quote. */
  readonly pckChainPem: string;
  /** Bytes after the signature data; never read. */
  readonly trailingBytes: number;
}

/** A cursor that never reads past the end. */
class Cursor {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  take(length: number, what: string): Uint8Array {
    if (length > this.remaining) {
      throw new StunError(
        'STUN_QUOTE_FORMAT',
        `${what}: expected ${length} bytes at offset ${this.#offset}, ${this.remaining} are left`,
      );
    }
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  uint(length: 2 | 4, what: string): number {
    return this.take(length, what).reduceRight((sum, byte) => sum * 256 + byte, 0);
  }

  end(what: string): void {
    if (this.remaining !== 0) throw new StunError('STUN_QUOTE_FORMAT', `${what}: ${this.remaining} bytes are left over`);
  }
}

/**
 * Parses a v4 TDX quote.
 * @param bytes - the quote, at most 64 KiB
 * @throws `STUN_QUOTE_FORMAT` | `STUN_QUOTE_VERSION` | `STUN_QUOTE_KEY_TYPE` | `STUN_QUOTE_TEE_TYPE` | `STUN_QUOTE_QE_VENDOR` |
 * `STUN_QUOTE_CERTIFICATION_DATA`
 */
export function parseTdxQuote(bytes: Uint8Array): TdxQuote {
  if (bytes.length > maxQuoteBytes)
    throw new StunError('STUN_QUOTE_FORMAT', `expected at most ${maxQuoteBytes} bytes, got ${bytes.length}`);
  const own = Uint8Array.from(bytes); // a copy: the caller's buffer may change later
  const cursor = new Cursor(own);
  const header = parseHeader(cursor);
  const body = parseBody(cursor.take(tdReportBytes, 'TD report'));
  const authLength = cursor.uint(4, 'signature data length');
  const auth = new Cursor(cursor.take(authLength, 'signature data'));
  const signature = auth.take(64, 'quote signature');
  const attestationKey = auth.take(64, 'attestation key');
  const outerType = auth.uint(2, 'certification data type');
  if (outerType !== 6)
    throw new StunError('STUN_QUOTE_CERTIFICATION_DATA', `expected certification data of type 6, got ${outerType}`);
  const outer = new Cursor(auth.take(auth.uint(4, 'certification data length'), 'certification data'));
  auth.end('signature data');
  const qeReport = parseEnclaveReport(outer.take(enclaveReportBytes, 'QE report'));
  const qeReportSignature = outer.take(64, 'QE report signature');
  const qeAuthData = outer.take(outer.uint(2, 'QE authentication data length'), 'QE authentication data');
  const innerType = outer.uint(2, 'inner certification data type');
  const inner = outer.take(outer.uint(4, 'inner certification data length'), 'inner certification data');
  outer.end('certification data');
  if (innerType !== 5)
    throw new StunError('STUN_QUOTE_CERTIFICATION_DATA', `expected a PCK certificate chain (type 5), got type ${innerType}`);
  const signedBytes = own.subarray(0, quoteHeaderBytes + tdReportBytes);
  const pckChainPem = String.fromCharCode(...inner);
  return {
    header,
    body,
    signedBytes,
    signature,
    attestationKey,
    qeReport,
    qeReportSignature,
    qeAuthData,
    pckChainPem,
    trailingBytes: cursor.remaining,
  };
}

function parseHeader(cursor: Cursor): QuoteHeader {
  const version = cursor.uint(2, 'version');
  if (version !== 4) throw new StunError('STUN_QUOTE_VERSION', `expected quote version 4, got ${version}`);
  const attestationKeyType = cursor.uint(2, 'attestation key type');
  if (attestationKeyType !== 2)
    throw new StunError('STUN_QUOTE_KEY_TYPE', `expected attestation key type 2, got ${attestationKeyType}`);
  const teeType = cursor.uint(4, 'TEE type');
  if (teeType !== 0x81) throw new StunError('STUN_QUOTE_TEE_TYPE', `expected TEE type 0x81 (TDX), got 0x${teeType.toString(16)}`);
  const svns = cursor.take(4, 'SVNs');
  const qeVendorId = cursor.take(16, 'QE vendor id');
  if (!equalBytes(qeVendorId, fromHex(intelQeVendorId))) {
    throw new StunError('STUN_QUOTE_QE_VENDOR', `expected QE vendor id ${intelQeVendorId}, got ${toHex(qeVendorId)}`);
  }
  return { version, attestationKeyType, teeType, svns, qeVendorId, userData: cursor.take(20, 'user data') };
}

function parseBody(bytes: Uint8Array): TdReport {
  let offset = 0;
  const fields = tdReportFields.map(([name, length]): [TdReportField, Uint8Array] => {
    offset += length;
    return [name, bytes.subarray(offset - length, offset)];
  });
  return Object.fromEntries(fields) as TdReport;
}

function littleEndian(value: number, length: 2 | 4): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (value >>> (8 * i)) & 0xff);
}

/** The 632 bytes that the attestation key signs. */
export function encodeSignedPart(header: QuoteHeader, body: TdReport): Uint8Array {
  return concatBytes(
    littleEndian(header.version, 2),
    littleEndian(header.attestationKeyType, 2),
    littleEndian(header.teeType, 4),
    header.svns,
    header.qeVendorId,
    header.userData,
    ...tdReportFields.map(([name]) => body[name]),
  );
}

/** Encodes a quote; trailing bytes are written as zeros. The inverse of {@link parseTdxQuote}. */
export function encodeTdxQuote(quote: Omit<TdxQuote, 'signedBytes'>): Uint8Array {
  const pem = Uint8Array.from(quote.pckChainPem, (char) => char.charCodeAt(0));
  const certification = concatBytes(
    quote.qeReport.raw,
    quote.qeReportSignature,
    littleEndian(quote.qeAuthData.length, 2),
    quote.qeAuthData,
    littleEndian(5, 2),
    littleEndian(pem.length, 4),
    pem,
  );
  const auth = concatBytes(
    quote.signature,
    quote.attestationKey,
    littleEndian(6, 2),
    littleEndian(certification.length, 4),
    certification,
  );
  return concatBytes(
    encodeSignedPart(quote.header, quote.body),
    littleEndian(auth.length, 4),
    auth,
    new Uint8Array(quote.trailingBytes),
  );
}
