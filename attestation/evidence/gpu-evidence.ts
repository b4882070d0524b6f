/**
 * The GPU part of an evidence document: the reports of the devices beside a CPU, with what they are verified with.
 *
 * Wire form: `{ "devices": [{ "report": "0x…", "chain": "-----BEGIN CERTIFICATE-----…" }], "ocsp": ["0x…"],
 * "rims": ["<?xml …"] }`. OCSP responses are found by the certificate that they are about, and RIM documents are of a driver and a VBIOS, so
 * devices share them; devices of different firmware do not fit into one document. What report_data binds is the reports alone (docs/protocol.md, section 4): what
 * surrounds them can be renewed.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { fromHex, toHex, utf8 } from '#protocol/bytes.ts';
import type { JsonValue } from '../json/capped-json.ts';
import { FieldReader } from '../json/fields.ts';
import type { GpuAssessment } from '../nvidia/assess.ts';
import { assessGpu } from '../nvidia/assess.ts';
import { deviceIdentity, parseDeviceChain } from '../nvidia/device-chain.ts';
import { maxGpuReportBytes } from '../nvidia/report.ts';
import { holdRims } from '../nvidia/rim/hold.ts';
import type { VerifiedGpu } from '../nvidia/verify.ts';
import { maxDevices } from '../policy/gpu-policy.ts';
import type { Policy } from '../policy/policy.ts';
import { computeGpuNonce } from '../report-data.ts';
import type { TrustRoot } from '../trust/roots.ts';
import { maxPemChars } from '../x509/pem.ts';

/** One device. */
export interface GpuEvidenceDevice {
  readonly report: Uint8Array;
  /** PEM, the key that signs reports first. */
  readonly chain: string;
}

/** A parsed GPU part. Nothing in it is verified. */
export interface GpuEvidence {
  readonly devices: readonly GpuEvidenceDevice[];
  /** OCSP responses, DER. */
  readonly ocsp: readonly Uint8Array[];
  /** RIM documents, as they came. */
  readonly rims: readonly Uint8Array[];
}

/** Most RIM documents beside GPUs. */
export const maxRims = 4;
/** Three of each chain. */
const maxOcspResponses = 3 * (maxDevices + maxRims);
/** Most bytes of an OCSP response. */
export const maxOcspBytes = 8192;
const code = 'STUN_EVIDENCE_GPU';

function refuse(reason: string): never {
  throw new StunError(code, reason);
}

function hexOf(text: JsonValue, what: string, maxBytes: number): Uint8Array {
  if (typeof text !== 'string' || text.length > 2 + 2 * maxBytes || !/^0x(?:[0-9a-f]{2})+$/.test(text))
    refuse(`${what} must be 0x and at most ${maxBytes} bytes of lower-case hex`);
  return fromHex(text);
}

/** Reads the GPU part of a document; the bytes in it are not looked at. @throws `STUN_EVIDENCE_GPU` */
export function readGpuEvidence(value: JsonValue): GpuEvidence {
  const fields = new FieldReader(value, 'gpuEvidence', code);
  fields.only('devices', 'ocsp', 'rims');
  const devices = fields.objects('devices', maxDevices).map((device, i): GpuEvidenceDevice => {
    device.only('report', 'chain');
    const chain = device.string('chain');
    if (chain.length > maxPemChars) refuse(`gpuEvidence.devices[${i}].chain must have at most ${maxPemChars} characters`);
    return Object.freeze({ report: hexOf(device.value('report'), `gpuEvidence.devices[${i}].report`, maxGpuReportBytes), chain });
  });
  if (devices.length === 0) refuse('gpuEvidence.devices must name a device: a document without GPUs has null');
  const ocsp = fields
    .list('ocsp', maxOcspResponses)
    .map((response, i) => hexOf(response, `gpuEvidence.ocsp[${i}]`, maxOcspBytes));
  const rims = fields.strings('rims', maxRims).map((rim) => utf8(rim));
  return Object.freeze({ devices: Object.freeze(devices), ocsp: Object.freeze(ocsp), rims: Object.freeze(rims) });
}

/** The wire form of a GPU part: the inverse of {@link readGpuEvidence}. */
export function encodeGpuEvidence({ devices, ocsp, rims }: GpuEvidence): JsonValue {
  return {
    devices: devices.map(({ report, chain }) => ({ report: toHex(report), chain })),
    ocsp: ocsp.map((response) => toHex(response)),
    rims: rims.map((rim) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(rim)),
  };
}

/** What the devices of a document are assessed with. */
export interface GpuEvidenceContext {
  readonly atUnix: number;
  readonly roots: readonly TrustRoot[];
  readonly policy: Policy;
  readonly keysetDigest: Uint8Array;
  /** Of the document, 32 bytes. */
  readonly nonce: Uint8Array;
  /** What the document says of itself; every device must be so. */
  readonly simulated: boolean;
}

/** Assesses each device, for reports that show every one. */
export function assessGpuEvidence(evidence: GpuEvidence, context: GpuEvidenceContext): readonly GpuAssessment[] {
  const { atUnix, roots, policy, keysetDigest } = context;
  const nonce = computeGpuNonce(keysetDigest, context.nonce);
  const hold = holdRims(evidence.rims, atUnix, roots);
  return evidence.devices.map(({ report, chain }) =>
    assessGpu({ report, chain, nonce, ocsp: evidence.ocsp, ocspAtUnix: null, atUnix, roots, policy }, hold),
  );
}

/**
 * Whether every device is accepted, is another one, and is as simulated as the document says.
 * @throws the first failure of a device; `STUN_EVIDENCE_SIMULATED_TAG` | `STUN_GPU_DUPLICATE`
 */
export function requireGpus(assessments: readonly GpuAssessment[], { simulated }: GpuEvidenceContext): readonly VerifiedGpu[] {
  const seen = new Set<string>();
  return assessments.map(({ verified, failure }, i) => {
    if (verified === null || failure !== null) throw failure ?? new StunError('STUN_INTERNAL', 'a GPU failed without a reason');
    if (verified.simulated !== simulated)
      throw new StunError(
        'STUN_EVIDENCE_SIMULATED_TAG',
        `the document says simulated ${simulated}, the root of GPU ${i} says ${verified.simulated}`,
      );
    const id = toHex(verified.hardwareId);
    if (seen.has(id)) throw new StunError('STUN_GPU_DUPLICATE', `device ${id} is there twice`);
    seen.add(id);
    return verified;
  });
}

/** Whether as many GPUs were accepted as a policy demands; switches are none. @throws `STUN_POLICY_GPU_COUNT` */
export function requireGpuCount(gpus: readonly VerifiedGpu[], minGpus: number): void {
  const shown = gpus.filter(({ architecture }) => architecture !== 'ls10').length;
  if (shown < minGpus)
    throw new StunError('STUN_POLICY_GPU_COUNT', `the policy demands ${minGpus} GPUs, the evidence shows ${shown}`);
}

/** How many GPUs a policy demands; null when it demands none. */
export function demandedGpus({ nvidia }: Policy): number | null {
  return typeof nvidia?.minGpus === 'number' ? nvidia.minGpus : null;
}

/**
 * The identities that the chains of a GPU part name, as `0x` hex. Nothing is verified: for a document that was.
 * @throws the codes of the chain's parser, `STUN_CHAIN_LENGTH` | `STUN_GPU_DEVICE_IDENTITY`
 */
export function namedGpuIds({ devices }: GpuEvidence): readonly string[] {
  return devices.map(({ chain }) => {
    const [, device] = parseDeviceChain(chain);
    if (device === undefined) throw new StunError('STUN_CHAIN_LENGTH', 'a chain ends before the certificate of its device');
    return deviceIdentity({ device });
  });
}
