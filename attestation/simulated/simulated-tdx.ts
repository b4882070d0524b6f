/**
 * A simulated TDX machine: byte-valid quotes under a simulated root, with simulated collateral.
 *
 * Every line of the verification path runs on them. They prove nothing about hardware: the root is in no default trust store,
 * what is verified with it is marked `simulated`, and the default policy refuses it. The quote's user data says so in words.
 */
import { concatBytes, utf8 } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import { encodeEvidence } from '../evidence/document.ts';
import type { IntelCollateralJson } from '../intel/collateral.ts';
import type { TdBodyType, TdReport, TdReportField } from '../intel/quote-body.ts';
import { tdFieldsOf } from '../intel/quote-body.ts';
import { computeReportData } from '../report-data.ts';
import type { IntelTrustRoot } from '../trust/roots.ts';
import { currentSvns, outdatedSvns } from './collateral.ts';
import type { SimulatedPlatformOptions } from './simulated-platform.ts';
import { createSimulatedPlatform, exact } from './simulated-platform.ts';

export type { QuoteChanges } from './simulated-platform.ts';

/** What to simulate. Everything but the time has a default: a healthy machine with a fresh identity under a fresh root. */
export interface SimulatedTdxOptions extends SimulatedPlatformOptions {
  /** Body of the quotes; 2 when absent. 3 and 4 need version 5. */
  readonly bodyType?: TdBodyType;
  /** 48 bytes each. */
  readonly mrTd?: Uint8Array;
  readonly rtMrs?: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  /** Runs the TD in debug mode. */
  readonly debug?: boolean;
  /** Leaves SEPT_VE_DISABLE unset. */
  readonly withoutSeptVeDisable?: boolean;
}

/** A simulated machine. */
export interface SimulatedTdx {
  readonly ppid: Uint8Array;
  /** The collateral issued at the options' time. */
  readonly collateral: IntelCollateralJson;
  readonly root: IntelTrustRoot;
  /** Makes a quote. @param reportData - exactly 64 bytes */
  readonly quote: (reportData: Uint8Array) => Uint8Array;
  /** Makes an evidence document that binds a keyset and a nonce, 32 bytes each, with the collateral given or that of the options' time. */
  readonly evidence: (keysetDigest: Uint8Array, nonce: Uint8Array, collateral?: IntelCollateralJson) => Uint8Array;
  /** The collateral issued at another time: simulated collateral expires after 30 days like the real one. */
  readonly collateralAt: (atUnix: number) => IntelCollateralJson;
}

/** MRTD of the simulated TD image when none is given: 48 bytes. */
export const simulatedMrTd: Uint8Array = concatBytes(
  cryptoProvider.sha256(utf8('stun/simulated-image/v1')),
  cryptoProvider.sha256(utf8('stun/simulated-image/v1/tail')).subarray(0, 16),
);

function simulatedBody(options: SimulatedTdxOptions, type: TdBodyType, reportData: Uint8Array): TdReport {
  const zeros = Object.fromEntries(tdFieldsOf(type).map(([name, length]) => [name, new Uint8Array(length)])) as TdReport;
  const rtMrs = options.rtMrs ?? [new Uint8Array(48), new Uint8Array(48), new Uint8Array(48), new Uint8Array(48)];
  const attributes = [options.debug === true ? 1 : 0, 0, 0, options.withoutSeptVeDisable === true ? 0 : 0x10, 0, 0, 0, 0];
  const teeTcbSvn = Uint8Array.from((options.outOfDate === true ? outdatedSvns : currentSvns).teeTcb);
  const body: TdReport = {
    ...zeros,
    teeTcbSvn,
    ...(type === 2 ? {} : { teeTcbSvn2: teeTcbSvn }),
    tdAttributes: Uint8Array.from(attributes),
    xfam: Uint8Array.of(0xe7, 0x02, 0x06, 0, 0, 0, 0, 0),
    mrTd: exact(options.mrTd ?? simulatedMrTd, 48, 'mrTd'),
    rtMr0: rtMrs[0],
    rtMr1: rtMrs[1],
    rtMr2: rtMrs[2],
    rtMr3: rtMrs[3],
    reportData: exact(reportData, 64, 'report_data'),
    ...options.quoteChanges?.body,
  };
  const value = (name: TdReportField): Uint8Array => body[name] ?? new Uint8Array(0);
  for (const [name, length] of tdFieldsOf(type)) exact(value(name), length, name);
  return body;
}

/**
 * Makes a simulated TDX machine. With the same PKI, PPID and time it is the same machine, byte for byte.
 * @throws `STUN_INPUT` when a value has the wrong length
 */
export function createSimulatedTdx(options: SimulatedTdxOptions): SimulatedTdx {
  const type = options.bodyType ?? 2;
  const { ppid, root, collateralAt, quoteOf } = createSimulatedPlatform('tdx', options);
  const quote = (reportData: Uint8Array): Uint8Array => quoteOf({ type, report: simulatedBody(options, type, reportData) });
  const issued = collateralAt(options.atUnix);
  const evidence = (keysetDigest: Uint8Array, nonce: Uint8Array, collateral: IntelCollateralJson = issued): Uint8Array =>
    encodeEvidence({
      version: 1,
      kind: 'tdx',
      simulated: true,
      quote: quote(computeReportData(keysetDigest, nonce)),
      collateral,
      nonce,
      gpuEvidence: null,
    });
  return Object.freeze({ ppid, collateral: issued, root, quote, evidence, collateralAt });
}
