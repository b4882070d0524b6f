/** Limits per address and per account, per minute, in this process: with several replicas each one counts for itself. */
import type { Request, Response } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { StunError } from '#protocol/errors/stun-error.ts';
import { accountOf, type Limiter } from '../http/serve.ts';

const WINDOW_MS = 60_000;

/** A limiter of a number of requests per minute. @param keyOf - whom a request counts for */
export function limiter(identifier: string, limit: number, keyOf: (request: Request, response: Response) => string): Limiter {
  const handle = rateLimit({
    windowMs: WINDOW_MS,
    limit,
    identifier,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: keyOf,
    handler: (_request, _response, next) => {
      next(new StunError('STUN_RATE_LIMIT', `at most ${limit} requests a minute`, { details: { retryAfterMs: WINDOW_MS } }));
    },
    validate: { trustProxy: false, xForwardedForHeader: false },
  });
  return (request, response) =>
    new Promise((resolve, reject) => {
      void handle(request, response, (error?: unknown) => {
        if (error === undefined) resolve();
        else reject(error instanceof Error ? error : new StunError('STUN_INTERNAL', 'the rate limiter failed'));
      });
    });
}

/** Counts by address; an IPv6 address by its /56. */
export const byAddress = (request: Request): string => ipKeyGenerator(request.ip ?? 'unknown', 56);
/** Counts by signed-in account. */
export const byAccount = (_request: Request, response: Response): string => accountOf(response);
