import assert from 'node:assert/strict';
import { encodeGpuReport, opaqueType, parseGpuReport } from '#attestation/index.ts';
import type { GpuOpaqueField, GpuReportFields } from '#attestation/index.ts';
import { toHex } from '#protocol/bytes.ts';
import { throwsCode } from '../assert-code.ts';
import { gpuCases } from './gpu-vector-cases.ts';

const cases = gpuCases();

const fields: GpuReportFields = {
  nonce: new Uint8Array(32).fill(1),
  slot: 0,
  measurements: [1, 2, 3].map((index) => ({ index, valueType: 1, value: new Uint8Array(48).fill(index) })),
  responderNonce: new Uint8Array(32).fill(2),
  opaque: [],
  signature: new Uint8Array(96).fill(3),
  trailing: new Uint8Array(0),
};
const factsOf = (...opaque: readonly GpuOpaqueField[]): ReturnType<typeof parseGpuReport>['facts'] =>
  parseGpuReport(encodeGpuReport({ ...fields, opaque })).facts;
const field = (name: keyof typeof opaqueType, ...bytes: readonly number[]): GpuOpaqueField => ({
  type: opaqueType[name],
  value: Uint8Array.from(bytes),
});
const text = (name: keyof typeof opaqueType, value: string): GpuOpaqueField => ({
  type: opaqueType[name],
  value: new TextEncoder().encode(value),
});

describe('GPU measurement reports', () => {
  for (const { name, report, nonce, arch } of cases) {
    it(`${name} is read whole and encoded back to its own bytes`, () => {
      const parsed = parseGpuReport(report);
      assert.deepEqual(encodeGpuReport(parsed), report);
      assert.deepEqual(parsed.nonce, nonce);
      assert.equal(parsed.facts.architecture, arch);
      assert.equal(parsed.trailing.length, 0);
      assert.deepEqual(
        parsed.measurements.map(({ index, value }) => [index, value.length]),
        Array.from({ length: arch === 'ls10' ? 31 : 64 }, (_, i) => [i + 1, 48]),
      );
      assert.equal(parsed.facts.driverVersion === null, arch === 'ls10');
      assert.match(parsed.facts.vbiosVersion ?? '', /^9[67]\.[0-9A-F]{2}(?:\.[0-9A-F]{2}){3}$/);
    });
  }

  it('say what RIMs are found by, which mode the GPU is in and whom it is linked to', () => {
    const one = (name: string): ReturnType<typeof parseGpuReport>['facts'] | null => {
      const found = cases.find((vector) => vector.name === name);
      return found === undefined ? null : parseGpuReport(found.report).facts;
    };
    const hopper = one('hopper-c438e7e7');
    if (hopper === null) return assert.equal(cases.length, 0);
    const { driverVersion, vbiosVersion, project, projectSku, chipSku, mode, nvdec0 } = hopper;
    assert.deepEqual(
      [driverVersion, vbiosVersion, project, projectSku, chipSku, mode, nvdec0],
      ['550.90.07', '96.00.9F.00.01', '1010', '0200', '882', 'spt', 'disabled'],
    );
    assert.equal(one('hopper-30cddcd0-rim-altered')?.fwid, null);
    assert.deepEqual([one('blackwell-6cea198c')?.mode, one('blackwell-6cea198c')?.chip], ['mpt', 'GB100']);
    const node = one('hopper-9bf9963c');
    const nvSwitch = one('ls10-8e51d440');
    assert.equal(node?.mode, 'ppcie');
    assert.equal(node.linkedPdis.length, 4);
    assert.equal(nvSwitch?.linkedPdis.length, 8);
    assert.ok(nvSwitch.switchPdi !== null && node.linkedPdis.includes(nvSwitch.switchPdi));
  });

  it('may be followed by other bytes, which are counted and not read', () => {
    const padded = encodeGpuReport({ ...fields, trailing: Uint8Array.of(9, 9, 9) });
    const parsed = parseGpuReport(padded);
    assert.deepEqual(parsed.trailing, Uint8Array.of(9, 9, 9));
    assert.deepEqual(parsed.signedBytes, padded.subarray(0, padded.length - 99));
    assert.deepEqual(parsed.signature, fields.signature);
  });

  it('are copied: a later change of the buffer changes nothing', () => {
    const buffer = encodeGpuReport(fields);
    const parsed = parseGpuReport(buffer);
    buffer.fill(0);
    assert.equal(toHex(parsed.nonce), toHex(fields.nonce));
  });

  it('are refused when a code, a count or a length is not the one that stands there', () => {
    const bytes = encodeGpuReport({ ...fields, opaque: [field('nvdec0Status', 0xaa)] });
    const refused = (offset: number, value: number, code: Parameters<typeof throwsCode>[1]): void => {
      const changed = bytes.slice();
      assert.notEqual(changed[offset], value);
      changed[offset] = value;
      throwsCode(() => parseGpuReport(changed), code);
    };
    refused(0, 0x12, 'STUN_GPU_REPORT_VERSION');
    refused(37, 0x10, 'STUN_GPU_REPORT_VERSION');
    const block = 45;
    const opaque = block + 3 * 55 + 32;
    const places: readonly (readonly [number, number])[] = [
      [1, 0xe1],
      [2, 0],
      [3, 1],
      [36, 1],
      [36, 8],
      [38, 0x61],
      [39, 1],
      [40, 1],
      [41, 2],
      [41, 4],
      [42, 0],
      [44, 1],
      [block, 2],
      [block + 1, 2],
      [block + 2, 50],
      [block + 5, 47],
      [opaque, 4],
      [opaque, 200],
      [opaque + 4, 2],
      [opaque + 6, 0xab],
    ];
    for (const [offset, value] of places) refused(offset, value, 'STUN_GPU_REPORT_FORMAT');
    throwsCode(() => parseGpuReport(new Uint8Array(65_537)), 'STUN_GPU_REPORT_FORMAT');
    for (let length = 0; length < bytes.length; length++)
      throwsCode(() => parseGpuReport(bytes.subarray(0, length)), 'STUN_GPU_REPORT_FORMAT');
  });

  it('may carry fields of unknown types, but none twice', () => {
    const opaque = [{ type: 1000, value: Uint8Array.of(1) }, field('nvdec0Status', 0x55)];
    const parsed = parseGpuReport(encodeGpuReport({ ...fields, opaque }));
    assert.deepEqual([...parsed.opaque], opaque);
    throwsCode(() => factsOf(field('nvdec0Status', 0x55), field('nvdec0Status', 0xaa)), 'STUN_GPU_REPORT_FORMAT');
  });

  it('leave out what is not reported, and refuse known fields without a known meaning', () => {
    assert.deepEqual(factsOf(), {
      architecture: null,
      driverVersion: null,
      vbiosVersion: null,
      project: null,
      projectSku: null,
      chipSku: null,
      chip: null,
      nvdec0: null,
      fwid: null,
      protectedPcie: null,
      mode: null,
      switchPdi: null,
      linkedPdis: [],
    });
    const refused = (...opaque: readonly GpuOpaqueField[]): void =>
      throwsCode(() => factsOf(...opaque), 'STUN_GPU_REPORT_FORMAT');
    refused(field('nvdec0Status', 0x00));
    refused(field('nvdec0Status'));
    refused(field('protectedPcieStatus', 0xaa, 0xaa));
    refused(field('featureFlag', 3, 0));
    refused(field('featureFlag', 1));
    refused(field('featureFlag', 2, 0), field('protectedPcieStatus', 0x55));
    refused(field('featureFlag', 0, 0), field('protectedPcieStatus', 0xaa));
    refused(field('fwid', 1, 2, 3));
    refused(field('vbiosVersion', 1, 2, 3));
    refused(text('driverVersion', 'é'));
    refused(text('driverVersion', 'x'.repeat(65)));
    refused(field('pdis', 1, 2, 3));
    refused(field('positionId', 0, 0), field('pdis', ...new Array<number>(16).fill(1)));
    refused(field('positionId', 0, 0), field('gpuPdis', ...new Array<number>(64).fill(1)));
  });

  it('say the mode by the feature flag, and without one by the state of PCIe', () => {
    assert.equal(factsOf(field('featureFlag', 1, 0)).mode, 'mpt');
    assert.equal(factsOf(field('featureFlag', 2, 0), field('protectedPcieStatus', 0xaa)).mode, 'ppcie');
    assert.equal(factsOf(field('protectedPcieStatus', 0xaa)).mode, 'ppcie');
    assert.equal(factsOf(field('protectedPcieStatus', 0x55)).mode, 'spt');
  });

  it('claim an architecture by the chip word of a GPU, or by being a switch', () => {
    assert.equal(factsOf(field('gpuInfo', 0x80, 1, 0, 0)).architecture, 'hopper');
    assert.equal(factsOf(field('gpuInfo', 0xa0, 1, 0, 0)).architecture, 'blackwell');
    assert.equal(factsOf(field('gpuInfo', 0x70, 1, 0, 0)).architecture, null);
    assert.equal(factsOf(field('gpuInfo', 0x80, 1)).architecture, null);
    assert.equal(factsOf(field('positionId', 0, 0)).architecture, 'ls10');
    assert.equal(factsOf(field('positionId', 0, 0), field('gpuInfo', 0x80, 1, 0, 0)).architecture, null);
  });
});
