/** Prometheus metrics of one service process. Names carry their unit. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The instruments that code writes to; gauges over the store are collected when they are asked for. */
export interface Metrics {
  readonly registry: Registry;
  readonly requestSeconds: Histogram<'operation' | 'status'>;
  readonly refusals: Counter<'code'>;
  readonly jobTransitions: Counter<'state'>;
  readonly proofSeconds: Histogram;
  readonly proofFailures: Counter<'code'>;
  readonly settlements: Counter<'result'>;
  readonly settledByLevel: Counter<'level'>;
  readonly webhookDeliveries: Counter<'result'>;
  readonly reorganisations: Counter;
  readonly openStreams: Gauge;
}

/** Makes the instruments in a registry of their own. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'stun_' });
  const registers = [registry];
  return {
    registry,
    requestSeconds: new Histogram({
      name: 'stun_service_request_seconds',
      help: 'Time to answer a request, streams aside',
      labelNames: ['operation', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25],
      registers,
    }),
    refusals: new Counter({
      name: 'stun_service_refusals_total',
      help: 'Requests refused, by error code',
      labelNames: ['code'],
      registers,
    }),
    jobTransitions: new Counter({
      name: 'stun_service_job_transitions_total',
      help: 'Jobs that entered a state in this process',
      labelNames: ['state'],
      registers,
    }),
    proofSeconds: new Histogram({
      name: 'stun_service_proof_seconds',
      help: 'Time from taking a proof task to its verified proof',
      buckets: [0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300],
      registers,
    }),
    proofFailures: new Counter({
      name: 'stun_service_proof_failures_total',
      help: 'Proof attempts that failed, by error code',
      labelNames: ['code'],
      registers,
    }),
    settlements: new Counter({
      name: 'stun_service_settlements_total',
      help: 'Settlements by result: settled, refused, undone',
      labelNames: ['result'],
      registers,
    }),
    settledByLevel: new Counter({
      name: 'stun_service_settled_total',
      help: 'Settlements seen in confirmed blocks, by the level of their order',
      labelNames: ['level'],
      registers,
    }),
    webhookDeliveries: new Counter({
      name: 'stun_service_webhook_deliveries_total',
      help: 'Webhook attempts by result: delivered, retried, failed',
      labelNames: ['result'],
      registers,
    }),
    reorganisations: new Counter({
      name: 'stun_service_reorganisations_total',
      help: 'Times the chain lost blocks that were already taken as confirmed',
      registers,
    }),
    openStreams: new Gauge({ name: 'stun_service_open_streams', help: 'Open event streams', registers }),
  };
}
