/** A collateral service in memory, with simulated collateral, and a fetch that answers for it. */
import { createSimulatedTdx } from '#attestation/simulated/simulated-tdx.ts';
import type { HttpDependencies } from '#collateral/http.ts';
import { intelCollateral, intelPcs } from '#collateral/intel-pcs.ts';
import type { IntelCollateralDocument } from '#collateral/intel-pcs.ts';
import type { Published } from '#collateral/published.ts';

export const atUnix = 1_790_000_000;
export const key = { tee: 'tdx', fmspc: '53494d000001', pckCa: 'platform' } as const;
export const machine = createSimulatedTdx({ atUnix });
export const published = machine.collateral as IntelCollateralDocument;

const bytes = (hex: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const header = (name: string, chain: string): { headers: Record<string, string> } => ({
  headers: { [name]: encodeURIComponent(chain) },
});

/** The answers of an honest service by path, with the collateral of a machine. */
export function answers(
  published: IntelCollateralDocument = machine.collateral as IntelCollateralDocument,
  tee: 'tdx' | 'sgx' = 'tdx',
): Map<string, () => Response> {
  const signed = (member: string, text: string, signature: string): string => `{"${member}":${text},"signature":"${signature}"}`;
  return new Map([
    [
      `/${tee}/certification/v4/tcb`,
      () =>
        new Response(
          signed('tcbInfo', published.tcb_info, published.tcb_info_signature),
          header('TCB-Info-Issuer-Chain', published.tcb_info_issuer_chain),
        ),
    ],
    [
      `/${tee}/certification/v4/qe/identity`,
      () =>
        new Response(
          signed('enclaveIdentity', published.qe_identity, published.qe_identity_signature),
          header('SGX-Enclave-Identity-Issuer-Chain', published.qe_identity_issuer_chain),
        ),
    ],
    [
      '/sgx/certification/v4/pckcrl',
      () => new Response(bytes(published.pck_crl), header('SGX-PCK-CRL-Issuer-Chain', published.pck_crl_issuer_chain)),
    ],
    ['/IntelSGXRootCA.der', () => new Response(bytes(published.root_ca_crl))],
    ['/sgx/certification/v4/rootcacrl', () => new Response(published.root_ca_crl)],
  ]);
}

export interface Recorded extends HttpDependencies {
  readonly urls: string[];
  readonly requests: RequestInit[];
  readonly pausesMs: number[];
}

/** Dependencies that answer from a map, never wait, and record what was asked and how long they would have waited. */
export function recorded(replies: ReadonlyMap<string, () => Response>): Recorded {
  const urls: string[] = [];
  const requests: RequestInit[] = [];
  const pausesMs: number[] = [];
  return {
    urls,
    requests,
    pausesMs,
    fetch: (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      urls.push(url.href);
      requests.push(init ?? {});
      const reply = replies.get(url.pathname);
      return reply === undefined ? Promise.reject(new TypeError('fetch failed')) : Promise.resolve(reply());
    },
    sleep: (milliseconds) => {
      pausesMs.push(milliseconds);
      return Promise.resolve();
    },
    jitter: () => 1,
  };
}

/** The collateral of {@link machine}'s platform family, fetched with such dependencies. */
export function familyCollateral(dependencies: HttpDependencies): Published<IntelCollateralDocument> {
  return intelCollateral(intelPcs, dependencies, key);
}
