/** Progress on stderr: at once on a terminal, elsewhere once a command has taken two seconds; and a word now and then while it goes on. */
import type { CommandContext } from './command.ts';

const SILENT_MS = 2000;

/** How long a command may say nothing before what it is at is said again. */
const REPEAT_MS = 10_000;

/** Where lines go and who wakes; tests bring their own. */
export interface ProgressOutside {
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
  /** Milliseconds on a clock that never goes back. */
  readonly nowMs: () => number;
  /** Calls back after so many milliseconds, and does not keep the process alive; what it returns takes that back. */
  readonly after: (ms: number, wake: () => void) => () => void;
}

const terminal: ProgressOutside = {
  isTerminal: process.stderr.isTTY,
  write: (text) => void process.stderr.write(text),
  nowMs: () => performance.now(),
  after: (ms, wake) => {
    const timer = setTimeout(wake, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** What a command gets, and what is told about it. */
export interface Progress {
  /** Lines of it are held back for two seconds; then the newest is written, and from then on each. */
  readonly context: CommandContext;
  /** Names the command that runs, so that one that says nothing has its name said in its place; null for one that runs until it is stopped, whose silence is no news. */
  readonly working: (command: string | null) => void;
  /** Ends it: nothing is written from then on by itself. */
  readonly stop: () => void;
}

/** Starts the clock of a command. @param signal - what the context hands on */
export function progressContext(signal: AbortSignal, outside: ProgressOutside = terminal): Progress {
  const startMs = outside.nowMs();
  const elapsedMs = (): number => outside.nowMs() - startMs;
  let doing: string | null = null;
  let held = false;
  let repeats = true;
  const say = (line: string): void => {
    held = false;
    outside.write(`stun: ${line}\n`);
    wakeIn(REPEAT_MS);
  };
  const wake = (): void => {
    if (held && doing !== null) say(doing);
    else if (!repeats) return;
    else if (doing === null) wakeIn(SILENT_MS);
    else say(`still: ${doing}, ${Math.floor(elapsedMs() / 1000)} s`);
  };
  let cancel = (): void => undefined;
  const wakeIn = (ms: number): void => {
    cancel();
    cancel = outside.after(ms, wake);
  };
  wakeIn(SILENT_MS);
  return {
    context: {
      signal,
      progress: (line) => {
        doing = line;
        // By the clock too: a command that computes lets no timer through.
        if (outside.isTerminal || elapsedMs() >= SILENT_MS) say(line);
        else held = true;
      },
    },
    working: (command) => {
      repeats = command !== null;
      doing ??= command;
    },
    stop: () => cancel(),
  };
}
