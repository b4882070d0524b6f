import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { MAX_PRICE, StunError } from '#protocol/index.ts';
import { loadWorkerConfig, parseWorkerConfig } from '#worker/config.ts';
import { assertMayLie } from '#worker/main.ts';
import { createWorkerLog, errorFields } from '#worker/log.ts';
import { throwsCode } from '../assert-code.ts';

const key = `0x${'4c'.repeat(32)}`;
const settings = {
  serviceUrl: 'https://service.example',
  attestorUrls: ['https://attestor.example'],
  rpcUrl: 'http://127.0.0.1:8545',
  deploymentPath: 'deployment.json',
  providerKey: key,
  platform: 'auto',
  policyPath: 'policy.json',
  models: [{ modelPath: 'model.onnx', manifestPath: 'manifest.json', price: '700' }],
  storePath: 'worker.sqlite',
};

async function file(content: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'stun-config-')), 'worker.json');
  await writeFile(path, content);
  return path;
}

describe('worker configuration', () => {
  it('fills in defaults and is frozen', () => {
    const config = parseWorkerConfig(settings);
    assert.deepEqual(config.session, { executionProvider: 'cpu', fallbackToCpu: false, threads: 1 });
    assert.ok(Object.isFrozen(config));
  });

  it('takes prices up to the highest of the protocol', () => {
    const models = [{ ...settings.models[0], price: MAX_PRICE.toString() }];
    assert.deepEqual(parseWorkerConfig({ ...settings, models }).models, models);
  });

  it('gives proving the memory that its threads need, unless it is told how much', () => {
    const memoryMb = (proving: object): number => parseWorkerConfig({ ...settings, proving }).proving.memoryMb;
    assert.equal(parseWorkerConfig(settings).proving.memoryMb, 2048);
    assert.deepEqual([memoryMb({ threads: 8 }), memoryMb({ threads: 64 })], [2048, 16_384]);
    assert.equal(memoryMb({ threads: 64, memoryMb: 512 }), 512);
  });

  it('takes the folder of a compiled model in place of model and manifest, and not both', () => {
    const compiled = { compiledPath: 'credit', price: '700' };
    assert.deepEqual(parseWorkerConfig({ ...settings, models: [compiled] }).models, [compiled]);
    throwsCode(() => parseWorkerConfig({ ...settings, models: [{ ...settings.models[0], ...compiled }] }), 'STUN_CONFIG');
  });

  const gpu = { nvattest: 'nvattest', count: 1, timeoutMs: 60_000, collateral: { cachePath: 'nvidia' } };
  it('shows no GPU unless it says how, whole', () => {
    assert.equal(parseWorkerConfig(settings).gpu, null);
    assert.deepEqual(parseWorkerConfig({ ...settings, gpu }).gpu, gpu);
    const bundle = { ...gpu, collateral: { bundlePath: 'nvidia.json' } };
    assert.deepEqual(parseWorkerConfig({ ...settings, gpu: bundle }).gpu, bundle);
    for (const key of Object.keys(gpu)) {
      const rest = Object.fromEntries(Object.entries(gpu).filter(([name]) => name !== key));
      throwsCode(() => parseWorkerConfig({ ...settings, gpu: rest }), 'STUN_CONFIG');
    }
    const both = { cachePath: 'nvidia', bundlePath: 'nvidia.json' };
    for (const change of [
      { count: 0 },
      { count: 17 },
      { timeoutMs: 0 },
      { collateral: both },
      { collateral: {} },
      { device: 'gpu' },
    ])
      throwsCode(() => parseWorkerConfig({ ...settings, gpu: { ...gpu, ...change } }), 'STUN_CONFIG');
  });

  it('lets nobody lie on a real machine, and has no setting for it', () => {
    assertMayLie('simulated');
    for (const platform of ['tdx', 'sev-snp'] as const) throwsCode(() => assertMayLie(platform), 'STUN_SIMULATED_REFUSED');
    throwsCode(() => parseWorkerConfig({ ...settings, alterOutput: true }), 'STUN_CONFIG');
  });

  it('shows the key nowhere', () => {
    const config = parseWorkerConfig(settings);
    assert.equal(Buffer.from(config.providerKey.reveal()).toString('hex'), key.slice(2));
    const lines: string[] = [];
    const log = createWorkerLog('info', { write: (line) => lines.push(line) });
    log.info({ event: 'test', config, providerKey: key });
    for (const text of [JSON.stringify(config), inspect(config, { depth: 9 }), String(config.providerKey), ...lines]) {
      assert.doesNotMatch(text, /4c4c4c/);
    }
    assert.match(lines[0]!, /\[redacted\]/);
  });

  it('reads a file and lays variables over it', async () => {
    const path = await file(JSON.stringify({ ...settings, providerKey: undefined }));
    const config = loadWorkerConfig({ STUN_WORKER_CONFIG: path, STUN_WORKER_PROVIDER_KEY: key, STUN_WORKER_LOG_LEVEL: 'warn' });
    assert.equal(config.logLevel, 'warn');
    const others = {
      STUN_WORKER_SERVICE_URL: ['serviceUrl', 'http://service.example'],
      STUN_WORKER_RPC_URL: ['rpcUrl', 'http://node.example'],
      STUN_DEPLOYMENT: ['deploymentPath', 'other.json'],
      STUN_WORKER_PLATFORM: ['platform', 'simulated'],
      STUN_WORKER_COLLATERAL: ['collateralPath', 'collateral.json'],
      STUN_WORKER_SIMULATED_PKI: ['simulatedPkiPath', 'pki.json'],
      STUN_WORKER_POLICY: ['policyPath', 'policy.json'],
      STUN_WORKER_STORE: ['storePath', 'other.sqlite'],
    } as const;
    const values = Object.fromEntries(Object.entries(others).map(([name, [, value]]) => [name, value]));
    const changed = loadWorkerConfig({ STUN_WORKER_CONFIG: path, STUN_WORKER_PROVIDER_KEY: key, ...values });
    for (const [name, [setting, value]] of Object.entries(others)) assert.equal(changed[setting], value, name);
  });

  it('takes variables of other processes for what they are', async () => {
    const path = await file(JSON.stringify(settings));
    assert.equal(loadWorkerConfig({ STUN_WORKER_CONFIG: path, STUN_SERVICE_PORT: '1', PATH: '' }).storePath, 'worker.sqlite');
  });

  it('refuses unknown variables by name, never by value', async () => {
    const path = await file(JSON.stringify(settings));
    const load = (): unknown => loadWorkerConfig({ STUN_WORKER_CONFIG: path, STUN_WORKER_PROVIDERKEY: key });
    throwsCode(load, 'STUN_CONFIG');
    assert.throws(
      load,
      (error: unknown) => error instanceof StunError && /PROVIDERKEY/.test(error.message) && !/4c4c/.test(error.message),
    );
  });

  const wrong: readonly (readonly [name: string, change: Record<string, unknown>])[] = [
    ['an unknown setting', { surprise: 1 }],
    ['a key of another length', { providerKey: '0x4c' }],
    ...[0n, 2n ** 63n, 2n ** 64n, 2n ** 64n + 1n].map(
      (price) => [`a price of ${price}`, { models: [{ ...settings.models[0], price: price.toString() }] }] as const,
    ),
    ['no model', { models: [] }],
    ['an unknown platform', { platform: 'sgx' }],
    ['the simulator without its PKI', { platform: 'simulated' }],
    ['a keyset that would expire too soon', { keysetLifetimeSeconds: 86_400 }],
    ['an unknown execution provider', { session: { executionProvider: 'webgpu' } }],
  ];
  for (const [name, change] of wrong) {
    it(`refuses ${name}, without its value`, () => {
      throwsCode(() => parseWorkerConfig({ ...settings, ...change }), 'STUN_CONFIG');
      assert.throws(
        () => parseWorkerConfig({ ...settings, ...change }),
        (error: unknown) => !/4c4c/.test(String(error)),
      );
    });
  }

  it('refuses a file that is not JSON without quoting it', async () => {
    const path = await file(`{"providerKey": "${key}"`);
    throwsCode(() => loadWorkerConfig({ STUN_WORKER_CONFIG: path }), 'STUN_FILE');
    assert.throws(
      () => loadWorkerConfig({ STUN_WORKER_CONFIG: path }),
      (error: unknown) => !/4c4c/.test(inspect(error)),
    );
  });

  it('refuses a file that is not there', () => {
    throwsCode(() => loadWorkerConfig({ STUN_WORKER_CONFIG: join(tmpdir(), 'stun-no-such-file.json') }), 'STUN_FILE');
  });

  it('logs of an error its code and reason, and of its cause the name alone', () => {
    const error = new StunError('STUN_FILE', 'a file', { cause: new TypeError('a secret') });
    assert.deepEqual(errorFields(error), { code: 'STUN_FILE', reason: 'a file', cause: 'TypeError' });
    assert.deepEqual(errorFields(new TypeError('a secret')).code, 'STUN_INTERNAL');
  });
});
