/**
 * Run-time events in the form of dstack, which extends RTMR3 with named payloads (compose-hash, app-id, instance-id, …). An event's
 * digest is SHA-384(type as little-endian u32 || ":" || name || ":" || payload), so name and payload are proven by the register.
 * Source: Dstack-TEE/dstack, crate `cc-eventlog`.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { concatBytes, equalBytes, fromHex, utf8 } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import { littleEndian } from '../byte-cursor.ts';
import { parseCappedJson, parseCappedJsonBytes } from '../json/capped-json.ts';
import { FieldReader } from '../json/fields.ts';
import type { Measurement, RtmrIndex } from './rtmr.ts';

/** Type of the events whose digest covers name and payload. */
export const runtimeEventType = 0x08000001;
const maxEvents = 4096;

/** One entry of the log. `proven` payloads are covered by the digest; of others only the digest is measured. */
export interface RuntimeEvent extends Measurement {
  readonly eventType: number;
  readonly name: string;
  readonly payload: Uint8Array;
  readonly proven: boolean;
}

function refuse(reason: string): never {
  throw new StunError('STUN_EVENT_LOG_FORMAT', reason);
}

/** The digest of a run-time event. */
export function runtimeEventDigest(eventType: number, name: string, payload: Uint8Array): Uint8Array {
  return cryptoProvider.sha384(concatBytes(littleEndian(eventType, 4), utf8(':'), utf8(name), utf8(':'), payload));
}

function hexOf(fields: FieldReader, key: string): Uint8Array {
  const text = fields.string(key);
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) refuse(`${key} must be hex without 0x`);
  return fromHex(`0x${text}`);
}

function readEvent(fields: FieldReader): RuntimeEvent {
  const rtMr: RtmrIndex = ([0, 1, 2, 3] as const).find((index) => index === fields.integer('imr', 0, 3)) ?? 0;
  const eventType = fields.integer('event_type', 0, 0xffffffff);
  const name = fields.string('event');
  const payload = hexOf(fields, 'event_payload');
  const given = hexOf(fields, 'digest');
  if (eventType !== runtimeEventType) {
    if (given.length !== 48) refuse(`the digest of ${name.slice(0, 40)} must have 48 bytes, got ${given.length}`);
    return { rtMr, eventType, name, payload, digest: given, proven: false };
  }
  const digest = runtimeEventDigest(eventType, name, payload);
  // Writers may leave the digest out: it follows from the rest.
  if (given.length !== 0 && !equalBytes(given, digest)) refuse(`the digest of ${name.slice(0, 40)} is not of its payload`);
  return { rtMr, eventType, name, payload, digest, proven: true };
}

/**
 * Parses a log: a JSON list of `{ imr, event_type, digest, event, event_payload }`. Structure alone: hold the result against a quote
 * with `verifyMeasurements` before believing it.
 * @throws `STUN_JSON_FORMAT` | `STUN_EVENT_LOG_FORMAT`
 */
export function parseRuntimeEvents(input: string | Uint8Array): readonly RuntimeEvent[] {
  const list = typeof input === 'string' ? parseCappedJson(input) : parseCappedJsonBytes(input);
  return new FieldReader({ list }, 'eventLog', 'STUN_EVENT_LOG_FORMAT').objects('list', maxEvents).map(readEvent);
}
