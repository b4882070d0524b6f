/** Quotes of SGX: version 3, version 4 with TEE type 0, and version 5 with body type 1. */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { EnclaveReport } from '../intel/enclave-report.ts';
import type { IntelQuote, QuoteEnvelope } from '../intel/quote.ts';
import { encodeIntelQuote, parseIntelQuote } from '../intel/quote.ts';

/** A parsed SGX quote. */
export interface SgxQuote extends QuoteEnvelope {
  readonly body: EnclaveReport;
}

/** Takes a quote for one of SGX. @throws `STUN_QUOTE_TEE_TYPE` */
export function asSgxQuote(quote: IntelQuote): SgxQuote {
  const { body, ...envelope } = quote;
  if (body.type !== 1) throw new StunError('STUN_QUOTE_TEE_TYPE', 'expected a quote of SGX (TEE type 0), got one of TDX');
  return { ...envelope, body: body.report };
}

/**
 * Parses an SGX quote. Verifies nothing.
 * @throws the codes of {@link parseIntelQuote}, `STUN_QUOTE_TEE_TYPE` for a quote of TDX
 */
export function parseSgxQuote(bytes: Uint8Array): SgxQuote {
  return asSgxQuote(parseIntelQuote(bytes));
}

/** Encodes a quote; trailing bytes are written as zeros. The inverse of {@link parseSgxQuote}. */
export function encodeSgxQuote(quote: Omit<SgxQuote, 'signedBytes'>): Uint8Array {
  const { body, ...envelope } = quote;
  return encodeIntelQuote({ ...envelope, body: { type: 1, report: body } });
}
