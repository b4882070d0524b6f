/**
 * Settled jobs per second over minutes: a pool of one proof per core is kept with one task waiting for each; every task goes through the check
 * of its bundle, witness, proof and self-check. Each bundle is proven again and again: a proof does not know.
 * STUN_BENCH_SECONDS is how long (20 by default; 600 for published figures), STUN_BENCH_CIRCUIT the circuit (settlement-64).
 */
import { availableParallelism } from 'node:os';
import { ensureCircuit } from '#circuits/manifest.ts';
import { createSettlementProver } from '#prover/pool.ts';
import { makeTask } from '#test/unit/prover/task-fixture.ts';
import { summarise, type Figure } from './figure.ts';

const MEMORY_LIMIT_MB = 2048;
const MEGABYTE = 2 ** 20;
const MINUTE_MS = 60_000;

function seconds(): number {
  const value = Number(process.env['STUN_BENCH_SECONDS'] ?? 20);
  if (!(value > 0)) throw new RangeError('STUN_BENCH_SECONDS must be a number above 0');
  return value;
}

/** Rates and memory by minute, or over the whole of a shorter run; witnesses and proofs over all. */
export async function run(): Promise<Figure[]> {
  const circuit = process.env['STUN_BENCH_CIRCUIT'] ?? 'settlement-64';
  const { n } = await ensureCircuit(circuit);
  const threads = availableParallelism();
  const limits = { queueLimit: threads, taskTimeoutMs: 600_000, memoryLimitMb: MEMORY_LIMIT_MB, backend: 'auto' } as const;
  const prover = await createSettlementProver({ threads, circuits: [circuit], ...limits });
  const tasks = await Promise.all(Array.from({ length: 4 }, () => makeTask(circuit, n)));
  const [witness, proof]: [number[], number[]] = [[], []];
  const [rates, memory]: [number[], number[]] = [[], []];
  let done = 0;
  // One proof a thread before the clock starts: engines compile their code, keys are prepared.
  await Promise.all(Array.from({ length: threads }, () => prover.prove(tasks[0]!.task)));
  const startedAtMs = performance.now();
  const endsAtMs = startedAtMs + 1000 * seconds();
  let minute = { done: 0, atMs: startedAtMs };
  const closeMinute = (): void => {
    const nowMs = performance.now();
    rates.push((n * (done - minute.done) * 1000) / (nowMs - minute.atMs));
    memory.push(process.memoryUsage.rss() / MEGABYTE);
    minute = { done, atMs: nowMs };
  };
  const keepProving = async (first: number): Promise<void> => {
    for (let i = first; performance.now() < endsAtMs; i++) {
      const { timings } = await prover.prove(tasks[i % tasks.length]!.task);
      done++;
      witness.push(timings.witnessMs);
      proof.push(timings.proveMs);
      if (performance.now() - minute.atMs >= MINUTE_MS) closeMinute();
    }
  };
  await Promise.all(Array.from({ length: 2 * threads }, (_, i) => keepProving(i)));
  if (rates.length === 0) closeMinute();
  const { retried, failed, backend } = prover.stats();
  await prover.close();
  const label = `${circuit} ${backend.name} ${backend.engine}, ${threads} threads`;
  return [
    summarise(`${label}: settled jobs, by minute`, 'jobs/s', rates),
    summarise(`${label}: resident memory, by minute`, 'MB', memory),
    summarise(`${label}: resident memory of the last minute over the first`, '', [memory.at(-1)! / memory[0]!]),
    summarise(`${label}: input and witness of a segment, wall`, 'ms', witness),
    summarise(`${label}: proof of a segment, wall`, 'ms', proof),
    summarise(`${label}: proofs tried again or failed`, '', [retried + failed]),
  ];
}
