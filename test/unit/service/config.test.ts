import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { assertAllowedOn, checkSettings, databaseTarget, DEVELOPMENT_CHAIN, readSettings } from '#service/config.ts';
import { HEARTBEAT_MS } from '#worker/serving.ts';
import { throwsCode } from '#test/unit/assert-code.ts';

const needed = { deployment: 'deployment.json', rpcUrl: 'http://node' };
const env = { STUN_SERVICE_DEPLOYMENT: 'd.json', STUN_SERVICE_RPC_URL: 'http://node' };
const operatorKey = `0x${'ab'.repeat(32)}`;
const production = { ...needed, database: 'postgres://u:hidden@h/d', secretKey: operatorKey };

/** The reason of a STUN_CONFIG. */
function refusal(call: () => unknown): string {
  let reason = '';
  const keep = (): void => {
    try {
      call();
    } catch (thrown) {
      reason = thrown instanceof Error ? thrown.message : '';
      throw thrown;
    }
  };
  throwsCode(keep, 'STUN_CONFIG');
  return reason;
}

describe('service: settings', () => {
  it('come from the environment by their names', () => {
    const settings = readSettings({ ...env, STUN_SERVICE_MAX_PAYLOAD_BYTES: '2048', STUN_SERVICE_ROLE: 'api' });
    assert.deepEqual([settings.maxPayloadBytes, settings.role, settings.deployment], [2048, 'api', 'd.json']);
  });

  it('hold at least one of the largest bodies', () => {
    const change = { ...needed, maxPayloadBytes: 1 << 29 };
    assert.match(
      refusal(() => checkSettings(change)),
      /^maxBodyBytesInFlight: /,
    );
    assert.equal(checkSettings({ ...change, maxBodyBytesInFlight: 1 << 29 }).maxBodyBytesInFlight, 1 << 29);
  });

  it('come from a file too, over which the environment wins', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stun-service-config-'));
    const file = join(folder, 'config.json');
    try {
      await writeFile(file, JSON.stringify({ ...needed, maxPayloadBytes: 4096, role: 'api' }));
      const settings = readSettings({ STUN_SERVICE_CONFIG: file, STUN_SERVICE_MAX_PAYLOAD_BYTES: '2048' });
      assert.deepEqual([settings.maxPayloadBytes, settings.role, settings.rpcUrl.reveal()], [2048, 'api', 'http://node']);
      for (const text of ['[]', 'no json']) {
        await writeFile(file, text);
        refusal(() => readSettings({ ...env, STUN_SERVICE_CONFIG: file }));
      }
    } finally {
      await rm(folder, { recursive: true });
    }
    refusal(() => readSettings({ ...env, STUN_SERVICE_CONFIG: file }));
  });

  it('name what is unknown, and let the names of other programs be', () => {
    const reason = refusal(() => readSettings({ ...env, STUN_SERVICE_PROT: '1', STUN_NONSENSE: '2' }));
    assert.match(reason, /STUN_NONSENSE, STUN_SERVICE_PROT/);
    assert.equal(readSettings({ ...env, STUN_WORKER_CONFIG: 'x', STUN_HOME: 'y' }).port, 8080);
  });

  it('never repeat a value, neither when printed nor when refused', () => {
    const settings = checkSettings({ ...production, operatorKey });
    for (const text of [JSON.stringify(settings), inspect(settings), String(settings.operatorKey)]) {
      assert.ok(!text.includes('abababab') && !text.includes('hidden'), text);
    }
    const reason = refusal(() => checkSettings({ ...needed, operatorKey: 'my-secret-key', port: 'seventy' }));
    assert.ok(!/my-secret|seventy/.test(reason), reason);
    assert.match(reason, /operatorKey/);
  });

  it('give a worker the time to say that it works', () => {
    const leastSeconds = 8;
    assert.ok(leastSeconds * 1000 >= HEARTBEAT_MS + 3000);
    for (const name of ['leaseSeconds', 'enclaveGoneSeconds'] as const) {
      assert.equal(checkSettings({ ...needed, [name]: leastSeconds })[name], leastSeconds);
      assert.match(
        refusal(() => checkSettings({ ...needed, [name]: leastSeconds - 1 })),
        new RegExp(name),
      );
    }
  });

  it('refuse a store of another kind', () => {
    throwsCode(() => databaseTarget(checkSettings({ ...needed, database: 'mysql://x' })), 'STUN_CONFIG');
  });

  const refused: readonly (readonly [string, Record<string, unknown>])[] = [
    ['an embedded store', { ...production, database: 'memory' }],
    ['simulated hardware', { ...production, simulatedRoot: 'root.json' }],
    ['webhooks to private addresses', { ...production, webhookPrivateAddresses: true }],
    ['a random secret', { ...needed, database: 'postgres://h/d' }],
  ];
  for (const [what, given] of refused) {
    it(`refuse ${what} but on the development chain`, () => {
      const settings = checkSettings(given);
      throwsCode(() => assertAllowedOn(1, settings), 'STUN_CONFIG');
      assertAllowedOn(DEVELOPMENT_CHAIN, settings);
    });
  }

  it('take a production configuration', () => {
    assertAllowedOn(1, checkSettings(production));
  });

  it('refuse an embedded store for a role that shares its store, and an attestor without a key', () => {
    throwsCode(() => assertAllowedOn(DEVELOPMENT_CHAIN, checkSettings({ ...needed, role: 'prover' })), 'STUN_CONFIG');
    throwsCode(() => assertAllowedOn(DEVELOPMENT_CHAIN, checkSettings({ ...needed, role: 'attestor' })), 'STUN_CONFIG');
  });
});
