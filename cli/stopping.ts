/** What a user means who interrupts: once to end in good order, twice not to wait for it. */

/** Two signals closer than this are one wish: a terminal, or a manager that signals the whole group, reaches the launcher and this process, and the launcher passes its own on. */
const ONE_WISH_MS = 1000;

/**
 * Aborts on SIGINT or SIGTERM, and ends the process with status 3 when one comes again a second or more after the first: what was signed is
 * on disk. Takes the signals over for the rest of the process's life.
 */
export function stoppingSignal(): AbortSignal {
  const stopping = new AbortController();
  let firstMs = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (!stopping.signal.aborted) {
        firstMs = performance.now();
        stopping.abort();
      } else if (performance.now() - firstMs >= ONE_WISH_MS) process.exit(3);
    });
  }
  return stopping.signal;
}
