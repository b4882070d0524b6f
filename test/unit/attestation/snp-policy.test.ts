import assert from 'node:assert/strict';
import {
  canonicalPolicyJson,
  defaultPolicy,
  parsePolicy,
  parseSnpEndorsements,
  parseSnpReport,
  validateSnp,
  verifySnp,
} from '#attestation/index.ts';
import { throwsCode } from '../assert-code.ts';
import { atUnix } from './simulated-fixture.ts';
import { acceptedEndorsements, acceptedReport, chipId, snpMachine, snpPolicyWith } from './snp-fixture.ts';

type Json = Record<string, unknown>;
const document = (): Json => JSON.parse(canonicalPolicyJson(defaultPolicy)) as Json;
const withSnp = (change: (snp: Json) => void): (() => unknown) => {
  const value = document();
  change(value['sevSnp'] as Json);
  return () => parsePolicy(JSON.stringify(value));
};

describe('policy for SEV-SNP', () => {
  it('is read back from its own text', () => {
    assert.deepEqual(parsePolicy(JSON.stringify(document())), defaultPolicy);
    const named = snpPolicyWith({
      products: ['Milan'],
      vlekCspIds: ['CN=cc-us-east-2.amazonaws.com'],
      mitigations: '0x0b00000000000000',
      idKeyDigests: [`0x${'11'.repeat(48)}`],
      authorKeyDigests: [],
      hostData: [`0x${'22'.repeat(32)}`],
      measurements: [`0x${'33'.repeat(48)}`],
      hardwareIds: [`0x${'44'.repeat(64)}`],
      minTcb: {
        Milan: { fmc: 0, bootloader: 4, tee: 0, snp: 24, microcode: 219 },
        Genoa: { skip: 'not used' },
        Turin: { skip: 'not used' },
      },
    });
    assert.deepEqual(parsePolicy(canonicalPolicyJson(named)), named);
  });

  it('is refused with any field left out, at every depth', () => {
    const snp = document()['sevSnp'] as Json;
    const names = Object.keys(snp);
    for (const name of names)
      throwsCode(
        withSnp((value) => delete value[name]),
        'STUN_POLICY_FORMAT',
      );
    for (const name of ['minTcb', 'minLaunchTcb', 'minFirmware']) {
      for (const inner of Object.keys(snp[name] as Json))
        throwsCode(
          withSnp((value) => delete (value[name] as Json)[inner]),
          'STUN_POLICY_FORMAT',
        );
    }
    const floor = { fmc: 0, bootloader: 0, tee: 0, snp: 0, microcode: 0 };
    for (const component of Object.keys(floor)) {
      const rest = Object.fromEntries(Object.entries(floor).filter(([name]) => name !== component));
      throwsCode(
        withSnp((value) => ((value['minTcb'] as Json)['Genoa'] = rest)),
        'STUN_POLICY_FORMAT',
      );
    }
    assert.ok(names.length >= 23, `${names.length} fields`);
    console.log(`      ${names.length} fields`);
  });

  for (const [name, change] of [
    ['an unknown field', (snp: Json) => (snp['comment'] = 'x')],
    ['an unknown product line', (snp: Json) => (snp['products'] = ['Rome'])],
    ['a report version that does not exist', (snp: Json) => (snp['minReportVersion'] = 6)],
    ['a mask of another length', (snp: Json) => (snp['guestPolicyMask'] = '0x00')],
    ['a VMPL that does not exist', (snp: Json) => (snp['vmpls'] = [4])],
    [
      'a floor above 255',
      (snp: Json) => ((snp['minTcb'] as Json)['Genoa'] = { fmc: 0, bootloader: 256, tee: 0, snp: 0, microcode: 0 }),
    ],
    ['an opt-out without a reason', (snp: Json) => (snp['measurements'] = { skip: '' })],
    ['a digest of another length', (snp: Json) => (snp['idKeyDigests'] = [`0x${'11'.repeat(32)}`])],
    ['a chip id of another length', (snp: Json) => (snp['deniedHardwareIds'] = [`0x${'11'.repeat(16)}`])],
    ['a firmware version in text', (snp: Json) => (snp['minFirmware'] = '1.55.0')],
  ] as const) {
    it(`is refused with ${name}`, () => {
      throwsCode(withSnp(change), 'STUN_POLICY_FORMAT');
    });
  }

  it('judges a verified report, and throws the first refusal', () => {
    const root = snpMachine().root;
    const verified = verifySnp(parseSnpReport(acceptedReport), parseSnpEndorsements(acceptedEndorsements), atUnix, [root]);
    assert.deepEqual([verified.simulated, verified.product, verified.signer, verified.cspId], [true, 'Genoa', 'vcek', null]);
    assert.deepEqual(verified.hardwareId, chipId);
    assert.deepEqual(verified.tcbs.reported, { fmc: 0, bootloader: 10, tee: 1, snp: 27, microcode: 84 });
    assert.equal(validateSnp(verified, snpPolicyWith({})).verified, verified);
    throwsCode(() => validateSnp(verified, defaultPolicy), 'STUN_POLICY_SIMULATED');
    throwsCode(() => validateSnp(verified, snpPolicyWith({ products: ['Turin'] })), 'STUN_POLICY_SNP_PRODUCT');
  });

  it('admits a report that meets every demand that can be made', () => {
    const author = new Uint8Array(48).fill(5);
    const machine = snpMachine({ changes: { report: { authorKeyEnabled: true, authorKeyDigest: author, idKeyDigest: author } } });
    const verified = verifySnp(
      parseSnpReport(machine.report(new Uint8Array(64))),
      parseSnpEndorsements(machine.endorsements),
      atUnix,
      [machine.root],
    );
    const floor = { fmc: 0, bootloader: 10, tee: 1, snp: 27, microcode: 84 };
    const floors = { Milan: { skip: 'not used' }, Genoa: floor, Turin: { skip: 'not used' } };
    const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`;
    const { checks } = validateSnp(
      verified,
      snpPolicyWith({
        minTcb: floors,
        minLaunchTcb: floors,
        mitigations: '0x0b00000000000000',
        minGuestSvn: 1,
        minFirmware: { major: 1, minor: 55, build: 49 },
        platformInfoRequired: '0x2000000000000000',
        idKeyDigests: [hex(author)],
        authorKeyDigests: [hex(author)],
        hostData: [hex(new Uint8Array(32))],
        measurements: [hex(verified.report.measurement)],
        hardwareIds: [hex(chipId)],
      }),
    );
    assert.deepEqual(
      checks.filter((check) => check.status !== 'proven'),
      [],
    );
  });
});
