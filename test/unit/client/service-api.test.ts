import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { requestBytesOf, ServiceApi } from '#client/service-api.ts';
import type { StoredJob } from '#client/store/stored-job.ts';
import { ServiceHttp } from '#client/service-http.ts';
import { rejectsCode } from '../assert-code.ts';

/** The data of an event. */
const at = (state: string): string => JSON.stringify({ state });

/** An event stream that gives events with these data and then stays open until it is let go. */
function streaming(all: readonly string[]): { api: ServiceApi; read: () => number; released: Promise<void> } {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const waiting = [...all];
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const data = waiting.shift();
        if (data === undefined) return new Promise(() => undefined);
        controller.enqueue(new TextEncoder().encode(`event: job\ndata: ${data}\n\n`));
        return undefined;
      },
      cancel: () => release(),
    },
    { highWaterMark: 0 },
  );
  const fetch = (): Promise<Response> =>
    Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
  const identity = { kind: 'api-key', apiKey: 'key' } as const;
  const options = { url: 'http://service.example', chainId: 31337n, identity, fetch, attempts: 1, retryDelayMs: 1 };
  return { api: new ServiceApi(new ServiceHttp(options)), read: () => all.length - waiting.length, released };
}

describe('events of a job', () => {
  const jobId = `0x${'01'.repeat(32)}`;
  const never = new AbortController().signal;

  it('end the wait at once when the job moved before the stream opened', async () => {
    const { api, read, released } = streaming([at('receipted')]);
    await api.jobEvent(jobId, 'queued', never);
    await released;
    assert.equal(read(), 1);
  });

  it('are waited for while the job is as it was seen', async () => {
    const { api, read, released } = streaming([at('queued'), at('leased'), at('running')]);
    await api.jobEvent(jobId, 'queued', never);
    await released;
    assert.equal(read(), 2);
  });

  it('that name no state end the wait', async () => {
    const { api, read, released } = streaming(['nonsense']);
    await api.jobEvent(jobId, 'queued', never);
    await released;
    assert.equal(read(), 1);
  });
});

describe('bytes of a request', () => {
  const fields = (n: number): string => `0x${n.toString(16).padStart(64, '0')}`;
  const header = {
    funder: `0x${'0a'.repeat(20)}`,
    orderId: 1n,
    demandKey: { x: 2n, y: 3n },
    provider: `0x${'0b'.repeat(20)}`,
    laneIndex: 4,
    k: 5,
    previousHead: 6n,
    inputCommitment: 7n,
    maxPrice: 8n,
    signerId: 9n,
    signature: { r8: { x: 10n, y: 11n }, s: 12n },
  };
  const job = { header, envelope: Uint8Array.of(0xc0, 0xff, 0xee) };
  // docs/api/openapi.json, stun.frame: the length of the document, the document, the sealed payload.
  const document =
    `{"version":1,"funder":"0x${'0a'.repeat(20)}","orderId":"${fields(1)}","demandKey":{"x":"${fields(2)}","y":"${fields(3)}"},` +
    `"provider":"0x${'0b'.repeat(20)}","laneIndex":4,"k":5,"previousHead":"${fields(6)}","inputCommitment":"${fields(7)}",` +
    `"maxPrice":"8","signerId":"${fields(9)}","signature":{"r8":{"x":"${fields(10)}","y":"${fields(11)}"},"s":"${fields(12)}"}}`;

  it('are these, byte for byte', () => {
    const bytes = requestBytesOf(job);
    assert.equal(Buffer.from(bytes.subarray(4, -3)).toString('latin1'), document);
    assert.deepEqual([...bytes.subarray(0, 4)], [0, 0, 3, 120]);
    assert.deepEqual([...bytes.subarray(-3)], [0xc0, 0xff, 0xee]);
    assert.equal(
      createHash('sha256').update(bytes).digest('hex'),
      '812774a30fe8c355bebb2d85536dbe64ddf6335b8e66a5f7af9fb4659997f078',
    );
  });

  it('are what is sent', async () => {
    const sent: unknown[] = [];
    const fetch = (_url: unknown, init?: RequestInit): Promise<Response> => {
      sent.push(init?.body);
      return Promise.resolve(new Response('{}', { headers: { 'content-type': 'application/json' } }));
    };
    const identity = { kind: 'api-key', apiKey: 'key' } as const;
    const options = { url: 'http://service.example', chainId: 31337n, identity, fetch, attempts: 1, retryDelayMs: 1 };
    const api = new ServiceApi(new ServiceHttp(options));
    await rejectsCode(api.submit(job as StoredJob), 'STUN_SERVICE_RESPONSE');
    assert.deepEqual(sent, [requestBytesOf(job)]);
  });
});
