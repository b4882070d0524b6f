/** Structured logs: one event name a line, fields with units, codes. No prompts, tensors, keys or messages of the model. */
import { pino, type Logger } from 'pino';
import { asStunError } from '#protocol/index.ts';

export type WorkerLog = Logger;

/** A log to standard error: standard output belongs to the command's result. The paths are a second wall: nothing that is logged should hold them. */
export function createWorkerLog(level: string, destination?: { readonly write: (line: string) => void }): WorkerLog {
  const options = {
    level,
    base: { process: 'worker' },
    redact: {
      paths: ['providerKey', 'token', 'authorization', 'opening', 'payload', '*.providerKey', '*.token', '*.authorization'],
      censor: '[redacted]',
    },
  };
  return pino(options, destination ?? pino.destination(2));
}

/** What of an error is logged: code and reason, and of its cause the name alone. */
export function errorFields(thrown: unknown): { readonly code: string; readonly reason: string; readonly cause?: string } {
  const error = asStunError(thrown);
  const cause = error.cause;
  if (!(cause instanceof Error)) return { code: error.code, reason: error.message };
  return { code: error.code, reason: error.message, cause: cause.name };
}
