/** A worker with simulated GPUs, two attestors, a service and a customer whose policy demands a GPU: from registration to a verified receipt. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { canonicalPolicyJson, defaultPolicy } from '#attestation/index.ts';
import { exportSimulatedPki } from '#attestation/simulated/pki.ts';
import { openGpuCollateral } from '#cli/commands/worker-gpu-collateral.ts';
import {
  connectClient,
  fetchEnclave,
  fetchResult,
  openOrder,
  receiptFileOf,
  submitJobs,
  verifyReceiptFile,
  type ClientConnection,
  type JobResult,
} from '#client/index.ts';
import { encodeTensors, StunError } from '#protocol/index.ts';
import type { RunningService } from '#service/service.ts';
import { parseWorkerConfig } from '#worker/config.ts';
import { createWorkerLog } from '#worker/log.ts';
import { runWorker, type WorkerReady } from '#worker/main.ts';
import { readModelFile } from '#worker/model/manifest.ts';
import { DAY, ROLE, World } from '../service/world.ts';
import { rejectsCode } from '../../unit/assert-code.ts';
import { gpuPki, gpuPolicyWith } from '../../unit/attestation/gpu-fixture.ts';
import { rimPki } from '../../unit/attestation/rim-fixture.ts';
import { vector } from '../../unit/worker/fixtures.ts';
import { createNvattestDouble, nvidiaAt, type NvattestDouble } from '../../unit/worker/nvattest-double.ts';
import { doubling, writeModel } from '../../unit/worker/onnx-models.ts';

const demanding = (minGpus: number): typeof defaultPolicy => gpuPolicyWith({ minGpus, requireRim: true });

describe('a worker that shows its GPUs', function () {
  this.timeout(180_000);
  let world: World;
  let service: RunningService;
  let nvattest: NvattestDouble;
  let client: ClientConnection;
  let settings: Record<string, unknown>;
  let modelId: bigint;
  let skipMs = 0;
  let collateralIsAsked = (): Promise<void> => Promise.resolve();
  const path = (name: string): string => join(world.directory, name);
  const outside = nvidiaAt(Math.floor(Date.now() / 1000), 1, 2);

  before(async () => {
    world = await World.create();
    const roots = [world.pki.root, gpuPki.root, rimPki.root];
    await writeFile(path('roots.json'), JSON.stringify(roots));
    await writeFile(path('pki.json'), exportSimulatedPki(world.pki));
    await writeFile(path('gpu-policy.json'), canonicalPolicyJson(demanding(1)));
    const simulatedRoot = path('roots.json');
    service = await world.startService({ simulatedRoot }, { nowMs: () => Date.now() + skipMs });
    const attestorUrls: string[] = [];
    for (const index of ROLE.attestors.slice(0, 2)) {
      const attestorKey = world.account(index).privateKey;
      const attestor = { role: 'attestor', attestorKey, attestorPolicies: [path('gpu-policy.json')], simulatedRoot };
      attestorUrls.push((await world.startService(attestor)).url);
    }
    nvattest = await createNvattestDouble(world.directory);
    const model = await writeModel(doubling());
    ({ modelId } = await readModelFile(model.modelPath, model.manifestPath));
    settings = {
      serviceUrl: service.url,
      attestorUrls,
      rpcUrl: world.chain.url,
      deploymentPath: path('deployment.json'),
      providerKey: world.account(ROLE.provider).privateKey,
      platform: 'simulated',
      simulatedPkiPath: path('pki.json'),
      policyPath: path('gpu-policy.json'),
      models: [{ ...model, price: '700' }],
      storePath: path('worker.sqlite'),
      gpu: { nvattest: nvattest.path, count: 1, timeoutMs: 60_000, collateral: { cachePath: path('nvidia') } },
      leaseWaitMs: 200,
      listen: { host: '127.0.0.1', port: 0 },
      readinessMaxAgeSeconds: 1,
    };
    client = await connectClient({
      home: path('client'),
      passphrase: 'correct horse battery',
      deployment: world.deployment,
      rpcUrl: world.chain.url,
      serviceUrl: service.url,
      privateKey: world.account(ROLE.funder).privateKey,
      extraRoots: roots,
      scryptCost: { n: 2 ** 10, r: 8, p: 1 },
    });
  });
  after(async () => {
    client.close();
    await world.close();
  });

  interface Running {
    readonly ready: WorkerReady;
    /** Codes of quotes that were asked for and not made or not taken. */
    readonly failedQuotes: string[];
    readonly events: string[];
  }

  let stop = (): Promise<void> => Promise.resolve();
  let watching = new AbortController();
  afterEach(async () => {
    // A test that took too long watches on until it is told.
    watching.abort();
    watching = new AbortController();
    await stop();
    stop = () => Promise.resolve();
    skipMs = 0;
  });

  async function start(change: Record<string, unknown> = {}): Promise<Running> {
    const abort = new AbortController();
    const failedQuotes: string[] = [];
    const events: string[] = [];
    const write = (line: string): void => {
      const { event = '', code } = JSON.parse(line) as Record<string, string>;
      events.push(event);
      if (event === 'quote.failed') failedQuotes.push(code ?? '');
    };
    const { promise, resolve, reject } = Promise.withResolvers<WorkerReady>();
    const ended = runWorker(parseWorkerConfig({ ...settings, ...change }), {
      signal: abort.signal,
      log: createWorkerLog('info', { write }),
      onReady: resolve,
      openGpuCollateral: (source) => {
        const collateralFor = openGpuCollateral(source, outside);
        return async (gpus) => {
          await collateralIsAsked();
          return collateralFor(gpus);
        };
      },
    });
    ended.catch(reject);
    const ready = await promise;
    stop = async () => {
      abort.abort();
      await ended;
    };
    return { ready, failedQuotes, events };
  }

  /** Waits as long as the test may take. */
  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const { signal } = watching;
    while (!(await condition())) await sleep(20, undefined, { signal });
  }

  /** One job of an order that demands a GPU, served. */
  async function serve({ ready }: Running): Promise<JobResult> {
    const { order } = await openOrder(client, {
      modelId,
      policy: demanding(1),
      budgets: [{ provider: ready.provider, amount: 10n ** 18n }],
      token: `0x${'00'.repeat(20)}`,
      deadlineUnix: (await world.chain.nowUnix()) + 7 * DAY,
      graceSeconds: 2 * DAY,
      segmentLength: 16,
      priceScale: 10n ** 9n,
    });
    const payload = encodeTensors([vector([1, 2])]);
    const [sent] = await submitJobs(client, order, [{ payload, maxPrice: 900n }]);
    return fetchResult(client, sent!.jobId, { timeoutMs: 170_000 });
  }

  it('serves a customer who demands a GPU, down to a receipt that verifies, and is refused by one who demands two', async () => {
    await nvattest.show(1);
    const worker = await start();
    const result = await serve(worker);
    assert.deepEqual([...new Float32Array(new Uint8Array(result.tensors[0]!.data).buffer)], [2, 4]);
    const receipt: unknown = JSON.parse(JSON.stringify(receiptFileOf(result)));
    const { evidence } = verifyReceiptFile(receipt, client.roots);
    assert.deepEqual([evidence.gpus.length, evidence.simulated], [1, true]);
    assert.throws(
      () => verifyReceiptFile(receipt, [world.pki.root]),
      (error: unknown) => error instanceof StunError && error.code === 'STUN_ROOT_UNTRUSTED',
    );
    const enclave = { keysetDigest: worker.ready.keysetDigest, provider: worker.ready.provider };
    await rejectsCode(fetchEnclave(client, demanding(2), enclave), 'STUN_POLICY_GPU_COUNT');
    await rejectsCode(fetchEnclave(client, { ...demanding(1), allowSimulated: false }, enclave), 'STUN_POLICY_SIMULATED');
  });

  it('is not ready, and the service has no recent quote of it, while its GPU is gone or is another one', async () => {
    await nvattest.show(1);
    const worker = await start({ storePath: path('gone.sqlite') });
    const readiness = async (url: string): Promise<unknown> => {
      const response = await fetch(`${url}/readyz`);
      const { ready, code } = (await response.json()) as Record<string, unknown>;
      return [response.status, ready, ...(code === undefined ? [] : [code])];
    };
    assert.deepEqual(await readiness(worker.ready.healthUrl!), [200, true]);
    assert.deepEqual(await readiness(service.url), [200, true]);
    await nvattest.run('exit 9');
    // The chain's clock may be some seconds ahead.
    skipMs = 3_700_000;
    await until(() => worker.failedQuotes.includes('STUN_GPU_COLLECTION'));
    await until(async () => {
      return JSON.stringify(await readiness(worker.ready.healthUrl!)) === '[503,false,"STUN_GPU_COLLECTION"]';
    });
    assert.deepEqual(await readiness(service.url), [503, false]);
    await nvattest.show(2);
    await until(() => worker.failedQuotes.includes('STUN_ENCLAVE_LISTING'));
    await nvattest.show(1);
    await until(async () => JSON.stringify(await readiness(service.url)) === '[200,true]');
  });

  it('hands its segments over at its end, before the evidence that is under way', async () => {
    await nvattest.show(1);
    const worker = await start({ storePath: path('ending.sqlite'), segmentIdleMs: 86_400_000 });
    await serve(worker);
    const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    collateralIsAsked = () => {
      asked.resolve();
      return answered.promise;
    };
    skipMs = 3_700_000;
    try {
      await asked.promise;
      const stopped = stop();
      await until(() => worker.events.includes('segment.pushed'));
      assert.ok(!worker.events.includes('worker.stopped'));
      answered.resolve();
      await stopped;
      assert.deepEqual(worker.failedQuotes, []);
    } finally {
      collateralIsAsked = () => Promise.resolve();
      answered.resolve();
    }
  });

  it('does not start without its GPU, and finds no attestor for a policy that demands one without showing it', async () => {
    await nvattest.run('exit 1');
    await rejectsCode(start({ storePath: path('absent.sqlite') }), 'STUN_GPU_COLLECTION');
    await assert.rejects(
      start({ storePath: path('hidden.sqlite'), gpu: null }),
      (error: unknown) =>
        error instanceof StunError &&
        error.code === 'STUN_APPROVAL_QUORUM' &&
        JSON.stringify(error.details['codes']) === '["STUN_POLICY_GPU_COUNT","STUN_POLICY_GPU_COUNT"]',
    );
  });
});
