import assert from 'node:assert/strict';
import { Gauge, Registry } from 'prom-client';
import { startHealthServer } from '#worker/health.ts';

describe('the health server of a worker', () => {
  it('answers 500 while a metric cannot be read, and lives on', async () => {
    const registry = new Registry();
    let isBroken = true;
    new Gauge({
      name: 'stun_worker_test',
      help: 'fails at first',
      registers: [registry],
      collect: () => {
        if (isBroken) throw new Error('the store is closed');
      },
    });
    const server = await startHealthServer(
      { host: '127.0.0.1', port: 0 },
      () => Promise.reject(new Error('nobody asks for it')),
      registry,
    );
    try {
      const status = async (page: string): Promise<number> => (await fetch(`${server.url}/${page}`)).status;
      assert.deepEqual([await status('metrics'), await status('healthz')], [500, 200]);
      isBroken = false;
      assert.equal(await status('metrics'), 200);
    } finally {
      await server.close();
    }
  });
});
