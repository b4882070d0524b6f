/** Collateral that a command gets by itself: from the vendors when it was told to use the network, or from a bundle. Never by default. */
import {
  collateralKeyOf,
  parseIntelQuote,
  parseSnpReport,
  pckRequestOf,
  quoteKind,
  snpCollateralKeyOf,
} from '#attestation/index.ts';
import type { IntelCollateralJson, SnpEndorsementsJson } from '#attestation/index.ts';
import { amdKds, loadSnpEndorsements } from '#collateral/amd-kds.ts';
import { createBundlingLoader, openCollateralBundle } from '#collateral/bundle.ts';
import { createDiskCache } from '#collateral/disk-cache.ts';
import type { HttpDependencies } from '#collateral/http.ts';
import { intelCollateral, intelPcs, pccsAt, pckCertificate } from '#collateral/intel-pcs.ts';
import type { PcsOptions } from '#collateral/intel-pcs.ts';
import { fromNetwork } from '#collateral/published.ts';
import type { CollateralLoader } from '#collateral/published.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { secretOf } from '../settings.ts';
import type { FetchedGpuCollateral, ReportedGpu } from './evidence-gpu-collateral.ts';
import { loadOfGpus } from './evidence-gpu-collateral.ts';

/** Options that let a command get collateral. */
export interface CollateralOptions {
  /** Ask the vendors. */
  readonly fetch?: boolean;
  /** Take it from a bundle instead; nothing is asked. */
  readonly bundle?: string;
  /** With `fetch`: leave what was fetched in a bundle. */
  readonly saveBundle?: string;
  /** Address of a PCCS, which is asked instead of Intel. */
  readonly pccs?: string;
  /** Address that is asked instead of AMD's. */
  readonly kds?: string;
  /** Folder that keeps what was fetched. */
  readonly cache?: string;
}

/** A way to collateral. */
export interface CollateralAccess {
  /** Of a quote of TDX or SGX. @throws the codes of the quote's parser and of `collateral/` */
  readonly ofQuote: (quote: Uint8Array) => Promise<IntelCollateralJson>;
  /** Of a SEV-SNP report. @param vlek - DER in hex, when a VLEK signed */
  readonly ofReport: (report: Uint8Array, vlek?: string) => Promise<SnpEndorsementsJson>;
  /** Of reports of GPUs and switches. @throws the codes of their parsers, `STUN_CHAIN_LENGTH`, and of `collateral/` */
  readonly ofGpus: (devices: readonly ReportedGpu[]) => Promise<FetchedGpuCollateral>;
  /** Leaves the bundle that was asked for. */
  readonly finish: () => Promise<void>;
}

/** How long what the vendors renew is kept without asking again. */
const MAX_AGE_SECONDS = 86_400;

function addressOf(text: string, option: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new StunError('STUN_INPUT', `${option} must be an http or https address`);
  return text;
}

async function pcsOf({ pccs }: CollateralOptions): Promise<PcsOptions> {
  if (pccs !== undefined) return pccsAt(addressOf(pccs, '--pccs'));
  const subscriptionKey = await secretOf('STUN_CLI_PCS_KEY');
  return subscriptionKey === undefined ? intelPcs : { ...intelPcs, subscriptionKey };
}

/**
 * Opens the way that the options name.
 * @returns null when they name none
 * @throws `STUN_INPUT` for options that do not go together, `STUN_FILE`
 */
export async function openCollateral(options: CollateralOptions, outside: HttpDependencies): Promise<CollateralAccess | null> {
  const { fetch, bundle, saveBundle, cache } = options;
  if (fetch === true && bundle !== undefined) throw new StunError('STUN_INPUT', '--fetch and --bundle exclude each other');
  if (fetch !== true) {
    if ([saveBundle, cache, options.pccs, options.kds].some((option) => option !== undefined))
      throw new StunError('STUN_INPUT', '--save-bundle, --cache, --pccs and --kds go with --fetch');
    if (bundle === undefined) return null;
  }
  const cached = cache === undefined ? fromNetwork : createDiskCache({ folder: cache, maxAgeSeconds: MAX_AGE_SECONDS, nowUnix });
  const bundling = createBundlingLoader(bundle === undefined ? cached : await openCollateralBundle(bundle));
  const pcs = await pcsOf(options);
  const kds = options.kds === undefined ? amdKds : { ...amdKds, baseUrl: addressOf(options.kds, '--kds') };
  return {
    ofQuote: (quote) => loadOfQuote(bundling, pcs, outside, quote),
    ofReport: (report, vlek) => loadSnpEndorsements(bundling, kds, outside, snpCollateralKeyOf(parseSnpReport(report)), vlek),
    ofGpus: (devices) => loadOfGpus(bundling, outside, devices),
    finish: async () => {
      if (saveBundle !== undefined) await bundling.writeBundle(saveBundle);
    },
  };
}

function nowUnix(): number {
  return Math.floor(Date.now() / 1000);
}

async function loadOfQuote(
  loader: CollateralLoader,
  pcs: PcsOptions,
  outside: HttpDependencies,
  bytes: Uint8Array,
): Promise<IntelCollateralJson> {
  const quote = parseIntelQuote(bytes);
  const request = pckRequestOf(quote);
  const pck = request === null ? null : await loader.load(pckCertificate(pcs, outside, request));
  const key = collateralKeyOf(quote, pck?.pck_certificate_chain);
  return { ...(await loader.load(intelCollateral(pcs, outside, { tee: quoteKind(bytes), ...key }))), ...pck };
}
