import assert from 'node:assert/strict';
import { encodeSnpReport, readSnpTcb } from '#attestation/index.ts';
import { createSimulatedSnp } from '#attestation/simulated/simulated-snp.ts';
import { exportSimulatedSnpPki, importSimulatedSnpPki } from '#attestation/simulated/snp-pki.ts';
import { componentBelow, productOfCpuid, productOfName } from '#attestation/snp/product.ts';
import { parseSnpReport } from '#attestation/snp/report.ts';
import { throwsCode } from '../assert-code.ts';
import { atUnix, reportData } from './simulated-fixture.ts';
import { acceptedEndorsements, acceptedReport, assessSnpWith, chipId, snpPki } from './snp-fixture.ts';

describe('product lines of AMD', () => {
  it('are told by CPUID at both ends of each range', () => {
    const expected = [
      [0x19, 0x00, 'Milan'],
      [0x19, 0x0f, 'Milan'],
      [0x19, 0x10, 'Genoa'],
      [0x19, 0x1f, 'Genoa'],
      [0x19, 0x20, null],
      [0x19, 0x9f, null],
      [0x19, 0xa0, 'Genoa'],
      [0x19, 0xaf, 'Genoa'],
      [0x19, 0xb0, null],
      [0x1a, 0x00, 'Turin'],
      [0x1a, 0x11, 'Turin'],
      [0x1a, 0x12, null],
      [0x17, 0x31, null],
    ] as const;
    for (const [family, model, product] of expected) assert.equal(productOfCpuid(family, model), product, `${family} ${model}`);
  });

  it('are told by the name in a VEK, with a stepping or without', () => {
    for (const name of ['Milan', 'Milan-B0', 'Milan-B1']) assert.equal(productOfName(name), 'Milan');
    for (const name of ['', 'milan', 'Milan-', 'Milan-B', 'Milan-B10', 'MilanX', 'Rome-B0', 'Genoa '])
      assert.equal(productOfName(name), null);
  });

  it('lay out a TCB version in two ways', () => {
    const bytes = Uint8Array.of(4, 0, 0, 0, 0, 0, 0x18, 0xdb);
    assert.deepEqual(readSnpTcb(bytes, 'Milan'), { fmc: 0, bootloader: 4, tee: 0, snp: 0x18, microcode: 0xdb });
    assert.equal(readSnpTcb(bytes, 'Turin'), null);
  });

  it('compare TCB versions by component, never as one number', () => {
    const tcb = { fmc: 1, bootloader: 2, tee: 3, snp: 4, microcode: 5 };
    assert.equal(componentBelow(tcb, tcb), null);
    for (const component of ['fmc', 'bootloader', 'tee', 'snp', 'microcode'] as const) {
      const floor = { fmc: 0, bootloader: 0, tee: 0, snp: 0, microcode: 0, [component]: tcb[component] + 1 };
      assert.equal(componentBelow(tcb, floor), component);
    }
  });
});

describe('simulated SEV-SNP', () => {
  it('is the same machine from stored authorities', () => {
    const restored = importSimulatedSnpPki(exportSimulatedSnpPki(snpPki));
    const machine = createSimulatedSnp({ atUnix, pki: restored, chipId });
    assert.deepEqual(machine.root, snpPki.root('Genoa'));
    assert.deepEqual(machine.report(reportData), acceptedReport);
    assert.equal(assessSnpWith({ report: machine.report(reportData), endorsements: machine.endorsements }).failure, null);
    assert.equal(assessSnpWith({ endorsements: machine.endorsements }).failure, null);
  });

  it('refuses a stored state of another form', () => {
    const stored = JSON.parse(exportSimulatedSnpPki(snpPki)) as Record<string, unknown>;
    for (const change of [{ version: 2 }, { ark: '0x00' }, { extra: 1 }, { ask: 7 }])
      throwsCode(() => importSimulatedSnpPki(JSON.stringify({ ...stored, ...change })), 'STUN_SIMULATOR_STATE');
  });

  it('has another identity each time it is not told one, and says in words what it is', () => {
    const [first, second] = [createSimulatedSnp({ atUnix, pki: snpPki }), createSimulatedSnp({ atUnix, pki: snpPki })];
    assert.notDeepEqual(first.chipId, second.chipId);
    const { familyId } = parseSnpReport(first.report(reportData));
    assert.equal(new TextDecoder().decode(familyId.subarray(0, 14)), 'STUN SIMULATED');
    assert.ok(Buffer.from(first.endorsements.vek).includes('STUN simulated hardware'));
    throwsCode(() => createSimulatedSnp({ atUnix, pki: snpPki, chipId: new Uint8Array(16) }), 'STUN_INPUT');
    throwsCode(() => first.report(new Uint8Array(32)), 'STUN_INPUT');
  });

  it('writes only fields of the right length', () => {
    const { raw: _raw, ...fields } = parseSnpReport(acceptedReport);
    throwsCode(() => encodeSnpReport({ ...fields, measurement: new Uint8Array(47) }), 'STUN_INPUT');
    assert.deepEqual(encodeSnpReport(fields), acceptedReport);
    assert.notEqual(acceptedEndorsements.crl, null);
  });
});
