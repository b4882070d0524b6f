/** The outside world for the fetchers: the global fetch, real pauses, and randomness that spreads them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpDependencies } from './http.ts';

/** What commands that were told to use the network use. */
export const network: HttpDependencies = Object.freeze({
  fetch: (input: Parameters<typeof globalThis.fetch>[0], init?: RequestInit) => globalThis.fetch(input, init),
  sleep: async (milliseconds: number, signal: AbortSignal | undefined) => {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  },
  jitter: Math.random,
});
