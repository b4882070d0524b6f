import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assessEvidence, defaultPolicy, verifyEvidence, type EvidenceContext } from '#attestation/index.ts';
import { createSimulatedPki, exportSimulatedPki } from '#attestation/simulated/pki.ts';
import { openGpuCollateral } from '#cli/commands/worker-gpu-collateral.ts';
import { createBundlingLoader } from '#collateral/bundle.ts';
import { fromNetwork } from '#collateral/published.ts';
import { loadOfGpus } from '#cli/commands/evidence-gpu-collateral.ts';
import { StunError, toHex } from '#protocol/index.ts';
import type { GpuCollateralSource } from '#worker/config.ts';
import { ReadinessProbe } from '#worker/health.ts';
import { Attester, type MachineEvidence } from '#worker/issuer/attester.ts';
import { createSimulatedIssuer } from '#worker/issuer/simulated.ts';
import { ListingRenewal } from '#worker/listing-renewal.ts';
import { createWorkerLog } from '#worker/log.ts';
import { createWorkerMetrics } from '#worker/metrics.ts';
import { rejectsCode } from '../assert-code.ts';
import { gpuPki, gpuPolicyWith } from '../attestation/gpu-fixture.ts';
import { rimPki } from '../attestation/rim-fixture.ts';
import { recorded, type Recorded } from '../collateral/fetched-collateral.ts';
import { PROVIDER } from '../protocol/fixtures.ts';
import { createNvattestDouble, doubleGpu, nvidiaAt, printedFor, type NvattestDouble } from './nvattest-double.ts';

const keysetDigest = new Uint8Array(32).fill(1);
const nonce = new Uint8Array(32).fill(2);
const chain = { newestBlock: () => Promise.resolve({ hash: toHex(nonce), number: 1, timestampUnix: 0 }) };
const HALF_DAY = 43_200;

describe('evidence of a machine with GPUs', function () {
  this.timeout(60_000);
  const pki = createSimulatedPki();
  const startUnix = Math.floor(Date.now() / 1000);
  let folder = '';
  let nvattest: NvattestDouble;
  let nowUnix = startUnix;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-attester-'));
    nvattest = await createNvattestDouble(folder);
    nowUnix = startUnix;
  });
  afterEach(() => rm(folder, { recursive: true }));

  const cached = (): GpuCollateralSource => ({ cachePath: join(folder, 'cache') });
  function attester(
    count: number,
    outside: Recorded,
    change: { source?: GpuCollateralSource; timeoutMs?: number } = {},
  ): Attester {
    const { source = cached(), timeoutMs = 30_000 } = change;
    const collateralFor = openGpuCollateral(source, outside, () => nowUnix);
    const issuer = createSimulatedIssuer(exportSimulatedPki(pki), PROVIDER, () => nowUnix);
    return new Attester(issuer, { command: nvattest.path, count, timeoutMs, collateralFor });
  }
  const demanding = (minGpus: number): EvidenceContext => ({
    atUnix: nowUnix,
    roots: [pki.root, gpuPki.root, rimPki.root],
    policy: gpuPolicyWith({ minGpus, requireRim: true }),
    keysetDigest,
  });
  const nobody = (): Recorded => recorded(new Map());

  it('satisfies a policy that demands as many, and no other', async () => {
    await nvattest.show(1, 2);
    const made = await attester(2, nvidiaAt(startUnix, 1, 2)).attest(keysetDigest, nonce);
    const { gpus, simulated } = verifyEvidence(made.document, demanding(2));
    assert.deepEqual([gpus.length, simulated, made.standsUntilUnix], [2, true, startUnix + HALF_DAY]);
    const codeOf = (change: Partial<EvidenceContext>): string | undefined =>
      assessEvidence(made.document, { ...demanding(2), ...change }).failure?.code;
    assert.equal(codeOf({ policy: demanding(3).policy }), 'STUN_POLICY_GPU_COUNT');
    assert.equal(
      codeOf({ policy: defaultPolicy, roots: [pki.root] }),
      'STUN_ROOT_UNTRUSTED',
      'simulated GPUs stand under no root',
    );
    assert.equal(codeOf({ policy: defaultPolicy }), 'STUN_POLICY_SIMULATED', 'and where they do, only where that is admitted');
    assert.equal(codeOf({ atUnix: startUnix + HALF_DAY + 1 }), 'STUN_OCSP_EXPIRED');
    const plain = await new Attester(createSimulatedIssuer(exportSimulatedPki(pki), PROVIDER, () => nowUnix)).attest(
      keysetDigest,
      nonce,
    );
    assert.equal(assessEvidence(plain.document, demanding(1)).failure?.code, 'STUN_POLICY_GPU_COUNT');
    assert.equal(plain.standsUntilUnix, null);
  });

  it('takes what NVIDIA publishes from the cache for an hour, or from a bundle without asking', async () => {
    await nvattest.show(1);
    const outside = nvidiaAt(startUnix, 1);
    const both = attester(1, outside);
    await Promise.all([both.attest(keysetDigest, nonce), both.attest(keysetDigest, new Uint8Array(32))]);
    const [responses, documents] = [6, 2];
    assert.equal(outside.urls.length, responses + documents);
    nowUnix += 3601;
    await both.attest(keysetDigest, nonce);
    assert.equal(outside.urls.length, 2 * responses + documents, 'OCSP responses are asked for again, the RIM documents are not');
    const bundling = createBundlingLoader(fromNetwork);
    const { report, chain: pem } = doubleGpu(1, startUnix);
    await loadOfGpus(bundling, outside, [{ report: report(nonce), chain: pem }]);
    const bundlePath = join(folder, 'bundle.json');
    await bundling.writeBundle(bundlePath);
    const carried = attester(1, nobody(), { source: { bundlePath } });
    assert.equal(verifyEvidence((await carried.attest(keysetDigest, nonce)).document, demanding(1)).gpus.length, 1);
    nowUnix = startUnix + HALF_DAY;
    await rejectsCode(carried.attest(keysetDigest, nonce), 'STUN_OCSP_EXPIRED');
  });

  it('is not made, and the worker not ready, while a GPU is gone or nvattest fails, hangs or answers another nonce', async () => {
    await nvattest.show(1, 2);
    const made = attester(2, nvidiaAt(startUnix, 1, 2), { timeoutMs: 20_000 });
    const probe = new ReadinessProbe({ keysetDigest, enclaveId: toHex(keysetDigest) }, made, chain, 0);
    const found = async (): Promise<unknown> => {
      const { ready, code, gpus } = await probe.check();
      return [ready, code, gpus];
    };
    assert.deepEqual(await found(), [true, undefined, 2]);
    await nvattest.show(1);
    assert.deepEqual(await found(), [false, 'STUN_GPU_COLLECTION', 2]);
    await nvattest.show(1, 2);
    assert.deepEqual(await found(), [true, undefined, 2], 'once it is back');
    await nvattest.run('exit 9');
    assert.deepEqual(await found(), [false, 'STUN_GPU_COLLECTION', 2]);
    await nvattest.run(`cat <<'END'\n${printedFor([1, 2], new Uint8Array(32))}\nEND`);
    assert.deepEqual(await found(), [false, 'STUN_GPU_COLLECTION', 2]);
    await nvattest.run("trap '' TERM\nexec sleep 20");
    const hanging = attester(2, nobody(), { timeoutMs: 100 });
    await rejectsCode(hanging.attest(keysetDigest, nonce), 'STUN_GPU_COLLECTION');
    await rm(nvattest.path);
    assert.deepEqual(await found(), [false, 'STUN_GPU_COLLECTION', 2]);
  });

  it('is not made without what NVIDIA publishes', async () => {
    await nvattest.show(1);
    await rejectsCode(attester(1, nobody()).attest(keysetDigest, nonce), 'STUN_COLLATERAL_UNAVAILABLE');
  });

  it('is renewed in the listing half-way to the end of the OCSP responses, and until that works', async () => {
    await nvattest.show(1);
    let outside = nvidiaAt(startUnix, 1);
    const machine = attester(1, { ...outside, fetch: (...asked) => outside.fetch(...asked) });
    const first = await machine.attest(keysetDigest, nonce);
    const metrics = createWorkerMetrics();
    const listed = [first.document];
    const renew = async (): Promise<typeof first> => {
      const made = await machine.attest(keysetDigest, nonce);
      listed.push(made.document);
      return made;
    };
    const standsUntilUnix = (): Promise<number | null> => machine.standsUntilUnix();
    const log = createWorkerLog('silent');
    const renewal = new ListingRenewal(first, { standsUntilUnix, renew, nowUnix: () => nowUnix, log, metrics });
    nowUnix = startUnix + HALF_DAY / 2 - 1;
    await renewal.check();
    assert.equal(listed.length, 1);
    nowUnix += 3601;
    outside = nvidiaAt(nowUnix, 1);
    await nvattest.run('exit 1');
    await renewal.check();
    assert.equal(listed.length, 1);
    assert.match(await metrics.registry.metrics(), /quote_failures_total\{code="STUN_GPU_COLLECTION"\} 1/);
    await nvattest.show(1);
    await renewal.check();
    assert.equal(listed.length, 1, 'not without a pause');
    nowUnix += 600;
    await Promise.all([renewal.check(), renewal.check()]);
    assert.equal(listed.length, 2);
    await renewal.check();
    assert.equal(listed.length, 2);
    nowUnix = startUnix + HALF_DAY + 60;
    assert.equal(assessEvidence(first.document, demanding(1)).failure?.code, 'STUN_OCSP_EXPIRED');
    assert.equal(verifyEvidence(listed[1]!, demanding(1)).gpus.length, 1);
  });

  it('is not renewed, and no GPU asked, until what is published ends later than what is listed', async () => {
    let publishedUntilUnix = startUnix + HALF_DAY;
    const [looked, renewed]: [number[], number[]] = [[], []];
    const evidenceUntil = (standsUntilUnix: number): MachineEvidence => ({ document: new Uint8Array(), standsUntilUnix });
    const renewal = new ListingRenewal(evidenceUntil(publishedUntilUnix), {
      standsUntilUnix: () => {
        looked.push(nowUnix - startUnix);
        if (publishedUntilUnix <= nowUnix) return Promise.reject(new StunError('STUN_OCSP_EXPIRED', 'ended'));
        return Promise.resolve(publishedUntilUnix);
      },
      renew: () => {
        renewed.push(nowUnix - startUnix);
        return Promise.resolve(evidenceUntil(publishedUntilUnix));
      },
      nowUnix: () => nowUnix,
      log: createWorkerLog('silent'),
      metrics: createWorkerMetrics(),
    });
    const checkUntil = async (endUnix: number): Promise<void> => {
      for (; nowUnix < endUnix; nowUnix += 30) await renewal.check();
    };
    await checkUntil(startUnix + HALF_DAY + 3600);
    assert.deepEqual([renewed, looked.length, looked[0], looked[1]], [[], 42, HALF_DAY / 2, HALF_DAY / 2 + 600]);
    const replacedAt = nowUnix;
    publishedUntilUnix = replacedAt + HALF_DAY;
    await checkUntil(replacedAt + HALF_DAY / 2);
    assert.deepEqual([renewed, looked.length], [[replacedAt - startUnix], 43]);
  });
});
