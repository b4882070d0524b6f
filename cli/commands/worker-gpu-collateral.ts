/** What NVIDIA publishes about a worker's GPUs: from NVIDIA with a cache on disk, or from a bundle that was carried to the machine. */
import { parseOcspResponse } from '#attestation/index.ts';
import { openCollateralBundle } from '#collateral/bundle.ts';
import { createDiskCache } from '#collateral/disk-cache.ts';
import type { HttpDependencies } from '#collateral/http.ts';
import { network } from '#collateral/network.ts';
import { StunError } from '#protocol/index.ts';
import type { GpuCollateralSource } from '#worker/config.ts';
import type { GpuCollateralFor } from '#worker/issuer/issuer.ts';
import { loadOfGpus } from './evidence-gpu-collateral.ts';

/** OCSP responses stand for a day; a kept one is asked for again after an hour. RIM documents never change. */
const MAX_AGE_SECONDS = 3600;

/**
 * Opens the way that the settings name; the bundle is read again for each question, so that it can be replaced while the worker runs.
 * @param nowUnix - the clock
 * @returns what throws `STUN_OCSP_EXPIRED` for a response that ended, `STUN_OCSP_FORMAT` for one that is none, `STUN_COLLATERAL_*`,
 *   `STUN_FILE`, and the codes of the parsers of GPU reports and chains
 */
export function openGpuCollateral(
  source: GpuCollateralSource,
  outside: HttpDependencies = network,
  nowUnix: () => number = () => Math.floor(Date.now() / 1000),
): GpuCollateralFor {
  const open =
    'bundlePath' in source
      ? () => openCollateralBundle(source.bundlePath)
      : () => createDiskCache({ folder: source.cachePath, maxAgeSeconds: MAX_AGE_SECONDS, nowUnix });
  return async (gpus) => {
    const { ocsp, rims } = await loadOfGpus(await open(), outside, gpus);
    const standsUntilUnix = Math.min(...ocsp.map((response) => parseOcspResponse(response).nextUpdateUnix));
    // Everybody would refuse the document: it is not even made, and the log says why.
    if (standsUntilUnix <= nowUnix())
      throw new StunError('STUN_OCSP_EXPIRED', `an OCSP response about a GPU ended at ${standsUntilUnix}`);
    return { ocsp, rims, standsUntilUnix };
  };
}
