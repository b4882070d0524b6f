/** Progress on stderr: at once on a terminal, elsewhere once a command has taken two seconds. */
import type { CommandContext } from './command.ts';

const SILENT_MS = 2000;

/** A context whose lines are held back for two seconds, then written; `stop` ends it. */
export function progressContext(signal: AbortSignal): { context: CommandContext; stop: () => void } {
  const held: string[] = [];
  let silent = !process.stderr.isTTY;
  const write = (line: string): void => void process.stderr.write(`stun: ${line}\n`);
  const timer = setTimeout(() => {
    silent = false;
    const newest = held.pop();
    if (newest !== undefined) write(newest);
  }, SILENT_MS);
  timer.unref();
  return {
    context: {
      signal,
      progress: (line) => {
        if (silent) held.push(line);
        else write(line);
      },
    },
    stop: () => clearTimeout(timer),
  };
}
