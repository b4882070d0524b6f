/** Evidence of an AMD SEV-SNP guest: a report from configfs-tsm and the certificate table of the host. */
import { PLATFORM, StunError } from '#protocol/index.ts';
import type { EvidenceIssuer } from './issuer.ts';
import { readTsmReport, type TsmOptions } from './tsm.ts';

/** An issuer for a SEV-SNP guest. The certificate table may be empty: verifiers then fetch the VCEK by chip id. */
export function createSnpIssuer(tsm: TsmOptions): EvidenceIssuer {
  return {
    description: 'AMD SEV-SNP',
    simulated: false,
    platformCode: PLATFORM.snp,
    issue: async (reportData) => {
      const report = await readTsmReport(reportData, tsm);
      if (report.provider !== 'sev_guest') {
        throw new StunError(
          'STUN_TSM_PROVIDER',
          `a report of sev_guest was expected, got one of ${report.provider.slice(0, 32)}`,
        );
      }
      return { kind: 'snp', report: report.outblob, certificates: report.auxblob };
    },
  };
}
