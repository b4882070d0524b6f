/**
 * A simulated SGX machine: byte-valid quotes of one enclave under a simulated root, with simulated collateral. They prove nothing about
 * hardware; see `simulated-tdx.ts`.
 */
import { encodeEvidence } from '../evidence/document.ts';
import type { IntelCollateralJson } from '../intel/collateral.ts';
import { enclaveReportBytes, enclaveReportOffset, parseEnclaveReport } from '../intel/enclave-report.ts';
import { computeReportData } from '../report-data.ts';
import type { IntelTrustRoot } from '../trust/roots.ts';
import { currentSvns, outdatedSvns } from './collateral.ts';
import type { SimulatedPlatformOptions } from './simulated-platform.ts';
import { createSimulatedPlatform, exact } from './simulated-platform.ts';

/** What to simulate. Everything but the time has a default; quotes have version 3. */
export interface SimulatedSgxOptions extends SimulatedPlatformOptions {
  /** Runs the enclave in debug mode. */
  readonly debug?: boolean;
}

/** A simulated machine. */
export interface SimulatedSgx {
  readonly ppid: Uint8Array;
  /** The collateral issued at the options' time. */
  readonly collateral: IntelCollateralJson;
  readonly root: IntelTrustRoot;
  /** Makes a quote. @param reportData - exactly 64 bytes */
  readonly quote: (reportData: Uint8Array) => Uint8Array;
  /** Makes a whole evidence document that binds a keyset and a nonce, 32 bytes each. */
  readonly evidence: (keysetDigest: Uint8Array, nonce: Uint8Array) => Uint8Array;
}

/** The simulated enclave. */
export const simulatedEnclave = {
  mrEnclave: new Uint8Array(32).fill(0xe1),
  mrSigner: new Uint8Array(32).fill(0x51),
  isvProdId: 7,
  isvSvn: 3,
} as const;

function simulatedReport(options: SimulatedSgxOptions, reportData: Uint8Array): Uint8Array {
  const report = new Uint8Array(enclaveReportBytes);
  const svns = options.outOfDate === true ? outdatedSvns : currentSvns;
  report.set(svns.components, enclaveReportOffset.cpuSvn);
  report.set([options.debug === true ? 7 : 5, 0, 0, 0, 0, 0, 0, 0, 0xe7], enclaveReportOffset.attributes);
  report.set(simulatedEnclave.mrEnclave, enclaveReportOffset.mrEnclave);
  report.set(simulatedEnclave.mrSigner, enclaveReportOffset.mrSigner);
  report[enclaveReportOffset.isvProdId] = simulatedEnclave.isvProdId;
  report[enclaveReportOffset.isvSvn] = simulatedEnclave.isvSvn;
  report.set(exact(reportData, 64, 'report_data'), enclaveReportOffset.reportData);
  options.quoteChanges?.enclave?.(report);
  return report;
}

/**
 * Makes a simulated SGX machine. With the same PKI, PPID and time it is the same machine, byte for byte.
 * @throws `STUN_INPUT` when a value has the wrong length
 */
export function createSimulatedSgx(options: SimulatedSgxOptions): SimulatedSgx {
  const { ppid, root, collateralAt, quoteOf } = createSimulatedPlatform('sgx', { quoteVersion: 3, ...options });
  const quote = (reportData: Uint8Array): Uint8Array =>
    quoteOf({ type: 1, report: parseEnclaveReport(simulatedReport(options, reportData)) });
  const collateral = collateralAt(options.atUnix);
  const evidence = (keysetDigest: Uint8Array, nonce: Uint8Array): Uint8Array =>
    encodeEvidence({
      version: 1,
      kind: 'sgx',
      simulated: true,
      quote: quote(computeReportData(keysetDigest, nonce)),
      collateral,
      nonce,
      gpuEvidence: null,
    });
  return Object.freeze({ ppid, collateral, root, quote, evidence });
}
