/** Liveness and readiness over HTTP. Readiness makes a real quote: quoting services have been seen to fail after days. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { asStunError, fromHex, reportDataOf } from '#protocol/index.ts';
import type { ChainView } from './chain-view.ts';
import type { EvidenceIssuer } from './issuer/issuer.ts';
import type { EnclaveKeys } from './keys.ts';

/** What readiness found. */
export interface Readiness {
  readonly ready: boolean;
  readonly platform: string;
  readonly simulated: boolean;
  readonly keysetDigest: string;
  /** Unix milliseconds of the quote. */
  readonly quotedAtMs: number;
  /** Why not. */
  readonly code?: string;
}

/** Makes a quote over the newest block, at most once in `maxAgeMs`, and says whether that worked. */
export class ReadinessProbe {
  readonly #keys: Pick<EnclaveKeys, 'keysetDigest' | 'enclaveId'>;
  readonly #issuer: EvidenceIssuer;
  readonly #chain: Pick<ChainView, 'newestBlock'>;
  readonly #maxAgeMs: number;
  #last: Promise<Readiness> | undefined;
  #lastAtMs = 0;

  constructor(
    keys: Pick<EnclaveKeys, 'keysetDigest' | 'enclaveId'>,
    issuer: EvidenceIssuer,
    chain: Pick<ChainView, 'newestBlock'>,
    maxAgeMs: number,
  ) {
    this.#keys = keys;
    this.#issuer = issuer;
    this.#chain = chain;
    this.#maxAgeMs = maxAgeMs;
  }

  /** The newest finding. Never throws. */
  check(): Promise<Readiness> {
    const nowMs = performance.now();
    if (this.#last === undefined || nowMs - this.#lastAtMs >= this.#maxAgeMs) {
      this.#lastAtMs = nowMs;
      this.#last = this.#quote();
    }
    return this.#last;
  }

  async #quote(): Promise<Readiness> {
    const about = {
      platform: this.#issuer.description,
      simulated: this.#issuer.simulated,
      keysetDigest: this.#keys.enclaveId,
      quotedAtMs: Date.now(),
    };
    try {
      const { hash } = await this.#chain.newestBlock();
      await this.#issuer.issue(reportDataOf(this.#keys.keysetDigest, fromHex(hash, 32, 'block hash'), new Uint8Array(32)));
      return { ready: true, ...about };
    } catch (thrown) {
      return { ready: false, ...about, code: asStunError(thrown).code };
    }
  }
}

/** A running health server. */
export interface HealthServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body));
}

async function replyMetrics(response: ServerResponse, registry: Registry): Promise<void> {
  const text = await registry.metrics();
  response.writeHead(200, { 'content-type': registry.contentType, 'cache-control': 'no-store' }).end(text);
}

/** Serves `/healthz` (the process lives), `/readyz` (200 when a quote was just made) and `/metrics` (for Prometheus). */
export async function startHealthServer(
  listen: { host: string; port: number },
  probe: () => Promise<Readiness>,
  registry: Registry,
): Promise<HealthServer> {
  const server: Server = createServer((request, response) => {
    if (request.method !== 'GET') reply(response, 405, { error: 'GET only' });
    else if (request.url === '/healthz') reply(response, 200, { alive: true });
    else if (request.url === '/readyz') void probe().then((found) => reply(response, found.ready ? 200 : 503, found));
    else if (request.url === '/metrics') void replyMetrics(response, registry);
    else reply(response, 404, { error: 'no such page' });
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${listen.host}:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
