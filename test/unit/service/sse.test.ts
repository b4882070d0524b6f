/** Event streams to readers that do not read, and to accounts that open too many. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { writeEvents } from '#service/http/sse.ts';
import { Wake } from '#service/jobs/wake.ts';

const LAST = 400;

describe('service: event streams', () => {
  it('wait for a reader that is slow instead of keeping all of a history for it, and end when it has all', async () => {
    let pages = 0;
    const data = 'x'.repeat(64 << 10);
    const server = createServer((_request, response) => {
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      void writeEvents(response, 0, {
        after: (seq) => {
          pages++;
          return Promise.resolve([{ seq: seq + 1, type: 'job', data }]);
        },
        isLast: ({ seq }) => seq === LAST,
        wake: new Wake(),
        topic: 'none',
        pollMs: 10,
        signal: gone.signal,
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.pause();
    await delay(500);
    assert.ok(pages < LAST, `${pages} pages were read for a reader that took none`);
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    assert.equal(pages, LAST);
    assert.ok(bytes > LAST * data.length);
    server.close();
  });
});
