/** Evidence of an Intel TDX guest: a quote from configfs-tsm and the collateral that the host fetched. */
import { readFile } from 'node:fs/promises';
import { PLATFORM, StunError } from '#protocol/index.ts';
import type { EvidenceIssuer } from './issuer.ts';
import { readTsmReport, type TsmOptions } from './tsm.ts';

async function readCollateral(path: string): Promise<Readonly<Record<string, unknown>>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new StunError('STUN_FILE', `TDX collateral ${path} must be a readable JSON file`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new StunError('STUN_FILE', `TDX collateral ${path} must be a JSON object`);
  }
  return { ...value };
}

/**
 * An issuer for a TDX guest.
 * @param collateralPath - JSON as `stun evidence` tools write it; read at every issue, so that a host can refresh it. It is signed by
 *   Intel: a wrong or old file makes evidence that is refused, never evidence that is wrongly accepted.
 */
export function createTdxIssuer(tsm: TsmOptions, collateralPath: string): EvidenceIssuer {
  return {
    description: 'Intel TDX',
    simulated: false,
    platformCode: PLATFORM.tdx,
    issue: async (reportData) => {
      const report = await readTsmReport(reportData, tsm);
      if (report.provider !== 'tdx_guest') {
        throw new StunError('STUN_TSM_PROVIDER', `a quote of tdx_guest was expected, got one of ${report.provider.slice(0, 32)}`);
      }
      return { kind: 'tdx', quote: report.outblob, collateral: await readCollateral(collateralPath) };
    },
  };
}
