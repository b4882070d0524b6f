/**
 * The SEV-SNP attestation report, versions 2 to 5: 1,184 bytes, little-endian.
 *
 * Structure only: nothing here is verified. Reserved bytes must be zero, so that exactly one text of bytes has one meaning.
 * Version 4 has the fields of version 3; version 5 adds the mitigation vectors.
 * Source: "SEV Secure Nested Paging Firmware ABI Specification" (AMD 56860), ATTESTATION_REPORT.
 */
import { StunError } from '#protocol/errors/stun-error.ts';

/** Length of a report in bytes; the signature covers the first {@link snpSignedBytes}. */
export const snpReportBytes = 1184;
export const snpSignedBytes = 0x2a0;

/** Which key signed a report, from its flags. */
export type SnpSignerKind = 'vcek' | 'vlek' | 'none';

/** Version of the firmware: API major and minor, and build. */
export interface SnpFirmware {
  readonly major: number;
  readonly minor: number;
  readonly build: number;
}

/** A parsed report. Byte fields keep the report's own order. */
export interface SnpReport {
  /** All 1,184 bytes. */
  readonly raw: Uint8Array;
  readonly version: 2 | 3 | 4 | 5;
  readonly guestSvn: number;
  /** Guest policy, 8 bytes: bits 0-7 ABI minor, 8-15 ABI major, 16 SMT, 17 one, 18 MIGRATE_MA, 19 DEBUG, 20 SINGLE_SOCKET and on. */
  readonly policy: Uint8Array;
  readonly familyId: Uint8Array;
  readonly imageId: Uint8Array;
  readonly vmpl: number;
  /** TCB versions, 8 bytes each; their layout depends on the product line. */
  readonly currentTcb: Uint8Array;
  readonly reportedTcb: Uint8Array;
  readonly committedTcb: Uint8Array;
  readonly launchTcb: Uint8Array;
  /** Platform info, 8 bytes: bit 0 SMT, 1 TSME, 2 ECC, 3 RAPL disabled, 4 ciphertext hiding, 5 alias check complete, 7 TIO. */
  readonly platformInfo: Uint8Array;
  readonly authorKeyEnabled: boolean;
  readonly chipIdMasked: boolean;
  readonly signer: SnpSignerKind;
  readonly reportData: Uint8Array;
  readonly measurement: Uint8Array;
  readonly hostData: Uint8Array;
  readonly idKeyDigest: Uint8Array;
  readonly authorKeyDigest: Uint8Array;
  readonly reportId: Uint8Array;
  readonly reportIdMa: Uint8Array;
  /** CPUID family, model and stepping of the CPU; null in version 2. */
  readonly cpuid: { readonly family: number; readonly model: number; readonly stepping: number } | null;
  /** CHIP_ID, 64 bytes; zero when it is masked or a VLEK signed. On Turin 8 bytes and zeros. */
  readonly chipId: Uint8Array;
  readonly currentFirmware: SnpFirmware;
  readonly committedFirmware: SnpFirmware;
  /** Mitigation vectors, 8 bytes each; null before version 5. */
  readonly launchMitigations: Uint8Array | null;
  readonly currentMitigations: Uint8Array | null;
  /** Raw r||s, 96 bytes, big-endian; the report holds them little-endian. */
  readonly signature: Uint8Array;
}

/** Where each field of bytes begins, and its length. */
export const snpOffset = {
  policy: [0x008, 8],
  familyId: [0x010, 16],
  imageId: [0x020, 16],
  currentTcb: [0x038, 8],
  platformInfo: [0x040, 8],
  reportData: [0x050, 64],
  measurement: [0x090, 48],
  hostData: [0x0c0, 32],
  idKeyDigest: [0x0e0, 48],
  authorKeyDigest: [0x110, 48],
  reportId: [0x140, 32],
  reportIdMa: [0x160, 32],
  reportedTcb: [0x180, 8],
  chipId: [0x1a0, 64],
  committedTcb: [0x1e0, 8],
  launchTcb: [0x1f0, 8],
  launchMitigations: [0x1f8, 8],
  currentMitigations: [0x200, 8],
} as const;

const signatureHalves = [0x2a0, 0x2e8] as const;
const halfBytes = 48;

function refuse(reason: string): never {
  throw new StunError('STUN_SNP_REPORT_FORMAT', reason);
}

/** Bytes that must be zero, as [from, to). */
function reservedRanges(version: number): readonly (readonly [number, number])[] {
  return [
    [0x04c, 0x050],
    [version === 2 ? 0x188 : 0x18b, 0x1a0],
    [0x1eb, 0x1ec],
    [0x1ef, 0x1f0],
    [version < 5 ? 0x1f8 : 0x208, 0x2a0],
    [0x2d0, 0x2e8],
    [0x318, 0x4a0],
  ];
}

function readSigner(flags: number): SnpSignerKind {
  const kind = (flags >>> 2) & 7;
  if (kind === 0) return 'vcek';
  if (kind === 1) return 'vlek';
  return kind === 7 ? 'none' : refuse(`expected a signing key of kind 0, 1 or 7, got ${kind}`);
}

/**
 * Parses a report.
 * @param bytes - exactly 1,184 bytes
 * @throws `STUN_SNP_REPORT_FORMAT` | `STUN_SNP_REPORT_VERSION` | `STUN_SNP_REPORT_ALGORITHM`
 */
export function parseSnpReport(bytes: Uint8Array): SnpReport {
  if (bytes.length !== snpReportBytes) refuse(`expected ${snpReportBytes} bytes, got ${bytes.length}`);
  const raw = bytes.slice();
  const view = new DataView(raw.buffer);
  const version = view.getUint32(0, true);
  if (version !== 2 && version !== 3 && version !== 4 && version !== 5)
    throw new StunError('STUN_SNP_REPORT_VERSION', `expected version 2 to 5, got ${version}`);
  const algorithm = view.getUint32(0x34, true);
  if (algorithm !== 1) throw new StunError('STUN_SNP_REPORT_ALGORITHM', `expected signature algorithm 1, got ${algorithm}`);
  for (const [from, to] of reservedRanges(version)) {
    const at = raw.subarray(from, to).findIndex((byte) => byte !== 0);
    if (at !== -1) refuse(`expected a reserved byte to be zero at 0x${(from + at).toString(16)}`);
  }
  const flags = view.getUint32(0x48, true);
  if (flags >>> 5 !== 0) refuse('expected bits 5 to 31 of the flags to be zero');
  const field = (name: keyof typeof snpOffset): Uint8Array => {
    const [from, length] = snpOffset[name];
    return raw.subarray(from, from + length);
  };
  const firmware = (from: number): SnpFirmware => ({
    build: view.getUint8(from),
    minor: view.getUint8(from + 1),
    major: view.getUint8(from + 2),
  });
  const [r, s] = signatureHalves.map((from) => raw.slice(from, from + halfBytes).reverse());
  const signature = new Uint8Array(2 * halfBytes);
  signature.set(r ?? [], 0);
  signature.set(s ?? [], halfBytes);
  return Object.freeze({
    raw,
    version,
    guestSvn: view.getUint32(0x004, true),
    policy: field('policy'),
    familyId: field('familyId'),
    imageId: field('imageId'),
    vmpl: view.getUint32(0x030, true),
    currentTcb: field('currentTcb'),
    reportedTcb: field('reportedTcb'),
    committedTcb: field('committedTcb'),
    launchTcb: field('launchTcb'),
    platformInfo: field('platformInfo'),
    authorKeyEnabled: (flags & 1) === 1,
    chipIdMasked: (flags & 2) === 2,
    signer: readSigner(flags),
    reportData: field('reportData'),
    measurement: field('measurement'),
    hostData: field('hostData'),
    idKeyDigest: field('idKeyDigest'),
    authorKeyDigest: field('authorKeyDigest'),
    reportId: field('reportId'),
    reportIdMa: field('reportIdMa'),
    cpuid:
      version === 2
        ? null
        : Object.freeze({ family: view.getUint8(0x188), model: view.getUint8(0x189), stepping: view.getUint8(0x18a) }),
    chipId: field('chipId'),
    currentFirmware: Object.freeze(firmware(0x1e8)),
    committedFirmware: Object.freeze(firmware(0x1ec)),
    launchMitigations: version < 5 ? null : field('launchMitigations'),
    currentMitigations: version < 5 ? null : field('currentMitigations'),
    signature,
  });
}

/** Everything of a report but its bytes: what {@link encodeSnpReport} writes. */
export type SnpReportFields = Omit<SnpReport, 'raw'>;

const signerKinds = { vcek: 0, vlek: 1, none: 7 } as const;

/** Writes a report: the inverse of {@link parseSnpReport}. The signature is written as it is given. */
export function encodeSnpReport(fields: SnpReportFields): Uint8Array {
  const raw = new Uint8Array(snpReportBytes);
  const view = new DataView(raw.buffer);
  view.setUint32(0x000, fields.version, true);
  view.setUint32(0x004, fields.guestSvn, true);
  view.setUint32(0x030, fields.vmpl, true);
  view.setUint32(0x034, 1, true);
  const flags = (fields.authorKeyEnabled ? 1 : 0) | (fields.chipIdMasked ? 2 : 0) | (signerKinds[fields.signer] << 2);
  view.setUint32(0x048, flags, true);
  for (const [name, [from, length]] of Object.entries(snpOffset)) {
    const value = fields[name as keyof typeof snpOffset];
    if (value === null) continue;
    if (value.length !== length) throw new StunError('STUN_INPUT', `${name} must have ${length} bytes, got ${value.length}`);
    raw.set(value, from);
  }
  if (fields.cpuid !== null) raw.set([fields.cpuid.family, fields.cpuid.model, fields.cpuid.stepping], 0x188);
  for (const [firmware, from] of [
    [fields.currentFirmware, 0x1e8],
    [fields.committedFirmware, 0x1ec],
  ] as const)
    raw.set([firmware.build, firmware.minor, firmware.major], from);
  signatureHalves.forEach((from, i) => {
    raw.set(fields.signature.slice(i * halfBytes, (i + 1) * halfBytes).reverse(), from);
  });
  return raw;
}
