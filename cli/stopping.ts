/** What stops a process in good order: a signal, the word of its launcher, and the end of whoever started it with a channel. */

/** Wishes to stop closer than this are one: a terminal, or a manager that signals the whole group, reaches launcher and process, and the launcher passes its own on. */
const ONE_WISH_MS = 2000;

/** Tells the launcher to pass signals on as messages, see scripts/with-node.mjs. */
const TAKES_MESSAGES = 'stun: stop me by message';

/**
 * Aborts on SIGINT or SIGTERM, on the launcher's message that it got one, and when the process at the other end of the channel is gone. Ends
 * the process with status 3 when a signal comes again, two seconds or more after the first: what was signed is on disk. Takes the signals
 * over for the rest of the process's life; does not keep the process alive. Call it once.
 */
export function stoppingSignal(): AbortSignal {
  const stopping = new AbortController();
  let again = false;
  const wish = (): void => {
    if (again) process.exit(3);
    if (stopping.signal.aborted) return;
    stopping.abort();
    // In two halves: after a long stretch of work the loop runs what is due first, and a signal that came in that stretch between the two.
    const half = (then: () => void): void => void setTimeout(then, ONE_WISH_MS / 2).unref();
    half(() => half(() => (again = true)));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, wish);
  // False is a channel that has closed already; undefined that there never was one.
  if (process.connected === false) stopping.abort();
  if (process.connected) {
    process.on('message', (message) => {
      if (message === 'SIGINT' || message === 'SIGTERM') wish();
    });
    process.on('disconnect', () => stopping.abort());
    process.channel?.unref();
    process.send?.(TAKES_MESSAGES);
  }
  return stopping.signal;
}
