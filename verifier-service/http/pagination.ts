/** Cursor pagination: newest first, by time and id. A cursor holds the place of the last item given, nothing else. */
import { z } from 'zod';
import { StunError } from '#protocol/errors/stun-error.ts';

/** The query of every list. */
export const pageQuery = {
  cursor: z.string().max(400).optional().meta({ description: '`nextCursor` of the page before' }),
  limit: z.coerce.number().int().min(1).max(200).default(50),
};

/** The place after an item. */
export interface Place {
  readonly atMs: number;
  readonly id: string;
}

const placeSchema = z.tuple([z.int().min(0), z.string().max(200)]);

/** Reads a cursor. @throws `STUN_CURSOR` */
export function placeOf(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [atMs, id] = placeSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return { atMs, id };
  } catch (cause) {
    throw new StunError('STUN_CURSOR', 'the cursor is not one of this list', { cause });
  }
}

/** A page of one more row than was asked for, cut, with the cursor of the next page when there is one. */
export function pageOf<R, T>(
  rows: readonly R[],
  limit: number,
  place: (row: R) => Place,
  view: (row: R) => T,
): { items: T[]; nextCursor?: string } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const items = shown.map(view);
  if (rows.length <= limit || last === undefined) return { items };
  const { atMs, id } = place(last);
  return { items, nextCursor: Buffer.from(JSON.stringify([atMs, id])).toString('base64url') };
}

/** The schema of a page. */
export function pageSchema<T extends z.ZodType>(
  item: T,
): z.ZodObject<{ items: z.ZodArray<T>; nextCursor: z.ZodOptional<z.ZodString> }> {
  return z.strictObject({ items: z.array(item), nextCursor: z.string().optional() });
}
