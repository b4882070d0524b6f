/** Evidence of an AMD SEV-SNP guest: a report from configfs-tsm with AMD's endorsements, from the host's table and from elsewhere. */
import { PLATFORM, StunError, toHex } from '#protocol/index.ts';
import { parseCertificateTable } from './certificate-table.ts';
import type { CollateralFor } from './collateral-file.ts';
import type { EvidenceIssuer } from './issuer.ts';
import { reportOfProvider, type TsmOptions } from './tsm.ts';

/** Bits 2 to 4 of the report's flags say which key signed: 1 is the VLEK. AMD 56860, table of ATTESTATION_REPORT. */
const FLAGS_OFFSET = 0x48;

/**
 * An issuer for a SEV-SNP guest. The host's table counts first: it follows the machine's TCB version. The CRL is seldom in a table, so
 * without another way nothing is known of revocation, which the default policy refuses.
 * @param collateralFor - asked for what the table lacks; undefined when the host's table is all there is
 */
export function createSnpIssuer(tsm: TsmOptions, collateralFor: CollateralFor | undefined): EvidenceIssuer {
  return {
    description: 'AMD SEV-SNP',
    simulated: false,
    platformCode: PLATFORM.snp,
    issue: async (reportData) => {
      const { outblob, auxblob } = await reportOfProvider('sev_guest', reportData, tsm);
      const table = parseCertificateTable(auxblob);
      const isVlek = ((outblob[FLAGS_OFFSET] ?? 0) & 0b11100) >> 2 === 1;
      const given = { vek: isVlek ? table.vlek : table.vcek, ask: table.ask, ark: table.ark, crl: table.crl };
      const isWhole = Object.values(given).every((der) => der !== undefined);
      const rest = isWhole || collateralFor === undefined ? {} : await collateralFor(outblob, table.vlek);
      const collateral: Record<string, unknown> = { crl: null };
      for (const [name, der] of Object.entries(given)) {
        const value = der === undefined ? rest[name] : toHex(der);
        if (value !== undefined) collateral[name] = value;
      }
      const missing = ['vek', 'ask', 'ark'].filter((name) => collateral[name] === undefined);
      if (missing.length > 0) {
        throw new StunError(
          'STUN_ENDORSEMENTS_MISSING',
          `neither the host's table nor what was fetched has ${missing.join(', ')}`,
        );
      }
      return { kind: 'snp', quote: outblob, collateral };
    },
  };
}
