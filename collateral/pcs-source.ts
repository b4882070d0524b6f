/**
 * Collateral over HTTP: Intel's Provisioning Certification Service, or a caching service (PCCS) with the same paths.
 * Source: Intel PCS API v4, "Get TDX TCB Info", "Get TDX QE Identity", "Get PCK Certificate Revocation List".
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { HttpAnswer, HttpDependencies, HttpLimits } from './http.ts';
import { defaultHttpLimits, get } from './http.ts';
import type { CollateralKey, CollateralSource, TdxCollateralDocument } from './source.ts';
import { collateralName } from './source.ts';

/** Where to fetch. */
export interface PcsOptions {
  /** `https://api.trustedservices.intel.com` or the address of a PCCS, without a path. */
  readonly baseUrl: string;
  /** Where the root's CRL lies: Intel publishes it apart, a PCCS under its own path. */
  readonly rootCrl: { readonly kind: 'url'; readonly url: string } | { readonly kind: 'pccs' };
  /** Intel's update channel. `early` holds levels before they become `standard`. */
  readonly update: 'standard' | 'early';
  readonly limits?: HttpLimits;
}

/** Intel's own service. */
export const intelPcs: PcsOptions = Object.freeze({
  baseUrl: 'https://api.trustedservices.intel.com',
  rootCrl: Object.freeze({ kind: 'url', url: 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der' }),
  update: 'standard',
});

function refuse(reason: string): never {
  throw new StunError('STUN_COLLATERAL_RESPONSE', reason);
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A CRL as DER, or as the hex text that a PCCS may send instead. */
function crlHex(body: Uint8Array, what: string): string {
  if (body[0] === 0x30) return hexOf(body);
  const text = new TextDecoder().decode(body).trim().replace(/^"|"$/g, '');
  return /^30([0-9a-fA-F]{2})+$/.test(text) ? text.toLowerCase() : refuse(`${what} is neither DER nor hex`);
}

/** The PEM chain of a header: URL-encoded. */
function chainOf(answer: HttpAnswer, ...names: readonly string[]): string {
  const value = names.map((name) => answer.headers.get(name)).find((header) => header !== null);
  if (value === undefined || value === null) return refuse(`expected a header ${names.join(' or ')}`);
  try {
    const chain = decodeURIComponent(value);
    return chain.startsWith('-----BEGIN CERTIFICATE-----') ? chain : refuse(`header ${names[0] ?? ''} is no PEM chain`);
  } catch (thrown) {
    if (thrown instanceof StunError) throw thrown;
    return refuse(`header ${names[0] ?? ''} is not URL-encoded`);
  }
}

/** The exact text of the signed member, cut out of the body byte for byte: its signature is over these characters. */
function signedMember(answer: HttpAnswer, member: string): { text: string; signature: string } {
  const body = new TextDecoder('utf-8', { ignoreBOM: true }).decode(answer.body);
  const match = new RegExp(`^\\{"${member}":(\\{.*\\}),"signature":"([0-9a-fA-F]{128})"\\}\\s*$`, 's').exec(body);
  const [, text, signature] = match ?? [];
  if (text === undefined || signature === undefined) return refuse(`expected {"${member}":{…},"signature":"…"}`);
  return { text, signature };
}

/**
 * A source over HTTP. Checks the form of answers, no signature: that is `attestation/`'s.
 * @param dependencies - fetch, sleep and jitter
 */
export function createPcsSource(options: PcsOptions, dependencies: HttpDependencies): CollateralSource {
  const base = new URL(options.baseUrl);
  const limits = options.limits ?? defaultHttpLimits;
  const fetchPath = async (
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> => {
    const url = new URL(path, base);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return get(url.href, dependencies, limits, signal);
  };

  return {
    async tdxCollateral(key: CollateralKey, signal?: AbortSignal): Promise<TdxCollateralDocument> {
      collateralName(key); // refuses a malformed key before it reaches a URL
      const { rootCrl, update } = options;
      const [tcb, qe, pckCrl, root] = await Promise.all([
        fetchPath('/tdx/certification/v4/tcb', { fmspc: key.fmspc, update }, signal),
        fetchPath('/tdx/certification/v4/qe/identity', { update }, signal),
        fetchPath('/sgx/certification/v4/pckcrl', { ca: key.pckCa, encoding: 'der' }, signal),
        rootCrl.kind === 'url'
          ? get(rootCrl.url, dependencies, limits, signal)
          : fetchPath('/sgx/certification/v4/rootcacrl', {}, signal),
      ]);
      const tcbInfo = signedMember(tcb, 'tcbInfo');
      const qeIdentity = signedMember(qe, 'enclaveIdentity');
      return Object.freeze({
        pck_crl_issuer_chain: chainOf(pckCrl, 'SGX-PCK-CRL-Issuer-Chain'),
        root_ca_crl: crlHex(root.body, 'the root CRL'),
        pck_crl: crlHex(pckCrl.body, 'the PCK CRL'),
        tcb_info_issuer_chain: chainOf(tcb, 'TCB-Info-Issuer-Chain', 'SGX-TCB-Info-Issuer-Chain'),
        tcb_info: tcbInfo.text,
        tcb_info_signature: tcbInfo.signature,
        qe_identity_issuer_chain: chainOf(qe, 'SGX-Enclave-Identity-Issuer-Chain'),
        qe_identity: qeIdentity.text,
        qe_identity_signature: qeIdentity.signature,
      });
    },
  };
}
