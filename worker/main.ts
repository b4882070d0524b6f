/**
 * The enclave program: detect, load, make keys, attest, register, list, serve. A keyset that nears its end is followed by a new one;
 * what an earlier life left in the store is handed over first.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { asStunError, errorEntry, StunError, type Hex } from '#protocol/index.ts';
import type { InferenceProver } from '#prover/interface.ts';
import { collectDefaultMetrics } from 'prom-client';
import { z } from 'zod';
import type { WorkerConfig } from './config.ts';
import type { Enclave, Offer } from './enclave.ts';
import { ReadinessProbe, startHealthServer, whatIsShown, type HealthServer, type Readiness } from './health.ts';
import { InferenceProofs } from './inference-proofs.ts';
import type { Attester } from './issuer/attester.ts';
import { ListingRenewal } from './listing-renewal.ts';
import { createWorkerLog, errorFields, type WorkerLog } from './log.ts';
import { createWorkerMetrics, type WorkerMetrics } from './metrics.ts';
import type { ModelRunner } from './model/runner.ts';
import type { WorkerPlatform } from './platform.ts';
import { ServiceClient } from './service-client.ts';
import { Serving } from './serving.ts';
import {
  announce,
  attestAndRegister,
  createAttester,
  hostNowUnix,
  loadOffers,
  makeKeys,
  openChain,
  settlePlatform,
  type ChainSide,
  type OpenGpuCollateral,
} from './setup.ts';
import { claimStore } from './store-file.ts';
import { WorkerStore } from './store.ts';

/** A new keyset follows this long before the old one ends: leaves must live 24 hours beyond a job. */
const RENEW_BEFORE_SECONDS = 36 * 3600;
const RENEWAL_CHECK_MS = 30_000;
const LONGEST_PAUSE_MS = 30_000;

/** What a listed worker says of itself. */
export interface WorkerReady {
  readonly keysetDigest: Hex;
  readonly provider: Hex;
  readonly platform: WorkerPlatform;
  readonly simulated: boolean;
  readonly models: readonly { readonly modelId: bigint; readonly name: string; readonly executionProvider: string }[];
  readonly registrationTransactionHash: Hex;
  /** Where health is served, when it is. */
  readonly healthUrl?: string;
}

export interface RunWorkerOptions {
  /** Ends the worker: the running jobs finish, segments are closed and handed over. */
  readonly signal: AbortSignal;
  readonly log?: WorkerLog;
  /** Called each time an enclave is listed and serves. */
  readonly onReady?: (ready: WorkerReady) => void;
  /**
   * Starts the prover of the compiled models, given their folders. Without it, or without a compiled model, orders above the level `attested`
   * are declined.
   */
  readonly createInferenceProver?: (directories: readonly string[], config: WorkerConfig['proving']) => Promise<InferenceProver>;
  /** Opens the way to the collateral of the GPUs that the settings name. Without it a section `gpu` is refused. */
  readonly openGpuCollateral?: OpenGpuCollateral;
  /** Makes the enclave lie about outputs, to show what becomes of a liar. No configuration sets it. */
  readonly alterOutput?: (payload: Uint8Array) => Uint8Array;
}

/** What stays when keysets change. */
interface WorkerParts {
  readonly config: WorkerConfig;
  readonly log: WorkerLog;
  readonly chain: ChainSide;
  readonly platform: WorkerPlatform;
  readonly attester: Attester;
  readonly offers: ReadonlyMap<bigint, Offer & { readonly runner: ModelRunner }>;
  readonly store: WorkerStore;
  readonly service: ServiceClient;
  readonly packageVersion: string;
  readonly prover: InferenceProver | undefined;
  readonly metrics: WorkerMetrics;
}

/**
 * Runs a worker until the signal.
 * @throws what setup refuses (`STUN_CONFIG`, `STUN_PLATFORM`, `STUN_SIMULATED_REFUSED`, `STUN_MODEL_*`, `STUN_TSM_*`,
 *   `STUN_APPROVAL_*`, `STUN_REGISTER_*`, `STUN_CHAIN_*`), and `STUN_WORKER_STORE` when receipts can no longer be stored
 */
export async function runWorker(config: WorkerConfig, options: RunWorkerOptions): Promise<void> {
  const log = options.log ?? createWorkerLog(config.logLevel);
  const chain = await openChain(config);
  const closers: (() => void | Promise<void>)[] = [chain.close];
  try {
    const platform = settlePlatform(config, chain.deployment.chainId, log);
    if (options.alterOutput !== undefined) assertMayLie(platform);
    const attester = await createAttester(config, platform, chain.provider, options.openGpuCollateral);
    closers.push(claimStore(config.storePath));
    const store = new WorkerStore(config.storePath);
    closers.push(() => store.close());
    const offers = await loadOffers(config);
    closers.push(() => offers.forEach(({ runner }) => runner.close()));
    for (const { runner } of offers.values()) {
      const { executionProvider, file } = runner;
      log.info({
        event: 'model.loaded',
        name: file.manifest.name,
        executionProvider,
        configured: config.session.executionProvider,
      });
    }
    if (attester.gpuCount === 0 && [...offers.values()].some(({ runner }) => runner.executionProvider === 'cuda'))
      log.warn({
        event: 'gpu.not-shown',
        note: 'models run on a GPU and the settings have no section gpu: no evidence shows it',
      });
    const service = new ServiceClient({
      url: config.serviceUrl,
      chainId: BigInt(chain.deployment.chainId),
      account: chain.provider,
      secretKey: config.providerKey.reveal(),
      timeoutMs: config.requestTimeoutMs,
    });
    const folders = config.models.flatMap((entry) => ('compiledPath' in entry ? [entry.compiledPath] : []));
    const prover = folders.length === 0 ? undefined : await options.createInferenceProver?.(folders, config.proving);
    closers.push(() => prover?.close());
    const metrics = createWorkerMetrics();
    const parts = {
      prover,
      metrics,
      config,
      log,
      chain,
      platform,
      attester,
      offers,
      store,
      service,
      packageVersion: await packageVersion(),
    };
    let probe: ReadinessProbe | undefined;
    let health: HealthServer | undefined;
    const { listen } = config;
    if (listen !== undefined) {
      collectDefaultMetrics({ register: metrics.registry, prefix: 'stun_' });
      health = await startHealthServer(listen, async () => (await probe?.check()) ?? notYetReady(attester), metrics.registry);
      closers.push(health.close);
    }
    const serve = (): Promise<void> => serveOneKeyset(parts, options, (made) => (probe = made), health?.url);
    await serve();
    // Later keysets wait out an outage of chain, attestors or service; the first one fails at once, where somebody is watching.
    while (!options.signal.aborted) await insist(serve, options.signal, log, 'enclave.renewal-failed');
  } finally {
    for (const close of closers.toReversed()) await close();
    log.info({ event: 'worker.stopped' });
  }
}

async function serveOneKeyset(
  parts: WorkerParts,
  { signal, onReady, alterOutput }: RunWorkerOptions,
  useProbe: (probe: ReadinessProbe) => void,
  healthUrl: string | undefined,
): Promise<void> {
  const { config, log, chain, platform, attester, offers, store, service, prover, metrics } = parts;
  const block = await chain.view.newestBlock();
  const expiresAtUnix = Math.max(hostNowUnix(), block.timestampUnix) + config.keysetLifetimeSeconds;
  const keys = await makeKeys(chain, platform, offers, expiresAtUnix, parts.packageVersion);
  const attested = await attestAndRegister(config, chain, keys, attester);
  log.info({
    event: 'enclave.registered',
    keysetDigest: keys.enclaveId,
    leafIndex: attested.leafIndex,
    simulated: attester.issuer.simulated,
    gpus: attester.gpuCount,
  });
  // The leaf is paid for: an outage of the service must not waste it.
  await insist(() => announce(service, keys, attested, offers), signal, log, 'enclave.listing-failed');
  if (signal.aborted) return;
  log.info({ event: 'enclave.listed', keysetDigest: keys.enclaveId });
  const proofs = prover && new InferenceProofs(prover, store, log, metrics, config.proving.backlog);
  const enclave: Enclave = {
    chainId: BigInt(chain.deployment.chainId),
    escrow: chain.deployment.escrow,
    keys,
    leaf: attested.leaf,
    offers,
    store,
    chain: chain.view,
    lanes: new Map(),
    openings: new Map(),
    running: new Map(),
    ...(proofs && { proofs }),
    ...(alterOutput && { alterOutput }),
    nowUnix: hostNowUnix,
  };
  useProbe(new ReadinessProbe(keys, attester, chain.view, config.readinessMaxAgeSeconds * 1000));
  const renewal = new AbortController();
  const renewAtUnix = expiresAtUnix - Math.min(RENEW_BEFORE_SECONDS, config.keysetLifetimeSeconds - 24 * 3600);
  const ending = AbortSignal.any([signal, renewal.signal]);
  const listing = new ListingRenewal(attested.evidence, {
    standsUntilUnix: () => attester.standsUntilUnix(),
    renew: async () => {
      const evidence = await attester.attestNewestBlock(keys.keysetDigest, chain.view, ending);
      await announce(service, keys, { ...attested, evidence }, offers);
      return evidence;
    },
    nowUnix: hostNowUnix,
    log,
    metrics,
  });
  const timer = setInterval(() => {
    if (hostNowUnix() >= renewAtUnix) renewal.abort();
    else void listing.check();
  }, RENEWAL_CHECK_MS);
  onReady?.({
    keysetDigest: keys.enclaveId,
    provider: chain.provider,
    platform,
    simulated: attester.issuer.simulated,
    models: [...offers].map(([modelId, { runner }]) => ({
      modelId,
      name: runner.file.manifest.name,
      executionProvider: runner.executionProvider,
    })),
    registrationTransactionHash: attested.transactionHash,
    ...(healthUrl === undefined ? {} : { healthUrl }),
  });
  try {
    await new Serving(enclave, service, log, { ...config, attester, metrics }).run(ending);
  } finally {
    clearInterval(timer);
    proofs?.close();
    await listing.idle();
    // The keys end here, so the listing does too; a service that cannot be reached finds out by the missing polls.
    await service
      .delist(keys.enclaveId)
      .catch((error: unknown) => log.warn({ event: 'enclave.delist-failed', ...errorFields(error) }));
  }
}

/** Simulated hardware is refused everywhere but on the development chain. @throws `STUN_SIMULATED_REFUSED` on a real machine */
export function assertMayLie(platform: WorkerPlatform): void {
  if (platform !== 'simulated') throw new StunError('STUN_SIMULATED_REFUSED', 'a worker lies on simulated hardware alone');
}

/** Tries again after outages until it works or the signal comes. Other failures end it. */
async function insist(work: () => Promise<void>, signal: AbortSignal, log: WorkerLog, event: string): Promise<void> {
  for (let pauseMs = 500; !signal.aborted; pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs)) {
    try {
      return await work();
    } catch (thrown) {
      if (errorEntry(asStunError(thrown).code).class !== 'unavailable') throw thrown;
      log.warn({ event, pauseMs, ...errorFields(thrown) });
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

function notYetReady(attester: Attester): Readiness {
  return {
    ready: false,
    ...whatIsShown(attester),
    keysetDigest: '',
    quotedAtMs: 0,
    code: 'STUN_ENCLAVE_NOT_LIVE',
  };
}

async function packageVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return z.looseObject({ version: z.string() }).parse(JSON.parse(text)).version;
}
