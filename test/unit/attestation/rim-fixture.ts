/** Simulated RIMs of one driver and one VBIOS with the measurements that fit them, so that every test starts from the same. */
import { createSimulatedRimPki, makeSimulatedRim, makeSimulatedRimOcsp } from '#attestation/simulated/simulated-rim.ts';
import type { RimChanges, RimMeasurementSpec, SimulatedRimSpec } from '#attestation/simulated/simulated-rim.ts';
import { assessRims } from '#attestation/nvidia/rim/verify.ts';
import type { RimAssessment, RimInput, RimSubject } from '#attestation/nvidia/rim/verify.ts';
import type { RimKind } from '#attestation/nvidia/rim/reference-manifest.ts';
import { observed } from './observed-inputs.ts';
import { atUnix } from './simulated-fixture.ts';

export const rimPki = createSimulatedRimPki(new Uint8Array(32).fill(7));
export const otherRimPki = createSimulatedRimPki(new Uint8Array(32).fill(8));

/** 48 bytes that tell measurements apart. */
export const valueOf = (index: number, variant = 0): Uint8Array => new Uint8Array(48).fill(index + 1).fill(variant, 40);

const measurement = (index: number, active: boolean, variants = 1): RimMeasurementSpec => ({
  index,
  active,
  alternatives: Array.from({ length: variants }, (_, variant) => valueOf(index, variant)),
});

/** The driver owns 1 (in two variants), 2 and 35, which is NVDEC0's; the VBIOS owns 3 and 4; 5 is nobody's. */
export const rimSpecs: { readonly [Kind in RimKind]: SimulatedRimSpec } = {
  driver: {
    version: '550.90.07',
    product: 'GH100',
    atUnix,
    measurements: [1, 2, 3, 4, 5, 35].map((index) => measurement(index, [1, 2, 35].includes(index), index === 1 ? 2 : 1)),
  },
  vbios: {
    version: '96.00.9F.00.01',
    product: 'GH100',
    atUnix,
    measurements: [1, 2, 3, 4, 5].map((index) => measurement(index, [3, 4].includes(index))),
  },
};

/** The accepted documents. */
export const acceptedRims: { readonly [Kind in RimKind]: Uint8Array } = {
  driver: makeSimulatedRim(rimPki, rimSpecs.driver),
  vbios: makeSimulatedRim(rimPki, rimSpecs.vbios),
};

/** The OCSP responses about their chains, which are one chain: of signer, L3 and the CA of the chip. */
export const acceptedRimOcsp: readonly Uint8Array[] = makeSimulatedRimOcsp(rimPki, atUnix);

/** Those responses with changes. */
export function rimOcspWith(ocsp: RimChanges['ocsp'] & object): readonly Uint8Array[] {
  return makeSimulatedRimOcsp(rimPki, atUnix, { ocsp });
}

/** The measurements of a report that both fit: block 2 has the second of two variants. */
export const rimSubject: RimSubject = {
  architecture: 'hopper',
  driverVersion: '550.90.07',
  vbiosVersion: '96.00.9F.00.01',
  isNvdec0Disabled: false,
  measurements: Array.from({ length: 40 }, (_, index) => ({ index: index + 1, value: valueOf(index, index === 1 ? 1 : 0) })),
};

/** Assesses the accepted RIMs with changes. */
export function assessRimsWith(changes: Partial<RimInput> = {}): RimAssessment {
  return assessRims(
    observed('assessRims', {
      rims: [acceptedRims.driver, acceptedRims.vbios],
      subject: rimSubject,
      ocsp: acceptedRimOcsp,
      atUnix,
      roots: [rimPki.root],
      ...changes,
    }),
  );
}

/** Assesses with one RIM that was made over again with changes inside what is signed. The document is made once. */
export function assessingChanged(kind: RimKind, changes: RimChanges, spec: Partial<SimulatedRimSpec> = {}): () => RimAssessment {
  let made: Uint8Array | undefined;
  return () => {
    made ??= makeSimulatedRim(rimPki, { ...rimSpecs[kind], ...spec }, changes);
    return assessRimsWith({ rims: kind === 'driver' ? [made, acceptedRims.vbios] : [acceptedRims.driver, made] });
  };
}
