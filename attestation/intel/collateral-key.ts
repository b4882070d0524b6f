/** What to fetch for a quote. Read from certificates that nobody verified yet: good for a request, not for a decision. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { toHex } from '#protocol/bytes.ts';
import { littleEndian } from '../byte-cursor.ts';
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

/** How a quote names a platform whose PCK certificate it does not carry; hex without a prefix, as the bytes stand in the quote. */
export interface PckRequest {
  /** 16 bytes: the quoting enclave's platform, from the header's user data. */
  readonly qeId: string;
  /** 384 bytes under RSA-3072, the one form that Intel's service takes; null in the others. */
  readonly encryptedPpid: string | null;
  readonly cpuSvn: string;
  /** Little-endian. */
  readonly pceSvn: string;
  readonly pceId: string;
}

function bareHex(bytes: Uint8Array): string {
  return toHex(bytes).slice(2);
}

/** What to ask for when the quote names its PCK certificate without carrying it; null when it carries it. Verifies nothing. */
export function pckRequestOf({ certification, header }: QuoteEnvelope): PckRequest | null {
  if (certification.type === 4 || certification.type === 5) return null;
  return {
    qeId: bareHex(header.userData.subarray(0, 16)),
    encryptedPpid: certification.type === 3 ? bareHex(certification.encryptedPpid) : null,
    cpuSvn: bareHex(certification.cpuSvn),
    pceSvn: bareHex(littleEndian(certification.pceSvn, 2)),
    pceId: bareHex(certification.pceId),
  };
}

/**
 * Reads FMSPC and PCK authority from the PCK certificate of a quote. Verifies nothing.
 * @param pckChain - the PCK chain, PEM, leaf first, for a quote that does not carry its certificate
 * @throws `STUN_PCK_MISSING` when neither has it | `STUN_PEM_FORMAT` | `STUN_DER_FORMAT` | `STUN_CERTIFICATE_FORMAT` | `STUN_PCK_EXTENSION` | `STUN_CHAIN_NAMES`
 */
export function collateralKeyOf(quote: QuoteEnvelope, pckChain?: string): CollateralKey {
  const { certification } = quote;
  const pem = certification.type === 4 ? certification.leafPem : certification.type === 5 ? certification.chainPem : pckChain;
  if (pem === undefined)
    throw new StunError('STUN_PCK_MISSING', `certification data of type ${certification.type} does not hold the PCK certificate`);
  const [leaf] = parsePemChain(pem);
  const certificate = parseCertificate(leaf ?? new Uint8Array(0));
  const fmspc = bareHex(parsePckExtension(certificate).fmspc);
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
