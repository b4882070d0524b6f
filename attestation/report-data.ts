/**
 * What a quote's report_data says: that it was made for one keyset, one nonce and one piece of GPU evidence.
 * Source: docs/protocol.md, section 4 "Keyset".
 */
import { concatBytes, uintBytes, utf8 } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { cryptoProvider } from './crypto/provider.ts';

function digest32(value: Uint8Array, what: string): Uint8Array {
  if (value.length !== 32) throw new StunError('STUN_INPUT', `${what} must have 32 bytes, got ${value.length}`);
  return value;
}

/** The nonce that every GPU report of a document was asked for with: SHA-256("stun/gpu-nonce/v1" || keysetDigest || nonce). @throws `STUN_INPUT` */
export function computeGpuNonce(keysetDigest: Uint8Array, nonce: Uint8Array): Uint8Array {
  return cryptoProvider.sha256(utf8('stun/gpu-nonce/v1'), digest32(keysetDigest, 'keyset digest'), digest32(nonce, 'nonce'));
}

/**
 * What report_data says of the GPUs: SHA-256("stun/gpu-evidence/v1" || n || for each report its length and its bytes), n in one byte, lengths
 * in four, big-endian. The order is that of the document.
 * @returns 32 bytes
 * @throws `STUN_INPUT` without a report, or with more than 255
 */
export function computeGpuEvidenceDigest(reports: readonly Uint8Array[]): Uint8Array {
  if (reports.length === 0 || reports.length > 255)
    throw new StunError('STUN_INPUT', `expected 1 to 255 GPU reports, got ${reports.length}`);
  return cryptoProvider.sha256(
    utf8('stun/gpu-evidence/v1'),
    Uint8Array.of(reports.length),
    ...reports.flatMap((report) => [uintBytes(report.length, 4, 'length of a GPU report'), report]),
  );
}

/**
 * The 64 bytes of report_data: SHA-256("stun/report-data/v1" || keysetDigest || nonce || gpuEvidenceDigest) and 32 zero bytes.
 * @param keysetDigest - SHA-256 of the keyset's layout, 32 bytes
 * @param nonce - a recent block hash or the customer's own, 32 bytes
 * @param gpuEvidenceDigest - {@link computeGpuEvidenceDigest}, 32 bytes; zeros without a GPU
 * @throws `STUN_INPUT` on another length
 */
export function computeReportData(
  keysetDigest: Uint8Array,
  nonce: Uint8Array,
  gpuEvidenceDigest: Uint8Array = new Uint8Array(32),
): Uint8Array {
  const digest = cryptoProvider.sha256(
    utf8('stun/report-data/v1'),
    digest32(keysetDigest, 'keyset digest'),
    digest32(nonce, 'nonce'),
    digest32(gpuEvidenceDigest, 'GPU evidence digest'),
  );
  return concatBytes(digest, new Uint8Array(32));
}
