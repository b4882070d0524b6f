/**
 * A process whose prover has just the memory for one proof on two threads: `BACKEND`. Proves two segments and writes as JSON what its
 * prover said and how far the process has grown.
 */
import { readFileSync } from 'node:fs';
import { StunError } from '#protocol/errors/stun-error.ts';
import { loadCircuits } from '#prover/artefacts.ts';
import type { BackendName } from '#prover/backend.ts';
import { collectGarbage } from '#prover/collect-garbage.ts';
import { createProverOver } from '#prover/pool.ts';
import { makeTask } from '#test/unit/prover/task-fixture.ts';

/** What the process says. */
export interface TightMemory {
  readonly proved: number;
  /** Most proofs that ran at once, most that waited for memory while a thread was free, most memory that was planned at once. */
  readonly mostRunning: number;
  readonly mostWaiting: number;
  readonly mostPlannedBytes: number;
  readonly limitBytes: number;
  /** By how much the process grew at most from before it read a key. */
  readonly grownBytes: number;
}

const CIRCUIT = 'settlement-16';
const PROOFS = 2;

function residentBytes(what: 'VmRSS' | 'VmHWM'): number {
  return 1024 * Number(new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))![1]);
}

const backend = process.argv[2] as BackendName;
const { task } = await makeTask(CIRCUIT, 4);
collectGarbage();
const startBytes = residentBytes('VmRSS');
const circuits = await loadCircuits([CIRCUIT]);
const limits = { threads: 2, queueLimit: PROOFS, taskTimeoutMs: 300_000, backend } as const;
let memoryLimitMb = 0;
try {
  createProverOver(circuits, { ...limits, memoryLimitMb: 250 });
} catch (error) {
  if (!(error instanceof StunError) || error.code !== 'STUN_PROVER_MEMORY') throw error;
  memoryLimitMb = Number(/ (\d+) MB are needed/.exec(error.message)![1]);
}
const prover = createProverOver(circuits, { ...limits, memoryLimitMb });
const most = { running: 0, waitingForMemory: 0, plannedBytes: 0 };
const look = (): void => {
  const { running, waitingForMemory, memory } = prover.stats();
  most.running = Math.max(most.running, running);
  most.waitingForMemory = Math.max(most.waitingForMemory, waitingForMemory);
  most.plannedBytes = Math.max(most.plannedBytes, memory.plannedBytes);
};
const watch = setInterval(look, 10);
const proofs = Array.from({ length: PROOFS }, () => prover.prove(task));
look();
const proved = (await Promise.all(proofs)).length;
clearInterval(watch);
const said: TightMemory = {
  proved,
  mostRunning: most.running,
  mostWaiting: most.waitingForMemory,
  mostPlannedBytes: most.plannedBytes,
  limitBytes: prover.stats().memory.limitBytes,
  grownBytes: residentBytes('VmHWM') - startBytes,
};
await prover.close();
console.log(JSON.stringify(said));
