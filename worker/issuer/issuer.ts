/** What every issuer of evidence offers, and the evidence document made from it. docs/protocol.md section 4. */
import { canonicalJson, gpuEvidenceDigestOf, reportDataOf, StunError, toHex, utf8 } from '#protocol/index.ts';
import type { CollectedGpu } from './gpu.ts';

/** What a document carries beside the reports of its GPUs; report_data binds none of it, and it can be renewed. */
export interface GpuCollateral {
  /** OCSP responses, DER. */
  readonly ocsp: readonly Uint8Array[];
  /** RIM documents, UTF-8. */
  readonly rims: readonly Uint8Array[];
}

/** Collateral of GPUs, and how long a document with it is of use. */
export interface DatedGpuCollateral extends GpuCollateral {
  /** Where the first of the OCSP responses ends, unix seconds. */
  readonly standsUntilUnix: number;
}

/** Gets what NVIDIA publishes about devices. Nothing in it is verified here. */
export type GpuCollateralFor = (gpus: readonly CollectedGpu[]) => Promise<DatedGpuCollateral>;

const noCollateral: GpuCollateral = { ocsp: [], rims: [] };

/** Parts of an evidence document that the hardware and its vendor give. */
export interface HardwareEvidence {
  readonly kind: 'tdx' | 'snp';
  /** A TDX quote or a SEV-SNP report. */
  readonly quote: Uint8Array;
  /** As docs/attestation.md lays it out for the kind. */
  readonly collateral: Readonly<Record<string, unknown>>;
}

/** A source of hardware evidence. */
export interface EvidenceIssuer {
  /** What the log says of it; simulated hardware says so. */
  readonly description: string;
  readonly simulated: boolean;
  /** Platform code of docs/protocol.md section 2. */
  readonly platformCode: number;
  /** Makes a real quote. @param reportData - 64 bytes */
  readonly issue: (reportData: Uint8Array) => Promise<HardwareEvidence>;
}

/** Largest document that verifiers read. */
const MAX_DOCUMENT_BYTES = 1_000_000;

/**
 * Makes the evidence document of a keyset: the exact bytes that are handed out and whose digest attestors sign.
 * @param nonce - 32 bytes: a recent block hash, or a customer's own
 * @param gpus - reports over `gpuNonceOf` of both, when the GPUs beside the CPU are to be shown too
 * @param gpuCollateral - what they are verified with; without it a policy refuses them until it is renewed
 */
export async function issueEvidence(
  issuer: EvidenceIssuer,
  keysetDigest: Uint8Array,
  nonce: Uint8Array,
  gpus: readonly CollectedGpu[] = [],
  gpuCollateral: GpuCollateral = noCollateral,
): Promise<Uint8Array> {
  const gpuDigest = gpuEvidenceDigestOf(gpus.map(({ report }) => report));
  const { kind, quote, collateral } = await issuer.issue(reportDataOf(keysetDigest, nonce, gpuDigest));
  const devices = gpus.map(({ report, chain }) => ({ report: toHex(report), chain }));
  const ocsp = gpuCollateral.ocsp.map((response) => toHex(response));
  const rims = gpuCollateral.rims.map((rim) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(rim));
  const document = utf8(
    JSON.stringify({
      version: 1,
      kind,
      simulated: issuer.simulated,
      quote: toHex(quote),
      collateral,
      nonce: toHex(nonce),
      gpuEvidence: devices.length === 0 ? null : { devices, ocsp, rims },
    }),
  );
  if (document.length > MAX_DOCUMENT_BYTES) {
    throw new StunError('STUN_INPUT', `an evidence document has at most ${MAX_DOCUMENT_BYTES} bytes, got ${document.length}`);
  }
  return document;
}

/** policyId's preimage of a policy given as a document: canonical JSON, as attestation/ writes it. */
export function canonicalPolicyBytes(policy: unknown): Uint8Array {
  return utf8(canonicalJson(policy));
}
