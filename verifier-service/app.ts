/** The express application of a set of routes. Makes no server and listens to nothing. */
import express, { type Express, type Request, type Response } from 'express';
import helmet from 'helmet';
import { pinoHttp } from 'pino-http';
import { StunError } from '#protocol/errors/stun-error.ts';
import { BodyBudget } from './http/body-budget.ts';
import type { Route } from './http/route.ts';
import { refuse, requestIdOf, serveRoute, type ServeBase, type ServeOptions } from './http/serve.ts';
import { byAccount, byAddress, limiter } from './middleware/rate-limit.ts';
import { docsRouter } from './routes/docs.ts';

/** Scripts and styles of the docs page come from here alone, and nothing is framed, fetched or sent elsewhere. */
const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    fontSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

/**
 * Builds the application.
 * @param stopping - aborted when the service stops: streams and long polls end then
 */
export function createApp(base: ServeBase, routes: readonly Route[], stopping: AbortSignal): Express {
  const { settings } = base;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', settings.trustedProxies);
  app.set('query parser', 'simple');
  app.use(helmet({ contentSecurityPolicy, crossOriginEmbedderPolicy: false }));
  app.use(requestLog(base));
  const perAddress = limiter('address', settings.addressRequestsPerMinute, byAddress);
  app.use((request, response, next) => {
    perAddress(request, response).then(() => next(), next);
  });
  const options: ServeOptions = {
    base,
    stopping,
    bodies: new BodyBudget(settings.maxBodyBytesInFlight),
    streams: new Map(),
    limiters: {
      public: limiter('public', settings.publicRequestsPerMinute, byAddress),
      account: limiter('account', settings.accountRequestsPerMinute, byAccount),
    },
  };
  for (const route of routes) app[route.method](route.path.replaceAll(/\{(\w+)\}/g, ':$1'), serveRoute(route, options));
  app.use('/docs', docsRouter());
  app.use(() => {
    throw new StunError('STUN_ROUTE_UNKNOWN', 'there is no such path or method');
  });
  app.use((error: unknown, request: Request, response: Response, _next: express.NextFunction) => {
    refuse(base, error, request, response);
  });
  return app;
}

/** One line per request: method, path without its query, status, time. No header and no body. */
function requestLog(base: ServeBase): express.RequestHandler {
  const handler = pinoHttp({
    logger: base.log,
    genReqId: (_request, response) => requestIdOf(response as Response),
    customProps: (_request, response) => ({ event: 'request.served', requestId: requestIdOf(response as Response) }),
    customLogLevel: (_request, response) => (response.statusCode >= 500 ? 'warn' : 'info'),
    customSuccessMessage: () => 'request served',
    customErrorMessage: () => 'request failed',
    autoLogging: { ignore: (request) => request.url === '/healthz' || request.url === '/metrics' },
    serializers: {
      req: (request: { method: string; url: string }) => ({ method: request.method, path: request.url.split('?')[0] }),
      res: (response: { statusCode: number }) => ({ status: response.statusCode }),
      err: () => undefined,
    },
    wrapSerializers: false,
  });
  return (request, response, next) => {
    handler(request, response);
    next();
  };
}
