/**
 * Proving one segment: witness, proof and verification time, CPU time and peak memory, by the pool with one and two threads, beside
 * snarkjs on its own threads. Every configuration runs in a process of its own, so that peak memory is its own.
 *
 * `node bench/prover.ts CIRCUIT MODE PROOFS` is what one such process runs; it prints JSON.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { groth16 } from 'snarkjs';
import { ensureCircuit } from '#circuits/manifest.ts';
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import { circuitInputOf } from '#prover/circuit-input.ts';
import { createSettlementProver } from '#prover/pool.ts';
import { provableSegment } from '#prover/segment.ts';
import { makeTask } from '#test/unit/prover/task-fixture.ts';
import { summarise, type Figure } from './figure.ts';

type Mode = 'snarkjs' | 'threads-1' | 'threads-2';

/** What one process measured; times in milliseconds. */
interface Measured {
  /** Wall time divided by the proofs made in it, one sample per round. */
  readonly wallPerProof: number[];
  readonly cpuPerProof: number[];
  readonly witness: number[];
  readonly prove: number[];
  readonly verify: number[];
  readonly peakMegabytes: number;
}

/** Runs a round `rounds` times after one that does not count, with wall and CPU time per proof. */
async function inRounds(rounds: number, proofsInRound: number, round: () => Promise<void>): Promise<[number[], number[]]> {
  await round();
  const wall: number[] = [];
  const cpu: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const cpuBefore = process.cpuUsage();
    const startedAtMs = performance.now();
    await round();
    wall.push((performance.now() - startedAtMs) / proofsInRound);
    const { user, system } = process.cpuUsage(cpuBefore);
    cpu.push((user + system) / 1000 / proofsInRound);
  }
  return [wall, cpu];
}

const peakMegabytes = (): number => process.resourceUsage().maxRSS / 1024;

/** snarkjs by itself: one proof at a time on as many threads as there are cores. */
async function measureSnarkjs(circuit: string, rounds: number): Promise<Measured> {
  const { wasmPath, zkeyPath, n } = await ensureCircuit(circuit);
  const { task } = await makeTask(circuit, n);
  const calculator = await WitnessCalculator.load(wasmPath);
  const input = circuitInputOf(provableSegment(task), n);
  const [wallPerProof, cpuPerProof] = await inRounds(rounds, 1, async () => {
    await groth16.prove(zkeyPath, await calculator.calculateFile(input));
  });
  return { wallPerProof, cpuPerProof, witness: [], prove: [], verify: [], peakMegabytes: peakMegabytes() };
}

async function measurePool(circuit: string, threads: number, rounds: number): Promise<Measured> {
  const limits = { queueLimit: threads, taskTimeoutMs: 600_000, memoryLimitMb: 1024, backend: 'auto' } as const;
  const prover = await createSettlementProver({ threads, circuits: [circuit], ...limits });
  const { n } = await ensureCircuit(circuit);
  const { task } = await makeTask(circuit, n);
  const timings: { witnessMs: number; proveMs: number; verifyMs: number }[] = [];
  const [wallPerProof, cpuPerProof] = await inRounds(rounds, threads, async () => {
    const proofs = await Promise.all(Array.from({ length: threads }, () => prover.prove(task)));
    timings.push(...proofs.map((proof) => proof.timings));
  });
  const peak = peakMegabytes();
  await prover.close();
  const warm = timings.slice(threads);
  return {
    wallPerProof,
    cpuPerProof,
    witness: warm.map((one) => one.witnessMs),
    prove: warm.map((one) => one.proveMs),
    verify: warm.map((one) => one.verifyMs),
    peakMegabytes: peak,
  };
}

function inOwnProcess(circuit: string, mode: Mode, rounds: number): Measured {
  const child = spawnSync(process.execPath, ['--no-warnings', fileURLToPath(import.meta.url), circuit, mode, String(rounds)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.status !== 0) throw new Error(`${circuit} ${mode} ended with ${child.status}`);
  return JSON.parse(child.stdout) as Measured;
}

function median(values: readonly number[]): number {
  return summarise('', '', values).median;
}

/** The figures of one circuit. */
function figuresOf(circuit: string, rounds: number): Figure[] {
  const own = inOwnProcess(circuit, 'snarkjs', rounds);
  const one = inOwnProcess(circuit, 'threads-1', rounds);
  const two = inOwnProcess(circuit, 'threads-2', rounds);
  const wall = median(own.wallPerProof);
  return [
    summarise(`${circuit}: witness`, 'ms', one.witness),
    summarise(`${circuit}: proof alone, one thread`, 'ms', one.prove),
    summarise(`${circuit}: verification before release`, 'ms', one.verify),
    summarise(`${circuit}: wall per proof, pool of 1 (beside snarkjs on all cores)`, 'ms', one.wallPerProof, wall),
    summarise(`${circuit}: wall per proof, pool of 2 (beside snarkjs on all cores)`, 'ms', two.wallPerProof, wall),
    summarise(
      `${circuit}: CPU per proof, pool of 1 (beside snarkjs on all cores)`,
      'ms',
      one.cpuPerProof,
      median(own.cpuPerProof),
    ),
    summarise(`${circuit}: CPU per proof, pool of 2 (beside pool of 1)`, 'ms', two.cpuPerProof, median(one.cpuPerProof)),
    summarise(`${circuit}: peak memory, pool of 1 (beside snarkjs on all cores)`, 'MB', [one.peakMegabytes], own.peakMegabytes),
    summarise(`${circuit}: peak memory, pool of 2 (beside pool of 1)`, 'MB', [two.peakMegabytes], one.peakMegabytes),
  ];
}

/** Both circuits; a few minutes on two cores. */
export async function run(): Promise<Figure[]> {
  for (const circuit of ['settlement-16', 'settlement-64']) await ensureCircuit(circuit);
  return [...figuresOf('settlement-16', 5), ...figuresOf('settlement-64', 3)];
}

if (import.meta.main) {
  const [circuit = '', mode = '', rounds = '1'] = process.argv.slice(2);
  const measured =
    mode === 'snarkjs'
      ? await measureSnarkjs(circuit, Number(rounds))
      : await measurePool(circuit, mode === 'threads-2' ? 2 : 1, Number(rounds));
  console.log(JSON.stringify(measured));
  process.exit(0);
}
