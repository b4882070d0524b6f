/** The default policy. A customer may tighten or loosen it in writing. Source: docs/design.md, section 6. */
import { defaultGpuPolicy } from './gpu-policy.ts';
import type { Policy } from './policy.ts';
import { deepFreeze } from './policy.ts';
import { defaultSnpPolicy } from './snp-policy.ts';

export const defaultPolicy: Policy = deepFreeze({
  version: 1,
  allowSimulated: false,
  tdx: {
    tcbStatuses: ['UpToDate', 'SWHardeningNeeded'],
    advisories: [],
    deniedAdvisories: [],
    // 17 was Intel's standard number through 2025; 18 followed in 2026. Dates already bound how old collateral may be.
    minTcbEvaluationDataNumber: 17,
    collateralGraceSeconds: 0,
    requireRevocationData: true,
    allowDebug: false,
    requireSeptVeDisable: true,
    paravisorMrTds: [],
    // LASS (27), SEPT_VE_DISABLE (28), PKS (30), KL (31), PERFMON (63): none of them lets the host in. MIGRATABLE (29) is not here.
    tdAttributesRequired: '0x0000000000000000',
    tdAttributesMask: '0x000000d800000080',
    // The fixed bits of the TDX module: x87 and SSE are always on; nothing beyond 0x6dbe7 exists.
    xfamRequired: '0x0300000000000000',
    xfamMask: '0xe7db060000000000',
    measurements: { skip: 'no reference values are named: any TD image is admitted' },
    mrServiceTds: [],
    hardwareIds: { skip: 'any platform that is not denied is admitted' },
    deniedHardwareIds: [],
  },
  sgx: null,
  sevSnp: defaultSnpPolicy,
  nvidia: defaultGpuPolicy,
});
