import assert from 'node:assert/strict';
import fc from 'fast-check';
import { serverSentEvents, type ServerSentEvent } from '#client/server-sent-events.ts';
import { sampleSeed } from '#test/depth.ts';

/** A body that arrives in the given pieces. */
function bodyOf(pieces: readonly string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start: (controller) => {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
}

async function read(pieces: readonly string[]): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  for await (const event of serverSentEvents(bodyOf(pieces))) events.push(event);
  return events;
}

describe('server-sent events', () => {
  it('are read with id, name and lines of data; comments and unknown fields are dropped', async () => {
    const text = ': hello\nretry: 5\nid: 7\nevent: job\ndata: {"a":1}\ndata:two\n\ndata\n\nunfinished: x\ndata: lost';
    assert.deepEqual(await read([text]), [
      { id: '7', event: 'job', data: '{"a":1}\ntwo' },
      { id: '7', event: 'message', data: '' },
    ]);
  });

  it('are the same however the stream is cut and whichever line ends it uses', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(60), { maxLength: 8 }), fc.constantFrom('\n', '\r\n'), async (cuts, end) => {
        const text = ['id: 1', 'data: a', '', 'event: b', 'data: c', '', ''].join(end);
        const places = [0, ...cuts.filter((at) => at < text.length).toSorted((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((at, i) => text.slice(places[i], at));
        assert.deepEqual(await read(pieces), [
          { id: '1', event: 'message', data: 'a' },
          { id: '1', event: 'b', data: 'c' },
        ]);
      }),
      { seed: sampleSeed(), numRuns: 100 },
    );
  });
});
