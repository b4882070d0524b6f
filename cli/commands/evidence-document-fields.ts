/** What an evidence document says besides its quote and collateral: of itself, and of the GPUs beside the CPU. */
import type { EvidenceDocument } from '#attestation/index.ts';
import { toHex } from '#protocol/bytes.ts';
import type { DescribedField } from './evidence-fields.ts';
import { describeGpu, describeGpuCollateral } from './evidence-gpu-fields.ts';

/**
 * Lists it.
 * @throws the code of the parser when a part of the GPUs cannot be read
 */
export function describeDocument({ version, kind, simulated, nonce, gpuEvidence }: EvidenceDocument): readonly DescribedField[] {
  const gpus = gpuEvidence === null ? 'none' : String(gpuEvidence.devices.length);
  return [
    { name: 'document.version', value: String(version), meaning: 'version of the form' },
    { name: 'document.kind', value: kind, meaning: 'hardware that the quote must be of' },
    {
      name: 'document.simulated',
      value: String(simulated),
      meaning: 'what the sender says of the hardware; the root must agree',
    },
    { name: 'document.nonce', value: toHex(nonce), meaning: 'what makes the evidence recent: report_data must bind it' },
    { name: 'document.gpus', value: gpus, meaning: 'GPUs beside the CPU; report_data must bind their reports' },
    ...(gpuEvidence?.devices ?? []).flatMap(({ report, chain }, i) =>
      describeGpu(report, { chain, ocsp: [], rims: [] }).map((entry) => ({ ...entry, name: `gpus[${i}].${entry.name}` })),
    ),
    ...(gpuEvidence === null ? [] : describeGpuCollateral(gpuEvidence)).map((entry) => ({
      ...entry,
      name: `gpus.${entry.name}`,
    })),
  ];
}
