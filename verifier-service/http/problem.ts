/** RFC 9457 problem documents with the registry's codes. */
import { z } from 'zod';
import { asStunError, errorEntry } from '#protocol/errors/registry.ts';
import type { StunError } from '#protocol/errors/stun-error.ts';
import { StunError as StunErrorClass } from '#protocol/errors/stun-error.ts';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

export const problemSchema = z
  .strictObject({
    type: z.string().meta({ description: 'urn:stun:error: and the code' }),
    title: z.string().meta({ description: 'What the code means and what to do' }),
    status: z.int().min(400).max(599),
    code: z.string().meta({ description: 'Stable; see docs/api/errors.md' }),
    detail: z.string().meta({ description: 'What was expected and what came' }),
    requestId: z.string(),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])).optional(),
  })
  .meta({ id: 'Problem' });
/** A problem document. */
export type Problem = z.infer<typeof problemSchema>;

/** PostgreSQL's classes of errors that say "the database is not there", and node's. */
const databaseGone = /^(?:08...|57P0[1-3]|53...|ECONN.*|EPIPE|ETIMEDOUT)$/;

/** PostgreSQL's `character_not_in_repertoire`: a text of the request holds U+0000, which no text of the store can. */
const NOT_STORABLE = '22021';

/** The StunError of anything thrown while a request was served. */
export function errorOf(thrown: unknown): StunError {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === NOT_STORABLE) return new StunErrorClass('STUN_INPUT', 'no text may hold the character U+0000', { cause: thrown });
  const gone =
    !(thrown instanceof StunErrorClass) &&
    ((typeof code === 'string' && databaseGone.test(code)) ||
      (thrown instanceof Error && /^Connection terminated|^timeout exceeded when trying to connect/.test(thrown.message)));
  if (gone) return new StunErrorClass('STUN_DATABASE', 'the database did not answer', { cause: thrown });
  return asStunError(thrown);
}

/** The document of an error. What is internal keeps its reason for the log. */
export function problemOf(error: StunError, requestId: string): Problem {
  const entry = errorEntry(error.code);
  const internal = entry.class === 'internal';
  return {
    type: `urn:stun:error:${error.code}`,
    title: entry.doc,
    status: entry.httpStatus,
    code: error.code,
    detail: internal ? 'an unexpected error occurred' : error.message,
    requestId,
    ...(internal || Object.keys(error.details).length === 0 ? {} : { details: asPlain(error.details) }),
  };
}

function asPlain(details: StunError['details']): NonNullable<Problem['details']> {
  return Object.fromEntries(Object.entries(details).map(([key, value]) => [key, typeof value === 'object' ? [...value] : value]));
}
