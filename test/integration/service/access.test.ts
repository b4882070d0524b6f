/** Who gets in, how much, how large, how often: sign-in, API keys, limits, idempotency, bodies. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { CompiledQuery } from 'kysely';
import { concatBytes, uintBytes, utf8 } from '#protocol/index.ts';
import type { RunningService } from '#service/service.ts';
import { ApiClient, assertProblem, signedSignIn } from './api-client.ts';
import { ROLE, World } from './world.ts';

/** Log lines in memory. */
function memoryLog(): { stream: Writable; text: () => string } {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { stream, text: () => lines.join('') };
}

describe('service: access and limits', function () {
  this.timeout(60_000);
  let world: World;
  let service: RunningService;
  let client: ApiClient;
  const log = memoryLog();

  before(async () => {
    world = await World.create();
    const change = {
      maxDocumentBytes: 65_536,
      maxPayloadBytes: 131_072,
      maxBodyBytesInFlight: 131_072,
      accountRequestsPerMinute: 100,
    };
    service = await world.startService(change, { log: log.stream });
    client = await world.client(service, ROLE.funder);
  });

  after(() => world.close());

  async function challenge(): Promise<{ audience: string; nonce: string; issuedAtUnix: number; expiresAtUnix: number }> {
    return (await client.post('/v1/session/challenges', { account: world.account(ROLE.funder).address })).json;
  }

  describe('sign-in', () => {
    it('uses a challenge once', async () => {
      const body = signedSignIn(world.account(ROLE.funder), world.chain.chainId, await challenge());
      assert.equal((await client.post('/v1/sessions', body)).status, 201);
      assertProblem(await client.post('/v1/sessions', body), 'STUN_SIGN_IN', 401);
    });

    it('addresses the challenge to the origin it listens on, whatever the host header says', async () => {
      assert.equal((await challenge()).audience, service.url);
    });

    it('refuses a challenge that another account signed', async () => {
      const body = signedSignIn(world.account(ROLE.stranger), world.chain.chainId, await challenge());
      assertProblem(
        await client.post('/v1/sessions', { ...body, account: world.account(ROLE.funder).address }),
        'STUN_SIGN_IN',
        401,
      );
    });

    it('refuses a challenge whose expiry was moved', async () => {
      const given = await challenge();
      const body = signedSignIn(world.account(ROLE.funder), world.chain.chainId, {
        ...given,
        expiresAtUnix: given.expiresAtUnix + 1,
      });
      assertProblem(await client.post('/v1/sessions', body), 'STUN_SIGN_IN', 401);
    });

    it('refuses a signature for another chain', async () => {
      const body = signedSignIn(world.account(ROLE.funder), 1, await challenge());
      assertProblem(await client.post('/v1/sessions', body), 'STUN_SIGN_IN', 401);
    });

    it('refuses requests without a token, and with a changed one', async () => {
      const { token } = client;
      assertProblem(await new ApiClient(service.url).get('/v1/jobs'), 'STUN_UNAUTHENTICATED', 401);
      const last = token!.at(-2) === 'A' ? 'B' : 'A';
      const changed = token!.slice(0, -2) + last + token!.slice(-1);
      assertProblem(await new ApiClient(service.url, changed).get('/v1/jobs'), 'STUN_UNAUTHENTICATED', 401);
    });
  });

  describe('API keys', () => {
    it('are shown once, stored as a hash, work, and stop working when revoked', async () => {
      const made = await client.post('/v1/api-keys', { name: 'ci' });
      assert.equal(made.status, 201);
      const { id, key } = made.json;
      const byKey = new ApiClient(service.url, key as string);
      assert.equal((await byKey.get('/v1/jobs')).status, 200);
      const listed = (await client.get('/v1/api-keys')).json.items;
      assert.ok(listed.some((item: { id: string }) => item.id === id));
      assert.ok(!JSON.stringify(listed).includes(key));
      const row = await service
        .services!.db.sql.selectFrom('credential')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      const secret = (key as string).split('_')[3]!;
      assert.ok(!Buffer.from(row.secret_hash).includes(Buffer.from(secret)) && row.secret_hash.length === 32);
      assert.equal((await client.delete(`/v1/api-keys/${id as string}`)).status, 204);
      assertProblem(await byKey.get('/v1/jobs'), 'STUN_UNAUTHENTICATED', 401);
    });

    it('are not made twice under one idempotency key, and not shown again', async () => {
      const headers = { 'idempotency-key': 'make-my-key-1' };
      assert.equal((await client.post('/v1/api-keys', { name: 'once' }, headers)).status, 201);
      assertProblem(await client.post('/v1/api-keys', { name: 'once' }, headers), 'STUN_IDEMPOTENCY_SPENT', 409);
      assertProblem(await client.post('/v1/api-keys', { name: 'other' }, headers), 'STUN_IDEMPOTENCY_MISMATCH', 422);
      const atOnce = { 'idempotency-key': 'make-my-key-2' };
      const both = await Promise.all([1, 2].map(() => client.post('/v1/api-keys', { name: 'once' }, atOnce)));
      assert.deepEqual(
        both.map(({ status }) => status).toSorted((a, b) => a - b),
        [201, 409],
      );
      const { sql } = service.services!.db;
      const named = await sql.selectFrom('credential').select('id').where('name', '=', 'once').execute();
      assert.equal(named.length, 2);
    });

    it('keep their idempotency key unspent when they were not made', async () => {
      const { sql } = service.services!.db;
      const headers = { 'idempotency-key': 'make-my-key-3' };
      const made = async (): Promise<number> => (await client.post('/v1/api-keys', { name: 'crash' }, headers)).status;
      await sql.executeQuery(CompiledQuery.raw(`alter table credential add constraint no_crash check (name <> 'crash')`));
      assert.equal(await made(), 500);
      await sql.executeQuery(CompiledQuery.raw('alter table credential drop constraint no_crash'));
      assert.equal(await made(), 201);
    });

    it('of another account cannot be revoked', async () => {
      const made = await client.post('/v1/api-keys', { name: 'mine' });
      const stranger = await world.client(service, ROLE.stranger);
      assertProblem(await stranger.delete(`/v1/api-keys/${made.json.id as string}`), 'STUN_NOT_FOUND', 404);
    });
  });

  describe('bodies', () => {
    it('of a declared gigabyte are refused before they are sent', async () => {
      const frame = 'application/vnd.stun.frame';
      for (const to of [['/v1/orders'], ['/v1/evidence/verify'], ['/v1/jobs', frame]] as const)
        assert.deepEqual(await declare(1_000_000_000, 0, ...to), [413, 'STUN_BODY_TOO_LARGE'], to[0]);
    });

    it('that grow beyond the limit are refused on the way', async () => {
      assert.deepEqual(await declare(undefined, 8_000_000), [413, 'STUN_BODY_TOO_LARGE']);
    });

    it('are refused while others fill the memory that there is for them, with the time to wait', async () => {
      const ask = () => client.post('/v1/session/challenges', { account: ' '.repeat(60_000) });
      const until = async (code: string): Promise<Headers> => {
        for (let i = 0; ; i++) {
          const { json, headers } = await ask();
          if (json.code === code) return headers;
          assert.ok(i < 100, `expected ${code}, got ${JSON.stringify(json)}`);
          await delay(25);
        }
      };
      await until('STUN_INPUT');
      const headers = {
        authorization: `Bearer ${client.token ?? ''}`,
        'content-type': 'application/vnd.stun.frame',
        'content-length': '131072',
      };
      const holding = httpRequest(new URL('/v1/jobs', service.url), { method: 'POST', headers });
      holding.on('error', () => undefined);
      holding.write(Buffer.alloc(100_000));
      assert.equal((await until('STUN_RATE_LIMIT')).get('retry-after'), '1');
      holding.destroy();
      await until('STUN_INPUT');
    });

    it('too deep, malformed, with a key twice or of another type get their codes', async () => {
      const send = (body: string, type = 'application/json') =>
        client.send('POST', '/v1/orders', { body, headers: { 'content-type': type } });
      assertProblem(await send(`${'['.repeat(10_000)}${']'.repeat(10_000)}`), 'STUN_JSON_FORMAT', 400);
      assertProblem(await send('{"place":'), 'STUN_JSON_FORMAT', 400);
      assertProblem(await send('{"a":1,"a":2}'), 'STUN_JSON_FORMAT', 400);
      assertProblem(await send('{"__proto__":{"x":1}}'), 'STUN_JSON_FORMAT', 400);
      assertProblem(await send('{}', 'text/plain'), 'STUN_CONTENT_TYPE', 415);
      assertProblem(await send('{}'), 'STUN_INPUT', 400);
    });

    it('that are broken frames get their code', async () => {
      const headers = { 'content-type': 'application/vnd.stun.frame' };
      const send = (bytes: Uint8Array<ArrayBuffer>) => client.send('POST', '/v1/jobs', { body: bytes, headers });
      assertProblem(await send(Uint8Array.of(0, 0)), 'STUN_FRAME', 400);
      assertProblem(await send(Uint8Array.of(255, 255, 255, 255, 1)), 'STUN_FRAME', 400);
      const deep = utf8(`${'['.repeat(10_000)}${']'.repeat(10_000)}`);
      assertProblem(await send(concatBytes(uintBytes(deep.length, 4), deep)), 'STUN_JSON_FORMAT', 400);
    });

    /** Sends a body by hand. @returns the status and the code of the answer */
    function declare(
      length: number | undefined,
      sendBytes: number,
      path = '/v1/orders',
      type = 'application/json',
    ): Promise<[number, string]> {
      return new Promise((resolve, reject) => {
        const url = new URL(path, service.url);
        const headers = {
          authorization: `Bearer ${client.token ?? ''}`,
          'content-type': type,
          ...(length === undefined ? {} : { 'content-length': String(length) }),
        };
        const request = httpRequest(url, { method: 'POST', headers }, (response) => {
          let text = '';
          response.on('data', (part) => (text += String(part)));
          response.on('end', () => {
            resolve([response.statusCode ?? 0, (JSON.parse(text) as { code: string }).code]);
            request.destroy();
          });
        });
        request.on('error', (error: NodeJS.ErrnoException) => {
          if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
        });
        request.flushHeaders();
        const chunk = Buffer.alloc(65_536, 0x20);
        for (let sent = 0; sent < sendBytes; sent += chunk.length) request.write(chunk);
      });
    }
  });

  it('answers unknown paths with a problem', async () => {
    assertProblem(await client.get('/v1/nothing'), 'STUN_ROUTE_UNKNOWN', 404);
    assertProblem(await client.send('PATCH', '/v1/jobs'), 'STUN_ROUTE_UNKNOWN', 404);
  });

  it('serves a docs page that names no other host, under a policy that allows none', async () => {
    const page = await client.get('/docs/');
    assert.equal(page.status, 200);
    assert.ok(!/https?:\/\//.test(new TextDecoder().decode(page.bytes)));
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.ok(!/unsafe|https?:/.test(policy), policy);
    assert.equal((await client.get('/docs/assets/swagger-ui-bundle.js')).status, 200);
    assert.equal((await client.get('/openapi.json')).json.openapi, '3.1.1');
  });

  it('limits the requests of an account and says when to come back', async () => {
    const busy = await world.client(service, ROLE.guardian);
    let refused;
    for (let i = 0; i < 120 && refused === undefined; i++) {
      const answer = await busy.get('/v1/webhooks');
      if (answer.status !== 200) refused = answer;
    }
    assert.ok(refused !== undefined);
    assertProblem(refused, 'STUN_RATE_LIMIT', 429);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    assert.equal((await client.get('/v1/webhooks')).status, 200, 'another account is not held back');
  });

  it('writes no secret to its log', async () => {
    const made = await client.post('/v1/api-keys', { name: 'logged' });
    await client.get('/v1/jobs?cursor=secretcursor');
    await new ApiClient(service.url, made.json.key as string).get('/v1/jobs');
    const text = log.text();
    assert.ok(text.includes('"event":"request.served"'), 'the log has lines');
    const { operatorKey, secretKey } = world.settings();
    for (const secret of [client.token!, made.json.key as string, operatorKey!.reveal(), secretKey!.reveal(), 'secretcursor']) {
      assert.ok(!text.includes(secret), 'a secret is in the log');
      assert.ok(!text.includes(secret.slice(-20)), 'a part of a secret is in the log');
    }
  });
});
