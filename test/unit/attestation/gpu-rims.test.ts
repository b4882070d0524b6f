import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { assessGpu, defaultPolicy, defaultTrustRoots, parseGpuReport } from '#attestation/index.ts';
import type { Check, GpuAssessment } from '#attestation/index.ts';
import { rimChecks } from '#attestation/checks.ts';
import { holdRims } from '#attestation/nvidia/rim/hold.ts';
import { evidenceVerify } from '#cli/commands/evidence.ts';
import type { EvidenceVerifyOptions } from '#cli/commands/evidence.ts';
import { makeSimulatedRim } from '#attestation/simulated/simulated-rim.ts';
import { acceptedChain, acceptedGpuReport, acceptedOcsp, gpuNonce, gpuPki, gpuPolicyWith } from './gpu-fixture.ts';
import { gpuCases } from './gpu-vector-cases.ts';
import { rimPki } from './rim-fixture.ts';
import { atUnix } from './simulated-fixture.ts';

const { facts, measurements } = parseGpuReport(acceptedGpuReport);
/** RIMs of the accepted report: the driver owns the even measurements, the VBIOS the odd ones. */
const rimOf = (version: string | null, parity: number, spoilt: number | null = null): Uint8Array =>
  makeSimulatedRim(rimPki, {
    version: version ?? '',
    product: 'GH100',
    atUnix,
    measurements: measurements.map(({ index, value }) => ({
      index: index - 1,
      active: (index - 1) % 2 === parity,
      alternatives: [index === spoilt ? value.map((byte) => byte ^ 1) : value],
    })),
  });
const driver = rimOf(facts.driverVersion, 0);
const vbios = rimOf(facts.vbiosVersion, 1);

const assess = (rims: readonly Uint8Array[], rimAtUnix = atUnix, rimRoots = [rimPki.root]): GpuAssessment =>
  assessGpu(
    {
      report: acceptedGpuReport,
      chain: acceptedChain,
      ocsp: acceptedOcsp,
      ocspAtUnix: null,
      nonce: gpuNonce,
      atUnix,
      roots: [gpuPki.root],
      policy: gpuPolicyWith({ requireRim: true }),
    },
    holdRims(rims, rimAtUnix, rimRoots),
  );

describe('reference values of a GPU', () => {
  it('let a policy accept that demands them', () => {
    const { failure, verified, validated, checks } = assess([driver, vbios]);
    assert.equal(failure, null, failure?.message);
    assert.deepEqual([validated, verified?.rim], [true, 'checked']);
    for (const id of rimChecks) assert.equal(checks.find((check) => check.id === id)?.status, 'proven', id);
  });

  it('are demanded of driver and VBIOS', () => {
    for (const rims of [[], [driver], [vbios]]) {
      const { failure, verified, validated } = assess(rims);
      assert.deepEqual([failure?.code, verified?.rim, validated], ['STUN_POLICY_GPU_RIM', 'unknown', false]);
    }
  });

  it('refuse a device whose measurements differ, which stays verified', () => {
    const { failure, verified, checks } = assess([driver, rimOf(facts.vbiosVersion, 1, 2)]);
    assert.equal(failure?.code, 'STUN_RIM_MEASUREMENT');
    assert.ok(verified !== null);
    const refuted = checks.filter(({ status }) => status === 'refuted').map(({ id }) => id);
    assert.deepEqual(refuted, ['rim-vbios-measurement']);
  });

  it('have a time and roots of their own', () => {
    assert.equal(assess([driver, vbios], atUnix + 40_000_000).failure?.code, 'STUN_CERTIFICATE_EXPIRED');
    assert.equal(assess([driver, vbios], atUnix, []).failure?.code, 'STUN_ROOT_UNTRUSTED');
  });

  it('are taken from files and from the folder of a case', async () => {
    const found = gpuCases().filter(({ name }) => name === 'hopper-c438e7e7');
    for (const { folder } of found) {
      const rimStatuses = async (options: EvidenceVerifyOptions): Promise<ReadonlySet<string>> => {
        const { document } = await evidenceVerify({ at: 1_761_307_200, ...options });
        const { checks, verified } = document as unknown as { readonly checks: readonly Check[]; readonly verified: boolean };
        assert.equal(verified, true);
        return new Set(checks.filter(({ id }) => id.startsWith('rim-')).map(({ status }) => status));
      };
      const [gpu, chain] = ['report.bin', 'chain.pem'].map((name) => join(folder, name));
      const rim = ['driver-rim.xml', 'vbios-rim.xml'].map((name) => join(folder, name));
      assert.deepEqual(await rimStatuses({ case: folder }), new Set(['proven']));
      assert.deepEqual(await rimStatuses({ gpu: gpu ?? '', chain: chain ?? '', rim }), new Set(['proven']));
      assert.deepEqual(await rimStatuses({ gpu: gpu ?? '', chain: chain ?? '' }), new Set(['unknown']));
      assert.ok((await rimStatuses({ case: folder, rimAt: 1_900_000_000 })).has('refuted'));
    }
    console.log(`      ${found.length} real cases`);
  });

  it('fit real devices: with them nothing of the RIM checks stays open', () => {
    const wanted = ['hopper-c438e7e7', 'ls10-352fc991'];
    const cases = gpuCases().filter(({ name }) => wanted.includes(name));
    for (const { name, folder, report, chain, nonce } of cases) {
      const files = readdirSync(folder).filter((file) => /-rim.*\.xml$/.test(file));
      const rims = files.map((file) => new Uint8Array(readFileSync(join(folder, file))));
      const { rim } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
        readonly rim: Readonly<Record<string, { readonly verifyAt: number }>>;
      };
      const rimAtUnix = Object.values(rim)[0]?.verifyAt ?? 0;
      const { verified, checks } = assessGpu(
        { report, chain, nonce, ocsp: [], ocspAtUnix: null, atUnix: rimAtUnix, roots: defaultTrustRoots, policy: defaultPolicy },
        holdRims(rims, rimAtUnix, defaultTrustRoots),
      );
      assert.equal(verified?.rim, 'checked', name);
      assert.equal(checks.find(({ id }) => id === 'policy-rim')?.status, 'proven', name);
    }
    console.log(`      ${cases.length} real devices`);
  });
});
