/**
 * A simulated TDX machine: byte-valid v4 quotes under a simulated root, with simulated collateral.
 *
 * Every line of the verification path runs on them. They prove nothing about hardware: the root is in no default trust store,
 * what is verified with it is marked `simulated`, and the default policy refuses it. The quote's user data says so in words.
 */
import { randomBytes } from 'node:crypto';
import { StunError } from '#protocol/errors/stun-error.ts';
import { concatBytes, fromHex, utf8 } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { TdxCollateralJson } from '../intel/collateral.ts';
import { encodeEvidence } from '../evidence/document.ts';
import { enclaveReportBytes, enclaveReportOffset, parseEnclaveReport } from '../intel/enclave-report.ts';
import type { QuoteHeader, TdReport } from '../tdx/quote.ts';
import { encodeSignedPart, encodeTdxQuote, intelQeVendorId, tdReportFields } from '../tdx/quote.ts';
import { computeReportData } from '../report-data.ts';
import type { IntelTrustRoot } from '../trust/roots.ts';
import { encodePem } from '../x509/pem.ts';
import type { CertificateSpec, PckExtensionSpec } from './certificates.ts';
import { makeCertificate, makePckExtension } from './certificates.ts';
import type { CollateralChanges } from './collateral.ts';
import { currentSvns, makeSimulatedCollateral, outdatedSvns, simulatedFmspc, simulatedPceId, simulatedQe } from './collateral.ts';
import { hexBytes } from './der-writer.ts';
import type { SimulatedPki } from './pki.ts';
import { certificateSpec, createSimulatedPki, makeAuthorityCertificates, simulatedNames } from './pki.ts';
import { deriveSigningKey } from './signing-key.ts';

/** Changes inside the quote, each signed over again, for evidence that must be refused. */
export interface QuoteChanges {
  readonly header?: Partial<QuoteHeader>;
  readonly body?: Partial<TdReport>;
  /** Writes into the 384 bytes of the QE report before the PCK key signs them. */
  readonly qeReport?: (report: Uint8Array) => void;
  readonly pck?: Partial<CertificateSpec>;
  readonly pckExtension?: Partial<PckExtensionSpec>;
}

/** What to simulate. Everything but the time has a default: a healthy machine with a fresh identity under a fresh root. */
export interface SimulatedTdxOptions {
  /** Time at which the collateral is issued, unix seconds. */
  readonly atUnix: number;
  readonly pki?: SimulatedPki;
  /** Hardware identity, 16 bytes; random when absent. */
  readonly ppid?: Uint8Array;
  /** 48 bytes each. */
  readonly mrTd?: Uint8Array;
  readonly rtMrs?: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  /** Runs the TD in debug mode. */
  readonly debug?: boolean;
  /** Leaves SEPT_VE_DISABLE unset. */
  readonly withoutSeptVeDisable?: boolean;
  /** Puts platform, module and QE one level below the current one. */
  readonly outOfDate?: boolean;
  /** Puts the PCK certificate on the platform CA's CRL. */
  readonly revoked?: boolean;
  /** Deeper changes for tests of the verifier. */
  readonly quoteChanges?: QuoteChanges;
  readonly collateralChanges?: CollateralChanges;
}

/** A simulated machine. */
export interface SimulatedTdx {
  readonly ppid: Uint8Array;
  /** The collateral issued at the options' time. */
  readonly collateral: TdxCollateralJson;
  readonly root: IntelTrustRoot;
  /** Makes a quote. @param reportData - exactly 64 bytes */
  readonly quote: (reportData: Uint8Array) => Uint8Array;
  /** Makes an evidence document that binds a keyset and a nonce, 32 bytes each, with the collateral given or that of the options' time. */
  readonly evidence: (keysetDigest: Uint8Array, nonce: Uint8Array, collateral?: TdxCollateralJson) => Uint8Array;
  /** The collateral issued at another time: simulated collateral expires after 30 days like the real one. */
  readonly collateralAt: (atUnix: number) => TdxCollateralJson;
}

/** MRTD of the simulated TD image when none is given: 48 bytes. */
export const simulatedMrTd: Uint8Array = concatBytes(
  cryptoProvider.sha256(utf8('stun/simulated-image/v1')),
  cryptoProvider.sha256(utf8('stun/simulated-image/v1/tail')).subarray(0, 16),
);

function exact(bytes: Uint8Array, length: number, what: string): Uint8Array {
  if (bytes.length !== length) throw new StunError('STUN_INPUT', `${what} must have ${length} bytes, got ${bytes.length}`);
  return bytes;
}

function simulatedBody(options: SimulatedTdxOptions, reportData: Uint8Array): TdReport {
  const zeros = Object.fromEntries(tdReportFields.map(([name, length]) => [name, new Uint8Array(length)])) as TdReport;
  const rtMrs = options.rtMrs ?? [new Uint8Array(48), new Uint8Array(48), new Uint8Array(48), new Uint8Array(48)];
  const body: TdReport = {
    ...zeros,
    teeTcbSvn: Uint8Array.from((options.outOfDate === true ? outdatedSvns : currentSvns).teeTcb),
    tdAttributes: Uint8Array.of(
      options.debug === true ? 1 : 0,
      0,
      0,
      options.withoutSeptVeDisable === true ? 0 : 0x10,
      0,
      0,
      0,
      0,
    ),
    xfam: Uint8Array.of(0xe7, 0x02, 0x06, 0, 0, 0, 0, 0),
    mrTd: exact(options.mrTd ?? simulatedMrTd, 48, 'mrTd'),
    rtMr0: rtMrs[0],
    rtMr1: rtMrs[1],
    rtMr2: rtMrs[2],
    rtMr3: rtMrs[3],
    reportData: exact(reportData, 64, 'report_data'),
    ...options.quoteChanges?.body,
  };
  for (const [name, length] of tdReportFields) exact(body[name], length, name);
  return body;
}

function simulatedQeReport(options: SimulatedTdxOptions, attestationKey: Uint8Array, authData: Uint8Array): Uint8Array {
  const report = new Uint8Array(enclaveReportBytes);
  const svns = options.outOfDate === true ? outdatedSvns : currentSvns;
  report.set(svns.components, enclaveReportOffset.cpuSvn);
  report.set(hexBytes(simulatedQe.attributes), enclaveReportOffset.attributes);
  report.set(hexBytes(simulatedQe.mrSigner), enclaveReportOffset.mrSigner);
  report[enclaveReportOffset.isvProdId] = simulatedQe.isvProdId;
  report[enclaveReportOffset.isvSvn] = svns.qeIsvSvn;
  report.set(cryptoProvider.sha256(attestationKey, authData), enclaveReportOffset.reportData);
  options.quoteChanges?.qeReport?.(report);
  return report;
}

/**
 * Makes a simulated TDX machine. With the same PKI, PPID and time it is the same machine, byte for byte.
 * @throws `STUN_INPUT` when a value has the wrong length
 */
export function createSimulatedTdx(options: SimulatedTdxOptions): SimulatedTdx {
  const pki = options.pki ?? createSimulatedPki();
  const ppid = exact(options.ppid ?? new Uint8Array(randomBytes(16)), 16, 'ppid').slice();
  const machineSeed = concatBytes(pki.seed, ppid);
  const pckKey = deriveSigningKey(machineSeed, 'pck');
  const attestationKey = deriveSigningKey(machineSeed, 'attestation');
  const svns = options.outOfDate === true ? outdatedSvns : currentSvns;
  const { quoteChanges = {}, collateralChanges = {} } = options;
  const extension = makePckExtension({
    ppid,
    componentSvns: svns.components,
    pceSvn: svns.pceSvn,
    pceId: hexBytes(simulatedPceId),
    fmspc: hexBytes(simulatedFmspc),
    ...quoteChanges.pckExtension,
  });
  const pck: CertificateSpec = {
    ...certificateSpec(simulatedNames.pck, pckKey.publicKey, simulatedNames.platformCa, pki.platformCaKey, null),
    extensions: [extension],
    ...quoteChanges.pck,
  };
  const authorities = makeAuthorityCertificates(pki, collateralChanges);
  const pckChainPem = [makeCertificate(pck, pki.platformCaKey), authorities.platformCa, authorities.root].map(encodePem).join('');
  const revoked = options.revoked === true ? [pck.serial] : [];
  const header: QuoteHeader = {
    version: 4,
    attestationKeyType: 2,
    teeType: 0x81,
    svns: new Uint8Array(4),
    qeVendorId: fromHex(intelQeVendorId),
    userData: concatBytes(utf8('STUN SIMULATED'), new Uint8Array(6)),
    ...quoteChanges.header,
  };
  const authData = Uint8Array.from({ length: 32 }, (_, i) => i);
  const rawKey = attestationKey.publicKey.subarray(1);

  const quote = (reportData: Uint8Array): Uint8Array => {
    const body = simulatedBody(options, reportData);
    const qeReport = simulatedQeReport(options, rawKey, authData);
    return encodeTdxQuote({
      header,
      body,
      signature: attestationKey.sign(encodeSignedPart(header, body)),
      attestationKey: rawKey,
      qeReport: parseEnclaveReport(qeReport),
      qeReportSignature: pckKey.sign(qeReport),
      qeAuthData: authData,
      pckChainPem,
      trailingBytes: 0,
    });
  };
  const collateralAt = (atUnix: number): TdxCollateralJson => makeSimulatedCollateral(pki, atUnix, revoked, collateralChanges);
  const issued = collateralAt(options.atUnix);
  const evidence = (keysetDigest: Uint8Array, nonce: Uint8Array, collateral: TdxCollateralJson = issued): Uint8Array =>
    encodeEvidence({
      version: 1,
      kind: 'tdx',
      simulated: true,
      quote: quote(computeReportData(keysetDigest, nonce)),
      collateral,
      nonce,
      gpuEvidence: null,
    });
  return Object.freeze({ ppid, collateral: issued, root: pki.root, quote, evidence, collateralAt });
}
