/**
 * One negative vector per check and code of SEV-SNP: evidence that differs from accepted evidence in one thing, signed over again
 * wherever the change lies inside something signed. docs/attestation.md lists the same rows.
 */
import type { CheckId, Policy, SnpPolicy } from '#attestation/index.ts';
import { derOctets } from '#attestation/simulated/der-writer.ts';
import { keyId } from '#attestation/simulated/certificates.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { simulatedTcb } from '#attestation/simulated/simulated-snp.ts';
import type { SnpChanges } from '#attestation/simulated/simulated-snp.ts';
import { makeVekExtensions, vekExtensionsSpec } from '#attestation/simulated/snp-certificates.ts';
import { encodeSnpTcb } from '#attestation/snp/product.ts';
import type { SnpReportFields } from '#attestation/snp/report.ts';
import { utf8 } from '#protocol/bytes.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { atUnix, flipped } from '../../unit/attestation/simulated-fixture.ts';
import {
  acceptedEndorsements,
  acceptedReport,
  assessSnpChanged,
  assessSnpMachine,
  assessSnpWith,
  chipId,
  otherSnpPki,
  snpPki,
  snpPolicyWith,
} from '../../unit/attestation/snp-fixture.ts';
import type { NegativeVector } from './negative-vectors.ts';

type Outcome = ReturnType<NegativeVector['run']>;
const vectors: NegativeVector[] = [];
function add(check: CheckId, code: ErrorCode, name: string, run: () => Outcome): void {
  vectors.push({ check, code, name, run });
}

const reported = (report: Partial<SnpReportFields>): Outcome => assessSnpChanged({ report });
const changed = (changes: SnpChanges): Outcome => assessSnpChanged(changes);
/** The accepted report with bytes written into it; what is checked here is checked before the signature. */
const written = (offset: number, ...bytes: readonly number[]): Outcome => {
  const report = acceptedReport.slice();
  report.set(bytes, offset);
  return assessSnpWith({ report });
};
const judged = (changes: Partial<SnpPolicy>): Outcome => assessSnpWith({ policy: snpPolicyWith(changes) });
const withBits = (...bytes: readonly number[]): Uint8Array => {
  const field = new Uint8Array(8);
  field.set(bytes);
  return field;
};
const genoaTcb = simulatedTcb('Genoa');
const tcbWith = (change: Partial<typeof genoaTcb>): Uint8Array => encodeSnpTcb({ ...genoaTcb, ...change }, 'Genoa');
const unknownCritical = { id: '1.2.3.4', critical: true, value: derOctets(Uint8Array.of(1)) };
const extensions = makeVekExtensions(vekExtensionsSpec('Genoa', genoaTcb, chipId));

// report-format
add('report-format', 'STUN_SNP_REPORT_FORMAT', 'report of 1,183 bytes', () =>
  assessSnpWith({ report: acceptedReport.subarray(0, -1) }),
);
add('report-format', 'STUN_SNP_REPORT_FORMAT', 'report with a byte after its end', () =>
  assessSnpWith({ report: Uint8Array.of(...acceptedReport, 0) }),
);
add('report-format', 'STUN_SNP_REPORT_FORMAT', 'reserved byte 0x4c that is not zero', () => written(0x4c, 1));
add('report-format', 'STUN_SNP_REPORT_FORMAT', 'byte in the upper third of R', () => written(0x2d0, 1));
add('report-format', 'STUN_SNP_REPORT_FORMAT', 'flags with bit 5', () => written(0x48, 0x20));
add('report-format', 'STUN_SNP_REPORT_FORMAT', 'signing key of kind 2', () => written(0x48, 2 << 2));
add('report-format', 'STUN_SNP_REPORT_FORMAT', 'mitigation vector in a report of version 3', () => written(0x00, 3));
add('report-format', 'STUN_SNP_REPORT_VERSION', 'report of version 6', () => written(0x00, 6));
add('report-format', 'STUN_SNP_REPORT_VERSION', 'report of version 1', () => written(0x00, 1));
add('report-format', 'STUN_SNP_REPORT_ALGORITHM', 'report with signature algorithm 2', () => written(0x34, 2));

// endorsements-format
const pem = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${btoa(String.fromCharCode(...der))}\n-----END CERTIFICATE-----\n`;
add('endorsements-format', 'STUN_SNP_ENDORSEMENTS_FORMAT', 'two certificates where the ASK should be', () =>
  assessSnpWith({
    endorsements: { ...acceptedEndorsements, ask: utf8(pem(acceptedEndorsements.ask) + pem(acceptedEndorsements.ark)) },
  }),
);
add('endorsements-format', 'STUN_PEM_FORMAT', 'PEM of the VEK with text after it', () =>
  assessSnpWith({ endorsements: { ...acceptedEndorsements, vek: utf8(`${pem(acceptedEndorsements.vek)}x`) } }),
);
add('endorsements-format', 'STUN_DER_FORMAT', 'VEK with a byte after its end', () =>
  assessSnpWith({ endorsements: { ...acceptedEndorsements, vek: Uint8Array.of(...acceptedEndorsements.vek, 0) } }),
);
add('endorsements-format', 'STUN_CERTIFICATE_FORMAT', 'VEK with an unknown critical extension', () =>
  changed({ vek: { extensions: [...extensions, unknownCritical] } }),
);
add('endorsements-format', 'STUN_CRL_FORMAT', 'CRL with an unknown critical extension', () =>
  changed({ crl: { extensions: [unknownCritical] } }),
);

// chain
add('ark-product', 'STUN_SNP_PRODUCT', 'ARK of the product line Venice', () => changed({ ark: { subject: 'ARK-Venice' } }));
add('ark-key', 'STUN_ROOT_UNTRUSTED', 'root that is not in the store', () =>
  assessSnpWith({ roots: [otherSnpPki.root('Genoa')] }),
);
add('ark-key', 'STUN_ROOT_UNTRUSTED', 'root that is trusted for Turin alone', () =>
  assessSnpWith({ roots: [snpPki.root('Turin')] }),
);
add('ark-key', 'STUN_CHAIN_SIGNATURE', 'ARK that does not sign itself', () => {
  const ark = acceptedEndorsements.ark.slice();
  ark[ark.length - 1] = (ark.at(-1) ?? 0) ^ 1;
  return assessSnpWith({ endorsements: { ...acceptedEndorsements, ark } });
});
add('chain-names', 'STUN_CHAIN_NAMES', 'ASK of another product line', () =>
  changed({ ask: { subject: 'SEV-Milan' }, vek: { issuer: 'SEV-Milan' } }),
);
add('chain-names', 'STUN_CHAIN_NAMES', 'VEK with another common name', () => changed({ vek: { subject: 'SEV-KEY' } }));
add('chain-names', 'STUN_CHAIN_NAMES', 'VEK that names another issuer', () => changed({ vek: { issuer: 'SEV-Milan' } }));
add('chain-names', 'STUN_CHAIN_NAMES', 'VCEK under the authority of VLEKs', () =>
  changed({ ask: { subject: 'SEV-VLEK-Genoa' }, vek: { issuer: 'SEV-VLEK-Genoa' } }),
);
add('chain-constraints', 'STUN_CHAIN_CONSTRAINTS', 'ASK that is no authority', () =>
  changed({ ask: { authority: { isCa: false, pathLength: null } } }),
);
add('chain-constraints', 'STUN_CHAIN_CONSTRAINTS', 'ASK without keyCertSign', () => changed({ ask: { keyUsage: [0] } }));
add('chain-constraints', 'STUN_CHAIN_CONSTRAINTS', 'ARK without cRLSign', () => changed({ ark: { keyUsage: [5] } }));
add('chain-constraints', 'STUN_CHAIN_CONSTRAINTS', 'ARK with path length 0', () =>
  changed({ ark: { authority: { isCa: true, pathLength: 0 } } }),
);
add('chain-constraints', 'STUN_CHAIN_CONSTRAINTS', 'VEK that is an authority', () =>
  changed({ vek: { authority: { isCa: true, pathLength: null } } }),
);
add('chain-constraints', 'STUN_CHAIN_CONSTRAINTS', 'VEK without digitalSignature', () => changed({ vek: { keyUsage: [1] } }));
add('chain-constraints', 'STUN_CHAIN_CONSTRAINTS', 'ASK with another authority key identifier', () =>
  changed({ ask: { authorityKeyId: new Uint8Array(20) } }),
);
add('chain-constraints', 'STUN_CHAIN_CONSTRAINTS', 'VEK with another authority key identifier', () =>
  changed({ vek: { authorityKeyId: new Uint8Array(20) } }),
);
add('ask-signature', 'STUN_CHAIN_SIGNATURE', 'ASK with another signature', () =>
  assessSnpWith({
    endorsements: { ...acceptedEndorsements, ask: flipped(acceptedEndorsements.ask, acceptedEndorsements.ask.length - 1) },
  }),
);
add('vek-signature', 'STUN_CHAIN_SIGNATURE', 'VEK with another signature', () =>
  assessSnpWith({
    endorsements: { ...acceptedEndorsements, vek: flipped(acceptedEndorsements.vek, acceptedEndorsements.vek.length - 1) },
  }),
);
for (const place of ['ark', 'ask', 'vek'] as const) {
  const name = place.toUpperCase();
  add('certificate-dates', 'STUN_CERTIFICATE_EXPIRED', `${name} that ended a second ago`, () =>
    changed({ [place]: { notAfterUnix: atUnix - 1 } }),
  );
  add('certificate-dates', 'STUN_CERTIFICATE_NOT_YET_VALID', `${name} that begins in a second`, () =>
    changed({ [place]: { notBeforeUnix: atUnix + 1 } }),
  );
}

// revocation
add('ark-crl', 'STUN_CRL_ISSUER', 'CRL with another issuer name', () => changed({ crl: { issuer: 'ARK-Milan' } }));
add('ark-crl', 'STUN_CRL_ISSUER', 'CRL with another authority key identifier', () =>
  changed({ crl: { authorityKeyId: new Uint8Array(20) } }),
);
add('ark-crl', 'STUN_CRL_SIGNATURE', 'CRL with another signature', () => {
  const { crl } = acceptedEndorsements;
  return assessSnpWith({ endorsements: { ...acceptedEndorsements, crl: crl === null ? crl : flipped(crl, crl.length - 1) } });
});
add('ark-crl', 'STUN_CRL_EXPIRED', 'CRL that ended a second ago', () => changed({ crl: { nextUpdateUnix: atUnix - 1 } }));
add('ark-crl', 'STUN_CRL_NOT_YET_VALID', 'CRL that begins in a second', () => changed({ crl: { thisUpdateUnix: atUnix + 1 } }));
add('certificate-revocation', 'STUN_CERTIFICATE_REVOKED', 'ASK on the CRL', () =>
  changed({ crl: { revokedSerials: [keyId(snpPki.askKey.spki)] } }),
);
add('certificate-revocation', 'STUN_CERTIFICATE_REVOKED', 'serial 0 of all VEKs on the CRL', () =>
  changed({ crl: { revokedSerials: [Uint8Array.of(0)] } }),
);

// report against VEK
add('signer-kind', 'STUN_SNP_SIGNER', 'report that says a VLEK signed it', () => reported({ signer: 'vlek' }));
add('signer-kind', 'STUN_SNP_SIGNER', 'report that says that no key signed it', () => reported({ signer: 'none' }));
add('product', 'STUN_SNP_PRODUCT', 'VEK for another product line', () => changed({ vekExtensions: { productName: 'Milan-B0' } }));
add('product', 'STUN_SNP_PRODUCT', 'VEK without a product name', () => changed({ vekExtensions: { productName: null } }));
add('product', 'STUN_SNP_PRODUCT', 'VEK of structure version 1', () => changed({ vekExtensions: { structVersion: 1 } }));
add('product', 'STUN_SNP_PRODUCT', 'report of a CPU of Milan', () =>
  reported({ cpuid: { family: 0x19, model: 1, stepping: 1 } }),
);
add('product', 'STUN_SNP_PRODUCT', 'report of an unknown CPU', () =>
  reported({ cpuid: { family: 0x1a, model: 0x50, stepping: 0 } }),
);
add('report-signature', 'STUN_SNP_REPORT_SIGNATURE', 'report with another report_data', () =>
  assessSnpWith({ report: flipped(acceptedReport, 0x50) }),
);
add('report-signature', 'STUN_SNP_REPORT_SIGNATURE', 'report with R of zero', () =>
  written(0x2a0, ...new Array<number>(48).fill(0)),
);
add('report-signature', 'STUN_SNP_REPORT_SIGNATURE', 'report with S of zero', () =>
  written(0x2e8, ...new Array<number>(48).fill(0)),
);
add('tcb', 'STUN_SNP_TCB', 'VEK for another microcode', () =>
  changed({ vekExtensions: { tcb: { ...genoaTcb, microcode: 85 } } }),
);
add('tcb', 'STUN_SNP_TCB', 'VEK with an FMC level on Genoa', () => changed({ vekExtensions: { withFmc: true } }));
add('tcb', 'STUN_SNP_TCB', 'VEK with a reserved level', () => changed({ vekExtensions: { reservedLevel: 1 } }));
add('tcb', 'STUN_SNP_TCB', 'VEK with an impossible level', () =>
  changed({ vekExtensions: { tcb: { ...genoaTcb, snp: 256 + 27 } } }),
);
add('tcb', 'STUN_SNP_TCB', 'Turin VEK for another FMC', () =>
  assessSnpMachine({ product: 'Turin', changes: { vekExtensions: { tcb: { ...simulatedTcb('Turin'), fmc: 2 } } } }),
);
add('hwid', 'STUN_SNP_HWID', 'VCEK of another chip', () => changed({ vekExtensions: { hwId: new Uint8Array(64).fill(7) } }));
add('hwid', 'STUN_SNP_HWID', 'VCEK without a HWID', () => changed({ vekExtensions: { hwId: null } }));
add('hwid', 'STUN_SNP_HWID', 'HWID in a second OCTET STRING', () => changed({ vekExtensions: { hwId: derOctets(chipId) } }));
add('hwid', 'STUN_SNP_HWID', 'masked CHIP_ID under a VCEK', () => reported({ chipId: new Uint8Array(64), chipIdMasked: true }));
add('hwid', 'STUN_SNP_HWID', 'Turin chip with bytes after the eighth', () =>
  assessSnpMachine({ product: 'Turin', changes: { report: { chipId } } }),
);
const cloud = snpPolicyWith({ vlekCspIds: ['CN=cc-simulated.invalid'] });
const vlek = (changes: SnpChanges, policy: Policy = cloud): Outcome => assessSnpMachine({ signer: 'vlek', changes }, { policy });
add('hwid', 'STUN_SNP_HWID', 'VLEK that names no cloud', () => vlek({ vekExtensions: { cspId: null } }));
add('hwid', 'STUN_SNP_HWID', 'VLEK that names a chip', () => vlek({ vekExtensions: { hwId: chipId } }));
add('hwid', 'STUN_SNP_HWID', 'CHIP_ID under a VLEK', () => vlek({ report: { chipId } }));
add('tcb-layout', 'STUN_SNP_TCB', 'LAUNCH_TCB with a reserved byte', () => {
  const launchTcb = tcbWith({});
  launchTcb[3] = 1;
  return reported({ launchTcb });
});

// policy
add('policy-kind', 'STUN_POLICY_KIND', 'policy without SEV-SNP', () =>
  assessSnpWith({ policy: { ...simulatedPolicy, sevSnp: null } }),
);
add('policy-simulated', 'STUN_POLICY_SIMULATED', 'simulated chip under the default policy', () =>
  assessSnpWith({ policy: { ...simulatedPolicy, allowSimulated: false } }),
);
add('policy-revocation', 'STUN_POLICY_REVOCATION', 'endorsements without a CRL', () =>
  assessSnpWith({ endorsements: { ...acceptedEndorsements, crl: null } }),
);
add('policy-report-version', 'STUN_POLICY_SNP_VERSION', 'report of version 2', () =>
  reported({ version: 2, cpuid: null, launchMitigations: null, currentMitigations: null }),
);
add('policy-product', 'STUN_POLICY_SNP_PRODUCT', 'Milan, which is not named', () => assessSnpMachine({ product: 'Milan' }));
add('policy-signer', 'STUN_POLICY_SNP_SIGNER', 'VLEK of a cloud that is not named', () => vlek({}, simulatedPolicy));
add('policy-debug', 'STUN_POLICY_DEBUG', 'debug guest', () => assessSnpMachine({ debug: true }));
add('policy-migration', 'STUN_POLICY_SNP_MIGRATION', 'guest with a migration agent', () =>
  reported({ policy: withBits(0, 0, 0x07) }),
);
add('policy-guest-policy', 'STUN_POLICY_SNP_GUEST_POLICY', 'guest policy without bit 17', () =>
  reported({ policy: withBits(0, 0, 0x01) }),
);
add('policy-guest-policy', 'STUN_POLICY_SNP_GUEST_POLICY', 'guest policy with CXL_ALLOW', () =>
  reported({ policy: withBits(0, 0, 0x23) }),
);
add('policy-guest-policy', 'STUN_POLICY_SNP_GUEST_POLICY', 'guest policy with a reserved bit', () =>
  reported({ policy: withBits(0, 0, 0x03, 0x04) }),
);
add('policy-guest-policy', 'STUN_POLICY_SNP_GUEST_POLICY', 'guest policy without SINGLE_SOCKET, which is required', () =>
  judged({ guestPolicyRequired: '0x0000120000000000' }),
);
add('policy-alias-check', 'STUN_POLICY_SNP_ALIAS_CHECK', 'platform without the alias check', () =>
  reported({ platformInfo: withBits(0x05) }),
);
add('policy-platform-info', 'STUN_POLICY_SNP_PLATFORM', 'platform info with a reserved bit', () =>
  reported({ platformInfo: withBits(0x65) }),
);
add('policy-platform-info', 'STUN_POLICY_SNP_PLATFORM', 'platform without ciphertext hiding, which is required', () =>
  judged({ platformInfoRequired: '0x1000000000000000' }),
);
add('policy-tcb-order', 'STUN_POLICY_SNP_TCB_ORDER', 'reported TCB above the committed one', () =>
  reported({ committedTcb: tcbWith({ snp: 26 }) }),
);
add('policy-tcb-order', 'STUN_POLICY_SNP_TCB_ORDER', 'committed TCB above the current one', () =>
  reported({ committedTcb: tcbWith({ microcode: 85 }) }),
);
add('policy-tcb-order', 'STUN_POLICY_SNP_TCB_ORDER', 'launch TCB above the current one', () =>
  reported({ launchTcb: tcbWith({ tee: 2 }) }),
);
const simulatedSnp = snpPolicyWith({}).sevSnp;
const floorsWith = (floor: typeof genoaTcb): SnpPolicy['minTcb'] => {
  if (simulatedSnp === null) throw new RangeError('the simulated policy has a SEV-SNP part');
  return { ...simulatedSnp.minTcb, Genoa: floor };
};
add('policy-tcb', 'STUN_POLICY_SNP_TCB', 'reported TCB below the floor', () =>
  judged({ minTcb: floorsWith({ ...genoaTcb, snp: 28 }) }),
);
add('policy-launch-tcb', 'STUN_POLICY_SNP_TCB', 'launch TCB below the floor', () =>
  judged({ minLaunchTcb: floorsWith({ ...genoaTcb, microcode: 85 }) }),
);
add('policy-mitigations', 'STUN_POLICY_SNP_MITIGATIONS', 'mitigation that is not shown', () =>
  judged({ mitigations: '0x1000000000000000' }),
);
add('policy-mitigations', 'STUN_POLICY_SNP_MITIGATIONS', 'mitigation that was missing at launch', () =>
  assessSnpMachine(
    { changes: { report: { launchMitigations: new Uint8Array(8) } } },
    { policy: snpPolicyWith({ mitigations: '0x0b00000000000000' }) },
  ),
);
add('policy-mitigations', 'STUN_POLICY_SNP_MITIGATIONS', 'report of version 3, which shows none', () =>
  assessSnpMachine(
    { changes: { report: { version: 3, launchMitigations: null, currentMitigations: null } } },
    { policy: snpPolicyWith({ mitigations: '0x0100000000000000' }) },
  ),
);
add('policy-vmpl', 'STUN_POLICY_SNP_VMPL', 'report asked for at VMPL 1', () => reported({ vmpl: 1 }));
add('policy-guest-svn', 'STUN_POLICY_SNP_GUEST_SVN', 'guest SVN below the floor', () => judged({ minGuestSvn: 2 }));
add('policy-firmware', 'STUN_POLICY_SNP_FIRMWARE', 'committed firmware below the floor', () =>
  reported({ committedFirmware: { major: 1, minor: 54, build: 255 } }),
);
const zeros48 = `0x${'00'.repeat(48)}`;
add('policy-id-key', 'STUN_POLICY_SNP_ID_KEY', 'key of the ID block that is not named', () =>
  judged({ idKeyDigests: [`0x${'11'.repeat(48)}`] }),
);
add('policy-author-key', 'STUN_POLICY_SNP_ID_KEY', 'guest without an author key, which is required', () =>
  judged({ authorKeyDigests: [zeros48] }),
);
add('policy-author-key', 'STUN_POLICY_SNP_ID_KEY', 'author key that is not named', () =>
  assessSnpMachine(
    { changes: { report: { authorKeyEnabled: true, authorKeyDigest: new Uint8Array(48).fill(1) } } },
    { policy: snpPolicyWith({ authorKeyDigests: [zeros48] }) },
  ),
);
add('policy-host-data', 'STUN_POLICY_SNP_HOST_DATA', 'host data that is not named', () =>
  judged({ hostData: [`0x${'22'.repeat(32)}`] }),
);
add('policy-measurements', 'STUN_POLICY_MEASUREMENT', 'guest image that is no reference value', () =>
  judged({ measurements: [zeros48] }),
);
add('policy-hardware', 'STUN_POLICY_HARDWARE', 'chip on the deny list', () =>
  judged({ deniedHardwareIds: [`0x${Buffer.from(chipId).toString('hex')}`] }),
);
add('policy-hardware', 'STUN_POLICY_HARDWARE', 'chip outside the list of admitted ones', () =>
  judged({ hardwareIds: [`0x${'00'.repeat(64)}`] }),
);

/** All negative vectors of SEV-SNP. */
export const snpNegativeVectors: readonly NegativeVector[] = vectors;
