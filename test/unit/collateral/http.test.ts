import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { defaultHttpLimits, send, type HttpDependencies } from '#collateral/http.ts';
import { rejectsCode } from '../assert-code.ts';

/** One attempt, so that a failure shows at once. */
const limits = { ...defaultHttpLimits, attempts: 1, maxBytes: 1000 };
const dependencies: HttpDependencies = { fetch: globalThis.fetch, sleep: () => Promise.resolve(), jitter: () => 1 };

describe('fetching collateral from a server', () => {
  let server: Server;
  let answer: RequestListener;
  let seen: string[];
  const url = (path = '/'): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

  before(async () => {
    server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      answer(request, response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  beforeEach(() => (seen = []));
  after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  it('gives the body and its headers', async () => {
    answer = (_request, response) => response.setHeader('x-chain', 'here').end('body');
    const got = await send({ url: url() }, dependencies, limits);
    assert.deepEqual([new TextDecoder().decode(got.body), got.headers.get('x-chain')], ['body', 'here']);
  });

  it('posts what is given to be posted', async () => {
    answer = (request, response) => request.pipe(response);
    const got = await send({ url: url(), body: Uint8Array.of(1, 2, 3) }, dependencies, limits);
    assert.deepEqual([got.body, seen], [Uint8Array.of(1, 2, 3), ['POST /']]);
  });

  it('follows no redirect, to this host or another', async () => {
    for (const location of ['/other', 'http://127.0.0.2:1/']) {
      answer = (_request, response) => response.writeHead(302, { location }).end();
      await rejectsCode(send({ url: url('/first') }, dependencies, limits), 'STUN_COLLATERAL_UNAVAILABLE');
    }
    assert.deepEqual(seen, ['GET /first', 'GET /first']);
  });

  it('does not take an answer that is cut short for a whole one', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('12345', () => response.destroy());
    };
    await rejectsCode(send({ url: url() }, dependencies, limits), 'STUN_COLLATERAL_UNAVAILABLE');
  });

  it('stops reading an answer that never ends', async () => {
    answer = (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(new Uint8Array(500)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    await rejectsCode(send({ url: url() }, dependencies, limits), 'STUN_COLLATERAL_RESPONSE');
  });

  it('gives up on an answer that does not come', async () => {
    answer = (_request, response) => response.writeHead(200).write('begin');
    const slow = send({ url: url() }, dependencies, { ...limits, timeoutMs: 50 });
    await rejectsCode(slow, 'STUN_COLLATERAL_UNAVAILABLE');
  });

  it('asks again after a broken connection, and no more often than it may', async () => {
    answer = (_request, response) => response.destroy();
    await rejectsCode(send({ url: url() }, dependencies, { ...limits, attempts: 3 }), 'STUN_COLLATERAL_UNAVAILABLE');
    assert.equal(seen.length, 3);
  });
});
