/** A process that owns a prover's process, to be killed. */
import { isolatedSettlementProver } from '#prover/isolated/isolated-prover.ts';

await isolatedSettlementProver({
  threads: 1,
  circuits: ['settlement-16'],
  queueLimit: 1,
  taskTimeoutMs: 60_000,
  memoryLimitMb: 512,
  backend: 'auto',
});
process.send?.('ready');
