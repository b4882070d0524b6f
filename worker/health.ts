/** Liveness and readiness over HTTP. Readiness makes a real quote: quoting services have been seen to fail after days. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { asStunError } from '#protocol/index.ts';
import type { ChainView } from './chain-view.ts';
import type { Attester } from './issuer/attester.ts';
import type { EnclaveKeys } from './keys.ts';

/** What readiness found. */
export interface Readiness {
  readonly ready: boolean;
  readonly platform: string;
  readonly simulated: boolean;
  /** GPUs that evidence shows. */
  readonly gpus: number;
  readonly keysetDigest: string;
  /** Unix milliseconds of the quote. */
  readonly quotedAtMs: number;
  /** Why not. */
  readonly code?: string;
}

/** Makes evidence over the newest block, with the GPUs that the settings name, at most once in `maxAgeMs`, and says whether that worked. */
export class ReadinessProbe {
  readonly #keys: Pick<EnclaveKeys, 'keysetDigest' | 'enclaveId'>;
  readonly #attester: Attester;
  readonly #chain: Pick<ChainView, 'newestBlock'>;
  readonly #maxAgeMs: number;
  #last: Promise<Readiness> | undefined;
  #lastAtMs = 0;
  #isRunning = false;

  constructor(
    keys: Pick<EnclaveKeys, 'keysetDigest' | 'enclaveId'>,
    attester: Attester,
    chain: Pick<ChainView, 'newestBlock'>,
    maxAgeMs: number,
  ) {
    this.#keys = keys;
    this.#attester = attester;
    this.#chain = chain;
    this.#maxAgeMs = maxAgeMs;
  }

  /** The newest finding. Never throws. */
  check(): Promise<Readiness> {
    const nowMs = performance.now();
    if (this.#last === undefined || (!this.#isRunning && nowMs - this.#lastAtMs >= this.#maxAgeMs)) {
      this.#lastAtMs = nowMs;
      this.#isRunning = true;
      this.#last = this.#quote().finally(() => (this.#isRunning = false));
    }
    return this.#last;
  }

  async #quote(): Promise<Readiness> {
    const about = {
      ...whatIsShown(this.#attester),
      keysetDigest: this.#keys.enclaveId,
      quotedAtMs: Date.now(),
    };
    try {
      await this.#attester.attestNewestBlock(this.#keys.keysetDigest, this.#chain);
      return { ready: true, ...about };
    } catch (thrown) {
      return { ready: false, ...about, code: asStunError(thrown).code };
    }
  }
}

/** What readiness says of the machine whether or not it is ready. */
export function whatIsShown({ issuer, gpuCount }: Attester): Pick<Readiness, 'platform' | 'simulated' | 'gpus'> {
  return { platform: issuer.description, simulated: issuer.simulated, gpus: gpuCount };
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
    else if (request.url === '/metrics')
      void replyMetrics(response, registry).catch(() => reply(response, 500, { error: 'the metrics cannot be read' }));
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
