/**
 * A running service process of any role: opens its parts, starts what the role does, and stops in order: no new requests, streams and
 * polls end, running requests and tasks finish (those that wait for the chain for two seconds at most), then queue, store and chain close.
 */
import { randomBytes } from 'node:crypto';
import { asStunError } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { SettlementProver } from '#prover/interface.ts';
import { createApp } from './app.ts';
import { attestorParts, attestorRoutes } from './composition/attestor.ts';
import { loadDeployment, openChain, type OpenChain } from './composition/chain-view.ts';
import { trustRootsOf } from './composition/roots.ts';
import { openSettlementSender } from './composition/settlement-sender.ts';
import { assertAllowedOn, databaseTarget, type Settings } from './config.ts';
import { earSignerOf } from './enclaves/ear.ts';
import { openDatabase, type Database } from './db/open.ts';
import type { Route } from './http/route.ts';
import { listen, type RunningServer } from './http/server.ts';
import { wakeQueued } from './jobs/dispatch.ts';
import { Wake } from './jobs/wake.ts';
import { watchBatches } from './pipeline/challenges.ts';
import { repeat, type Loop } from './pipeline/loops.ts';
import { observeChain } from './pipeline/observe.ts';
import { proveSegment } from './pipeline/prove.ts';
import { createQueue, type TaskQueue } from './pipeline/queue.ts';
import { followSegments, sendSegment } from './pipeline/settle.ts';
import { sweep } from './pipeline/sweeps.ts';
import type { SettlementSender } from './ports.ts';
import { apiRoutes, stateRoutes } from './routes/index.ts';
import { senderCheck } from './routes/operations.ts';
import { Secret } from './secret.ts';
import type { Services } from './services.ts';
import { createLog, errorFields, type Logger } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { deliverWebhook } from './webhooks/deliver.ts';

/** What a process is made of. */
export interface ServiceParts {
  readonly settings: Settings;
  /** Opens the prover (prover/pool.ts behind prover/interface.ts). Needed by the roles `all` and `prover`; `api` verifies proofs with it. */
  readonly createProver?: (() => Promise<SettlementProver>) | undefined;
  readonly log?: Logger;
  readonly nowMs?: () => number;
}

/** A service that listens. */
export interface RunningService {
  readonly url: string;
  readonly port: number;
  /** The store and the rest, for tests and embedding; undefined for attestors. */
  readonly services: Services | undefined;
  /** Resolves when the process cannot do its work any more and has to be stopped: its sender lost the operator's account. */
  readonly failed: Promise<StunError>;
  /** Stops gracefully; resolves when everything is closed. Safe to call twice. */
  stop(): Promise<void>;
}

const WEBHOOK_WORKERS = 4;
const SETTLE_WORKERS = 2;
/** How long requests to the chain may go on when the service stops; what they were for is done after the next start. */
const CHAIN_GRACE_MS = 2000;
/** Answer periods are days: batches are looked at less often than blocks. */
const WATCH_POLLS = 4;

/** Things to close, in the reverse order of opening. */
class Closing {
  readonly #steps: (() => Promise<void> | void)[] = [];

  add(step: () => Promise<void> | void): void {
    this.#steps.push(step);
  }

  async close(log: Logger): Promise<void> {
    for (const step of this.#steps.toReversed()) {
      try {
        await step();
      } catch (thrown) {
        log.error({ event: 'service.close_failed', ...errorFields(thrown) });
      }
    }
    this.#steps.length = 0;
  }
}

/** Starts a process. @throws `STUN_CONFIG`, `STUN_CHAIN_*`, `STUN_DATABASE*`, and the codes of the prover's artefacts */
export async function startService(parts: ServiceParts): Promise<RunningService> {
  const { settings } = parts;
  const log = parts.log ?? createLog(settings.logLevel);
  const closing = new Closing();
  try {
    const deployment = loadDeployment(settings.deployment);
    assertAllowedOn(deployment.chainId, settings);
    const chain = await openChain(deployment, settings.rpcUrl.reveal());
    closing.add(() => chain.close());
    return settings.role === 'attestor'
      ? await startAttestor(parts, log, chain, closing)
      : await startStored(parts, log, chain, closing);
  } catch (thrown) {
    await closing.close(log);
    throw asStunError(thrown);
  }
}

async function startAttestor(parts: ServiceParts, log: Logger, chain: OpenChain, closing: Closing): Promise<RunningService> {
  const { settings } = parts;
  const metrics = createMetrics();
  const attestor = attestorParts(settings, chain.view, parts.nowMs ?? Date.now);
  const stopping = new AbortController();
  const app = createApp({ settings, metrics, log, stored: undefined }, attestorRoutes(attestor, metrics), stopping.signal);
  const server = await listen(app, settings.host, settings.port);
  log.info({ event: 'service.listening', role: settings.role, port: server.port, attestor: attestor.account });
  return running(server, settings, log, chain, closing, stopping, undefined);
}

async function startStored(parts: ServiceParts, log: Logger, chain: OpenChain, closing: Closing): Promise<RunningService> {
  const { settings } = parts;
  const does = (role: Settings['role']): boolean => settings.role === 'all' || settings.role === role;
  const db = await openDatabase(databaseTarget(settings));
  closing.add(() => db.close());
  const prover = await openProver(parts, does('prover'));
  if (prover !== undefined) {
    closing.add(() => prover.close());
    log.info({ event: 'prover.started', ...prover.stats().backend });
  }
  const queue = createQueue(db, does('settler'), (error) => log.warn({ event: 'queue.problem', ...errorFields(error) }));
  await queue.start();
  closing.add(() => queue.stop(settings.stopGraceMs));
  let origin = '';
  const nowMs = parts.nowMs ?? Date.now;
  const secretKey = settings.secretKey ?? new Secret(`0x${randomBytes(32).toString('hex')}`);
  const services: Services = {
    settings,
    db,
    queue,
    log,
    chain: chain.view,
    wake: new Wake(),
    metrics: createMetrics(),
    roots: trustRootsOf(settings),
    secretKey,
    earSigner: earSignerOf(secretKey),
    audience: () => settings.audience ?? origin,
    nowMs,
    startedAtMs: nowMs(),
    verifyProof: prover === undefined ? undefined : (proof) => prover.verify(proof),
    proverStats: prover === undefined ? undefined : () => prover.stats(),
  };
  const failure = Promise.withResolvers<StunError>();
  const stopping = new AbortController();
  const loops: Loop[] = [];
  closing.add(async () => {
    stopping.abort();
    await Promise.all(loops.map((loop) => loop.ended));
  });
  if (does('prover') && prover !== undefined) {
    await queue.work('prove', settings.proofConcurrency, (task) => proveSegment(services, prover, task));
  }
  const sender = does('settler')
    ? await startSettling(services, chain, db, queue, loops, stopping.signal, closing, failure.resolve)
    : undefined;
  if (does('api')) {
    await queue.work('webhook', WEBHOOK_WORKERS, (task) => deliverWebhook(services, task));
    loops.push(repeat('dispatch', settings.pollMs, async () => (await wakeQueued(services), false), stopping.signal, log));
  }
  const checks = sender === undefined ? [] : [senderCheck(sender)];
  const routes: readonly Route[] = does('api') ? apiRoutes(services, checks) : stateRoutes(services, checks);
  const app = createApp({ settings, metrics: services.metrics, log, stored: services }, routes, stopping.signal);
  const server = await listen(app, settings.host, settings.port);
  origin = originOf(server);
  log.info({ event: 'service.listening', role: settings.role, port: server.port, database: db.kind });
  return running(server, settings, log, chain, closing, stopping, services, failure.promise);
}

async function openProver(parts: ServiceParts, needed: boolean): Promise<SettlementProver | undefined> {
  if (parts.createProver !== undefined) return parts.createProver();
  if (needed) throw new StunError('STUN_CONFIG', `role: the role ${parts.settings.role} needs a prover`);
  return undefined;
}

/** The settler: sends, follows, observes, sweeps. @returns its sender, if it has an account to send with */
async function startSettling(
  services: Services,
  chain: OpenChain,
  db: Database,
  queue: TaskQueue,
  loops: Loop[],
  signal: AbortSignal,
  closing: Closing,
  onFailure: (error: StunError) => void,
): Promise<SettlementSender | undefined> {
  const { settings, log } = services;
  loops.push(repeat('observe', settings.chainPollMs, () => observeChain(services), signal, log));
  loops.push(repeat('sweep', settings.sweepMs, () => sweep(services), signal, log));
  if (settings.operatorKey === undefined) {
    log.warn({
      event: 'settler.idle',
      reason: 'no operatorKey: segments are proved and wait for their providers to settle them',
    });
    return undefined;
  }
  const sender: SettlementSender = await openSettlementSender(
    chain.contracts,
    chain.provider,
    db,
    settings.operatorKey,
    settings,
    log,
    onFailure,
  );
  closing.add(() => sender.close());
  await queue.work('settle', SETTLE_WORKERS, (task) => sendSegment(services, sender, task));
  const watchMs = WATCH_POLLS * settings.chainPollMs;
  loops.push(repeat('batches', watchMs, async () => (await watchBatches(services, sender), false), signal, log));
  loops.push(repeat('follow', settings.chainPollMs, async () => (await followSegments(services, sender), false), signal, log));
  return sender;
}

function originOf(server: RunningServer): string {
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  return `http://${host}:${server.port}`;
}

function running(
  server: RunningServer,
  settings: Settings,
  log: Logger,
  chain: OpenChain,
  closing: Closing,
  stopping: AbortController,
  services: Services | undefined,
  failed: Promise<StunError> = new Promise(() => undefined),
): RunningService {
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    log.info({ event: 'service.stopping' });
    stopping.abort();
    const late = setTimeout(() => chain.abort(), CHAIN_GRACE_MS);
    await server.stop(settings.stopGraceMs);
    clearTimeout(late);
    chain.abort();
    await closing.close(log);
    log.info({ event: 'service.stopped' });
  };
  return { url: originOf(server), port: server.port, services, failed, stop: () => (stopped ??= stop()) };
}
