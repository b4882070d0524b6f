/** What a command of `stun` returns; `main.ts` prints it. A command never prints its result itself. */

/** A JSON value as `--json` prints it: bigints are already strings. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** The outcome of a command. */
export interface CommandResult {
  /** The one JSON document of `--json`. */
  readonly document: Json;
  /** The same for a person, several lines, no trailing newline. */
  readonly text: string;
  /** 0 when the command's question is answered with yes; else the code of the registry's class (see exitCodeOf). */
  readonly exitCode: number;
}

/** Says nothing: for callers without a terminal. */
export const silent: CommandContext['progress'] = () => undefined;

/** What a command may use of the terminal while it runs: progress goes to stderr, never to stdout. */
export interface CommandContext {
  /** Says in one line what is being done; shown when the command takes longer than two seconds or on a terminal. */
  readonly progress: (line: string) => void;
  /** Aborted on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}
