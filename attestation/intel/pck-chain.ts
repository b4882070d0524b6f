/** The PCK certificate chain of a quote: from the quote itself or, where it only names its certificate, from the collateral. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { equalBytes } from '#protocol/bytes.ts';
import type { Certificate } from '../x509/certificate.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { parsePemChain } from '../x509/pem.ts';
import type { CertificationData } from './certification-data.ts';
import type { IntelCollateral } from './collateral.ts';
import type { PckExtension } from './pck-extension.ts';

/**
 * Assembles the chain, leaf first. Verifies nothing. Authorities that also stand in the CRL's issuer chain are taken from there:
 * they are the same bytes, and their signatures may be known already.
 * @throws `STUN_PCK_MISSING` | `STUN_CHAIN_LENGTH` | `STUN_PEM_FORMAT` | `STUN_DER_FORMAT` | `STUN_CERTIFICATE_FORMAT`
 */
export function assemblePckChain(certification: CertificationData, collateral: IntelCollateral): readonly Certificate[] {
  switch (certification.type) {
    case 5:
      return parsePemChain(certification.chainPem).map((der, i) => {
        const known = i === 0 ? undefined : collateral.pckCrlIssuerChain[i - 1];
        return known !== undefined && equalBytes(known.raw, der) ? known : parseCertificate(der);
      });
    case 4: {
      const leaves = parsePemChain(certification.leafPem).map(parseCertificate);
      if (leaves.length !== 1)
        throw new StunError(
          'STUN_CHAIN_LENGTH',
          `expected one PCK certificate in certification data of type 4, got ${leaves.length}`,
        );
      return [...leaves, ...(collateral.pckChain?.slice(1) ?? collateral.pckCrlIssuerChain)];
    }
    case 1:
    case 2:
    case 3:
      if (collateral.pckChain === null)
        throw new StunError(
          'STUN_PCK_MISSING',
          `certification data of type ${certification.type} needs pck_certificate_chain in the collateral`,
        );
      return collateral.pckChain;
  }
}

/**
 * Holds a PCK certificate against the platform that the certification data names. The SVNs there are those of the moment of
 * signing and may lie above the certificate's; an encrypted PPID cannot be read. The QE report's signature proves the key itself.
 * @throws `STUN_PCK_MISMATCH`
 */
export function verifyNamedPlatform(certification: CertificationData, pck: PckExtension): void {
  if (!('pceId' in certification)) return;
  if (!equalBytes(certification.pceId, pck.pceId))
    throw new StunError('STUN_PCK_MISMATCH', 'PCEID of the certification data differs from the PCK certificate');
  if (certification.type === 1 && !equalBytes(certification.ppid, pck.ppid))
    throw new StunError('STUN_PCK_MISMATCH', 'PPID of the certification data differs from the PCK certificate');
}
