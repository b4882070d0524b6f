/**
 * NVIDIA's measurement report: an SPDM 1.1 GET_MEASUREMENTS request of 37 bytes and the MEASUREMENTS response to it, as GPUs
 * (Hopper, Blackwell) and NVSwitches (LS10) give it. Integers are little-endian.
 *
 * Structure only: nothing here is verified. Bytes after the signature are legal, never read, and counted: lengths are walked from
 * the start, so nothing is found by its distance from the end.
 * Source: DMTF DSP0274 version 1.1.0, GET_MEASUREMENTS and MEASUREMENTS; NVIDIA/nvtrust@0281730, `spdm_msrt_req_msg.py` and
 * `spdm_msrt_resp_msg.py`, for the opaque data.
 */
import { concatBytes } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { ByteCursor, littleEndian } from '../byte-cursor.ts';
import type { GpuOpaqueField } from './opaque-data.ts';
import { encodeOpaqueData, parseOpaqueData } from './opaque-data.ts';
import type { GpuFacts } from './report-facts.ts';
import { readGpuFacts } from './report-facts.ts';

/** Largest report that is read, trailing bytes included. Real ones are 2.1 to 4.3 KB. */
export const maxGpuReportBytes = 65_536;
/** Length of the nonces, the request's and the response's. */
const nonceBytes = 32;
const signatureBytes = 96;

/** One measurement. */
export interface GpuMeasurement {
  /** Index of the block, from 1. A RIM counts from 0: its index i is block i + 1. */
  readonly index: number;
  /** DMTFSpecMeasurementValueType: bits 0-6 what was measured, bit 7 whether the value is raw rather than a digest. */
  readonly valueType: number;
  /** 48 bytes in every report seen. */
  readonly value: Uint8Array;
}

/** What a report says, without its bytes. */
export interface GpuReportFields {
  /** The requester's nonce, 32 bytes: what the report was asked for with. */
  readonly nonce: Uint8Array;
  /** Certificate slot, 0 to 7. */
  readonly slot: number;
  /** In block order, block 1 first. */
  readonly measurements: readonly GpuMeasurement[];
  /** The responder's own nonce, 32 bytes. */
  readonly responderNonce: Uint8Array;
  /** In the order of the report; types may be unknown. */
  readonly opaque: readonly GpuOpaqueField[];
  /** Raw r||s, 96 bytes, big-endian. */
  readonly signature: Uint8Array;
  /** Bytes after the signature; never read. */
  readonly trailing: Uint8Array;
}

/** A parsed report. */
export interface GpuReport extends GpuReportFields {
  /** All bytes, those after the signature included. */
  readonly raw: Uint8Array;
  /** Request and response up to the signature: what is signed. */
  readonly signedBytes: Uint8Array;
  /** What the opaque data say, where their meaning is known. */
  readonly facts: GpuFacts;
}

/** SPDM 1.1 codes. Request: all measurements (0xff), signed (bit 0 of the attributes). */
const spdmVersion = 0x11;
const requestCode = 0xe0;
const responseCode = 0x60;
const signedAttribute = 0x01;
const allMeasurements = 0xff;
const dmtfSpecification = 1;
const code = 'STUN_GPU_REPORT_FORMAT';

function expectByte(cursor: ByteCursor, expected: number, what: string): void {
  const found = cursor.uint(1, what);
  if (found === expected) return;
  const [wanted, got] = [expected, found].map((value) => `0x${value.toString(16).padStart(2, '0')}`);
  throw new StunError(code, `${what}: expected ${wanted}, got ${got}`);
}

function expectVersion(cursor: ByteCursor, what: string): void {
  const version = cursor.uint(1, what);
  if (version !== spdmVersion)
    throw new StunError('STUN_GPU_REPORT_VERSION', `${what}: expected 0x11, got 0x${version.toString(16).padStart(2, '0')}`);
}

function parseMeasurements(record: Uint8Array, count: number): readonly GpuMeasurement[] {
  const cursor = new ByteCursor(record, code);
  const measurements: GpuMeasurement[] = [];
  for (let index = 1; index <= count; index++) {
    const name = `measurement block ${index}`;
    expectByte(cursor, index, `${name}, index`);
    expectByte(cursor, dmtfSpecification, `${name}, specification`);
    const block = new ByteCursor(cursor.take(cursor.uint(2, `${name}, size`), name), code);
    const valueType = block.uint(1, `${name}, value type`);
    const value = block.take(block.uint(2, `${name}, value size`), `${name}, value`);
    block.end(name);
    measurements.push(Object.freeze({ index, valueType, value }));
  }
  cursor.end('measurement record');
  return Object.freeze(measurements);
}

/**
 * Parses a report.
 * @param bytes - request, response and signature, at most 64 KiB; bytes after the signature are kept and not read
 * @throws `STUN_GPU_REPORT_FORMAT` | `STUN_GPU_REPORT_VERSION`
 */
export function parseGpuReport(bytes: Uint8Array): GpuReport {
  if (bytes.length > maxGpuReportBytes)
    throw new StunError(code, `expected at most ${maxGpuReportBytes} bytes, got ${bytes.length}`);
  const raw = Uint8Array.from(bytes); // a copy: the caller's buffer may change later
  const cursor = new ByteCursor(raw, code);
  expectVersion(cursor, 'SPDM version of the request');
  expectByte(cursor, requestCode, 'code of the request');
  expectByte(cursor, signedAttribute, 'attributes of the request');
  expectByte(cursor, allMeasurements, 'measurements asked for');
  const nonce = cursor.take(nonceBytes, 'nonce of the request');
  const slot = cursor.uint(1, 'slot of the request');
  if (slot > 7) throw new StunError(code, `slot of the request: expected 0 to 7, got ${slot}`);
  expectVersion(cursor, 'SPDM version of the response');
  expectByte(cursor, responseCode, 'code of the response');
  expectByte(cursor, 0, 'first parameter of the response');
  expectByte(cursor, slot, 'slot of the response');
  const count = cursor.uint(1, 'number of measurement blocks');
  const record = cursor.take(cursor.uint(3, 'length of the measurement record'), 'measurement record');
  const measurements = parseMeasurements(record, count);
  const responderNonce = cursor.take(nonceBytes, 'nonce of the response');
  const opaque = parseOpaqueData(cursor.take(cursor.uint(2, 'length of the opaque data'), 'opaque data'));
  const signedBytes = raw.subarray(0, cursor.offset);
  const signature = cursor.take(signatureBytes, 'signature');
  const trailing = cursor.take(cursor.remaining, 'bytes after the signature');
  const facts = readGpuFacts(opaque);
  return Object.freeze({
    raw,
    signedBytes,
    nonce,
    slot,
    measurements,
    responderNonce,
    opaque,
    signature,
    trailing,
    facts,
  });
}

/** Writes a report: the inverse of {@link parseGpuReport}. Blocks are numbered as they stand; the signature is written as given. */
export function encodeGpuReport(fields: GpuReportFields): Uint8Array {
  const blocks = fields.measurements.map(({ index, valueType, value }) =>
    concatBytes(
      Uint8Array.of(index, dmtfSpecification),
      littleEndian(value.length + 3, 2),
      Uint8Array.of(valueType),
      littleEndian(value.length, 2),
      value,
    ),
  );
  const record = concatBytes(...blocks);
  const opaque = encodeOpaqueData(fields.opaque);
  return concatBytes(
    Uint8Array.of(spdmVersion, requestCode, signedAttribute, allMeasurements),
    fields.nonce,
    Uint8Array.of(fields.slot, spdmVersion, responseCode, 0, fields.slot, fields.measurements.length),
    littleEndian(record.length, 3),
    record,
    fields.responderNonce,
    littleEndian(opaque.length, 2),
    opaque,
    fields.signature,
    fields.trailing,
  );
}
