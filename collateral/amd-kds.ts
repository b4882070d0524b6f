/**
 * AMD's endorsements over HTTP: the Key Distribution Service, or a cache with the same paths.
 * Source: "Versioned Chip Endorsement Key (VCEK) Certificate and KDS Interface Specification" (AMD 57230), chapter 4. The service
 * answers 429 to more than a request in ten seconds or so, so what never changes is asked for once and kept.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { derHex, pemCertificates } from './answers.ts';
import type { HttpDependencies, HttpLimits } from './http.ts';
import { defaultHttpLimits, send } from './http.ts';
import type { CollateralLoader, Published } from './published.ts';
import { hasStrings, publishedName, standsInForAMonth } from './published.ts';

/** Where to fetch. */
export interface KdsOptions {
  /** `https://kdsintf.amd.com`, without a path. */
  readonly baseUrl: string;
  readonly limits?: HttpLimits;
}

/** AMD's own service, with the patience that its rate limit asks for. */
export const amdKds: KdsOptions = Object.freeze({
  baseUrl: 'https://kdsintf.amd.com',
  limits: Object.freeze({ ...defaultHttpLimits, attempts: 5, firstPauseMs: 2000, maxPauseMs: 30_000 }),
});

/** AMD's product lines. */
export type KdsProduct = 'Milan' | 'Genoa' | 'Turin';

/** What to fetch: `snpCollateralKeyOf` of `attestation/` reads it from a report. */
export interface SnpCollateralKey {
  readonly product: KdsProduct;
  /** Whose key signed: a chip's, or one that AMD gave a cloud. */
  readonly signer: 'vcek' | 'vlek';
  /** CHIP_ID in lower-case hex, 64 bytes, 8 of Turin; null for a VLEK, which names no chip. */
  readonly hwid: string | null;
  /** REPORTED_TCB, levels from 0 to 255. */
  readonly tcb: Readonly<Record<'fmc' | 'bootloader' | 'tee' | 'snp' | 'microcode', number>>;
}

/** Endorsements in an evidence document, DER in hex with `0x`. */
export interface SnpEndorsementsDocument {
  readonly vek: string;
  readonly ask: string;
  readonly ark: string;
  readonly crl: string;
}

type Get = (path: string, signal: AbortSignal | undefined) => Promise<Uint8Array>;

function getter({ baseUrl, limits = defaultHttpLimits }: KdsOptions, dependencies: HttpDependencies): Get {
  return async (path, signal) => (await send({ url: new URL(path, baseUrl).href }, dependencies, limits, signal)).body;
}

/** The VCEK certificate of a chip at a TCB version. @throws `STUN_INPUT` for a key that the service cannot have */
function vcekOf(get: Get, { product, hwid, tcb }: SnpCollateralKey): Published<{ readonly vcek: string }> {
  const hwidBytes = product === 'Turin' ? 8 : 64;
  if (hwid === null || hwid.length !== 2 * hwidBytes || !/^[0-9a-f]+$/.test(hwid))
    throw new StunError('STUN_INPUT', `a chip of ${product} is named by ${hwidBytes} bytes of lower-case hex`);
  if (/^0+$/.test(hwid)) throw new StunError('STUN_SNP_HWID', 'the report hides its CHIP_ID, so nothing names its certificate');
  const levels = [
    ...(product === 'Turin' ? [['fmcSPL', tcb.fmc] as const] : []),
    ['blSPL', tcb.bootloader],
    ['teeSPL', tcb.tee],
    ['snpSPL', tcb.snp],
    ['ucodeSPL', tcb.microcode],
  ] as const;
  if (levels.some(([, level]) => !Number.isInteger(level) || level < 0 || level > 255))
    throw new StunError('STUN_INPUT', 'TCB levels are numbers from 0 to 255');
  const query = levels.map(([name, level]) => `${name}=${level}`).join('&');
  return {
    name: publishedName('vcek', product, hwid, ...levels.map(([, level]) => String(level))),
    lifetime: 'fixed',
    accepts: hasStrings('vcek'),
    standsInUntilUnix: standsInForAMonth,
    fetch: async (signal) => ({
      vcek: derHex(await get(`/vcek/v1/${product}/${hwid}?${query}`, signal), 'the VCEK certificate'),
    }),
  };
}

/** The authority that signs the VEKs of a product line, and the root. */
function authoritiesOf(
  get: Get,
  { product, signer }: SnpCollateralKey,
): Published<{ readonly ask: string; readonly ark: string }> {
  return {
    name: publishedName(signer, product, 'chain'),
    lifetime: 'fixed',
    accepts: hasStrings('ask', 'ark'),
    standsInUntilUnix: standsInForAMonth,
    fetch: async (signal) => {
      const text = new TextDecoder().decode(await get(`/${signer}/v1/${product}/cert_chain`, signal));
      const [ask = '', ark = ''] = pemCertificates(text, 2, "AMD's chain");
      return { ask, ark };
    },
  };
}

/** The CRL of the root of a product line. */
function crlOf(get: Get, { product, signer }: SnpCollateralKey): Published<{ readonly crl: string }> {
  return {
    name: publishedName(signer, product, 'crl'),
    lifetime: 'renewed',
    accepts: hasStrings('crl'),
    standsInUntilUnix: standsInForAMonth,
    fetch: async (signal) => ({ crl: derHex(await get(`/${signer}/v1/${product}/crl`, signal), "AMD's CRL") }),
  };
}

/**
 * Gets everything that a report needs to be verified, one request after the other.
 * @param vlek - the certificate of the key, DER in hex with `0x`, of a report that a VLEK signed: AMD gives it to the cloud alone
 * @throws `STUN_INPUT` | `STUN_SNP_SIGNER` without a VLEK that is needed | `STUN_SNP_HWID` when the report names no chip | the codes of the loader
 */
export async function loadSnpEndorsements(
  loader: CollateralLoader,
  options: KdsOptions,
  dependencies: HttpDependencies,
  key: SnpCollateralKey,
  vlek?: string,
  signal?: AbortSignal,
): Promise<SnpEndorsementsDocument> {
  const get = getter(options, dependencies);
  if (key.signer === 'vlek' && vlek === undefined)
    throw new StunError(
      'STUN_SNP_SIGNER',
      'a VLEK signed the report: its certificate comes with the report, from the cloud, not from AMD',
    );
  const vek = key.signer === 'vlek' ? vlek : `0x${(await loader.load(vcekOf(get, key), signal)).vcek}`;
  const { ask, ark } = await loader.load(authoritiesOf(get, key), signal);
  const { crl } = await loader.load(crlOf(get, key), signal);
  return { vek: vek ?? '', ask: `0x${ask}`, ark: `0x${ark}`, crl: `0x${crl}` };
}
