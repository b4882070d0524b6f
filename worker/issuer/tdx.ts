/** Evidence of an Intel TDX guest: a quote from configfs-tsm and the collateral that was fetched for its platform. */
import { PLATFORM } from '#protocol/index.ts';
import type { CollateralFor } from './collateral-file.ts';
import type { EvidenceIssuer } from './issuer.ts';
import { reportOfProvider, type TsmOptions } from './tsm.ts';

/** An issuer for a TDX guest. */
export function createTdxIssuer(tsm: TsmOptions, collateralFor: CollateralFor): EvidenceIssuer {
  return {
    description: 'Intel TDX',
    simulated: false,
    platformCode: PLATFORM.tdx,
    issue: async (reportData) => {
      const { outblob } = await reportOfProvider('tdx_guest', reportData, tsm);
      return { kind: 'tdx', quote: outblob, collateral: await collateralFor(outblob) };
    },
  };
}
