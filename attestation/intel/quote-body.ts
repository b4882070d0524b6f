/**
 * The body of a quote: what the TEE reports about itself. Type 1 is an SGX enclave report, types 2 to 4 are TD reports.
 * Source: "Intel TDX DCAP Quoting Library API", appendix 3; the constants of intel/confidential-computing.tee.dcap.qvl,
 * `QuoteConstants.h` and `QuoteStructures.h`.
 */
import { concatBytes } from '#protocol/bytes.ts';
import type { EnclaveReport } from './enclave-report.ts';
import { enclaveReportBytes, parseEnclaveReport } from './enclave-report.ts';

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

/** What the TD report 1.5 adds: the SVNs of the module that runs now, and the service TDs. */
export const tdReport15Fields = [
  ['teeTcbSvn2', 16],
  ['mrServiceTd', 48],
] as const;

/** What the TD report 1.5 Ex (TD partitioning and preserving) adds to 1.5. */
export const tdReport15ExFields = [
  ['vmId', 1],
  ['tdId', 32],
  ['devInfo', 48],
  ['initServTdHash', 48],
  ['initServTdAttributes', 8],
  ['initCpuSvn', 16],
  ['initTeeTcbSvn', 16],
  ['initTeeFmspc', 12],
  ['curServTdHash', 48],
  ['curServTdAttributes', 8],
] as const;

type Field10 = (typeof tdReportFields)[number][0];
type Field15 = (typeof tdReport15Fields)[number][0] | (typeof tdReport15ExFields)[number][0];
export type TdReportField = Field10 | Field15;

/** The TD report: each field as the bytes of the quote. Fields that the body type lacks are absent. */
export type TdReport = { readonly [Field in Field10]: Uint8Array } & { readonly [Field in Field15]?: Uint8Array };

/** The body types of quote version 5; older versions have 1 and 2 alone. */
export type TdBodyType = 2 | 3 | 4;
export type BodyType = 1 | TdBodyType;

/** The fields of a TD body type in order. */
export function tdFieldsOf(type: TdBodyType): readonly (readonly [TdReportField, number])[] {
  if (type === 2) return tdReportFields;
  const fields = [...tdReportFields, ...tdReport15Fields];
  return type === 3 ? fields : [...fields, ...tdReport15ExFields];
}

/** Size of each body in bytes. */
export const bodyBytes: { readonly [Type in BodyType]: number } = { 1: enclaveReportBytes, 2: 584, 3: 648, 4: 885 };

/** A parsed body. */
export type QuoteBody =
  { readonly type: 1; readonly report: EnclaveReport } | { readonly type: TdBodyType; readonly report: TdReport };

/** Splits a body. @param bytes - exactly `bodyBytes[type]` bytes */
export function parseQuoteBody(type: BodyType, bytes: Uint8Array): QuoteBody {
  if (type === 1) return { type, report: parseEnclaveReport(bytes) };
  let offset = 0;
  const fields = tdFieldsOf(type).map(([name, length]): [TdReportField, Uint8Array] => {
    offset += length;
    return [name, bytes.subarray(offset - length, offset)];
  });
  return { type, report: Object.fromEntries(fields) as TdReport };
}

/** The inverse of {@link parseQuoteBody}; a field that is absent is written as zeros. */
export function encodeQuoteBody(body: QuoteBody): Uint8Array {
  if (body.type === 1) return body.report.raw;
  const { report } = body;
  return concatBytes(...tdFieldsOf(body.type).map(([name, length]) => report[name] ?? new Uint8Array(length)));
}
