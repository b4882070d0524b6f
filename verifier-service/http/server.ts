/** An HTTP server that stops gracefully: streams and long polls end, running requests finish, then connections close. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import { StunError } from '#protocol/errors/stun-error.ts';

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
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new StunError('STUN_CONFIG', 'host, port: the address cannot be listened on', { cause })),
    );
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return { host: address.address, port: address.port, stop: (graceMs) => stop(server, graceMs) };
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
