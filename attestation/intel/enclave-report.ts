/**
 * The 384-byte SGX enclave report, as the quoting enclave's report in a quote. Integers are little-endian.
 * Source: "Intel SGX: Quote Library API", appendix A.3 "Enclave Report Body"; layout of sgx_report_body_t.
 */
import { StunError } from '#protocol/errors/stun-error.ts';

export const enclaveReportBytes = 384;

/** Field offsets. */
export const enclaveReportOffset = {
  cpuSvn: 0,
  miscSelect: 16,
  attributes: 48,
  mrEnclave: 64,
  mrSigner: 128,
  isvProdId: 256,
  isvSvn: 258,
  reportData: 320,
} as const;

/** A parsed enclave report. */
export interface EnclaveReport {
  /** The signed bytes, 384. */
  readonly raw: Uint8Array;
  readonly cpuSvn: Uint8Array;
  readonly miscSelect: Uint8Array;
  readonly attributes: Uint8Array;
  readonly mrEnclave: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  readonly reportData: Uint8Array;
}

/** @throws `STUN_QUOTE_FORMAT` unless there are exactly 384 bytes */
export function parseEnclaveReport(raw: Uint8Array): EnclaveReport {
  if (raw.length !== enclaveReportBytes)
    throw new StunError('STUN_QUOTE_FORMAT', `expected an enclave report of 384 bytes, got ${raw.length}`);
  const at = (offset: number, length: number): Uint8Array => raw.subarray(offset, offset + length);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return {
    raw,
    cpuSvn: at(enclaveReportOffset.cpuSvn, 16),
    miscSelect: at(enclaveReportOffset.miscSelect, 4),
    attributes: at(enclaveReportOffset.attributes, 16),
    mrEnclave: at(enclaveReportOffset.mrEnclave, 32),
    mrSigner: at(enclaveReportOffset.mrSigner, 32),
    isvProdId: view.getUint16(enclaveReportOffset.isvProdId, true),
    isvSvn: view.getUint16(enclaveReportOffset.isvSvn, true),
    reportData: at(enclaveReportOffset.reportData, 64),
  };
}
