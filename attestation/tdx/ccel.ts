/**
 * The confidential-computing event log that firmware and boot loader leave in ACPI (CCEL): a TCG crypto-agile log whose register
 * indices 1 to 4 are RTMR0 to RTMR3.
 *
 * The digests are what was extended. What an event's data mean, and whether a digest is of that data, is the business of its type:
 * for many types the data only describe what was measured. Nothing here interprets them.
 * Source: "TCG PC Client Platform Firmware Profile Specification", version 1.06, sections 9.2 and 10.4.5; UEFI 2.10, section 38.4.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { equalBytes, utf8 } from '#protocol/bytes.ts';
import type { Measurement, RtmrIndex } from './rtmr.ts';

/** Largest log that is read; real ones have under 64 KiB. */
export const maxEventLogBytes = 1_048_576;
const maxEvents = 4096;
const maxAlgorithms = 8;
const sha384Id = 0x000c;
/** EV_NO_ACTION: informs, is never extended. */
const noAction = 3;
const signature = utf8('Spec ID Event03\0');

/** One measured event. */
export interface CcelEvent extends Measurement {
  /** EV_… type of the TCG. */
  readonly eventType: number;
  readonly data: Uint8Array;
}

function refuse(reason: string): never {
  throw new StunError('STUN_EVENT_LOG_FORMAT', reason);
}

/** Reads little-endian values and never past the end. */
class LogReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Uint8Array {
    if (length > this.remaining) refuse(`expected ${length} bytes at offset ${this.#at}, ${this.remaining} are left`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  uint(length: 1 | 2 | 4): number {
    const at = this.#at;
    this.take(length);
    return length === 1
      ? this.#view.getUint8(at)
      : length === 2
        ? this.#view.getUint16(at, true)
        : this.#view.getUint32(at, true);
  }

  /** The register index of the next event, or null where the log ends: at its last byte, or in padding of 0xff or of zeros. */
  nextIndex(): number | null {
    if (this.remaining === 0) return null;
    const rest = this.#bytes.subarray(this.#at);
    const [first = 0] = rest;
    if ((first === 0xff || first === 0) && rest.every((byte) => byte === first)) return null;
    return this.uint(4);
  }
}

/** The header: an event of the old form that names the digest algorithms and their sizes. */
function readHeader(reader: LogReader): ReadonlyMap<number, number> {
  const index = reader.uint(4);
  const type = reader.uint(4);
  reader.take(20);
  if (index > 1 || type !== noAction) refuse('expected a header of type EV_NO_ACTION');
  const header = new LogReader(reader.take(reader.uint(4)));
  if (!equalBytes(header.take(16), signature)) refuse('expected the header of a crypto-agile log');
  header.take(8);
  const count = header.uint(4);
  if (count === 0 || count > maxAlgorithms) refuse(`expected 1 to ${maxAlgorithms} digest algorithms, got ${count}`);
  const sizes = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    const id = header.uint(2);
    const size = header.uint(2);
    if (sizes.has(id) || size === 0 || size > 64) refuse(`digest algorithm ${id} is there twice or has ${size} bytes`);
    sizes.set(id, size);
  }
  if (sizes.get(sha384Id) !== 48) refuse('expected SHA-384 among the digest algorithms');
  header.take(header.uint(1));
  if (header.remaining !== 0) refuse(`${header.remaining} bytes are left over in the header`);
  return sizes;
}

function isRtmr(index: number): index is RtmrIndex {
  return index === 0 || index === 1 || index === 2 || index === 3;
}

/**
 * Parses a CCEL log. Structure alone: hold the result against a quote with `verifyMeasurements`.
 * @param bytes - the log, at most 1 MiB; padding of 0xff or zeros at its end is not read
 * @returns the measured events in their order; EV_NO_ACTION events are left out
 * @throws `STUN_EVENT_LOG_FORMAT`
 */
export function parseCcel(bytes: Uint8Array): readonly CcelEvent[] {
  if (bytes.length > maxEventLogBytes) refuse(`expected at most ${maxEventLogBytes} bytes, got ${bytes.length}`);
  const reader = new LogReader(Uint8Array.from(bytes));
  const sizes = readHeader(reader);
  const events: CcelEvent[] = [];
  for (let index = reader.nextIndex(); index !== null; index = reader.nextIndex()) {
    if (events.length === maxEvents) refuse(`expected at most ${maxEvents} events`);
    const eventType = reader.uint(4);
    const digest = readDigest(reader, sizes);
    const data = reader.take(reader.uint(4));
    if (eventType === noAction) continue;
    const rtMr = index - 1;
    if (!isRtmr(rtMr)) refuse(`expected register index 1 to 4, got ${index}`);
    if (digest === null) refuse('expected a SHA-384 digest in every event');
    events.push({ rtMr, eventType, digest, data });
  }
  return events;
}

/** The SHA-384 digest of an event, among those of other algorithms. */
function readDigest(reader: LogReader, sizes: ReadonlyMap<number, number>): Uint8Array | null {
  const count = reader.uint(4);
  if (count > maxAlgorithms) refuse(`expected at most ${maxAlgorithms} digests, got ${count}`);
  let digest: Uint8Array | null = null;
  for (let i = 0; i < count; i++) {
    const id = reader.uint(2);
    const value = reader.take(sizes.get(id) ?? refuse(`digest algorithm ${id} is not in the header`));
    if (id !== sha384Id) continue;
    if (digest !== null) refuse('expected one SHA-384 digest, got two');
    digest = value;
  }
  return digest;
}
