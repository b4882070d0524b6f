/** NVIDIA's responder and RIM service in memory, for simulated GPUs. A question is answered only when it is, byte for byte, the right one. */
import { parseDeviceChain } from '#attestation/index.ts';
import type { NvidiaCertificate } from '#attestation/nvidia/certificate.ts';
import { parseRim } from '#attestation/nvidia/rim/reference-manifest.ts';
import type { SimulatedGpu } from '#attestation/simulated/simulated-gpu.ts';
import { makeSimulatedRimOcsp } from '#attestation/simulated/simulated-rim.ts';
import { encodeOcspRequest } from '#collateral/ocsp-request.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { recorded, type Recorded } from '../collateral/fetched-collateral.ts';
import { acceptedChain, acceptedGpuRims, acceptedOcsp, gpu } from './gpu-fixture.ts';
import { acceptedRimOcsp, acceptedRims, rimPki } from './rim-fixture.ts';
import { atUnix } from './simulated-fixture.ts';

/** The ids of the two RIM documents. */
export const rimIds = ['NV_GPU_DRIVER_GH100_570.124.06', 'NV_GPU_VBIOS_1010_0200_882_96009F0001'] as const;
/** The two documents by their ids. */
export const rimsById = (rims: readonly Uint8Array[]): ReadonlyMap<string, Uint8Array> =>
  new Map(rimIds.map((id, i) => [id, rims[i] ?? new Uint8Array(0)]));
const devicePlaces = ['device', 'provisioner', 'identity'] as const;
const rimPlaces = ['signer', 'l3', 'chip'] as const;

/** How the services differ from honest ones. */
export interface NvidiaChanges {
  /** The devices that are known, with the responses about them; the accepted one when absent. */
  readonly gpus?: readonly Pick<SimulatedGpu, 'chain' | 'ocsp'>[];
  /** The responses about the chain of the RIM documents; the accepted ones when absent. */
  readonly rimOcsp?: readonly Uint8Array[];
  readonly rims?: ReadonlyMap<string, Uint8Array>;
  /** The nonce that a response carries; none when absent. */
  readonly nonceOf?: (asked: Uint8Array) => Uint8Array;
  /** What the responder answers whatever it is asked. */
  readonly respond?: () => Uint8Array;
  /** Answers of other vendors by path. */
  readonly others?: ReadonlyMap<string, () => Response>;
}

/** Which certificate of a chain a request is about; the leaf of the chain is number 0, and -1 is none. */
function askedPlace(request: Uint8Array, chain: readonly NvidiaCertificate[]): number {
  const nonce = request.slice(-32);
  return chain.findIndex(({ serialHex }, i) => {
    const issuer = chain[i + 1];
    if (issuer === undefined) return false;
    const subject = { issuerName: issuer.subject.raw, issuerKey: issuer.key, serial: fromHex(`0x${serialHex}`) };
    return toHex(encodeOcspRequest(subject, nonce)) === toHex(request);
  });
}

const accepted = { chain: acceptedChain, ocsp: acceptedOcsp };

/** The response, and how one of the accepted ones with a nonce is made. */
function ocspOf(
  request: Uint8Array,
  { gpus = [accepted], rimOcsp = acceptedRimOcsp }: NvidiaChanges,
): readonly [Uint8Array, (nonce: Uint8Array) => Uint8Array] | null {
  for (const { chain, ocsp } of gpus) {
    const i = askedPlace(request, parseDeviceChain(chain)) - 1; // nobody answers for the firmware
    const place = devicePlaces[i];
    const [response] = ocsp.slice(i);
    if (place !== undefined && response !== undefined)
      return [response, (nonce) => gpu({ changes: { ocsp: { [place]: { nonce } } } }).ocsp[i] ?? response];
  }
  const rimIndex = askedPlace(request, parseRim(acceptedRims.driver).chain);
  const rimPlace = rimPlaces[rimIndex];
  const [ofRim] = rimOcsp.slice(rimIndex);
  if (rimPlace === undefined || ofRim === undefined) return null;
  return [ofRim, (nonce) => makeSimulatedRimOcsp(rimPki, atUnix, { ocsp: { [rimPlace]: { nonce } } })[rimIndex] ?? ofRim];
}

function ocspAnswer(request: Uint8Array, changes: NvidiaChanges): Response {
  const { nonceOf, respond } = changes;
  const known = ocspOf(request, changes);
  if (known === null) return new Response('no such certificate', { status: 400 });
  const [response, withNonce] = known;
  if (respond !== undefined) return new Response(new Uint8Array(respond()));
  return new Response(new Uint8Array(nonceOf === undefined ? response : withNonce(nonceOf(request.slice(-32)))));
}

/** The services. */
export function nvidia(changes: NvidiaChanges = {}): Recorded {
  const outside = recorded(changes.others ?? new Map());
  const { rims = rimsById(acceptedGpuRims) } = changes;
  return {
    ...outside,
    fetch: (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      if (url.hostname === 'ocsp.ndis.nvidia.com') {
        outside.urls.push(url.href);
        return Promise.resolve(ocspAnswer(init?.body as Uint8Array, changes));
      }
      if (url.hostname !== 'rim.attestation.nvidia.com') return outside.fetch(input, init);
      outside.urls.push(url.href);
      const id = url.pathname.replace('/v1/rim/', '');
      const rim = rims.get(id);
      if (rim === undefined) return Promise.resolve(new Response('', { status: 404 }));
      return Promise.resolve(Response.json({ id, rim: Buffer.from(rim).toString('base64') }));
    },
  };
}
