/** What a worker makes of a service that answers badly. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StunError } from '#protocol/index.ts';
import { readAnswer, ServiceClient } from '#worker/service-client.ts';
import { rejectsCode } from '../../unit/assert-code.ts';
import { PROVIDER } from '../../unit/protocol/fixtures.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, url: string) => void;

describe('worker and a bad service', () => {
  let server: ReturnType<typeof createServer>;
  let url: string;
  let handler: Handler;
  let sessions: number;
  before(async () => {
    server = createServer((request, response) => {
      request.resume();
      request.on('end', () => handler(request, response, url));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    sessions = 0;
  });

  const json = (response: ServerResponse, body: unknown, status = 200): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

  /** Signs in properly; everything else is the test's. */
  const signedIn =
    (rest: Handler, audience?: string): Handler =>
    (request, response, base) => {
      const now = Math.floor(Date.now() / 1000);
      if (request.url === '/v1/session/challenges') {
        const issued = { issuedAtUnix: now, expiresAtUnix: now + 300 };
        return json(response, { audience: audience ?? base, nonce: `0x${'11'.repeat(32)}`, ...issued });
      }
      if (request.url === '/v1/sessions') {
        sessions++;
        return json(response, { token: `token-${sessions}`, expiresAtUnix: now + 3600 });
      }
      return rest(request, response, base);
    };

  function client(timeoutMs = 2000): ServiceClient {
    return new ServiceClient({ url, chainId: 31337n, account: PROVIDER, secretKey: new Uint8Array(32).fill(1), timeoutMs });
  }

  it('keeps the code of a refusal', async () => {
    handler = signedIn((_, response) => json(response, { code: 'STUN_SEGMENT', detail: 'no' }, 422));
    await rejectsCode(client().pushSegment({} as never), 'STUN_SEGMENT');
  });

  it('signs in again when the session has ended, once', async () => {
    handler = signedIn((request, response) => {
      if (request.headers.authorization === 'Bearer token-1') json(response, { code: 'STUN_SIGNATURE' }, 401);
      else response.writeHead(204).end();
    });
    assert.deepEqual(await client().lease(`0x${'00'.repeat(32)}`, 0), {});
    assert.equal(sessions, 2);
    handler = signedIn((_, response) => json(response, { code: 'STUN_SIGNATURE' }, 401));
    await rejectsCode(client().lease(`0x${'00'.repeat(32)}`, 0), 'STUN_SIGNATURE');
  });

  it('does not sign in to another audience', async () => {
    handler = signedIn((_, response) => response.writeHead(204).end(), 'https://elsewhere.example');
    await rejectsCode(client().lease(`0x${'00'.repeat(32)}`, 0), 'STUN_WORKER_SERVICE');
    assert.equal(sessions, 0);
  });

  const outages: readonly [string, Handler][] = [
    ['a server error', (_, response) => json(response, { code: 'STUN_INTERNAL' }, 500)],
    ['an unknown code', (_, response) => json(response, { code: 'STUN_NO_SUCH_CODE' }, 400)],
    ['an answer that is no JSON', (_, response) => response.writeHead(200).end('hello')],
    ['a redirect', (_, response) => response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end()],
    ['a connection that breaks', (_, response) => response.destroy()],
    ['no answer in time', () => undefined],
  ];
  for (const [name, rest] of outages) {
    it(`takes ${name} for an outage`, async () => {
      handler = signedIn(rest);
      await rejectsCode(client(500).pushSegment({} as never), 'STUN_WORKER_SERVICE');
    });
  }

  it('stops reading an answer of a gigabyte', async () => {
    const part = new Uint8Array(1 << 20);
    let sent = 0;
    const pull = (controller: ReadableStreamDefaultController): void => {
      if (sent++ === 1024) controller.close();
      else controller.enqueue(part);
    };
    await rejectsCode(readAnswer(new Response(new ReadableStream({ pull }))), 'STUN_WORKER_SERVICE');
    assert.ok(sent <= 260, `${sent} MiB`);
  });

  it('refuses a lease without a lease id', async () => {
    handler = signedIn((_, response) => json(response, { jobId: `0x${'00'.repeat(32)}`, expiresAtUnix: 1 }));
    await rejectsCode(client().lease(`0x${'00'.repeat(32)}`, 0), 'STUN_INPUT');
  });

  it('finds no opening where there is none', async () => {
    handler = signedIn((_, response) => json(response, { code: 'STUN_INPUT' }, 404));
    assert.equal(await client().opening(`0x${'00'.repeat(32)}`, `0x${'00'.repeat(32)}`, 'lease'), undefined);
  });

  it('keeps the token out of its errors', async () => {
    handler = signedIn((_, response) => response.destroy());
    const error: unknown = await client()
      .payload('lease')
      .catch((thrown: unknown) => thrown);
    assert.ok(error instanceof StunError && !/token-/.test(`${error.message} ${String(error.cause)}`));
  });
});
