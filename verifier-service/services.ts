/** What every part of a running service is given: one object, made in service.ts. */
import type { TrustRoot } from '#attestation/index.ts';
import type { JwsSigner } from '#attestation/jose/jws.ts';
import type { ProverStats, SettlementProof, VerifiedSettlement } from '#prover/interface.ts';
import type { Settings } from './config.ts';
import type { Database, Trx } from './db/open.ts';
import type { Wake } from './jobs/wake.ts';
import type { TaskQueue } from './pipeline/queue.ts';
import type { ChainView } from './ports.ts';
import type { Secret } from './secret.ts';
import type { Logger } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** The parts. */
export interface Services {
  readonly settings: Settings;
  readonly db: Database;
  readonly chain: ChainView;
  readonly queue: TaskQueue;
  readonly wake: Wake;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Trust roots for evidence; simulated ones only where the configuration names them. */
  readonly roots: readonly TrustRoot[];
  readonly secretKey: Secret<string>;
  /** Signs attestation results. */
  readonly earSigner: JwsSigner;
  /** What sign-ins are addressed to; known once the service listens. */
  readonly audience: () => string;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** When this process began, by the same clock: before, it could see nobody. */
  readonly startedAtMs: number;
  /** Verifies a proof under the keys this service has; undefined where none are loaded. */
  readonly verifyProof: ((proof: SettlementProof) => Promise<VerifiedSettlement>) | undefined;
  /** Of the prover in this process. */
  readonly proverStats: (() => ProverStats) | undefined;
}

/** One transaction and what to do once it is committed. */
export interface Unit {
  readonly sql: Trx;
  readonly nowMs: number;
  readonly queue: TaskQueue;
  /** Wakes a topic after the commit. */
  wake(topic: string): void;
}

/** Runs a body in one transaction, then wakes who waits for it. */
export async function inUnit<T>(services: Services, body: (unit: Unit) => Promise<T>): Promise<T> {
  const topics = new Set<string>();
  const result = await services.db.transaction((sql) =>
    body({ sql, nowMs: services.nowMs(), queue: services.queue, wake: (topic) => void topics.add(topic) }),
  );
  for (const topic of topics) services.wake.wake(topic);
  return result;
}

/** Unix seconds now. */
export function nowUnix(services: Pick<Services, 'nowMs'>): number {
  return Math.floor(services.nowMs() / 1000);
}
