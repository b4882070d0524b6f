/** Quotes of TDX: version 4, and version 5 with a TD report of any kind. */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { IntelQuote, QuoteEnvelope } from '../intel/quote.ts';
import { encodeIntelQuote, parseIntelQuote } from '../intel/quote.ts';
import type { TdBodyType, TdReport } from '../intel/quote-body.ts';

/** A parsed TDX quote. */
export interface TdxQuote extends QuoteEnvelope {
  /** 2: TD report 1.0, 3: 1.5, 4: 1.5 Ex. */
  readonly bodyType: TdBodyType;
  readonly body: TdReport;
}

/** Takes a quote for one of TDX. @throws `STUN_QUOTE_TEE_TYPE` */
export function asTdxQuote(quote: IntelQuote): TdxQuote {
  const { body, ...envelope } = quote;
  if (body.type === 1) throw new StunError('STUN_QUOTE_TEE_TYPE', 'expected a quote of TDX (TEE type 0x81), got one of SGX');
  return { ...envelope, bodyType: body.type, body: body.report };
}

/**
 * Parses a TDX quote. Verifies nothing.
 * @throws the codes of {@link parseIntelQuote}, `STUN_QUOTE_TEE_TYPE` for a quote of SGX
 */
export function parseTdxQuote(bytes: Uint8Array): TdxQuote {
  return asTdxQuote(parseIntelQuote(bytes));
}

/** Encodes a quote; trailing bytes are written as zeros. The inverse of {@link parseTdxQuote}. */
export function encodeTdxQuote(quote: Omit<TdxQuote, 'signedBytes'>): Uint8Array {
  const { bodyType, body, ...envelope } = quote;
  return encodeIntelQuote({ ...envelope, body: { type: bodyType, report: body } });
}
