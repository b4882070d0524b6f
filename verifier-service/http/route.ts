/**
 * What a route is: path, access, schemas, handler. The same object serves requests (serve.ts) and writes the OpenAPI document
 * (openapi/document.ts), so that what is documented is what validates.
 */
import { z } from 'zod';
import { parseCappedJsonBytes, type JsonLimits } from '#attestation/json/capped-json.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { readDocument } from '#protocol/wire/scalars.ts';
import type { Trx } from '../db/open.ts';
import type { Logger } from '../telemetry/log.ts';
import { decodeFrame, FRAME_CONTENT_TYPE } from './frame.ts';
import type { Reply } from './reply.ts';

/** Wide enough for a segment of 256 jobs and for an evidence document inside a listing. */
const jsonLimits: JsonLimits = Object.freeze({ maxChars: 4_000_000, maxDepth: 24, maxValues: 100_000 });

/** Which of the configured limits a body is held to. */
export type BodyLimit = 'document' | 'payload';

/** How a body is read. */
export interface BodySpec<B> {
  readonly contentType: 'application/json' | 'application/octet-stream' | typeof FRAME_CONTENT_TYPE;
  readonly limit: BodyLimit;
  /** Of the JSON, or of the frame's document. */
  readonly schema: z.ZodType | undefined;
  readonly read: (bytes: Uint8Array) => B;
}

/** A JSON body. */
export function jsonBody<S extends z.ZodType>(schema: S): BodySpec<z.output<S>> {
  return {
    contentType: 'application/json',
    limit: 'document',
    schema,
    read: (bytes) => readDocument<z.output<S>>(schema as z.ZodType<z.output<S>>, parseCappedJsonBytes(bytes, jsonLimits), 'body'),
  };
}

/** A frame: a document and bytes. */
export function frameBody<S extends z.ZodType>(
  schema: S,
): BodySpec<{ readonly document: z.output<S>; readonly bytes: Uint8Array }> {
  return {
    contentType: FRAME_CONTENT_TYPE,
    limit: 'payload',
    schema,
    read: (frame) => {
      const { document, bytes } = decodeFrame(frame);
      return { document: readDocument<z.output<S>>(schema as z.ZodType<z.output<S>>, document, 'document'), bytes };
    },
  };
}

/** Plain bytes. */
export const octetsBody: BodySpec<Uint8Array> = {
  contentType: 'application/octet-stream',
  limit: 'document',
  schema: undefined,
  read: (bytes) => bytes,
};

/** What a status answers with. */
export type ResponseSpec = { readonly description: string } & (
  | { readonly schema: z.ZodType }
  | { readonly octets: true }
  | { readonly events: true }
  | { readonly text: string }
  | { readonly nothing: true }
);

/** What a handler gets. */
export interface Incoming<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** The signed-in account, lower case; the empty string on public routes. */
  readonly account: string;
  readonly requestId: string;
  /** Aborted when the caller goes away or the service stops. */
  readonly signal: AbortSignal;
  readonly header: (name: string) => string | undefined;
  readonly log: Logger;
  /** Spends the request's `idempotency-key`, if it has one, in the transaction of the effect. Only where the route takes one. */
  readonly spendKey: (trx: Trx) => Promise<void>;
}

export const noFields = z.strictObject({});

/** A route as it is declared. */
export interface RouteSpec<P extends z.ZodObject, Q extends z.ZodObject, B> {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** With `{name}` for parameters. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** `public`: anybody, held to the stricter limit per address. */
  readonly access: 'public' | 'account';
  readonly params?: P;
  readonly query?: Q;
  readonly body?: BodySpec<B>;
  readonly responses: Readonly<Record<number, ResponseSpec>>;
  /** Codes beyond those of every route. */
  readonly errors: readonly ErrorCode[];
  /** Takes an `idempotency-key`: the answer holds a secret, and a repetition is refused with `STUN_IDEMPOTENCY_SPENT`. */
  readonly takesKey?: true;
  readonly handle: (incoming: Incoming<z.output<P>, z.output<Q>, B>) => Promise<Reply>;
}

/** A route without its types. */
export type Route = Omit<RouteSpec<z.ZodObject, z.ZodObject, unknown>, 'handle'> & {
  readonly handle: (incoming: Incoming<never, never, never>) => Promise<Reply>;
};

/** Declares a route; the handler's types come from the schemas. */
export function route<P extends z.ZodObject = typeof noFields, Q extends z.ZodObject = typeof noFields, B = undefined>(
  spec: RouteSpec<P, Q, B>,
): Route {
  return spec;
}
