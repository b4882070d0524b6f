/** Work that is done again and again: never twice at once, never stopped by a failure, ended by a signal. */
import { setTimeout as delay } from 'node:timers/promises';
import { errorFields, type Logger } from '../telemetry/log.ts';

/** A running loop. */
export interface Loop {
  /** Resolves when the loop has ended after the signal. */
  readonly ended: Promise<void>;
}

const MOST_BACKOFF = 16;

/**
 * Repeats a body. A failure is logged when it changes and doubles the pause, up to sixteen times.
 * @param body - returns whether there is more to do at once
 */
export function repeat(name: string, everyMs: number, body: () => Promise<boolean>, signal: AbortSignal, log: Logger): Loop {
  const run = async (): Promise<void> => {
    let failures = 0;
    let logged = '';
    while (!signal.aborted) {
      let more = false;
      try {
        more = await body();
        if (failures > 0) log.info({ event: 'loop.recovered', loop: name, failures });
        failures = 0;
        logged = '';
      } catch (thrown) {
        if (signal.aborted) break;
        failures++;
        const fields = errorFields(thrown);
        const text = JSON.stringify(fields);
        if (text !== logged) log.warn({ event: 'loop.failed', loop: name, ...fields });
        logged = text;
      }
      if (!more) await delay(everyMs * Math.min(2 ** failures, MOST_BACKOFF), undefined, { signal }).catch(() => undefined);
    }
  };
  return { ended: run() };
}
