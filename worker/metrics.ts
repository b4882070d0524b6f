/** Prometheus metrics of one worker process. Counts and times alone: nothing of an input, an output, a price or a customer. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The instruments that the worker writes to. */
export interface WorkerMetrics {
  readonly registry: Registry;
  /** Leases by what became of the job: `served` and `failed` have a receipt, `declined` ones none; `code` is empty for `served`. */
  readonly jobs: Counter<'result' | 'code'>;
  readonly jobSeconds: Histogram;
  /** Stored results that the service has not taken yet. */
  readonly unreleased: Gauge;
  readonly segments: Counter<'result'>;
  /** From the receipt to the stored proof, waiting included. */
  readonly inferenceProofSeconds: Histogram;
  /** Proofs that are begun and neither stored nor given up. */
  readonly inferenceProofsOwed: Gauge;
  /** Proofs given up, by code: the lane settles up to the job before. */
  readonly inferenceProofFailures: Counter<'code'>;
  readonly quoteFailures: Counter<'code'>;
}

/** Makes the instruments in a registry of their own. */
export function createWorkerMetrics(): WorkerMetrics {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    jobs: new Counter({
      name: 'stun_worker_jobs_total',
      help: 'Leases by what became of the job (served, failed, declined) and error code',
      labelNames: ['result', 'code'],
      registers,
    }),
    jobSeconds: new Histogram({
      name: 'stun_worker_job_seconds',
      help: 'Time from a lease to its stored receipt',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
    unreleased: new Gauge({
      name: 'stun_worker_unreleased_results',
      help: 'Stored results that the service has not taken yet',
      registers,
    }),
    segments: new Counter({
      name: 'stun_worker_segments_total',
      help: 'Attempts to hand a closed segment over, by result: pushed, failed',
      labelNames: ['result'],
      registers,
    }),
    inferenceProofSeconds: new Histogram({
      name: 'stun_worker_inference_proof_seconds',
      help: 'Time from a receipt to the stored proof of its inference',
      buckets: [0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120],
      registers,
    }),
    inferenceProofsOwed: new Gauge({
      name: 'stun_worker_inference_proofs_owed',
      help: 'Proofs of inferences that are begun and neither stored nor given up',
      registers,
    }),
    inferenceProofFailures: new Counter({
      name: 'stun_worker_inference_proof_failures_total',
      help: 'Proofs of inferences that were given up, by error code',
      labelNames: ['code'],
      registers,
    }),
    quoteFailures: new Counter({
      name: 'stun_worker_quote_failures_total',
      help: 'Questions for fresh evidence that were not answered, by error code',
      labelNames: ['code'],
      registers,
    }),
  };
}
