import assert from 'node:assert/strict';
import { z } from 'zod';
import { ServiceHttp, type ServiceOptions } from '#client/service-http.ts';
import { StunError, type ErrorCode } from '#protocol/index.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';

type Answer = Response | Error;

/** A client whose network gives these answers in order, and the requests it made. */
function scripted(answers: Answer[], change: Partial<ServiceOptions> = {}): { http: ServiceHttp; requests: Request[] } {
  const requests: Request[] = [];
  const fetch = (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    requests.push(new Request(input, init));
    const answer = answers.shift();
    if (answer === undefined) throw new Error('no answer is left');
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const identity = { kind: 'api-key', apiKey: 'key' } as const;
  const options = { url: 'http://service.example', chainId: 31337n, identity, fetch, attempts: 3, retryDelayMs: 1, ...change };
  return { http: new ServiceHttp(options), requests };
}

const get = { method: 'GET', path: '/v1/thing' } as const;
const shape = z.object({ value: z.number() });
const reply = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers });

describe('HTTP to the service', () => {
  it('repeats what the network or a busy service lost, with the same bytes', async () => {
    const { http, requests } = scripted([new TypeError('reset'), reply(503, {}), reply(200, { value: 5 })]);
    const body = { type: 'application/octet-stream', bytes: Uint8Array.of(1, 2, 3) };
    assert.deepEqual(await http.json({ method: 'POST', path: '/v1/thing', body }, shape), { value: 5 });
    assert.equal(requests.length, 3);
    for (const request of requests) {
      assert.deepEqual(new Uint8Array(await request.arrayBuffer()), body.bytes);
      assert.equal(request.headers.get('authorization'), 'Bearer key');
    }
  });

  it('waits as long as it is told to', async () => {
    const { http } = scripted([reply(429, {}, { 'retry-after': '0' }), reply(200, { value: 1 })], { retryDelayMs: 60_000 });
    assert.deepEqual(await http.json(get, shape), { value: 1 });
  });

  it('stops reading an answer that never ends', async () => {
    const part = new Uint8Array(1 << 20);
    let sent = 0;
    const endless = (status = 200): Response => {
      const pull = (controller: ReadableStreamDefaultController): void => {
        sent++;
        controller.enqueue(part);
      };
      return new Response(new ReadableStream({ pull }), { status });
    };
    await rejectsCode(scripted([endless()]).http.json(get, shape), 'STUN_SERVICE_RESPONSE');
    assert.ok(sent <= 70, `${sent} MiB of a document`);
    await rejectsCode(scripted([endless(400)]).http.json(get, shape), 'STUN_SERVICE_RESPONSE');
    await rejectsCode(scripted([endless()]).http.bytes(get), 'STUN_SERVICE_RESPONSE');
    assert.ok(sent <= 600, `${sent} MiB in all`);
  });

  it('does not repeat a refusal', async () => {
    const { http, requests } = scripted([reply(402, { code: 'STUN_BUDGET', detail: 'used up' })]);
    await rejectsCode(http.json(get, shape), 'STUN_BUDGET');
    assert.equal(requests.length, 1);
  });

  const failures: readonly (readonly [what: string, answers: Answer[], code: ErrorCode])[] = [
    ['a network that is down', [new TypeError('1'), new TypeError('2'), new TypeError('3')], 'STUN_SERVICE_UNREACHABLE'],
    ['a code that is not in the registry', [reply(400, { code: 'NONSENSE' })], 'STUN_SERVICE_RESPONSE'],
    ['an error without a document', [new Response('<html>', { status: 404 })], 'STUN_SERVICE_RESPONSE'],
    ['an answer that is no JSON', [new Response('hello')], 'STUN_SERVICE_RESPONSE'],
    ['an answer of another shape', [reply(200, { value: 'five' })], 'STUN_SERVICE_RESPONSE'],
  ];
  for (const [what, answers, code] of failures) {
    it(`refuses ${what}`, async () => {
      await rejectsCode(scripted([...answers]).http.json(get, shape), code);
    });
  }

  it('refuses an address that is no URL', () => {
    throwsCode(() => scripted([], { url: 'nonsense' }), 'STUN_CONFIG');
  });

  it('stops at once when it is told to', async () => {
    const stop = AbortSignal.abort();
    const { http } = scripted([new DOMException('aborted', 'AbortError')]);
    await assert.rejects(
      http.json({ ...get, signal: stop }, shape),
      (error) => !(error instanceof StunError) || error.code !== 'STUN_INTERNAL',
    );
  });
});
