import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { assessGpu, defaultPolicy, defaultTrustRoots, parseGpuReport } from '#attestation/index.ts';
import type { Check, GpuAssessment, GpuInput, GpuPolicy } from '#attestation/index.ts';
import { rimChecks } from '#attestation/checks.ts';
import { holdRims } from '#attestation/nvidia/rim/hold.ts';
import { evidenceVerify } from '#cli/commands/evidence.ts';
import type { EvidenceVerifyOptions } from '#cli/commands/evidence.ts';
import { makeSimulatedRim } from '#attestation/simulated/simulated-rim.ts';
import { acceptedChain, acceptedGpuReport, acceptedOcsp, gpuNonce, gpuPki, gpuPolicyWith } from './gpu-fixture.ts';
import { gpuCases } from './gpu-vector-cases.ts';
import { acceptedRimOcsp, rimOcspWith, rimPki } from './rim-fixture.ts';
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

const assess = (
  rims: readonly Uint8Array[],
  rimAtUnix = atUnix,
  rimRoots = [rimPki.root],
  changes: Partial<GpuInput> = {},
): GpuAssessment =>
  assessGpu(
    {
      report: acceptedGpuReport,
      chain: acceptedChain,
      ocsp: [...acceptedOcsp, ...acceptedRimOcsp],
      ocspAtUnix: null,
      nonce: gpuNonce,
      atUnix,
      roots: [gpuPki.root],
      policy: gpuPolicyWith({ requireRim: true }),
      ...changes,
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

  /** The device with both RIMs and other answers about their chains, by a policy with changes. */
  const judged = (rimOcsp: readonly Uint8Array[], policy: Partial<GpuPolicy> = {}): GpuAssessment =>
    assess([driver, vbios], atUnix, [rimPki.root], {
      ocsp: [...acceptedOcsp, ...rimOcsp],
      policy: gpuPolicyWith({ requireRim: true, ...policy }),
    });
  const checkOf = ({ checks }: GpuAssessment, wanted: string): Check | undefined => checks.find(({ id }) => id === wanted);
  const unknown = (code: string): object => ({ id: 'rim-ocsp', status: 'unknown', code });

  it('say of every certificate above them but the root what is known of its revocation', () => {
    const levels = ['l4', 'l3', 'l2'];
    const { verified } = judged(acceptedRimOcsp.slice(1));
    assert.deepEqual(
      verified?.rimRevocation,
      ['driver', 'vbios'].flatMap((kind) =>
        levels.map((level) => ({
          certificate: `${kind}-rim-${level}`,
          status: level === 'l4' ? 'unknown' : 'good',
          nextUpdateUnix: level === 'l4' ? null : atUnix + 43_200,
        })),
      ),
    );
    assert.deepEqual(assess([]).verified?.rimRevocation, []);
    assert.equal(assess([vbios]).verified?.rimRevocation.length, 3);
  });

  it('need no answers about their chains under a policy that says so, and the report shows that there were none', () => {
    const refused = judged([]);
    assert.equal(refused.failure?.code, 'STUN_POLICY_REVOCATION');
    assert.match(refused.failure.message, /driver-rim-l4/);
    const admitted = judged([], { requireRimRevocationData: false });
    assert.deepEqual([admitted.failure, admitted.verified?.rim], [null, 'checked']);
    assert.deepEqual(checkOf(admitted, 'rim-ocsp'), unknown('STUN_REVOCATION_UNKNOWN'));
    assert.equal(checkOf(admitted, 'policy-rim-revocation')?.status, 'proven');
    assert.equal(checkOf(assess([], atUnix, [], { policy: gpuPolicyWith({}) }), 'policy-rim-revocation')?.status, 'unknown');
  });

  it('may be signed under a certificate on hold where the policy admits holds', () => {
    const held = rimOcspWith({ l3: { status: { revokedAtUnix: atUnix - 5, reason: 6 } } });
    const refused = judged(held);
    assert.equal(refused.failure?.code, 'STUN_POLICY_GPU_HOLD');
    assert.match(refused.failure.message, /driver-rim-l3/);
    const admitted = judged(held, { admitCertificateHold: true });
    assert.equal(admitted.failure, null);
    assert.deepEqual(checkOf(admitted, 'rim-ocsp'), unknown('STUN_OCSP_HOLD'));
  });

  it('are refused under every policy when a certificate above them is revoked, and the device stays verified', () => {
    const revoked = rimOcspWith({ chip: { status: { revokedAtUnix: atUnix - 5, reason: null } } });
    const { failure, verified, checks } = judged(revoked, { requireRim: false, requireRimRevocationData: false });
    assert.deepEqual([failure?.code, verified?.rim], ['STUN_CERTIFICATE_REVOKED', 'unknown']);
    assert.deepEqual(verified?.rimRevocation, []);
    const refuted = checks.filter(({ status }) => status === 'refuted').map(({ id }) => id);
    assert.deepEqual(refuted, ['rim-ocsp']);
  });

  it('are answered for at their own time, and what is accepted ends with the first answer', () => {
    const times = { thisUpdateUnix: atUnix - 9, nextUpdateUnix: atUnix + 9 };
    const ocsp = [...acceptedOcsp, ...rimOcspWith({ signer: times, l3: times, chip: times })];
    const codeAt = (rimAtUnix: number): string | undefined =>
      assess([driver, vbios], rimAtUnix, [rimPki.root], { ocsp, ocspAtUnix: atUnix - 20 }).failure?.code;
    assert.deepEqual(
      [-10, -9, 9, 10].map((seconds) => codeAt(atUnix + seconds)),
      ['STUN_OCSP_NOT_YET_VALID', undefined, undefined, 'STUN_OCSP_EXPIRED'],
    );
    const { verified } = assess([driver, vbios], atUnix, [rimPki.root], { ocsp });
    assert.equal(verified?.collateralExpiresAtUnix, atUnix + 9);
  });

  it('are taken from files and from the folder of a case', async () => {
    const found = gpuCases().filter(({ name }) => name === 'hopper-c438e7e7');
    for (const { folder } of found) {
      const rimStatuses = async (options: EvidenceVerifyOptions): Promise<readonly string[]> => {
        const { document } = await evidenceVerify({ at: 1_761_307_200, ...options });
        const { checks, verified } = document as unknown as { readonly checks: readonly Check[]; readonly verified: boolean };
        assert.equal(verified, true);
        const ofRims = checks.filter(({ id }) => id.startsWith('rim-'));
        const ocsp = ofRims.find(({ id }) => id === 'rim-ocsp')?.status ?? '';
        return [ocsp, ...new Set(ofRims.filter(({ id }) => id !== 'rim-ocsp').map(({ status }) => status))];
      };
      const [gpu, chain] = ['report.bin', 'chain.pem'].map((name) => join(folder, name));
      const rim = ['driver-rim.xml', 'vbios-rim.xml'].map((name) => join(folder, name));
      assert.deepEqual(await rimStatuses({ case: folder }), ['proven', 'proven']);
      assert.deepEqual(await rimStatuses({ gpu: gpu ?? '', chain: chain ?? '', rim }), ['unknown', 'proven']);
      assert.deepEqual(await rimStatuses({ gpu: gpu ?? '', chain: chain ?? '' }), ['unknown', 'unknown']);
      assert.ok((await rimStatuses({ case: folder, rimAt: 1_900_000_000 })).includes('refuted'));
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
