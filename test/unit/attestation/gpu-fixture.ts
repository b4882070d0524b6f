/** Simulated GPUs under one PKI, so that every test starts from the same accepted evidence. */
import { assessGpu, holdRims } from '#attestation/index.ts';
import type { GpuAssessment, GpuInput, GpuPolicy, Policy } from '#attestation/index.ts';
import { createSimulatedGpuPki } from '#attestation/simulated/gpu-pki.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { createSimulatedGpu, simulatedGpuMeasurement } from '#attestation/simulated/simulated-gpu.ts';
import type { GpuChanges, SimulatedGpu, SimulatedGpuOptions } from '#attestation/simulated/simulated-gpu.ts';
import { makeSimulatedRim } from '#attestation/simulated/simulated-rim.ts';
import { observed } from './observed-inputs.ts';
import { rimPki } from './rim-fixture.ts';
import { atUnix } from './simulated-fixture.ts';

export const gpuPki = createSimulatedGpuPki(new Uint8Array(32).fill(0x61));
export const otherGpuPki = createSimulatedGpuPki(new Uint8Array(32).fill(0x62));
export const pdi = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
export const gpuNonce = new Uint8Array(32).fill(0xc3);

/** The fixed GPU, with changes. */
export function gpu(options: Partial<SimulatedGpuOptions> = {}): SimulatedGpu {
  return createSimulatedGpu({ atUnix, pki: gpuPki, hardwareId: pdi, ...options });
}

const rimOf = (version: string, from: number, to: number, madeAtUnix: number): Uint8Array =>
  makeSimulatedRim(rimPki, {
    version,
    product: 'GH100',
    atUnix: madeAtUnix,
    measurements: Array.from({ length: to - from }, (_, i) => ({
      index: from + i,
      active: true,
      alternatives: [simulatedGpuMeasurement(from + i + 1)],
    })),
  });
/** Reference values of the simulated driver and VBIOS: the first twelve measurements. */
export const gpuRimsOf = (madeAtUnix: number): readonly Uint8Array[] => [
  rimOf('570.124.06', 0, 8, madeAtUnix),
  rimOf('96.00.9F.00.01', 8, 12, madeAtUnix),
];
export const acceptedGpuRims = gpuRimsOf(atUnix);

/** A policy for simulated hardware with changes in its GPU part. Reference values are asked for only by the tests that bring some. */
export function gpuPolicyWith(changes: Partial<GpuPolicy>): Policy {
  if (simulatedPolicy.nvidia === null) throw new RangeError('the simulated policy has a GPU part');
  return { ...simulatedPolicy, nvidia: { ...simulatedPolicy.nvidia, requireRim: false, ...changes } };
}

const accepted = gpu();
/** The accepted report, chain and OCSP responses that the changes start from. */
export const acceptedGpuReport = accepted.report(gpuNonce);
export const acceptedChain = accepted.chain;
export const acceptedOcsp = accepted.ocsp;

const start: GpuInput = {
  report: acceptedGpuReport,
  chain: acceptedChain,
  ocsp: acceptedOcsp,
  ocspAtUnix: null,
  nonce: gpuNonce,
  atUnix,
  roots: [gpuPki.root],
  policy: gpuPolicyWith({}),
};

/** Assesses the accepted evidence with changes. */
export function assessGpuWith(changes: Partial<GpuInput>): GpuAssessment {
  return assessGpu(observed('assessGpu', { ...start, ...changes }));
}

/** The same with reference values, by a policy that asks for them. @param rimOcsp - responses about the chains of these */
export function assessGpuWithRims(rimOcsp: readonly Uint8Array[], policy: Partial<GpuPolicy> = {}): GpuAssessment {
  const reference = { rims: acceptedGpuRims, rimAtUnix: atUnix };
  const input = {
    ...start,
    ocsp: [...acceptedOcsp, ...rimOcsp],
    roots: [gpuPki.root, rimPki.root],
    policy: gpuPolicyWith({ requireRim: true, ...policy }),
  };
  observed('assessGpu', { ...input, ...reference });
  return assessGpu(input, holdRims(reference.rims, reference.rimAtUnix, input.roots));
}

/** Assesses a device made with other options. */
export function assessGpuMachine(options: Partial<SimulatedGpuOptions>, changes: Partial<GpuInput> = {}): GpuAssessment {
  const { report, chain, ocsp } = gpu(options);
  return assessGpuWith({ report: report(gpuNonce), chain, ocsp, ...changes });
}

/** Assesses the accepted device, made over again with changes inside what is signed. */
export function assessGpuChanged(changes: GpuChanges, options: Partial<SimulatedGpuOptions> = {}): GpuAssessment {
  return assessGpuMachine({ ...options, changes });
}
