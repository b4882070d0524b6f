/** What to fetch for a quote. Read from certificates that nobody verified yet: good for a request, not for a decision. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { toHex } from '#protocol/bytes.ts';
import type { QuoteEnvelope } from './quote.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { parsePemChain } from '../x509/pem.ts';
import { parsePckExtension } from './pck-extension.ts';

/** The names under which a quote's collateral is published. */
export interface CollateralKey {
  /** Platform family, 12 lower-case hex digits. */
  readonly fmspc: string;
  /** The authority of the PCK certificate, by which its CRL is found. */
  readonly pckCa: 'platform' | 'processor';
}

/**
 * Reads FMSPC and PCK authority from a quote that carries its PCK certificate. Verifies nothing.
 * @throws `STUN_PCK_MISSING` when the quote names the certificate without carrying it | `STUN_PEM_FORMAT` | `STUN_DER_FORMAT` | `STUN_CERTIFICATE_FORMAT` | `STUN_PCK_EXTENSION` | `STUN_CHAIN_NAMES`
 */
export function collateralKeyOf(quote: QuoteEnvelope): CollateralKey {
  const { certification } = quote;
  if (certification.type !== 4 && certification.type !== 5)
    throw new StunError('STUN_PCK_MISSING', `certification data of type ${certification.type} does not hold the PCK certificate`);
  const [leaf] = parsePemChain(certification.type === 4 ? certification.leafPem : certification.chainPem);
  const certificate = parseCertificate(leaf ?? new Uint8Array(0));
  const fmspc = toHex(parsePckExtension(certificate).fmspc).slice(2);
  switch (certificate.issuer.commonName) {
    case 'Intel SGX PCK Platform CA':
      return { fmspc, pckCa: 'platform' };
    case 'Intel SGX PCK Processor CA':
      return { fmspc, pckCa: 'processor' };
    default:
      throw new StunError(
        'STUN_CHAIN_NAMES',
        `expected a PCK authority of Intel, got ${certificate.issuer.commonName.slice(0, 40)}`,
      );
  }
}
