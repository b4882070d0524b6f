/** An HTTP server that stops gracefully: streams and long polls end, running requests finish, then connections close. */
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Express } from 'express';
import { StunError } from '#protocol/errors/stun-error.ts';
import { PROBLEM_CONTENT_TYPE, problemOf } from './problem.ts';

/** A listening server. */
export interface RunningServer {
  readonly host: string;
  readonly port: number;
  /** Ends idle connections at once and the others when their requests end, at the latest after the grace. */
  stop(graceMs: number): Promise<void>;
}

/** Listens. Header and request times are limited, so that slow senders do not hold connections. @throws `STUN_CONFIG` */
export async function listen(app: Express, host: string, port: number): Promise<RunningServer> {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 120_000, keepAliveTimeout: 30_000 }, app);
  /** Answers that are not finished, by connection; requests may be sent one behind the other. */
  const answering = new WeakMap<Duplex, number>();
  server.on('request', ({ socket }, response) => {
    answering.set(socket, (answering.get(socket) ?? 0) + 1);
    response.once('close', () => answering.set(socket, (answering.get(socket) ?? 1) - 1));
  });
  server.on('clientError', (error, socket) => {
    // A sender that is gone hears nothing, and into the middle of another answer nothing can be said.
    if (!socket.writable || (answering.get(socket) ?? 0) > 0) socket.destroy();
    else refuse(error, socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new StunError('STUN_CONFIG', 'host, port: the address cannot be listened on', { cause })),
    );
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return { host: address.address, port: address.port, stop: (graceMs) => stop(server, graceMs) };
}

const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'request line and headers are too large',
  ERR_HTTP_REQUEST_TIMEOUT: 'the request did not arrive whole in time',
};

/** Answers what is no request that a route could answer, as the routes refuse, and ends the connection. */
function refuse(error: Error, socket: Duplex): void {
  const code = 'code' in error ? error.code : undefined;
  const what = REFUSALS[String(code)] ?? 'the request is not well-formed HTTP';
  const problem = problemOf(new StunError('STUN_HTTP', what), randomUUID());
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} Bad Request\r\ncontent-type: ${PROBLEM_CONTENT_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}

async function stop(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const hard = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(hard);
}
