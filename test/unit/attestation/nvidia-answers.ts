/** NVIDIA's responder and RIM service in memory, for the simulated GPU. A question is answered only when it is, byte for byte, the right one. */
import { parseDeviceChain } from '#attestation/index.ts';
import { encodeOcspRequest } from '#collateral/ocsp-request.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { recorded, type Recorded } from '../collateral/fetched-collateral.ts';
import { acceptedChain, acceptedGpuRims, acceptedOcsp, gpu } from './gpu-fixture.ts';

const rimIds = ['NV_GPU_DRIVER_GH100_570.124.06', 'NV_GPU_VBIOS_1010_0200_882_96009F0001'] as const;
const acceptedRimsById: ReadonlyMap<string, Uint8Array> = new Map(
  rimIds.map((id, i) => [id, acceptedGpuRims[i] ?? new Uint8Array(0)]),
);
const places = ['device', 'provisioner', 'identity'] as const;

/** How the services differ from honest ones. */
export interface NvidiaChanges {
  readonly rims?: ReadonlyMap<string, Uint8Array>;
  /** The nonce that a response carries; none when absent. */
  readonly nonceOf?: (asked: Uint8Array) => Uint8Array;
  /** What the responder answers whatever it is asked. */
  readonly respond?: () => Uint8Array;
  /** Answers of other vendors by path. */
  readonly others?: ReadonlyMap<string, () => Response>;
}

/** Which of the three certificates a request is about. */
function askedPlace(request: Uint8Array): number {
  const chain = parseDeviceChain(acceptedChain);
  const nonce = request.slice(-32);
  return places.findIndex((_, i) => {
    const [certificate, issuer] = [chain[i + 1], chain[i + 2]];
    if (certificate === undefined || issuer === undefined) return false;
    const serial = fromHex(`0x${certificate.serialHex}`);
    const wanted = encodeOcspRequest({ issuerName: issuer.subject.raw, issuerKey: issuer.key, serial }, nonce);
    return toHex(wanted) === toHex(request);
  });
}

function ocspAnswer(request: Uint8Array, { nonceOf, respond }: NvidiaChanges): Response {
  const i = askedPlace(request);
  const place = places[i];
  if (place === undefined) return new Response('no such certificate', { status: 400 });
  if (respond !== undefined) return new Response(new Uint8Array(respond()));
  if (nonceOf === undefined) return new Response(new Uint8Array(acceptedOcsp[i] ?? []));
  const nonce = nonceOf(request.slice(-32));
  return new Response(new Uint8Array(gpu({ changes: { ocsp: { [place]: { nonce } } } }).ocsp[i] ?? []));
}

/** The services. */
export function nvidia(changes: NvidiaChanges = {}): Recorded {
  const outside = recorded(changes.others ?? new Map());
  const { rims = acceptedRimsById } = changes;
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
