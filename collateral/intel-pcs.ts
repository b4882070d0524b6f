/**
 * Intel's collateral over HTTP: the Provisioning Certification Service, or a caching service (PCCS) with the same paths.
 * Source: Intel PCS API v4, "Get TCB Info", "Get QE Identity", "Get PCK Certificate Revocation List", "Get PCK Certificate".
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { chainOf, derOrHex, pemCertificates, refuseAnswer } from './answers.ts';
import type { HttpAnswer, HttpDependencies, HttpLimits } from './http.ts';
import { defaultHttpLimits, send } from './http.ts';
import type { Published } from './published.ts';
import { hasStrings, publishedName, standsInForAMonth } from './published.ts';

/** Where to fetch. */
export interface PcsOptions {
  /** `https://api.trustedservices.intel.com` or the address of a PCCS, without a path. */
  readonly baseUrl: string;
  /** Where the root's CRL lies: Intel publishes it apart, a PCCS under its own path. */
  readonly rootCrl: { readonly kind: 'url'; readonly url: string } | { readonly kind: 'pccs' };
  /** Intel's update channel. `early` holds levels before they become `standard`. */
  readonly update: 'standard' | 'early';
  /** Intel gives PCK certificates to subscribers alone; a PCCS needs no key. Sent to `baseUrl` and nowhere else. */
  readonly subscriptionKey?: string;
  readonly limits?: HttpLimits;
}

/** Intel's own service. */
export const intelPcs: PcsOptions = Object.freeze({
  baseUrl: 'https://api.trustedservices.intel.com',
  rootCrl: Object.freeze({ kind: 'url', url: 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der' }),
  update: 'standard',
});

/** A caching service in the provider's own network. */
export function pccsAt(baseUrl: string): PcsOptions {
  return { baseUrl, rootCrl: { kind: 'pccs' }, update: 'standard' };
}

const collateralFields = [
  'pck_crl_issuer_chain',
  'root_ca_crl',
  'pck_crl',
  'tcb_info_issuer_chain',
  'tcb_info',
  'tcb_info_signature',
  'qe_identity_issuer_chain',
  'qe_identity',
  'qe_identity_signature',
] as const;

/** The collateral of a quote, in the layout that `attestation/` reads: texts exactly as signed, CRLs and signatures in hex. */
export type IntelCollateralDocument = { readonly [Field in (typeof collateralFields)[number]]: string };

/** What to fetch: `collateralKeyOf` of `attestation/` reads it from a quote. */
export interface IntelCollateralKey {
  readonly tee: 'tdx' | 'sgx';
  /** Platform family, 12 lower-case hex digits. */
  readonly fmspc: string;
  readonly pckCa: 'platform' | 'processor';
}

/** The exact text of the signed member, cut out of the body byte for byte: its signature is over these characters. */
function signedMember(answer: HttpAnswer, member: string): { text: string; signature: string } {
  const body = new TextDecoder('utf-8', { ignoreBOM: true }).decode(answer.body);
  const match = new RegExp(`^\\{"${member}":(\\{.*\\}),"signature":"([0-9a-fA-F]{128})"\\}\\s*$`, 's').exec(body);
  const [, text, signature] = match ?? [];
  if (text === undefined || signature === undefined) return refuseAnswer(`expected {"${member}":{…},"signature":"…"}`);
  return { text, signature };
}

/** The earlier nextUpdate of the two signed texts, unix seconds. CRLs are judged by the verifier. */
function earlierEnd(document: IntelCollateralDocument): number {
  const ends = [document.tcb_info, document.qe_identity].map((text) => {
    const match = /"nextUpdate":"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z)"/.exec(text);
    return match?.[1] === undefined ? Number.NaN : Date.parse(match[1]) / 1000;
  });
  const end = Math.min(...ends);
  return Number.isFinite(end) ? end : refuseAnswer('expected a nextUpdate in both signed texts');
}

type Ask = (path: string, query: Readonly<Record<string, string>>) => Promise<HttpAnswer>;

function asking(options: PcsOptions, dependencies: HttpDependencies, signal: AbortSignal | undefined): Ask {
  const key = options.subscriptionKey;
  return (path, query) => {
    const url = new URL(path, options.baseUrl);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const headers = key === undefined ? {} : { 'ocp-apim-subscription-key': key };
    return send({ url: url.href, headers }, dependencies, options.limits ?? defaultHttpLimits, signal);
  };
}

/**
 * TCB Info, QE identity and CRLs of a platform family.
 * @throws `STUN_INPUT` for a malformed key
 */
export function intelCollateral(
  options: PcsOptions,
  dependencies: HttpDependencies,
  { tee, fmspc, pckCa }: IntelCollateralKey,
): Published<IntelCollateralDocument> {
  if (!/^[0-9a-f]{12}$/.test(fmspc)) throw new StunError('STUN_INPUT', 'the FMSPC must be 12 lower-case hex digits');
  const { rootCrl, update, limits = defaultHttpLimits } = options;
  return {
    name: publishedName(tee, fmspc, pckCa),
    lifetime: 'renewed',
    accepts: hasStrings(...collateralFields),
    standsInUntilUnix: earlierEnd,
    fetch: async (signal) => {
      const ask = asking(options, dependencies, signal);
      const [tcb, qe, pckCrl, root] = await Promise.all([
        ask(`/${tee}/certification/v4/tcb`, { fmspc, update }),
        ask(`/${tee}/certification/v4/qe/identity`, { update }),
        ask('/sgx/certification/v4/pckcrl', { ca: pckCa, encoding: 'der' }),
        rootCrl.kind === 'url'
          ? send({ url: rootCrl.url }, dependencies, limits, signal)
          : ask('/sgx/certification/v4/rootcacrl', {}),
      ]);
      const tcbInfo = signedMember(tcb, 'tcbInfo');
      const qeIdentity = signedMember(qe, 'enclaveIdentity');
      return Object.freeze({
        pck_crl_issuer_chain: chainOf(pckCrl.headers, 'SGX-PCK-CRL-Issuer-Chain'),
        root_ca_crl: derOrHex(root.body, 'the root CRL'),
        pck_crl: derOrHex(pckCrl.body, 'the PCK CRL'),
        tcb_info_issuer_chain: chainOf(tcb.headers, 'TCB-Info-Issuer-Chain', 'SGX-TCB-Info-Issuer-Chain'),
        tcb_info: tcbInfo.text,
        tcb_info_signature: tcbInfo.signature,
        qe_identity_issuer_chain: chainOf(qe.headers, 'SGX-Enclave-Identity-Issuer-Chain'),
        qe_identity: qeIdentity.text,
        qe_identity_signature: qeIdentity.signature,
      });
    },
  };
}

/** How a quote names a platform whose PCK certificate it does not carry: `pckRequestOf` of `attestation/` reads it. Hex, as in the quote. */
export interface PckRequest {
  /** 16 bytes; by it a PCCS knows the platform. */
  readonly qeId: string;
  /** 384 bytes, under Intel's RSA-3072 key, or null where the quote has it in another form: then a PCCS alone can help. */
  readonly encryptedPpid: string | null;
  /** 16 bytes. */
  readonly cpuSvn: string;
  /** 2 bytes, little-endian. */
  readonly pceSvn: string;
  /** 2 bytes, little-endian. */
  readonly pceId: string;
}

/** A PCK certificate with its authorities, PEM, leaf first. */
export interface PckDocument {
  readonly pck_certificate_chain: string;
}

/**
 * The PCK certificate of a platform at the TCB that the quote names.
 * @throws `STUN_PCK_MISSING` where Intel is asked without an encrypted PPID that it can read | `STUN_INPUT` for a malformed request
 */
export function pckCertificate(
  options: PcsOptions,
  dependencies: HttpDependencies,
  { qeId, encryptedPpid, cpuSvn, pceSvn, pceId }: PckRequest,
): Published<PckDocument> {
  const isHex = (text: string, bytes: number): boolean => text.length === 2 * bytes && /^[0-9a-f]*$/.test(text);
  const fits = isHex(qeId, 16) && isHex(cpuSvn, 16) && isHex(pceSvn, 2) && isHex(pceId, 2);
  if (!fits || (encryptedPpid !== null && !isHex(encryptedPpid, 384)))
    throw new StunError('STUN_INPUT', 'a PCK certificate is asked for by hex of the lengths that Intel lays down');
  const isPccs = options.rootCrl.kind === 'pccs';
  if (!isPccs && encryptedPpid === null)
    throw new StunError('STUN_PCK_MISSING', 'Intel finds a PCK certificate only by a PPID under its RSA-3072 key: ask a PCCS');
  return {
    name: publishedName('pck', qeId, cpuSvn, pceSvn, pceId),
    lifetime: 'renewed',
    accepts: hasStrings('pck_certificate_chain'),
    standsInUntilUnix: standsInForAMonth,
    fetch: async (signal) => {
      const ppid = encryptedPpid === null ? {} : { encrypted_ppid: encryptedPpid };
      const query = { ...ppid, cpusvn: cpuSvn, pcesvn: pceSvn, pceid: pceId, ...(isPccs ? { qeid: qeId } : {}) };
      const answer = await asking(options, dependencies, signal)('/sgx/certification/v4/pckcert', query);
      const leaf = new TextDecoder().decode(answer.body);
      pemCertificates(leaf, 1, 'the PCK certificate');
      const authorities = chainOf(answer.headers, 'SGX-PCK-Certificate-Issuer-Chain');
      pemCertificates(authorities, 2, 'the chain of the PCK certificate');
      return { pck_certificate_chain: `${leaf.trimEnd()}\n${authorities}` };
    },
  };
}
