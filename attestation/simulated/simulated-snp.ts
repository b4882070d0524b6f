/**
 * A simulated SEV-SNP machine: byte-valid reports of any version and product line under a simulated ARK, with endorsements and CRL.
 *
 * Every line of the verification path runs on them. They prove nothing about hardware: the root is in no default trust store,
 * what is verified with it is marked `simulated`, and the default policy refuses it. The report's family id says so in words.
 */
import { randomBytes } from 'node:crypto';
import { StunError } from '#protocol/errors/stun-error.ts';
import { concatBytes, utf8 } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import { encodeEvidence } from '../evidence/document.ts';
import { computeReportData } from '../report-data.ts';
import type { SnpEndorsementBytes } from '../snp/endorsements.ts';
import { encodeSnpEndorsements } from '../snp/endorsements.ts';
import type { SnpTcb } from '../snp/product.ts';
import { encodeSnpTcb } from '../snp/product.ts';
import type { SnpReportFields } from '../snp/report.ts';
import { encodeSnpReport, snpSignedBytes } from '../snp/report.ts';
import { hwIdBytes } from '../snp/vek-extensions.ts';
import type { AmdTrustRoot, SnpProduct } from '../trust/roots.ts';
import { keyUsageBit } from '../x509/certificate.ts';
import { keyId } from './certificates.ts';
import type { AmdCertificateSpec, AmdCrlSpec, VekExtensionsSpec } from './snp-certificates.ts';
import { makeAmdCertificate, makeAmdCrl, makeVekExtensions, vekExtensionsSpec } from './snp-certificates.ts';
import type { SimulatedSnpPki, VekKey } from './snp-pki.ts';
import { createSimulatedSnpPki, deriveVekKey } from './snp-pki.ts';

/** All simulated certificates are valid from 2020-01-01 to 2049-12-31. */
const notBeforeUnix = 1_577_836_800;
const notAfterUnix = 2_524_521_600;
const crlSeconds = 30 * 86_400;
const issuedBeforeSeconds = 3600;

/** Changes to what is made, each signed over again, for evidence that must be refused. */
export interface SnpChanges {
  readonly report?: Partial<SnpReportFields>;
  readonly vek?: Partial<AmdCertificateSpec>;
  readonly vekExtensions?: Partial<VekExtensionsSpec>;
  readonly ask?: Partial<AmdCertificateSpec>;
  readonly ark?: Partial<AmdCertificateSpec>;
  readonly crl?: Partial<AmdCrlSpec>;
}

/** What to simulate. Everything but the time has a default: a healthy Genoa with a fresh identity under fresh authorities. */
export interface SimulatedSnpOptions {
  /** Time at which the CRL is issued, unix seconds. */
  readonly atUnix: number;
  readonly pki?: SimulatedSnpPki;
  readonly product?: SnpProduct;
  /** Hardware identity, 64 bytes (on Turin 8 and zeros); random when absent. */
  readonly chipId?: Uint8Array;
  /** A VLEK certifies a cloud, and the report names no chip. */
  readonly signer?: 'vcek' | 'vlek';
  /** 48 bytes. */
  readonly measurement?: Uint8Array;
  readonly debug?: boolean;
  readonly changes?: SnpChanges;
}

/** A simulated machine. */
export interface SimulatedSnp {
  readonly chipId: Uint8Array;
  readonly endorsements: SnpEndorsementBytes;
  readonly root: AmdTrustRoot;
  /** Makes a report. @param reportData - exactly 64 bytes */
  readonly report: (reportData: Uint8Array) => Uint8Array;
  /** Makes an evidence document that binds a keyset and a nonce, 32 bytes each. */
  readonly evidence: (keysetDigest: Uint8Array, nonce: Uint8Array) => Uint8Array;
}

/** CPUID family, model and stepping of each product line. */
const cpuids: {
  readonly [Product in SnpProduct]: { readonly family: number; readonly model: number; readonly stepping: number };
} = {
  Milan: { family: 0x19, model: 0x01, stepping: 1 },
  Genoa: { family: 0x19, model: 0x11, stepping: 1 },
  Turin: { family: 0x1a, model: 0x02, stepping: 1 },
};

/** The TCB version of every simulated machine; the FMC level exists on Turin alone. */
export function simulatedTcb(product: SnpProduct): SnpTcb {
  return { fmc: product === 'Turin' ? 1 : 0, bootloader: 10, tee: 1, snp: 27, microcode: 84 };
}

/** Measurement of the simulated guest image when none is given: 48 bytes. */
export const simulatedMeasurement: Uint8Array = concatBytes(
  cryptoProvider.sha256(utf8('stun/simulated-snp-image/v1')),
  cryptoProvider.sha256(utf8('stun/simulated-snp-image/v1/tail')).subarray(0, 16),
);

function exact(bytes: Uint8Array, length: number, what: string): Uint8Array {
  if (bytes.length !== length) throw new StunError('STUN_INPUT', `${what} must have ${length} bytes, got ${bytes.length}`);
  return bytes;
}

function reportFields(options: SimulatedSnpOptions, chipId: Uint8Array, reportData: Uint8Array): SnpReportFields {
  const product = options.product ?? 'Genoa';
  const tcb = encodeSnpTcb(simulatedTcb(product), product);
  const firmware = { major: 1, minor: 55, build: 49 };
  return {
    version: 5,
    guestSvn: 1,
    policy: Uint8Array.of(0, 0, options.debug === true ? 0x0b : 0x03, 0, 0, 0, 0, 0),
    familyId: concatBytes(utf8('STUN SIMULATED'), new Uint8Array(2)),
    imageId: new Uint8Array(16),
    vmpl: 0,
    currentTcb: tcb,
    reportedTcb: tcb,
    committedTcb: tcb,
    launchTcb: tcb,
    platformInfo: Uint8Array.of(0x25, 0, 0, 0, 0, 0, 0, 0),
    authorKeyEnabled: false,
    chipIdMasked: false,
    signer: options.signer ?? 'vcek',
    reportData: exact(reportData, 64, 'report_data'),
    measurement: exact(options.measurement ?? simulatedMeasurement, 48, 'measurement'),
    hostData: new Uint8Array(32),
    idKeyDigest: new Uint8Array(48),
    authorKeyDigest: new Uint8Array(48),
    reportId: cryptoProvider.sha256(chipId),
    reportIdMa: new Uint8Array(32).fill(0xff),
    cpuid: cpuids[product],
    chipId: options.signer === 'vlek' ? new Uint8Array(64) : chipId,
    currentFirmware: firmware,
    committedFirmware: firmware,
    launchMitigations: Uint8Array.of(0x0b, 0, 0, 0, 0, 0, 0, 0),
    currentMitigations: Uint8Array.of(0x0b, 0, 0, 0, 0, 0, 0, 0),
    signature: new Uint8Array(96),
    ...options.changes?.report,
  };
}

function makeEndorsements(
  options: SimulatedSnpOptions,
  pki: SimulatedSnpPki,
  chipId: Uint8Array,
  vekKey: VekKey,
): SnpEndorsementBytes {
  const { product = 'Genoa', changes = {} } = options;
  const vlek = options.signer === 'vlek';
  const names = { ark: `ARK-${product}`, ask: `SEV-${vlek ? 'VLEK-' : ''}${product}`, vek: vlek ? 'SEV-VLEK' : 'SEV-VCEK' };
  const [arkId, askId] = [keyId(pki.arkKey.spki), keyId(pki.askKey.spki)];
  const dates = { notBeforeUnix, notAfterUnix };
  const authority = { keyUsage: [keyUsageBit.keyCertSign, keyUsageBit.cRLSign], extensions: [] };
  const ark: AmdCertificateSpec = {
    ...dates,
    ...authority,
    serial: arkId,
    subject: names.ark,
    issuer: names.ark,
    key: { kind: 'rsa', spki: pki.arkKey.spki },
    authority: { isCa: true, pathLength: null },
    subjectKeyId: arkId,
    authorityKeyId: null,
    ...changes.ark,
  };
  const ask: AmdCertificateSpec = {
    ...dates,
    ...authority,
    serial: askId,
    subject: names.ask,
    issuer: names.ark,
    key: { kind: 'rsa', spki: pki.askKey.spki },
    authority: { isCa: true, pathLength: 0 },
    keyUsage: [keyUsageBit.keyCertSign],
    subjectKeyId: askId,
    authorityKeyId: arkId,
    ...changes.ask,
  };
  const extensions = vekExtensionsSpec(product, simulatedTcb(product), vlek ? null : chipId);
  const vek: AmdCertificateSpec = {
    ...dates,
    serial: new Uint8Array(1),
    subject: names.vek,
    issuer: names.ask,
    key: { kind: 'p384', point: vekKey.point },
    authority: null,
    keyUsage: null,
    subjectKeyId: null,
    authorityKeyId: null,
    extensions: makeVekExtensions({ ...extensions, ...changes.vekExtensions }),
    ...changes.vek,
  };
  const crl: AmdCrlSpec = {
    issuer: names.ark,
    thisUpdateUnix: options.atUnix - issuedBeforeSeconds,
    nextUpdateUnix: options.atUnix - issuedBeforeSeconds + crlSeconds,
    revokedSerials: [],
    authorityKeyId: arkId,
    extensions: [],
    ...changes.crl,
  };
  return Object.freeze({
    vek: makeAmdCertificate(vek, pki.askKey),
    ask: makeAmdCertificate(ask, pki.arkKey),
    ark: makeAmdCertificate(ark, pki.arkKey),
    crl: makeAmdCrl(crl, pki.arkKey),
  });
}

/**
 * Makes a simulated SEV-SNP machine.
 * @throws `STUN_INPUT` when a value has the wrong length
 */
export function createSimulatedSnp(options: SimulatedSnpOptions): SimulatedSnp {
  const pki = options.pki ?? createSimulatedSnpPki();
  const product = options.product ?? 'Genoa';
  const chipId = exact(options.chipId ?? new Uint8Array(randomBytes(64)), 64, 'chipId').slice();
  chipId.fill(0, hwIdBytes[product]);
  const vekKey = deriveVekKey(pki, chipId, encodeSnpTcb(simulatedTcb(product), product));
  const report = (reportData: Uint8Array): Uint8Array => {
    const fields = reportFields(options, chipId, reportData);
    const signature = vekKey.sign(encodeSnpReport(fields).subarray(0, snpSignedBytes));
    return encodeSnpReport({ ...fields, signature });
  };
  const endorsements = makeEndorsements(options, pki, chipId, vekKey);
  const evidence = (keysetDigest: Uint8Array, nonce: Uint8Array): Uint8Array =>
    encodeEvidence({
      version: 1,
      kind: 'snp',
      simulated: true,
      quote: report(computeReportData(keysetDigest, nonce)),
      collateral: encodeSnpEndorsements(endorsements),
      nonce,
      gpuEvidence: null,
    });
  return Object.freeze({ chipId, endorsements, root: pki.root(product), report, evidence });
}
