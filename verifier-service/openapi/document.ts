/** The OpenAPI 3.1 document, made from the routes themselves. */
import {
  createDocument,
  type ZodOpenApiContentObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import { z } from 'zod';
import { errorEntry, type ErrorCode } from '#protocol/errors/registry.ts';
import { problemSchema, PROBLEM_CONTENT_TYPE } from '../http/problem.ts';
import { FRAME_CONTENT_TYPE } from '../http/frame.ts';
import type { BodySpec, ResponseSpec, Route } from '../http/route.ts';

/** Version of the interface: the path's major, then what was added. */
export const API_VERSION = '1.0.0';

const common: readonly ErrorCode[] = ['STUN_INPUT', 'STUN_RATE_LIMIT', 'STUN_INTERNAL', 'STUN_DATABASE', 'STUN_STOPPING'];
const withAccount: readonly ErrorCode[] = ['STUN_UNAUTHENTICATED'];
const withBody: readonly ErrorCode[] = ['STUN_BODY_TOO_LARGE', 'STUN_CONTENT_TYPE', 'STUN_JSON_FORMAT'];

function responseOf(spec: ResponseSpec): ZodOpenApiResponseObject {
  const { description } = spec;
  if ('schema' in spec) return { description, content: { 'application/json': { schema: spec.schema } } };
  if ('octets' in spec)
    return { description, content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } };
  if ('events' in spec) return { description, content: { 'text/event-stream': { schema: { type: 'string' } } } };
  if ('text' in spec) return { description, content: { [spec.text]: { schema: { type: 'string' } } } };
  return { description };
}

/** Problem answers by status, with the codes that come with it. */
function problems(codes: readonly ErrorCode[]): Record<string, ZodOpenApiResponseObject> {
  const byStatus = Map.groupBy(new Set(codes), (code) => errorEntry(code).httpStatus);
  return Object.fromEntries(
    [...byStatus]
      .toSorted(([a], [b]) => a - b)
      .map(([status, list]) => [
        String(status),
        { description: list.toSorted().join(', '), content: { [PROBLEM_CONTENT_TYPE]: { schema: problemSchema } } },
      ]),
  );
}

function contentOf(body: BodySpec<unknown>): ZodOpenApiContentObject {
  const schema = body.contentType === 'application/json' ? body.schema : undefined;
  return { [body.contentType]: { schema: schema ?? { type: 'string', format: 'binary' } } };
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const codes = [
    ...common,
    ...(route.access === 'account' ? withAccount : []),
    ...(route.body === undefined ? [] : withBody),
    ...route.errors,
  ];
  const answers = Object.fromEntries(Object.entries(route.responses).map(([status, spec]) => [status, responseOf(spec)]));
  const idempotencyKey = z.object({ 'idempotency-key': z.string().min(8).max(200).optional() });
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: route.access === 'account' ? [{ bearer: [] }] : [],
    requestParams: {
      ...(route.params === undefined ? {} : { path: route.params }),
      ...(route.query === undefined ? {} : { query: route.query }),
      ...(route.takesKey === undefined ? {} : { header: idempotencyKey }),
    },
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: contentOf(route.body) } }),
    responses: { ...answers, ...problems(codes) },
  };
}

/** Builds the document of a list of routes. */
export function openApiDocument(routes: readonly Route[]): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  }
  // The documents of frames are in no body schema, since a frame is bytes; they are listed among the components.
  const frames: [string, z.ZodType][] = routes.flatMap(({ body, operationId }) =>
    body?.contentType === FRAME_CONTENT_TYPE && body.schema !== undefined ? [[`${operationId}FrameDocument`, body.schema]] : [],
  );
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'STUN verifier service',
      version: API_VERSION,
      description:
        'Orders, encrypted jobs, evidence, receipts, proofs and settlement. Errors are RFC 9457 problem documents with stable codes (docs/api/errors.md). A frame is a u32 big-endian length, a JSON document of that length, then bytes. docs/integrator.md shows whole sequences.',
      license: { name: 'GPL-3.0-or-later', identifier: 'GPL-3.0-or-later' },
    },
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'A session token or an API key' } },
      schemas: Object.fromEntries(frames),
    },
  });
}
