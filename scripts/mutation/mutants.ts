/** Small changes to a source file, each of which some test should notice. */

/** One change of one place. */
export interface Mutant {
  /** Path from the root. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Offset of the first replaced character in the file. */
  readonly offset: number;
  readonly from: string;
  readonly to: string;
}

/** What is replaced by what: comparisons and their borders, logic, arithmetic, truth, and checks that no longer throw. */
const replacements: readonly (readonly [pattern: RegExp, to: string])[] = [
  [/ === /g, ' !== '],
  [/ !== /g, ' === '],
  [/ < /g, ' <= '],
  [/ <= /g, ' < '],
  [/ > /g, ' >= '],
  [/ >= /g, ' > '],
  [/ && /g, ' || '],
  [/ \|\| /g, ' && '],
  [/ \+ /g, ' - '],
  [/ - /g, ' + '],
  [/ << /g, ' >> '],
  [/ >> /g, ' << '],
  [/\btrue\b/g, 'false'],
  [/\bfalse\b/g, 'true'],
  [/\bthrow new (?=\w+Error\()/g, 'void new '],
];

/** Overwrites comments, string contents and type-only lines with blanks of the same length, so that offsets stay. */
export function codeOnly(source: string): string {
  const blank = (text: string): string => text.replaceAll(/[^\n]/g, ' ');
  return source
    .replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/[^\n]*/g, blank)
    .replaceAll(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g, blank)
    .replaceAll(/\/(?:\\.|\[[^\]\n]*\]|[^/\\\n[ ])+\/[dgimsuvy]*(?=[.,;)])/g, blank)
    .replaceAll(/^ *(?:import|export (?:type|interface)|type|interface|readonly)\b[^\n]*/gm, blank)
    .replaceAll(/: (?:true|false)(?=[;,)])/g, blank);
}

/** Every mutant of a file. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const code = codeOnly(source);
  return replacements
    .flatMap(([pattern, to]) =>
      [...code.matchAll(pattern)].map((match) => ({
        file,
        line: code.slice(0, match.index).split('\n').length,
        offset: match.index,
        from: match[0],
        to,
      })),
    )
    .toSorted((a, b) => a.offset - b.offset);
}

/** The source with one mutant in it. */
export function applied(source: string, mutant: Mutant): string {
  return source.slice(0, mutant.offset) + mutant.to + source.slice(mutant.offset + mutant.from.length);
}
