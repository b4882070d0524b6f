/** Progress on stderr: at once on a terminal, elsewhere once a command has taken two seconds. */
import type { CommandContext } from './command.ts';

const SILENT_MS = 2000;

/** Where lines go and who wakes; tests bring their own. */
export interface ProgressOutside {
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
  /** Calls back after so many milliseconds, and does not keep the process alive; what it returns takes that back. */
  readonly after: (ms: number, wake: () => void) => () => void;
}

const terminal: ProgressOutside = {
  isTerminal: process.stderr.isTTY,
  write: (text) => void process.stderr.write(text),
  after: (ms, wake) => {
    const timer = setTimeout(wake, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** A context whose lines are held back for two seconds, then written; `stop` ends it. */
export function progressContext(
  signal: AbortSignal,
  outside: ProgressOutside = terminal,
): { context: CommandContext; stop: () => void } {
  const held: string[] = [];
  let silent = !outside.isTerminal;
  const write = (line: string): void => outside.write(`stun: ${line}\n`);
  const stop = outside.after(SILENT_MS, () => {
    silent = false;
    const newest = held.pop();
    if (newest !== undefined) write(newest);
  });
  return {
    context: {
      signal,
      progress: (line) => {
        if (silent) held.push(line);
        else write(line);
      },
    },
    stop,
  };
}
