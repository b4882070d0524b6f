/**
 * What NVIDIA publishes about its GPUs over HTTP: reference measurements (RIM), revocation (OCSP), and the keys of its remote
 * attestation service. NVIDIA publishes no specification of the first and the last: paths and forms are those of its own tools,
 * NVIDIA/nvtrust and NVIDIA/attestation-sdk.
 */
import { createHash } from 'node:crypto';
import { StunError } from '#protocol/errors/stun-error.ts';
import { derHex, refuseAnswer } from './answers.ts';
import type { HttpDependencies, HttpLimits } from './http.ts';
import { defaultHttpLimits, send } from './http.ts';
import type { OcspSubject } from './ocsp-request.ts';
import { encodeOcspRequest } from './ocsp-request.ts';
import type { Published } from './published.ts';
import { hasStrings, publishedName, standsInForAMonth } from './published.ts';

/** Where to fetch; each an address without a path, but that of the responder. */
export interface NvidiaOptions {
  readonly rimUrl: string;
  readonly ocspUrl: string;
  readonly nrasUrl: string;
  readonly limits?: HttpLimits;
}

/** NVIDIA's own services. */
export const nvidiaServices: NvidiaOptions = Object.freeze({
  rimUrl: 'https://rim.attestation.nvidia.com',
  ocspUrl: 'https://ocsp.ndis.nvidia.com/',
  nrasUrl: 'https://nras.attestation.nvidia.com',
  limits: Object.freeze({ ...defaultHttpLimits, maxBytes: 4_000_000 }),
});

/** The id of a driver's RIM. @param chip - `GH100`, `GB100` … @param version - as the report says it: `550.90.07` */
export function driverRimId(chip: string, version: string): string {
  return rimId('NV_GPU_DRIVER', chip, version);
}

/**
 * The id of a VBIOS' RIM, from the report's own fields.
 * @param version - as the report says it, `96.00.9F.00.04`: without its dots in the id
 */
export function vbiosRimId(project: string, projectSku: string, chipSku: string, version: string): string {
  return rimId('NV_GPU_VBIOS', project, projectSku, chipSku, version.replaceAll('.', '').toUpperCase());
}

/**
 * The id of the RIM of an LS10 switch's BIOS. Its reports do not name project and SKUs: they are those of NVIDIA/nvtrust, `nv_switch_verifier`.
 * @param version - as the report says it, `96.10.55.00.01`
 */
export function switchBiosRimId(version: string): string {
  return rimId('NV_SWITCH_BIOS', '5612', '0002', '890', version.replaceAll('.', '').toUpperCase());
}

/** The parts come from a report that nobody verified yet and go into an address. */
function rimId(...parts: readonly string[]): string {
  if (parts.some((part) => !/^[A-Za-z0-9_.]{1,40}$/.test(part)))
    throw new StunError('STUN_INPUT', 'the id of a RIM has letters, digits, "_" and "." alone');
  return parts.join('_');
}

/** A RIM document: XML, in base64. */
export interface RimDocument {
  readonly rim: string;
}

/** The RIM of an id. Its version is part of the id, so it never changes. @throws `STUN_INPUT` */
export function rimDocument(options: NvidiaOptions, dependencies: HttpDependencies, id: string): Published<RimDocument> {
  const path = `/v1/rim/${rimId(id)}`;
  return {
    name: publishedName('rim', id),
    lifetime: 'fixed',
    accepts: hasStrings('rim'),
    standsInUntilUnix: standsInForAMonth,
    fetch: async (signal) => {
      const answer = await send({ url: new URL(path, options.rimUrl).href }, dependencies, options.limits, signal);
      const { rim, id: answered } = jsonFields(answer.body);
      if (answered !== undefined && answered !== id) return refuseAnswer('the RIM service answered with another RIM');
      if (typeof rim !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(rim)) return refuseAnswer('expected the RIM in base64');
      return { rim };
    },
  };
}

/** An OCSP response with the nonce of its question, both hex. */
export interface OcspDocument {
  readonly response: string;
  /** What a response that was made for the question repeats. */
  readonly nonce: string;
}

/** How long a kept response stands in while the responder is silent; its own nextUpdate is the verifier's to judge. */
const OCSP_STAND_IN_SECONDS = 86_400;

/**
 * What the responder says of a certificate.
 * @param nonce - 32 random bytes for the question, should it be asked
 */
export function ocspResponse(
  options: NvidiaOptions,
  dependencies: HttpDependencies,
  subject: OcspSubject,
  nonce: Uint8Array,
): Published<OcspDocument> {
  const body = encodeOcspRequest(subject, nonce);
  const digest = createHash('sha256')
    .update(encodeOcspRequest(subject, new Uint8Array(1)))
    .digest('hex');
  return {
    name: publishedName('ocsp', digest),
    lifetime: 'renewed',
    accepts: hasStrings('response', 'nonce'),
    standsInUntilUnix: (_document, fetchedAtUnix) => fetchedAtUnix + OCSP_STAND_IN_SECONDS,
    fetch: async (signal) => {
      const headers = { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' };
      const answer = await send({ url: options.ocspUrl, headers, body }, dependencies, options.limits, signal);
      return { response: derHex(answer.body, 'the OCSP response'), nonce: Buffer.from(nonce).toString('hex') };
    },
  };
}

/** The keys that NVIDIA's remote attestation service signs with: a JWK Set, its exact text. */
export interface NrasKeysDocument {
  readonly jwks: string;
}

/** The keys of NVIDIA's remote attestation service. They say nothing about who is to be trusted: the caller pins the service. */
export function nrasKeys(options: NvidiaOptions, dependencies: HttpDependencies): Published<NrasKeysDocument> {
  return {
    name: publishedName('nras', 'keys'),
    lifetime: 'renewed',
    accepts: hasStrings('jwks'),
    standsInUntilUnix: standsInForAMonth,
    fetch: async (signal) => {
      const url = new URL('/.well-known/jwks.json', options.nrasUrl).href;
      const { body } = await send({ url }, dependencies, options.limits, signal);
      if (!Array.isArray(jsonFields(body)['keys'])) return refuseAnswer('expected a set of keys');
      return { jwks: new TextDecoder().decode(body) };
    },
  };
}

function jsonFields(body: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return refuseAnswer('expected JSON');
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { ...value }
    : refuseAnswer('expected a JSON object');
}
