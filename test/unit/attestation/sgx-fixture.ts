/** A simulated SGX machine with a fixed PKI, identity and time, and a policy that names its enclave. */
import { assessSgx } from '#attestation/index.ts';
import type { IntelCollateralJson, Policy, SgxAssessment, SgxPolicy, TrustRoot } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { createSimulatedSgx, simulatedEnclave } from '#attestation/simulated/simulated-sgx.ts';
import type { SimulatedSgx, SimulatedSgxOptions } from '#attestation/simulated/simulated-sgx.ts';
import { toHex } from '#protocol/bytes.ts';
import { observed } from './observed-inputs.ts';
import { atUnix, pki, ppid, reportData } from './simulated-fixture.ts';

/** The fixed machine, with changes. */
export function sgxMachine(changes: Partial<SimulatedSgxOptions> = {}): SimulatedSgx {
  return createSimulatedSgx({ atUnix, pki, ppid, ...changes });
}

/** The rules of that policy. */
export const sgxRules: SgxPolicy = {
  tcbStatuses: ['UpToDate', 'SWHardeningNeeded'],
  advisories: [],
  deniedAdvisories: [],
  minTcbEvaluationDataNumber: 17,
  collateralGraceSeconds: 0,
  requireRevocationData: true,
  allowDebug: false,
  hardwareIds: { skip: 'any platform that is not denied is admitted' },
  deniedHardwareIds: [],
  enclaves: [
    {
      mrEnclave: toHex(simulatedEnclave.mrEnclave),
      mrSigner: toHex(simulatedEnclave.mrSigner),
      isvProdId: simulatedEnclave.isvProdId,
      minIsvSvn: simulatedEnclave.isvSvn,
    },
  ],
};

/** A policy that admits the simulated enclave, with changes. */
export function sgxPolicyWith(changes: Partial<SgxPolicy>): Policy {
  return { ...simulatedPolicy, sgx: { ...sgxRules, ...changes } };
}

interface SgxChanges {
  readonly quote?: Uint8Array;
  readonly collateral?: IntelCollateralJson | string;
  readonly atUnix?: number;
  readonly roots?: readonly TrustRoot[];
  readonly policy?: Policy;
}

const accepted = sgxMachine();
export const acceptedSgxQuote = accepted.quote(reportData);
export const acceptedSgxCollateral = accepted.collateral;

/** Assesses the accepted quote with changes. */
export function assessSgxWith(changes: SgxChanges): SgxAssessment {
  const start = {
    quote: acceptedSgxQuote,
    collateral: acceptedSgxCollateral,
    atUnix,
    roots: [pki.root],
    policy: sgxPolicyWith({}),
  };
  return assessSgx(observed('assessSgx', { ...start, ...changes }));
}

/** Assesses a machine made with changes. */
export function assessSgxMachine(options: Partial<SimulatedSgxOptions>, changes: SgxChanges = {}): SgxAssessment {
  const changed = sgxMachine(options);
  return assessSgxWith({ quote: changed.quote(reportData), collateral: changed.collateral, ...changes });
}
