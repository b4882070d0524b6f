/** Serves one route: access, limits, body, schemas, handler, answer. Whatever is thrown becomes a problem document. */
import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { StunError } from '#protocol/errors/stun-error.ts';
import { readDocument } from '#protocol/wire/scalars.ts';
import { authenticate } from '../accounts/credentials.ts';
import type { Trx } from '../db/open.ts';
import type { Services } from '../services.ts';
import { errorFields } from '../telemetry/log.ts';
import type { BodyBudget, HeldBytes } from './body-budget.ts';
import { discardRest, readBody } from './body.ts';
import { spendKey } from './idempotency.ts';
import { errorOf, problemOf, PROBLEM_CONTENT_TYPE } from './problem.ts';
import type { Reply } from './reply.ts';
import { noFields, type Route } from './route.ts';

/** Lets a request through or refuses it with `STUN_RATE_LIMIT`. */
export type Limiter = (request: Request, response: Response) => Promise<void>;

/** What every process has, and the store of those that keep one: routes for accounts need it. */
export interface ServeBase extends Pick<Services, 'settings' | 'metrics' | 'log'> {
  readonly stored: Services | undefined;
}

/** What serving needs. */
export interface ServeOptions {
  readonly base: ServeBase;
  readonly limiters: { readonly public: Limiter; readonly account: Limiter };
  /** Aborted when the service stops. */
  readonly stopping: AbortSignal;
  readonly bodies: BodyBudget;
  /** Open streams by account. */
  readonly streams: Map<string, number>;
}

/** The id of a request: made here, never taken from the caller. */
export function requestIdOf(response: Response): string {
  const locals = response.locals as { requestId?: string };
  locals.requestId ??= randomUUID();
  return locals.requestId;
}

/** The account that a request was found to come from. */
export function accountOf(response: Response): string {
  return (response.locals as { account?: string }).account ?? '';
}

/** The express handler of a route. */
export function serveRoute(route: Route, options: ServeOptions): RequestHandler {
  return async (request, response) => {
    const { base } = options;
    const end = base.metrics.requestSeconds.startTimer({ operation: route.operationId });
    try {
      const reply = await answer(route, options, request, response);
      await (reply.kind === 'stream' ? writeStream(reply, options, response) : writeReply(reply, response));
      if (reply.kind !== 'stream') end({ status: String(response.statusCode) });
    } catch (thrown) {
      refuse(base, thrown, request, response);
      end({ status: String(response.statusCode) });
    }
  };
}

async function answer(route: Route, options: ServeOptions, request: Request, response: Response): Promise<Reply> {
  const { base, limiters, stopping, bodies } = options;
  if (stopping.aborted) throw new StunError('STUN_STOPPING', 'the service is stopping');
  if (route.access === 'account') {
    const caller = await authenticate(storeOf(base), request.headers.authorization);
    (response.locals as { account?: string }).account = caller.account;
    await limiters.account(request, response);
  } else await limiters.public(request, response);
  const params = readDocument(route.params ?? noFields, { ...request.params }, 'path');
  const query = readDocument(route.query ?? noFields, { ...request.query }, 'query');
  const held = bodies.hold();
  response.once('close', () => held.release());
  const bytes = await bodyOf(route, base, request, held);
  const account = accountOf(response);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const handle = route.handle as (incoming: object) => Promise<Reply>;
  const incoming = {
    params,
    query,
    body: route.body?.read(bytes),
    account,
    requestId: requestIdOf(response),
    signal: AbortSignal.any([gone.signal, stopping]),
    header: (name: string) => request.get(name),
    log: base.log.child({ requestId: requestIdOf(response), operation: route.operationId }),
    spendKey: async (trx: Trx) => {
      const key = request.get('idempotency-key');
      await spendKey(trx, { account, key, method: request.method, path: request.path, body: bytes }, storeOf(base).nowMs());
    },
  };
  return handle(incoming);
}

function storeOf(base: ServeBase): Services {
  if (base.stored === undefined) throw new StunError('STUN_INTERNAL', 'a route for accounts in a process without a store');
  return base.stored;
}

async function bodyOf(route: Route, { settings }: ServeBase, request: Request, held: HeldBytes): Promise<Uint8Array> {
  const spec = route.body;
  if (spec === undefined) {
    await readBody(request, 0, held);
    return new Uint8Array();
  }
  const given = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (given !== spec.contentType) throw new StunError('STUN_CONTENT_TYPE', `expected content-type ${spec.contentType}`);
  if (request.headers['content-encoding'] !== undefined)
    throw new StunError('STUN_CONTENT_TYPE', 'expected a body without content-encoding');
  return readBody(request, spec.limit === 'payload' ? settings.maxPayloadBytes : settings.maxDocumentBytes, held);
}

type StreamReply = Extract<Reply, { kind: 'stream' }>;

/** A stream asks the store as long as it is open, so an account may hold only so many. */
async function writeStream(reply: StreamReply, { base, streams }: ServeOptions, response: Response): Promise<void> {
  const account = accountOf(response);
  const open = streams.get(account) ?? 0;
  const most = base.settings.maxStreamsPerAccount;
  if (open >= most) throw new StunError('STUN_QUOTA', `an account may have ${most} open streams`, { details: { most } });
  streams.set(account, open + 1);
  try {
    await reply.write(response);
  } finally {
    const left = (streams.get(account) ?? 1) - 1;
    if (left > 0) streams.set(account, left);
    else streams.delete(account);
  }
}

async function writeReply(reply: Exclude<Reply, StreamReply>, response: Response): Promise<void> {
  response.setHeader('cache-control', 'no-store');
  if (reply.kind !== 'text') for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  if (reply.kind === 'json') response.status(reply.status).type('application/json').send(JSON.stringify(reply.body));
  else if (reply.kind === 'octets') response.status(200).type('application/octet-stream').send(Buffer.from(reply.bytes));
  else if (reply.kind === 'text') response.status(200).set('content-type', reply.contentType).send(reply.text);
  else response.status(204).end();
}

/** Answers with a problem document, counts and logs it. */
export function refuse(base: ServeBase, thrown: unknown, request: Request, response: Response): void {
  const error = errorOf(thrown);
  const problem = problemOf(error, requestIdOf(response));
  base.metrics.refusals.inc({ code: error.code });
  if (problem.status >= 500) {
    base.log.error({ event: 'request.failed', requestId: problem.requestId, ...errorFields(error) });
  }
  if (response.headersSent) {
    response.end();
    return;
  }
  discardRest(request, response);
  const retryAfterMs = error.details['retryAfterMs'];
  if (typeof retryAfterMs === 'number') response.setHeader('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  if (error.code === 'STUN_UNAUTHENTICATED') response.setHeader('www-authenticate', 'Bearer');
  response.setHeader('cache-control', 'no-store');
  response.status(problem.status).type(PROBLEM_CONTENT_TYPE).send(JSON.stringify(problem));
}
