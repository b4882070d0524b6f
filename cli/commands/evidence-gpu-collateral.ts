/** What NVIDIA publishes about devices that show reports: RIM documents of driver and VBIOS, OCSP responses about chains of both. */
import { randomBytes } from 'node:crypto';
import { parseDeviceChain, parseGpuReport, parseOcspResponse } from '#attestation/index.ts';
import { gpuCollateralKeyOf, type GpuCollateralKey, type OcspCertificateKey } from '#attestation/nvidia/collateral-key.ts';
import { rimCollateralKeyOf } from '#attestation/nvidia/rim/collateral-key.ts';
import type { HttpDependencies } from '#collateral/http.ts';
import {
  driverRimId,
  nvidiaServices,
  ocspResponse,
  rimDocument,
  switchBiosRimId,
  vbiosRimId,
  type OcspDocument,
} from '#collateral/nvidia.ts';
import type { CollateralLoader } from '#collateral/published.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';

/** A device's report with its chain. */
export interface ReportedGpu {
  readonly report: Uint8Array;
  /** PEM, the key that signs reports first. */
  readonly chain: string;
}

/** What stands beside reports, each once for all devices. Nothing in it is verified. */
export interface FetchedGpuCollateral {
  readonly ocsp: readonly Uint8Array[];
  readonly rims: readonly Uint8Array[];
}

function rimIdsOf({ driver, vbios }: GpuCollateralKey): readonly string[] {
  const ids: string[] = [];
  if (driver !== null) ids.push(driverRimId(driver.chip, driver.version));
  if (vbios?.project === null) ids.push(switchBiosRimId(vbios.version));
  else if (vbios !== null)
    ids.push(vbiosRimId(vbios.project.project, vbios.project.projectSku, vbios.project.chipSku, vbios.version));
  return ids;
}

/** What a body reads in an answer of NVIDIA's; null when nobody can read it: that is the verifier's to say. */
function readable<T>(body: () => T): T | null {
  try {
    return body();
  } catch (thrown) {
    if (thrown instanceof StunError) return null;
    throw thrown;
  }
}

/** The response, unless it was made for another question. Without a nonce its own dates alone bound its age. */
function responseOf(document: OcspDocument): Uint8Array {
  const response = fromHex(`0x${document.response}`);
  const repeated = readable(() => parseOcspResponse(response).nonce);
  const asked = fromHex(`0x${document.nonce}`);
  if (repeated !== null && repeated !== toHex(Uint8Array.of(4, asked.length, ...asked)))
    throw new StunError('STUN_COLLATERAL_RESPONSE', 'the OCSP response is to a question with another nonce');
  return response;
}

/**
 * Gets what the reports and chains of devices name, and what is said of the certificates that sign the RIM documents.
 * @throws the codes of their parsers, `STUN_CHAIN_LENGTH` | `STUN_COLLATERAL_*` | `STUN_INPUT` for names that make no id of a RIM
 */
export async function loadOfGpus(
  loader: CollateralLoader,
  outside: HttpDependencies,
  devices: readonly ReportedGpu[],
): Promise<FetchedGpuCollateral> {
  const ocsp = new Map<string, Uint8Array>();
  const rims = new Map<string, Uint8Array>();
  const ask = async (certificates: readonly OcspCertificateKey[]): Promise<void> => {
    for (const certificate of certificates) {
      const asked = ocspResponse(nvidiaServices, outside, certificate, randomBytes(32));
      if (!ocsp.has(asked.name)) ocsp.set(asked.name, responseOf(await loader.load(asked)));
    }
  };
  for (const { report, chain } of devices) {
    const key = gpuCollateralKeyOf(parseGpuReport(report), parseDeviceChain(chain));
    await ask(key.certificates);
    for (const id of rimIdsOf(key)) {
      if (rims.has(id)) continue;
      const answer = await loader.load(rimDocument(nvidiaServices, outside, id));
      const rim = new Uint8Array(Buffer.from(answer.rim, 'base64'));
      rims.set(id, rim);
      await ask(readable(() => rimCollateralKeyOf(rim)) ?? []);
    }
  }
  return { ocsp: [...ocsp.values()], rims: [...rims.values()] };
}
