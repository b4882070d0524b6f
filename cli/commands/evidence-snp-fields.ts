/** Every field of a SEV-SNP report and its endorsements, with what it means. For people who want to look before they verify. */
import { decodeSnpEndorsements, parseSnpEndorsements, parseSnpReport, readSnpTcb, snpProducts } from '#attestation/index.ts';
import type { SnpEndorsementBytes, SnpEndorsementsJson, SnpProduct, SnpReport } from '#attestation/index.ts';
import { toHex } from '#protocol/bytes.ts';
import type { DescribedField } from './evidence-fields.ts';

function field(name: string, value: string | number | boolean, meaning: string): DescribedField {
  return { name, value: String(value), meaning };
}

const policyBits = [
  [16, 'SMT may be on'],
  [17, 'always one'],
  [18, 'MIGRATE_MA: a migration agent may be associated'],
  [19, 'DEBUG'],
  [20, 'SINGLE_SOCKET'],
  [21, 'CXL_ALLOW'],
  [22, 'MEM_AES_256_XTS required'],
  [23, 'RAPL_DIS: power readings must be off'],
  [24, 'CIPHERTEXT_HIDING required'],
  [25, 'PAGE_SWAP_DISABLE'],
] as const;

const platformBits = [
  [0, 'SMT is on'],
  [1, 'TSME is on'],
  [2, 'ECC memory'],
  [3, 'RAPL is off'],
  [4, 'ciphertext hiding is on'],
  [5, 'alias check complete'],
  [7, 'TIO is on'],
] as const;

function setBits(bytes: Uint8Array, names: readonly (readonly [number, string])[]): string {
  const set = names.filter(([bit]) => ((bytes[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0);
  return set.map(([bit, name]) => `${bit} ${name}`).join(', ') || 'none';
}

/** The TCB version in components, where the product line is known. */
function tcbField(name: string, bytes: Uint8Array, product: SnpProduct | null, meaning: string): DescribedField {
  const tcb = product === null ? null : readSnpTcb(bytes, product);
  const parts =
    tcb === null
      ? ''
      : ` (${Object.entries(tcb)
          .map(([part, level]) => `${part} ${level}`)
          .join(', ')})`;
  return field(name, `${toHex(bytes)}${parts}`, meaning);
}

function version({ major, minor, build }: SnpReport['currentFirmware']): string {
  return `${major}.${minor}.${build}`;
}

function reportFields(report: SnpReport, product: SnpProduct | null): readonly DescribedField[] {
  const { cpuid } = report;
  const cpu = cpuid === null ? 'not in version 2' : `family ${cpuid.family}, model ${cpuid.model}, stepping ${cpuid.stepping}`;
  const vector = (bytes: Uint8Array | null): string => (bytes === null ? 'not before version 5' : toHex(bytes));
  return [
    field('version', report.version, 'version of the report'),
    field('guestSvn', report.guestSvn, 'SVN of the guest, from its ID block'),
    field('policy', toHex(report.policy), `guest policy; bits set: ${setBits(report.policy, policyBits)}`),
    field('policy.abi', `${report.policy[1] ?? 0}.${report.policy[0] ?? 0}`, 'firmware API that the guest asks for at least'),
    field('familyId', toHex(report.familyId), 'family of the guest, from its ID block'),
    field('imageId', toHex(report.imageId), 'image of the guest, from its ID block'),
    field('vmpl', report.vmpl, 'privilege level that asked for the report, 0 is the highest'),
    field('platformInfo', toHex(report.platformInfo), `platform; bits set: ${setBits(report.platformInfo, platformBits)}`),
    field('authorKeyEnabled', report.authorKeyEnabled, 'whether an author key vouches for the ID key'),
    field('chipIdMasked', report.chipIdMasked, 'whether the platform hides CHIP_ID'),
    field('signer', report.signer, 'kind of key that signed: vcek of the chip, vlek of a cloud'),
    field('reportData', toHex(report.reportData), 'REPORT_DATA: what the guest put in; here the binding of keyset and nonce'),
    field('measurement', toHex(report.measurement), 'measurement of the guest at launch'),
    field('hostData', toHex(report.hostData), 'HOST_DATA: set by the host at launch'),
    field('idKeyDigest', toHex(report.idKeyDigest), 'SHA-384 of the key that signed the ID block'),
    field('authorKeyDigest', toHex(report.authorKeyDigest), 'SHA-384 of the author key'),
    field('reportId', toHex(report.reportId), 'identity of this guest instance'),
    field('reportIdMa', toHex(report.reportIdMa), "identity of the migration agent's guest"),
    tcbField('reportedTcb', report.reportedTcb, product, 'the version that the VEK is made for'),
    tcbField('committedTcb', report.committedTcb, product, 'the version that firmware cannot go below'),
    tcbField('currentTcb', report.currentTcb, product, 'the version that runs'),
    tcbField('launchTcb', report.launchTcb, product, 'the version at the launch of the guest'),
    field('cpuid', cpu, 'CPU of the machine'),
    field('chipId', toHex(report.chipId), 'CHIP_ID: identity of the chip'),
    field('currentFirmware', version(report.currentFirmware), 'firmware that runs'),
    field('committedFirmware', version(report.committedFirmware), 'firmware that cannot be gone below'),
    field('launchMitigations', vector(report.launchMitigations), 'mitigations in force at launch'),
    field('currentMitigations', vector(report.currentMitigations), 'mitigations in force now'),
    field('signature', toHex(report.signature), 'by the VEK over bytes 0 to 0x29f, r||s'),
  ];
}

function time(unix: number): string {
  return new Date(unix * 1000).toISOString();
}

/**
 * Lists the fields of a report and its endorsements.
 * @throws the code of the parser when one of them cannot be read
 */
export function describeSnp(
  bytes: Uint8Array,
  endorsements: SnpEndorsementBytes | SnpEndorsementsJson,
): readonly DescribedField[] {
  const report = parseSnpReport(bytes);
  const isJson = typeof endorsements.vek === 'string';
  const { vek, ask, ark, crl } = parseSnpEndorsements(
    isJson ? decodeSnpEndorsements(endorsements as SnpEndorsementsJson) : (endorsements as SnpEndorsementBytes),
  );
  const product = snpProducts.find((name) => ark.subject.commonName === `ARK-${name}`) ?? null;
  const certificates = [
    ['vek', vek],
    ['ask', ask],
    ['ark', ark],
  ] as const;
  return [
    ...reportFields(report, product),
    ...certificates.map(([name, { subject, serialHex, notBeforeUnix, notAfterUnix }]) =>
      field(name, `${subject.commonName}, serial ${serialHex}`, `valid ${time(notBeforeUnix)} to ${time(notAfterUnix)}`),
    ),
    crl === null
      ? field('crl', 'absent', 'without it nothing is known of revocation')
      : field('crl', `${crl.revokedSerials.size} revoked`, `valid ${time(crl.thisUpdateUnix)} to ${time(crl.nextUpdateUnix)}`),
  ];
}
