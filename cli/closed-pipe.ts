/** A reader that leaves early, as in `stun … | head -1`. */

/** Whether an error of a stream says that its reader is gone. */
export function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

/**
 * Drops what is written to stdout and stderr once their reader is gone, for the rest of the process's life: the status of a command speaks of
 * what was asked, not of who listened to the end. Any other failure of a stream ends the process as before.
 * @param onGone - told, each time that it shows, that nobody reads stdout any more
 */
export function outliveReaders(onGone: () => void = () => undefined): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (!isClosedPipe(error)) throw error;
      if (stream === process.stdout) onGone();
    });
  }
}
