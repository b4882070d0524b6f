/**
 * JSON lines with one event name each. Secrets have no way in: request and response bodies are never logged, headers only by an
 * allow-list, and what has the name of a secret is censored besides.
 */
import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

const secretNames = ['authorization', 'cookie', 'token', 'key', 'secret', 'signature', 'privateKey', 'password', 'url'];

/** The log of a process. @param destination - standard error when left out: standard output belongs to the command's result */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
  };
  return pino(options, destination ?? pino.destination(2));
}

/** An error as a log shows it: code and reason, and for what is unexpected the stack. Never its details: they may be large. */
export function errorFields(thrown: unknown): object {
  if (!(thrown instanceof Error)) return { reason: 'something that is no error was thrown' };
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
  const cause = thrown.cause instanceof Error ? { cause: thrown.cause.message.slice(0, 300), stack: thrown.cause.stack } : {};
  const unexpected = code === undefined || code === 'STUN_INTERNAL';
  return { code, reason: thrown.message.slice(0, 300), ...(unexpected ? { stack: thrown.stack, ...cause } : {}) };
}
