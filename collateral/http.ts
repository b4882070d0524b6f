/** One request with a time limit, a size limit, and repeated tries with growing pauses. Everything it touches is injected. */
import { joinParts } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';

/** What the fetcher needs from the outside; tests inject all of it. */
export interface HttpDependencies {
  readonly fetch: typeof globalThis.fetch;
  /** Resolves after some milliseconds; rejects when the signal is aborted. */
  readonly sleep: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
  /** A number in 0..1 that spreads the pauses of many clients. */
  readonly jitter: () => number;
}

/** Limits of one request. */
export interface HttpLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly attempts: number;
  readonly firstPauseMs: number;
  readonly maxPauseMs: number;
}

export const defaultHttpLimits: HttpLimits = Object.freeze({
  timeoutMs: 10_000,
  maxBytes: 1_000_000,
  attempts: 4,
  firstPauseMs: 500,
  maxPauseMs: 8_000,
});

/** What is asked. */
export interface HttpRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent by POST when it is there; the answer must not depend on how often it is sent. */
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** A response read to its end. */
export interface HttpAnswer {
  readonly headers: Headers;
  readonly body: Uint8Array;
}

type Attempt = { readonly answer: HttpAnswer } | { readonly pauseMs: number; readonly reason: string };

async function readBody(response: Response, maxBytes: number): Promise<Uint8Array> {
  const body = await joinParts(response.body ?? [], maxBytes);
  if (body === undefined) throw new StunError('STUN_COLLATERAL_RESPONSE', `expected at most ${maxBytes} bytes`);
  return body;
}

async function tryOnce(
  { url, headers, body }: HttpRequest,
  dependencies: HttpDependencies,
  limits: HttpLimits,
  signal: AbortSignal | undefined,
): Promise<Attempt> {
  const timeout = AbortSignal.timeout(limits.timeoutMs);
  try {
    const response = await dependencies.fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      redirect: 'error',
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    if (response.status === 200)
      return { answer: { headers: response.headers, body: await readBody(response, limits.maxBytes) } };
    await response.body?.cancel();
    if (response.status === 404) throw new StunError('STUN_COLLATERAL_NOT_FOUND', `the collateral service has nothing at ${url}`);
    const transient = response.status === 429 || response.status >= 500;
    if (!transient) throw new StunError('STUN_COLLATERAL_RESPONSE', `expected status 200 from ${url}, got ${response.status}`);
    const wait = Number(response.headers.get('retry-after') ?? '0');
    return { pauseMs: Number.isFinite(wait) && wait > 0 ? wait * 1000 : 0, reason: `status ${response.status}` };
  } catch (thrown) {
    if (thrown instanceof StunError || signal?.aborted === true) throw thrown;
    return { pauseMs: 0, reason: 'no answer' };
  }
}

/**
 * Asks and reads the answer to its end. Follows no redirect. Tries again after network errors, 429 and 5xx, with pauses that double and honour Retry-After up to a limit.
 * @throws `STUN_COLLATERAL_UNAVAILABLE` after the last try | `STUN_COLLATERAL_NOT_FOUND` on 404 | `STUN_COLLATERAL_RESPONSE`
 */
export async function send(
  request: HttpRequest,
  dependencies: HttpDependencies,
  limits: HttpLimits = defaultHttpLimits,
  signal?: AbortSignal,
): Promise<HttpAnswer> {
  let reason = '';
  for (let attempt = 0; attempt < limits.attempts; attempt++) {
    const outcome = await tryOnce(request, dependencies, limits, signal);
    if ('answer' in outcome) return outcome.answer;
    reason = outcome.reason;
    if (attempt + 1 === limits.attempts) break;
    const growing = limits.firstPauseMs * 2 ** attempt * (0.5 + dependencies.jitter() / 2);
    await dependencies.sleep(Math.min(limits.maxPauseMs, Math.max(growing, outcome.pauseMs)), signal);
  }
  throw new StunError(
    'STUN_COLLATERAL_UNAVAILABLE',
    `no collateral from ${request.url} after ${limits.attempts} tries: ${reason}`,
  );
}
