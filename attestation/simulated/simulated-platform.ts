/**
 * A simulated Intel platform: its PCK certificate under a simulated root, its quoting enclave, and collateral for them. What the TEE
 * reports about itself is put in by `simulated-tdx.ts` and `simulated-sgx.ts`.
 */
import { randomBytes } from 'node:crypto';
import { StunError } from '#protocol/errors/stun-error.ts';
import { concatBytes, fromHex, utf8 } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { CertificationData } from '../intel/certification-data.ts';
import type { IntelCollateralJson } from '../intel/collateral.ts';
import { enclaveReportBytes, enclaveReportOffset, parseEnclaveReport } from '../intel/enclave-report.ts';
import type { QuoteHeader } from '../intel/quote.ts';
import { encodeIntelQuote, encodeSignedPart, intelQeVendorId, teeType } from '../intel/quote.ts';
import type { QuoteBody, TdReport } from '../intel/quote-body.ts';
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
  /** Writes into the 384 bytes of the enclave report that an SGX quote is about. */
  readonly enclave?: (report: Uint8Array) => void;
  /** Writes into the 384 bytes of the QE report before the PCK key signs them. */
  readonly qeReport?: (report: Uint8Array) => void;
  readonly pck?: Partial<CertificateSpec>;
  readonly pckExtension?: Partial<PckExtensionSpec>;
  readonly certification?: (data: CertificationData) => CertificationData;
}

/** What to simulate. Everything but the time has a default: a healthy machine with a fresh identity under a fresh root. */
export interface SimulatedPlatformOptions {
  /** Time at which the collateral is issued, unix seconds. */
  readonly atUnix: number;
  readonly pki?: SimulatedPki;
  /** Hardware identity, 16 bytes; random when absent. */
  readonly ppid?: Uint8Array;
  /** Version of the quotes; 4 when absent. Version 3 is of SGX alone. */
  readonly quoteVersion?: 3 | 4 | 5;
  /** How quotes name their PCK certificate; 5, the whole chain, when absent. For 1 to 3 the chain is put into the collateral. */
  readonly certificationType?: CertificationData['type'];
  /** Puts platform, module and QE one level below the current one. */
  readonly outOfDate?: boolean;
  /** Puts the PCK certificate on the platform CA's CRL. */
  readonly revoked?: boolean;
  /** Deeper changes for tests of the verifier. */
  readonly quoteChanges?: QuoteChanges;
  readonly collateralChanges?: CollateralChanges;
}

/** A simulated platform. */
export interface SimulatedPlatform {
  readonly ppid: Uint8Array;
  readonly root: IntelTrustRoot;
  /** The collateral issued at a time: simulated collateral expires after 30 days like the real one. */
  readonly collateralAt: (atUnix: number) => IntelCollateralJson;
  /** Signs what a TEE reports. */
  readonly quoteOf: (body: QuoteBody) => Uint8Array;
}

/** @throws `STUN_INPUT` unless there are exactly so many bytes */
export function exact(bytes: Uint8Array, length: number, what: string): Uint8Array {
  if (bytes.length !== length) throw new StunError('STUN_INPUT', `${what} must have ${length} bytes, got ${bytes.length}`);
  return bytes;
}

function simulatedQeReport(options: SimulatedPlatformOptions, attestationKey: Uint8Array, authData: Uint8Array): Uint8Array {
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

/** An encrypted PPID is only ever compared by Intel's services: any bytes of its length do. */
function certificationOf(
  type: CertificationData['type'],
  ppid: Uint8Array,
  svns: typeof currentSvns | typeof outdatedSvns,
  chain: readonly string[],
): CertificationData {
  if (type === 5) return { type, chainPem: chain.join('') };
  if (type === 4) return { type, leafPem: chain[0] ?? '' };
  const tcb = { cpuSvn: Uint8Array.from(svns.components), pceSvn: svns.pceSvn, pceId: hexBytes(simulatedPceId) };
  return type === 1 ? { type, ppid, ...tcb } : { type, encryptedPpid: new Uint8Array(type === 2 ? 256 : 384).fill(0x5a), ...tcb };
}

/**
 * Makes a simulated platform. With the same PKI, PPID and time it is the same platform, byte for byte.
 * @throws `STUN_INPUT` when a value has the wrong length
 */
export function createSimulatedPlatform(kind: 'tdx' | 'sgx', options: SimulatedPlatformOptions): SimulatedPlatform {
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
  const chain = [makeCertificate(pck, pki.platformCaKey), authorities.platformCa, authorities.root].map(encodePem);
  const revoked = options.revoked === true ? [pck.serial] : [];
  const certificationType = options.certificationType ?? 5;
  const named = certificationOf(certificationType, ppid, svns, chain);
  const certification = quoteChanges.certification?.(named) ?? named;
  const header: QuoteHeader = {
    version: options.quoteVersion ?? 4,
    attestationKeyType: 2,
    teeType: teeType[kind],
    svns: new Uint8Array(4),
    qeVendorId: fromHex(intelQeVendorId),
    userData: concatBytes(utf8('STUN SIMULATED'), new Uint8Array(6)),
    ...quoteChanges.header,
  };
  const authData = Uint8Array.from({ length: 32 }, (_, i) => i);
  const rawKey = attestationKey.publicKey.subarray(1);

  const quoteOf = (body: QuoteBody): Uint8Array => {
    const qeReport = simulatedQeReport(options, rawKey, authData);
    return encodeIntelQuote({
      header,
      body,
      signature: attestationKey.sign(encodeSignedPart(header, body)),
      attestationKey: rawKey,
      qeReport: parseEnclaveReport(qeReport),
      qeReportSignature: pckKey.sign(qeReport),
      qeAuthData: authData,
      certification,
      trailingBytes: 0,
    });
  };
  const separate = certificationType < 4 ? { pck_certificate_chain: chain.join('') } : {};
  const collateralAt = (atUnix: number): IntelCollateralJson => ({
    ...makeSimulatedCollateral(pki, atUnix, revoked, collateralChanges, kind),
    ...separate,
  });
  return Object.freeze({ ppid, root: pki.root, collateralAt, quoteOf });
}
