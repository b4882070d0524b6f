/** What to fetch for a RIM document. Read from a document that nobody verified yet: good for a request, not for a decision. */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { OcspCertificateKey } from '../collateral-key.ts';
import { ocspKeyOf } from '../collateral-key.ts';
import { rimChainLength } from './chain.ts';
import { parseRim } from './reference-manifest.ts';

/**
 * The certificates of a RIM's chain that NVIDIA answers for: all but the root. Verifies nothing.
 * @param rim - the document, UTF-8
 * @throws what `parseRim` throws | `STUN_CHAIN_LENGTH` when the chain is not whole: the issuers are needed
 */
export function rimCollateralKeyOf(rim: Uint8Array): readonly OcspCertificateKey[] {
  const { chain } = parseRim(rim);
  if (chain.length !== rimChainLength)
    throw new StunError('STUN_CHAIN_LENGTH', `expected ${rimChainLength} certificates, got ${chain.length}`);
  return chain.slice(0, -1).map((certificate, i) => ocspKeyOf(certificate, chain[i + 1] ?? certificate));
}
