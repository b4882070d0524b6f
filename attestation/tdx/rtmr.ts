/**
 * Run-time measurement registers: replaying what a TD says it measured and holding the result against the quote.
 *
 * A log proves nothing by itself; it explains registers that a verified quote carries. Only events of registers that match may be
 * believed, and of those only what their digests cover.
 * Source: "Intel TDX Module Base Architecture Specification", RTMR extension; each register begins as 48 zeros.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { concatBytes, equalBytes } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { TdReport } from '../intel/quote-body.ts';

export type RtmrIndex = 0 | 1 | 2 | 3;

/** One extension of a register. */
export interface Measurement {
  readonly rtMr: RtmrIndex;
  /** SHA-384, 48 bytes. */
  readonly digest: Uint8Array;
}

/** The four registers, 48 bytes each. */
export type Rtmrs = readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];

/** The registers after these extensions, in their order: RTMR = SHA-384(RTMR || digest). */
export function replayMeasurements(measurements: readonly Measurement[]): Rtmrs {
  const registers: [Uint8Array, Uint8Array, Uint8Array, Uint8Array] = [
    new Uint8Array(48),
    new Uint8Array(48),
    new Uint8Array(48),
    new Uint8Array(48),
  ];
  for (const { rtMr, digest } of measurements) registers[rtMr] = cryptoProvider.sha384(concatBytes(registers[rtMr], digest));
  return registers;
}

/**
 * Holds a log against the registers of a verified quote.
 * @param body - the body of a `VerifiedTdx`
 * @param registers - which registers the log must explain
 * @returns the measurements of those registers
 * @throws `STUN_EVENT_LOG_MISMATCH`, naming the register
 */
export function verifyMeasurements<M extends Measurement>(
  measurements: readonly M[],
  body: TdReport,
  registers: readonly RtmrIndex[],
): readonly M[] {
  const replayed = replayMeasurements(measurements);
  for (const index of registers) {
    if (!equalBytes(replayed[index], body[`rtMr${index}`]))
      throw new StunError('STUN_EVENT_LOG_MISMATCH', `the log does not replay to RTMR${index} of the quote`);
  }
  return measurements.filter((measurement) => registers.includes(measurement.rtMr));
}
