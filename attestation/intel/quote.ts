/**
 * Quotes by Intel's quoting enclaves, versions 3 (SGX), 4 and 5 (SGX and TDX): layout, parser and encoder. Integers are
 * little-endian.
 *
 * Parses structure alone. Nothing in the result is verified. Bytes after the signature data are legal and ignored (clouds pad the
 * file); their number is reported.
 * Source: "Intel TDX DCAP Quoting Library API", appendix 3; "Intel SGX ECDSA QuoteLibReference DCAP API", appendix A;
 * intel/confidential-computing.tee.dcap.qvl, `Quote.cpp` and `QuoteConstants.h`.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { concatBytes, equalBytes, fromHex, toHex } from '#protocol/bytes.ts';
import { ByteCursor, littleEndian } from '../byte-cursor.ts';
import type { CertificationData } from './certification-data.ts';
import { encodeCertificationData, parseCertificationData } from './certification-data.ts';
import type { EnclaveReport } from './enclave-report.ts';
import { enclaveReportBytes, parseEnclaveReport } from './enclave-report.ts';
import type { BodyType, QuoteBody } from './quote-body.ts';
import { bodyBytes, encodeQuoteBody, parseQuoteBody } from './quote-body.ts';

/** Largest quote that is read, padding included. Real ones are 4.6 to 8 KB. */
export const maxQuoteBytes = 65_536;
/** Intel's quoting enclave vendor id. */
export const intelQeVendorId = '0x939a7233f79c4ca9940a0db3957f0607';
const intelQeVendor = fromHex(intelQeVendorId);
const format = 'STUN_QUOTE_FORMAT';

export const teeType = { sgx: 0, tdx: 0x81 } as const;

/** The kind that the TEE type of a quote's header names. Anything but zero counts as TDX; whether it is, and whether it is whole, the parser says. */
export function quoteKind(quote: Uint8Array): 'tdx' | 'sgx' {
  return quote.length >= 8 && quote.subarray(4, 8).every((byte) => byte === teeType.sgx) ? 'sgx' : 'tdx';
}

/** The quote's header. `svns` are the bytes 8..11: which of the two u16 is QE SVN and which PCE SVN differs between tools. */
export interface QuoteHeader {
  readonly version: 3 | 4 | 5;
  readonly attestationKeyType: 2;
  readonly teeType: 0 | 0x81;
  readonly svns: Uint8Array;
  readonly qeVendorId: Uint8Array;
  readonly userData: Uint8Array;
}

/** Everything of a quote but its body. */
export interface QuoteEnvelope {
  readonly header: QuoteHeader;
  /** Header, in version 5 the body's descriptor, and body, as they were signed. */
  readonly signedBytes: Uint8Array;
  /** Raw r||s, 64 bytes, big-endian. */
  readonly signature: Uint8Array;
  /** x||y of the P-256 attestation key, 64 bytes. */
  readonly attestationKey: Uint8Array;
  readonly qeReport: EnclaveReport;
  /** Raw r||s by the PCK key, 64 bytes. */
  readonly qeReportSignature: Uint8Array;
  readonly qeAuthData: Uint8Array;
  readonly certification: CertificationData;
  /** Bytes after the signature data; never read. */
  readonly trailingBytes: number;
}

/** A parsed quote. */
export interface IntelQuote extends QuoteEnvelope {
  readonly body: QuoteBody;
}

/**
 * Parses a quote of any version and TEE.
 * @param bytes - the quote, at most 64 KiB
 * @throws `STUN_QUOTE_FORMAT` | `STUN_QUOTE_VERSION` | `STUN_QUOTE_KEY_TYPE` | `STUN_QUOTE_TEE_TYPE` | `STUN_QUOTE_BODY_TYPE` |
 * `STUN_QUOTE_QE_VENDOR` | `STUN_QUOTE_CERTIFICATION_DATA`
 */
export function parseIntelQuote(bytes: Uint8Array): IntelQuote {
  if (bytes.length > maxQuoteBytes)
    throw new StunError('STUN_QUOTE_FORMAT', `expected at most ${maxQuoteBytes} bytes, got ${bytes.length}`);
  const own = Uint8Array.from(bytes); // a copy: the caller's buffer may change later
  const cursor = new ByteCursor(own, format);
  const header = parseHeader(cursor);
  const type = header.version === 5 ? readDescriptor(cursor, header) : header.teeType === teeType.sgx ? 1 : 2;
  const body = parseQuoteBody(type, cursor.take(bodyBytes[type], 'body'));
  const signedBytes = own.subarray(0, cursor.offset);
  const auth = new ByteCursor(cursor.take(cursor.uint(4, 'signature data length'), 'signature data'), format);
  const signature = auth.take(64, 'quote signature');
  const attestationKey = auth.take(64, 'attestation key');
  const qe = header.version === 3 ? parseQePart(auth, 'signature data') : parseWrappedQePart(auth);
  return { header, body, signedBytes, signature, attestationKey, ...qe, trailingBytes: cursor.remaining };
}

function parseHeader(cursor: ByteCursor): QuoteHeader {
  const version = cursor.uint(2, 'version');
  if (version !== 3 && version !== 4 && version !== 5)
    throw new StunError('STUN_QUOTE_VERSION', `expected quote version 3, 4 or 5, got ${version}`);
  const attestationKeyType = cursor.uint(2, 'attestation key type');
  if (attestationKeyType !== 2)
    throw new StunError('STUN_QUOTE_KEY_TYPE', `expected attestation key type 2, got ${attestationKeyType}`);
  const tee = cursor.uint(4, 'TEE type');
  if (tee !== teeType.sgx && (tee !== teeType.tdx || version === 3)) {
    const expected = version === 3 ? '0 (SGX)' : '0 (SGX) or 0x81 (TDX)';
    throw new StunError('STUN_QUOTE_TEE_TYPE', `expected TEE type ${expected} in version ${version}, got 0x${tee.toString(16)}`);
  }
  const svns = cursor.take(4, 'SVNs');
  const qeVendorId = cursor.take(16, 'QE vendor id');
  if (!equalBytes(qeVendorId, intelQeVendor)) {
    throw new StunError('STUN_QUOTE_QE_VENDOR', `expected QE vendor id ${intelQeVendorId}, got ${toHex(qeVendorId)}`);
  }
  return { version, attestationKeyType, teeType: tee, svns, qeVendorId, userData: cursor.take(20, 'user data') };
}

/** The descriptor of a version 5 body: type and size, both of which must fit each other and the TEE type. */
function readDescriptor(cursor: ByteCursor, header: QuoteHeader): BodyType {
  const type = cursor.uint(2, 'body type');
  const size = cursor.uint(4, 'body size');
  const known = type === 1 || type === 2 || type === 3 || type === 4;
  if (!known || (type === 1) !== (header.teeType === teeType.sgx)) {
    const expected = header.teeType === teeType.sgx ? '1' : '2, 3 or 4';
    throw new StunError('STUN_QUOTE_BODY_TYPE', `expected body type ${expected} for this TEE type, got ${type}`);
  }
  if (size !== bodyBytes[type])
    throw new StunError(
      'STUN_QUOTE_FORMAT',
      `a body of type ${type} must have ${bodyBytes[type]} bytes, the descriptor says ${size}`,
    );
  return type;
}

type QePart = Pick<QuoteEnvelope, 'qeReport' | 'qeReportSignature' | 'qeAuthData' | 'certification'>;

function parseWrappedQePart(auth: ByteCursor): QePart {
  const type = auth.uint(2, 'certification data type');
  if (type !== 6) throw new StunError('STUN_QUOTE_CERTIFICATION_DATA', `expected certification data of type 6, got ${type}`);
  const wrapped = new ByteCursor(auth.take(auth.uint(4, 'certification data length'), 'certification data'), format);
  auth.end('signature data');
  return parseQePart(wrapped, 'certification data');
}

function parseQePart(cursor: ByteCursor, what: string): QePart {
  const qeReport = parseEnclaveReport(cursor.take(enclaveReportBytes, 'QE report'));
  const qeReportSignature = cursor.take(64, 'QE report signature');
  const qeAuthData = cursor.take(cursor.uint(2, 'QE authentication data length'), 'QE authentication data');
  const type = cursor.uint(2, 'inner certification data type');
  const inner = cursor.take(cursor.uint(4, 'inner certification data length'), 'inner certification data');
  cursor.end(what);
  return { qeReport, qeReportSignature, qeAuthData, certification: parseCertificationData(type, inner) };
}

/** The bytes that the attestation key signs: header, in version 5 the descriptor, and body. */
export function encodeSignedPart(header: QuoteHeader, body: QuoteBody): Uint8Array {
  const encoded = encodeQuoteBody(body);
  return concatBytes(
    littleEndian(header.version, 2),
    littleEndian(header.attestationKeyType, 2),
    littleEndian(header.teeType, 4),
    header.svns,
    header.qeVendorId,
    header.userData,
    ...(header.version === 5 ? [littleEndian(body.type, 2), littleEndian(encoded.length, 4)] : []),
    encoded,
  );
}

function typed(type: number, data: Uint8Array): Uint8Array {
  return concatBytes(littleEndian(type, 2), littleEndian(data.length, 4), data);
}

/** Encodes a quote; trailing bytes are written as zeros. The inverse of {@link parseIntelQuote}. */
export function encodeIntelQuote(quote: Omit<IntelQuote, 'signedBytes'>): Uint8Array {
  const qePart = concatBytes(
    quote.qeReport.raw,
    quote.qeReportSignature,
    littleEndian(quote.qeAuthData.length, 2),
    quote.qeAuthData,
    typed(quote.certification.type, encodeCertificationData(quote.certification)),
  );
  const auth = concatBytes(quote.signature, quote.attestationKey, quote.header.version === 3 ? qePart : typed(6, qePart));
  return concatBytes(
    encodeSignedPart(quote.header, quote.body),
    littleEndian(auth.length, 4),
    auth,
    new Uint8Array(quote.trailingBytes),
  );
}
