import assert from 'node:assert/strict';
import { ServiceApi } from '#client/service-api.ts';
import { ServiceHttp } from '#client/service-http.ts';

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
