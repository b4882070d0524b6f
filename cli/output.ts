/** Printing: one JSON document on stdout with `--json`, text without; errors with code, reason and what to do. */
import { asStunError, errorEntry, exitCodeOf } from '#protocol/errors/registry.ts';
import type { StunError } from '#protocol/errors/stun-error.ts';
import { isClosedPipe } from './closed-pipe.ts';
import type { CommandResult, Json } from './command.ts';

/** The document of a failed command. */
export function errorDocument(error: StunError): Json {
  const { actor, doc } = errorEntry(error.code);
  const details = Object.entries(error.details);
  return {
    error: {
      code: error.code,
      reason: error.message,
      actor,
      doc,
      ...(details.length === 0 ? {} : { details: Object.fromEntries(details) }),
    },
  };
}

function errorText(error: StunError): string {
  const { actor, doc } = errorEntry(error.code);
  return `stun: ${error.code}: ${error.message}\n  ${doc}\n  (who can act: ${actor})`;
}

/** Writes all of a text, however slow the reader; to one that has left, as much as it took. */
function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error && !isClosedPipe(error)) reject(error);
      else resolve();
    });
  });
}

/** Prints a result. @returns the exit code */
export async function printResult(result: CommandResult, json: boolean): Promise<number> {
  await write(process.stdout, json ? `${JSON.stringify(result.document, null, 2)}\n` : `${result.text}\n`);
  return result.exitCode;
}

/** Prints an error; of one that is not ours, its cause too, since that is a defect. @returns the exit code */
export async function printError(thrown: unknown, json: boolean): Promise<number> {
  const error = asStunError(thrown);
  if (json) await write(process.stdout, `${JSON.stringify(errorDocument(error), null, 2)}\n`);
  else await write(process.stderr, `${errorText(error)}\n`);
  if (error.code === 'STUN_INTERNAL' && error.cause instanceof Error) {
    await write(process.stderr, `${error.cause.stack ?? error.cause.message}\n`);
  }
  return exitCodeOf(error.code);
}
