/** A worker with simulated GPUs, two attestors, a service and customers, from registration to a verified receipt; and what they get for bad jobs. */
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
  type OrderRecord,
} from '#client/index.ts';
import {
  encodeTensors,
  fieldToHex,
  fromHex,
  generateEddsaKeyPair,
  StunError,
  type ErrorCode,
  type NamedTensor,
} from '#protocol/index.ts';
import type { RunningService } from '#service/service.ts';
import { parseWorkerConfig } from '#worker/config.ts';
import { createWorkerLog } from '#worker/log.ts';
import { runWorker, type WorkerReady } from '#worker/main.ts';
import { readModelFile } from '#worker/model/manifest.ts';
import { DAY, ROLE, World } from '../service/world.ts';
import { rejectsCode } from '../../unit/assert-code.ts';
import { gpuPki, gpuPolicyWith } from '../../unit/attestation/gpu-fixture.ts';
import { rimPki } from '../../unit/attestation/rim-fixture.ts';
import { Customer, makeKeys, reordered, vector, type JobChange, type SentJob } from '../../unit/worker/fixtures.ts';
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

  /** An order that demands a GPU. */
  async function orderFrom({ ready }: Running): Promise<OrderRecord> {
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
    return order;
  }

  /** One job of such an order, served. */
  async function serve(worker: Running): Promise<JobResult> {
    const order = await orderFrom(worker);
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

  it('receipts as failed what the model cannot take, and voids what it cannot open or does not serve, with the code of each', async () => {
    await nvattest.show(1);
    const worker = await start({ storePath: path('refusing.sqlite') });
    const order = await orderFrom(worker);
    const bad: readonly (readonly [ErrorCode, NamedTensor])[] = [
      ['STUN_MODEL_INPUT_NOT_FINITE', vector([1, Number.NaN])],
      ['STUN_MODEL_INPUT_SHAPE', { ...vector([1]), dims: [1, 1] }],
      ['STUN_MODEL_INPUT_DTYPE', { name: 'x', dtype: 'float64', dims: [1], data: new Uint8Array(8) }],
    ];
    const jobs = bad.map(([, tensor]) => ({ payload: encodeTensors([tensor]), maxPrice: 900n }));
    for (const [i, { jobId }] of (await submitJobs(client, order, jobs)).entries()) {
      const { checked, outcome } = await fetchResult(client, jobId, { timeoutMs: 170_000 });
      assert.deepEqual([checked.status, checked.failure, outcome.record.receipt.price], ['failed', bad[i]![0], 0n]);
    }

    const funder = await world.client(service, ROLE.funder);
    const { record } = (await client.store.lanes.ofOrder(order.orderKey))[0]!;
    const keys = { ...record, keysetDigest: fromHex(record.keysetDigest) };
    const customer = new Customer(order, keys as never, record.provider);
    const unserved = await world.openOrder();
    const elsewhere = new Customer(unserved, keys as never, record.provider);
    const intruder = new Customer({ ...order, demandKey: generateEddsaKeyPair() }, keys as never, record.provider);
    assert.equal((await funder.post('/v1/orders', unserved.announcement)).status, 201);
    const opening = await elsewhere.opening();
    assert.equal((await funder.put(`/v1/orders/${unserved.orderKey}/openings/${record.keysetDigest}`, opening)).status, 204);
    let laneIndex = 7;
    const next = (change: JobChange = {}, of = customer): Promise<SentJob> => of.next({ ...change, laneIndex: ++laneIndex });
    const damaged = await next();
    damaged.envelope[damaged.envelope.length - 1]! ^= 1;
    const large = await next({ payload: new Uint8Array(2 << 20) });
    const cases: readonly (readonly [ErrorCode, Pick<SentJob, 'wire' | 'envelope' | 'head'>])[] = [
      ['STUN_ENVELOPE_OPEN', damaged],
      ['STUN_ENVELOPE_OPEN', { ...large, envelope: reordered(large.envelope) }],
      ['STUN_ENVELOPE_OPEN', { ...(await next()), envelope: (await next()).envelope }],
      ['STUN_ENVELOPE_OPEN', await next({ sealedTo: await makeKeys() })],
      ['STUN_ORDER_OPENING', await next({}, intruder)],
      ['STUN_MODEL_MISMATCH', await next({}, elsewhere)],
    ];
    for (const [code, { wire, envelope, head }] of cases) {
      const sent = await funder.frame('/v1/jobs', wire, envelope);
      assert.equal(sent.status, 201, JSON.stringify(sent.json));
      const of = `/v1/jobs/${fieldToHex(head)}`;
      const ends = await funder.events(`${of}/events`, (events) => events.some(({ data }) => data.state === 'void'));
      assert.equal(ends.at(-1)?.data.state, 'void');
      assert.equal((await funder.get(of)).json.code, code);
    }
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
