/**
 * Server-sent events from the durable event table. The id of an event is its number in its order, without gaps, so a reader that
 * comes back with `last-event-id` misses none, whichever process it reaches.
 */
import type { ServerResponse } from 'node:http';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Wake } from '../jobs/wake.ts';

/** One event of a stream. */
export interface StreamEvent {
  readonly seq: number;
  readonly type: string;
  readonly data: string;
}

/** What a stream needs. */
export interface EventSource {
  /** Events after a number, oldest first, at most a page of them. */
  readonly after: (seq: number) => Promise<readonly StreamEvent[]>;
  /** Whether nothing can follow an event any more. */
  readonly isLast: (event: StreamEvent) => boolean;
  readonly wake: Wake;
  /** The topic of the wake. */
  readonly topic: string;
  readonly pollMs: number;
  readonly signal: AbortSignal;
}

const KEEP_ALIVE_MS = 15_000;

/** Waits until a reader has taken what was written for it: a history is as long as an order, and memory is not. */
async function taken(response: ServerResponse, signal: AbortSignal): Promise<void> {
  if (!response.writableNeedDrain || signal.aborted || response.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** The event number of a `last-event-id` header, 0 without one. @throws `STUN_INPUT` */
export function lastEventId(header: string | undefined): number {
  if (header === undefined || header === '') return 0;
  if (!/^[0-9]{1,15}$/.test(header)) throw new StunError('STUN_INPUT', 'last-event-id must be the number of an event');
  return Number(header);
}

/** Writes events until the last one, or until the signal. */
export async function writeEvents(response: ServerResponse, fromSeq: number, source: EventSource): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.write('retry: 1000\n\n');
  let seq = fromSeq;
  let written = Date.now();
  while (!source.signal.aborted) {
    // The wake is armed before the read, so that what is written between read and wait is not slept over.
    const armed = source.wake.arm(source.topic);
    const events = await source.after(seq);
    for (const event of events) {
      response.write(`id: ${event.seq}\nevent: ${event.type}\ndata: ${event.data}\n\n`);
      seq = event.seq;
      written = Date.now();
      if (source.isLast(event)) {
        armed.cancel();
        response.end();
        return;
      }
    }
    if (events.length > 0) {
      armed.cancel();
      await taken(response, source.signal);
      continue;
    }
    if (Date.now() - written >= KEEP_ALIVE_MS) {
      response.write(': still here\n\n');
      written = Date.now();
    }
    await armed.wait(source.pollMs, source.signal);
  }
  response.end();
}
