/** A simulated machine with a fixed PKI, identity and time, so that every test starts from the same accepted evidence. */
import { assessTdx, computeReportData } from '#attestation/index.ts';
import type { IntelCollateral, IntelCollateralJson, Policy, TdxAssessment, TdxPolicy, TrustRoot } from '#attestation/index.ts';
import { createSimulatedPki } from '#attestation/simulated/pki.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { createSimulatedTdx } from '#attestation/simulated/simulated-tdx.ts';
import type { SimulatedTdx, SimulatedTdxOptions } from '#attestation/simulated/simulated-tdx.ts';
import { observed } from './observed-inputs.ts';

/** 2026-09-21T13:46:40Z. */
export const atUnix = 1_790_000_000;
export const pki = createSimulatedPki(new Uint8Array(32).fill(0x51));
export const otherPki = createSimulatedPki(new Uint8Array(32).fill(0x52));
export const ppid = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
export const keysetDigest = new Uint8Array(32).fill(0xa1);
export const nonce = new Uint8Array(32).fill(0xb2);
export const reportData = computeReportData(keysetDigest, nonce);

/** The fixed machine, with changes. */
export function machine(changes: Partial<SimulatedTdxOptions> = {}): SimulatedTdx {
  return createSimulatedTdx({ atUnix, pki, ppid, ...changes });
}

/** A policy for simulated hardware with changes in its TDX part. */
export function policyWith(tdx: Partial<TdxPolicy>): Policy {
  if (simulatedPolicy.tdx === null) throw new RangeError('the simulated policy has a TDX part');
  return { ...simulatedPolicy, tdx: { ...simulatedPolicy.tdx, ...tdx } };
}

export interface AssessChanges {
  readonly quote?: Uint8Array;
  readonly collateral?: IntelCollateral | IntelCollateralJson | string;
  readonly atUnix?: number;
  readonly roots?: readonly TrustRoot[];
  readonly policy?: Policy;
}

const accepted = machine();
/** The accepted quote and collateral that the changes start from. */
export const acceptedQuote = accepted.quote(reportData);
export const acceptedCollateral = accepted.collateral;

/** Assesses the accepted evidence with changes. */
export function assessWith(changes: AssessChanges): TdxAssessment {
  const start = { quote: acceptedQuote, collateral: acceptedCollateral, atUnix, roots: [pki.root], policy: simulatedPolicy };
  return assessTdx(observed('assessTdx', { ...start, ...changes }));
}

/** Assesses a machine made with changes. */
export function assessMachine(options: Partial<SimulatedTdxOptions>, changes: AssessChanges = {}): TdxAssessment {
  const changed = machine(options);
  return assessWith({ quote: changed.quote(reportData), collateral: changed.collateral, ...changes });
}

/** The accepted collateral with fields replaced. */
export function collateralWith(fields: Partial<IntelCollateralJson>): IntelCollateralJson {
  return { ...acceptedCollateral, ...fields };
}

/** A copy of bytes with one byte changed. */
export function flipped(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = bytes.slice();
  copy[offset] = (copy[offset] ?? 0) ^ 0x01;
  return copy;
}
