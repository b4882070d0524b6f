import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  assessGpu,
  defaultPolicy,
  defaultTrustRoots,
  holdRims,
  parseDeviceChain,
  parseOcspResponse,
  verifyGpu,
} from '#attestation/index.ts';
import type { GpuAssessment, GpuInput } from '#attestation/index.ts';
import type { NvidiaCertificate } from '#attestation/nvidia/certificate.ts';
import { isAbout, verifyOcspResponse } from '#attestation/nvidia/ocsp-verification.ts';
import { parseGpuReport } from '#attestation/nvidia/report.ts';
import { parseRim } from '#attestation/nvidia/rim/reference-manifest.ts';
import { toHex } from '#protocol/bytes.ts';
import { throwsCode } from '../assert-code.ts';
import { gpuCases } from './gpu-vector-cases.ts';
import type { GpuCase } from './gpu-vector-cases.ts';
import { assessGpuWith } from './gpu-fixture.ts';

/** 2025-10-24T12:00:00Z: the chains have no end, and no case names a time for report and chain. */
const atUnix = 1_761_307_200;
const cases = gpuCases();
const good = cases.filter((vector) => vector.expected === 'valid');
const ocspOf = ({ folder }: GpuCase): readonly Uint8Array[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith('ocsp-'))
    .map((name) => new Uint8Array(readFileSync(join(folder, name))));
const rimsOf = ({ folder }: GpuCase): readonly Uint8Array[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.xml'))
    .map((name) => new Uint8Array(readFileSync(join(folder, name))));
const assess = (
  vector: GpuCase,
  changes: Partial<GpuInput> = {},
  hold: ReturnType<typeof holdRims> | null = null,
): GpuAssessment =>
  assessGpu(
    {
      report: vector.report,
      chain: vector.chain,
      nonce: vector.nonce,
      ocsp: [],
      ocspAtUnix: null,
      atUnix,
      roots: defaultTrustRoots,
      policy: defaultPolicy,
      ...changes,
    },
    hold,
  );

/** The certificates in the signatures of a case's RIM documents, each chain signer first. */
const rimChains = (vector: GpuCase): readonly (readonly NvidiaCertificate[])[] =>
  rimsOf(vector).map((rim) => parseRim(rim).chain);

describe('real GPU and NVSwitch evidence', () => {
  it('is counted, and the simulated set runs with or without it', () => {
    assert.equal(assessGpuWith({}).failure, null);
    assert.ok(cases.length === 0 || (cases.length >= 29 && good.length >= 26), `${cases.length} cases, ${good.length} valid`);
    console.log(`      ${cases.length} real NVIDIA cases, ${good.length} of them valid`);
  });

  for (const vector of cases) {
    it(`${vector.name} gives the answer of a correct verifier`, () => {
      const { verified, checks, failure } = assess(vector);
      const refuted = checks
        .filter((check) => check.status === 'refuted' && !check.id.startsWith('policy-'))
        .map((check) => check.id);
      if (vector.expected !== 'valid') {
        assert.equal(verified, null);
        assert.ok(failure !== null && !failure.code.startsWith('STUN_POLICY_'));
        assert.deepEqual(refuted, [vector.expected, ...vector.alsoFails]);
        return;
      }
      assert.ok(verified !== null, failure?.message);
      assert.deepEqual(refuted, []);
      const { architecture, simulated, nonce, debug, hardwareId, report } = verified;
      assert.deepEqual([architecture, simulated, nonce], [vector.arch, false, 'checked']);
      assert.equal(debug, architecture === 'blackwell' ? false : null);
      if (architecture === 'ls10') assert.equal(toHex(hardwareId), report.facts.switchPdi);
      const unknown = checks.filter((check) => check.status === 'unknown' && !check.id.startsWith('policy-'));
      assert.deepEqual(
        unknown.map((check) => check.id),
        report.facts.fwid === null ? ['fwid', 'ocsp'] : ['ocsp'],
      );
      assert.equal(failure?.code, 'STUN_POLICY_REVOCATION');
    });
  }

  it('is refused under the chain of another device, and for another nonce', () => {
    const seen = new Set<string>();
    for (const [i, vector] of good.entries()) {
      const other = good[(i + 1) % good.length] ?? vector;
      for (const swapped of [{ chain: other.chain }, { nonce: Uint8Array.from(vector.nonce).reverse() }]) {
        const { verified, checks } = assess(vector, swapped);
        assert.equal(verified, null, `${vector.name} under ${other.name}`);
        checks.filter((check) => check.status === 'refuted').forEach((check) => seen.add(check.id));
      }
    }
    if (cases.length > 0) assert.deepEqual([...seen].sort(), ['nonce', 'report-signature']);
  });

  it('verifies from the first second of the youngest certificate on, and without a root not at all', () => {
    for (const vector of good) {
      const chain = parseDeviceChain(vector.chain);
      const report = parseGpuReport(vector.report);
      const from = Math.max(...chain.map((certificate) => certificate.notBeforeUnix));
      const at = (time: number, roots = defaultTrustRoots): unknown =>
        verifyGpu(report, { chain, ocsp: [], ocspAtUnix: null, nonce: null }, time, roots);
      at(from);
      throwsCode(() => at(from - 1), 'STUN_CERTIFICATE_NOT_YET_VALID');
      throwsCode(() => at(0.5), 'STUN_RANGE');
      throwsCode(() => at(from, []), 'STUN_ROOT_UNTRUSTED');
    }
  });

  it('names each device by the identity that its neighbours know it by', () => {
    const verified = good.map((vector) => assess(vector).verified);
    const gpus = new Set<string>(verified.flatMap((gpu) => (gpu?.architecture === 'hopper' ? [toHex(gpu.hardwareId)] : [])));
    const node = verified.find(
      (device) =>
        device?.architecture === 'ls10' &&
        device.report.facts.linkedPdis.length === 8 &&
        device.report.facts.linkedPdis.some((pdi) => gpus.has(pdi)),
    );
    if (node === undefined) return assert.equal(cases.length, 0);
    const known = node?.report.facts.linkedPdis.filter((pdi) => gpus.has(pdi)) ?? [];
    assert.equal(known.length, 7, 'seven of the eight GPUs of one machine are in the set');
  });
});

describe('real OCSP responses', () => {
  for (const vector of cases.filter(({ ocsp }) => Object.keys(ocsp).length > 0)) {
    const chains = [parseDeviceChain(vector.chain), ...rimChains(vector)];
    const pairs = chains.flatMap((chain) =>
      chain.slice(0, -1).map((certificate, i) => [certificate, chain[i + 1] ?? certificate] as const),
    );

    for (const [file, answer] of Object.entries(vector.ocsp)) {
      it(`${vector.name} ${file} is ${answer.status} about one certificate, in its window and not a second outside`, () => {
        const response = parseOcspResponse(new Uint8Array(readFileSync(join(vector.folder, file))));
        const { thisUpdate, nextUpdate, serial } = answer;
        assert.deepEqual([response.thisUpdateUnix, response.nextUpdateUnix], [thisUpdate, nextUpdate]);
        assert.equal(response.certificateId.serialHex.replace(/^00/, ''), serial);
        assert.equal(response.status.kind, answer.status);
        const about = pairs.find(([certificate, issuer]) => isAbout(response, certificate, issuer));
        assert.ok(about !== undefined);
        const [certificate, issuer] = about;
        const at = (time: number): unknown => verifyOcspResponse(response, certificate, issuer, time);
        assert.equal(at(thisUpdate), answer.status);
        assert.equal(at(nextUpdate), answer.status);
        throwsCode(() => at(thisUpdate - 1), 'STUN_OCSP_NOT_YET_VALID');
        throwsCode(() => at(nextUpdate + 1), 'STUN_OCSP_EXPIRED');
        const other = pairs.find(([candidate]) => candidate.serialHex !== certificate.serialHex);
        assert.ok(other !== undefined);
        throwsCode(() => verifyOcspResponse(response, other[0], other[1], thisUpdate), 'STUN_OCSP_MISMATCH');
      });
    }

    it(`${vector.name} has an answer for every certificate that can be revoked, at a time of their own`, () => {
      const times = Object.entries(vector.ocsp).flatMap(([file, { thisUpdate }]) =>
        file.includes('gpu-cert') ? [thisUpdate] : [],
      );
      const { verified, checks } = assess(vector, { ocsp: ocspOf(vector), ocspAtUnix: Math.max(...times) });
      assert.deepEqual(
        verified?.revocation.map(({ certificate, status }) => [certificate, status]),
        [
          ['device', 'good'],
          ['provisioner', 'good'],
          ['identity', 'good'],
        ],
      );
      assert.equal(checks.find((check) => check.id === 'ocsp')?.status, 'proven');
      assert.deepEqual(verified?.rimRevocation, []);
      const late = assess(vector, { ocsp: ocspOf(vector) });
      assert.notEqual(late.verified, null);
      assert.deepEqual(
        late.checks.find((check) => check.id === 'ocsp'),
        { id: 'ocsp', status: 'refuted', code: 'STUN_OCSP_EXPIRED' },
      );
    });

    it(`${vector.name} is accepted by the default policy, with an answer for every certificate above its RIMs`, () => {
      const windows = (isOfRim: boolean): readonly [number, number] => {
        const found = Object.entries(vector.ocsp).flatMap(([file, answer]) => (file.includes('rim') === isOfRim ? [answer] : []));
        return [Math.max(...found.map(({ thisUpdate }) => thisUpdate)), Math.min(...found.map(({ nextUpdate }) => nextUpdate))];
      };
      const [ocspAtUnix] = windows(false);
      const [from, to] = windows(true);
      const at = (rimAtUnix: number, ocsp = ocspOf(vector)): GpuAssessment =>
        assess(vector, { ocsp, ocspAtUnix }, holdRims(rimsOf(vector), rimAtUnix, defaultTrustRoots));
      for (const time of [from, to]) {
        const { failure, validated, verified, checks } = at(time);
        assert.deepEqual([failure, validated], [null, true]);
        assert.equal(checks.find((check) => check.id === 'rim-ocsp')?.status, 'proven');
        assert.deepEqual(
          verified?.rimRevocation.map(({ certificate, status }) => `${certificate} ${status}`),
          ['driver', 'vbios'].flatMap((kind) => ['l4', 'l3', 'l2'].map((level) => `${kind}-rim-${level} good`)),
        );
      }
      assert.equal(at(from - 1).failure?.code, 'STUN_OCSP_NOT_YET_VALID');
      assert.equal(at(to + 1).failure?.code, 'STUN_OCSP_EXPIRED');
    });

    it(`${vector.name} is refused by the default policy without any one of the answers`, () => {
      const rimAtUnix = Math.max(...Object.values(vector.ocsp).map(({ thisUpdate }) => thisUpdate));
      const ocspAtUnix = Math.min(...Object.values(vector.ocsp).map(({ nextUpdate }) => nextUpdate));
      const hold = holdRims(rimsOf(vector), rimAtUnix, defaultTrustRoots);
      const all = ocspOf(vector);
      for (const i of all.keys()) {
        const { failure, checks } = assess(vector, { ocsp: all.toSpliced(i, 1), ocspAtUnix }, hold);
        assert.equal(failure?.code, 'STUN_POLICY_REVOCATION');
        const open = checks.filter(({ id, status }) => id.endsWith('ocsp') && status !== 'proven');
        assert.deepEqual(
          open.map(({ status, code }) => [status, code]),
          [['unknown', 'STUN_REVOCATION_UNKNOWN']],
        );
      }
    });
  }
});
