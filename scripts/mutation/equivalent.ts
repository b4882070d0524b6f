/** Mutants that behave like the original for every input: named and reasoned one by one in test/mutation-equivalent.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../project-files.ts';
import type { Mutant } from './mutants.ts';

/** One reviewed mutant, found by the text of its line, so that it stays found when lines move. */
export interface Equivalent {
  readonly file: string;
  /** The line without the blanks around it. */
  readonly code: string;
  /** The replaced text and what replaces it, without the blanks around them. */
  readonly from: string;
  readonly to: string;
  /** Which one, counted from 1, where the line has several of `from`. */
  readonly nth: number;
  /** Why no input can tell the two apart. */
  readonly reason: string;
}

/** The reviewed list. */
export function knownEquivalents(): readonly Equivalent[] {
  return JSON.parse(readFileSync(join(root, 'test/mutation-equivalent.json'), 'utf8')) as Equivalent[];
}

/**
 * Splits the mutants of one file into those to try and the reviewed ones.
 * @throws `RangeError` for an entry about the file that fits none of its mutants: the code has changed, so the reason has to be read again
 */
export function splitEquivalents(
  mutants: readonly Mutant[],
  source: string,
  known: readonly Equivalent[],
): { readonly wanted: readonly Mutant[]; readonly equivalent: readonly Mutant[] } {
  const lines = source.split('\n');
  const equivalent = known.map((entry) => {
    const fitting = mutants.filter(
      ({ line, from, to }) => lines[line - 1]?.trim() === entry.code && from.trim() === entry.from && to.trim() === entry.to,
    );
    const found = fitting[entry.nth - 1];
    if (found === undefined)
      throw new RangeError(`${entry.file}: no mutant ${entry.from} -> ${entry.to} in the line ${entry.code}`);
    return found;
  });
  return { wanted: mutants.filter((mutant) => !equivalent.includes(mutant)), equivalent };
}
