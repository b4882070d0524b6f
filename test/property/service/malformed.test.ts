/** Every entrance of the service under requests that fit its form and not its meaning: none may end in an internal error. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { encodeFrame, FRAME_CONTENT_TYPE } from '#service/http/frame.ts';
import { describedRoutes } from '#service/openapi/write.ts';
import { isErrorCode } from '#protocol/index.ts';
import type { RunningService } from '#service/service.ts';
import { depth, sampleSeed } from '#test/depth.ts';
import type { ApiClient } from '../../integration/service/api-client.ts';
import { ROLE, World } from '../../integration/service/world.ts';

/** Text that databases, URLs and headers treat each in their own way. */
const oddText = fc.oneof(
  fc.constantFrom('', '\u0000', 'a\u0000b', '\ud800', '%00', '%', '../..', "';--", '__proto__', '0x', '-1', '1e309', 'null'),
  fc.constantFrom(`0x${'00'.repeat(32)}`, `0x${'ff'.repeat(32)}`, `0x${'00'.repeat(20)}`, '9'.repeat(78), 'x'.repeat(5000)),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.uuid(),
);
const oddNumber = fc.constantFrom(0, -1, 1, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53 - 1, 1e308, 0.5);
const oddValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, oddText, oddNumber, fc.boolean(), fc.constant(null), tie('list'), tie('record')),
  list: fc.array(tie('value'), { maxLength: 4 }),
  record: fc.dictionary(fc.oneof(oddText, fc.constantFrom('version', 'keyset', 'body')), tie('value'), { maxKeys: 4 }),
})).value;

describe('service: malformed requests', function () {
  this.timeout(240_000);
  let world: World;
  let service: RunningService;
  let caller: ApiClient;

  before(async () => {
    world = await World.create();
    service = await world.startService({
      accountRequestsPerMinute: 1e6,
      publicRequestsPerMinute: 1e6,
      addressRequestsPerMinute: 1e6,
    });
    caller = await world.client(service, ROLE.stranger);
  });
  after(() => world.close());

  const routes = describedRoutes().filter(
    ({ operationId }) => !['getReadiness', 'attestEnclave', 'deleteSessions'].includes(operationId),
  );

  for (const [what, ask] of [
    ['the name of an API key', () => caller.post('/v1/api-keys', { name: 'a\u0000b' })],
    ['a cursor', () => caller.get(`/v1/jobs?cursor=${Buffer.from('[1,"\\u0000"]').toString('base64url')}`)],
    ['a cursor of enclaves', () => caller.get(`/v1/enclaves?cursor=${Buffer.from('[1,"\\u0000"]').toString('base64url')}`)],
  ] as const) {
    it(`get a refusal for a NUL in ${what}, which no text of the store can hold`, async () => {
      const answer = await ask();
      assert.equal(answer.status, 400, JSON.stringify(answer.json));
    });
  }

  it('get a refusal with a code for headers without end, and for what is no HTTP', async () => {
    const long = await caller.get(`/v1/jobs?cursor=${'x'.repeat(20_000)}`);
    assert.deepEqual([long.status, (long.json as { code?: string }).code], [400, 'STUN_HTTP']);
    const { port } = new URL(service.url);
    const socket = connect(Number(port), '127.0.0.1', () => socket.write('no HTTP at all\r\n\r\n'));
    const said = await text(socket);
    assert.match(said, /^HTTP\/1\.1 400 [\s\S]*"code":"STUN_HTTP"/);
  });

  it('get an answer or a refusal with a code of the registry, whatever stands in path, query, header and body', async () => {
    const reached = new Map<string, number>();
    let answered = 0;
    const request = fc.record({
      route: fc.constantFrom(...routes),
      params: fc.array(oddText, { minLength: 3, maxLength: 3 }),
      query: fc.dictionary(fc.constantFrom('cursor', 'limit', 'orderKey', 'state', 'provider', 'leaseId'), oddText, {
        maxKeys: 3,
      }),
      cursor: fc.option(fc.tuple(oddNumber, oddText), { nil: undefined }),
      lastEventId: fc.option(fc.constantFrom('0', '999999999999999', '-1', 'x'), { nil: undefined }),
      // The second form reaches the store.
      body: fc.oneof(oddValue, fc.record({ name: oddText }), fc.record({ url: oddText, events: fc.constant(['job']) })),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ route, params, query, cursor, lastEventId, body }) => {
        let next = 0;
        const path = route.path.replaceAll(/\{\w+\}/g, () => encodeURIComponent((params[next++] ?? '').toWellFormed()) || '_');
        const search = new URLSearchParams(query);
        if (cursor !== undefined) search.set('cursor', Buffer.from(JSON.stringify(cursor)).toString('base64url'));
        const contentType = route.body?.contentType;
        const bytes = contentType === FRAME_CONTENT_TYPE ? encodeFrame(body ?? null, new Uint8Array(3)) : undefined;
        const answer = await caller.send(route.method.toUpperCase(), `${path}?${search.toString()}`, {
          headers: {
            ...(contentType === undefined ? {} : { 'content-type': contentType }),
            ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
          },
          ...(contentType === undefined ? {} : { body: bytes ?? JSON.stringify(body) }),
        });
        const said = `${route.operationId}: ${answer.status} ${JSON.stringify(answer.json)}`;
        assert.ok(answer.status < 500, said);
        if (answer.status >= 400) assert.ok(isErrorCode(String((answer.json as { code?: unknown } | undefined)?.code)), said);
        else answered += 1;
        reached.set(route.operationId, (reached.get(route.operationId) ?? 0) + 1);
      }),
      { numRuns: depth() === 'full' ? 5000 : 400, seed: sampleSeed() },
    );
    const asked = [...reached.values()].reduce((sum, one) => sum + one, 0);
    assert.ok(answered < asked / 2, `${answered} of ${asked} requests were answered, few should make sense`);
    assert.ok(reached.size > 10, `${reached.size} of ${routes.length} operations were reached`);
  });
});
