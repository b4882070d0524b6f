/**
 * Proving one segment with every place taken: each backend on one thread and on two, witness, verification and the pool. Every
 * configuration runs in a process of its own, so that its first proof is cold and peak memory is its own. A figure's ratio is
 * snarkjs' value over the backend's, for the same circuit and number of threads.
 *
 * `node bench/prover.ts CIRCUIT BACKEND THREADS ROUNDS` is what one such process runs; it prints JSON.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { groth16 } from 'snarkjs';
import { ensureCircuit, loadManifest } from '#circuits/manifest.ts';
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import { loadArtefacts } from '#prover/artefacts.ts';
import type { BackendName } from '#prover/backend.ts';
import { chooseBackends } from '#prover/backends.ts';
import { circuitInputOf } from '#prover/circuit-input.ts';
import { createSettlementProver } from '#prover/pool.ts';
import { provableSegment } from '#prover/segment.ts';
import { makeTask } from '#test/unit/prover/task-fixture.ts';
import { summarise, type Figure } from './figure.ts';

const MEMORY_LIMIT_MB = 4096;

/** What one process measured; times in milliseconds, the cold one that of its first proof. */
interface Measured {
  readonly engine: string;
  readonly coldCpu: number;
  readonly coldWall: number;
  readonly cpu: number[];
  readonly wall: number[];
  /** Processor time of a witness with the calculator compiled; of the verification of a proof. Empty where it is not measured. */
  readonly witness: number[];
  readonly verify: number[];
  readonly peakMegabytes: number;
}

/** Wall and processor time of one call. */
async function timed(call: () => Promise<unknown>): Promise<{ wall: number; cpu: number }> {
  const before = process.cpuUsage();
  const startedAtMs = performance.now();
  await call();
  const wall = performance.now() - startedAtMs;
  const { user, system } = process.cpuUsage(before);
  return { wall, cpu: (user + system) / 1000 };
}

async function measureBackend(circuit: string, name: BackendName, threads: number, rounds: number): Promise<Measured> {
  const built = await ensureCircuit(circuit);
  const { task } = await makeTask(circuit, built.n);
  const artefacts = await loadArtefacts(built, (await loadManifest(circuit)).sha256);
  const calculator = WitnessCalculator.over(artefacts.calculator);
  const input = circuitInputOf(provableSegment(task), built);
  const file = await calculator.calculateFile(input);
  const witness: number[] = [];
  if (threads === 1) for (let i = 0; i < rounds; i++) witness.push((await timed(() => calculator.calculateFile(input))).cpu);
  const [backend] = chooseBackends(name).backends;
  // snarkjs on several threads is not one of our backends: it starts as many as there are cores, by itself.
  const onAllCores = name === 'snarkjs' && threads > 1;
  const key = onAllCores ? readFileSync(built.zkeyPath) : new Uint8Array(artefacts.zkey);
  const prove = (): Promise<unknown> =>
    onAllCores ? groth16.prove(key, file) : backend!.prove(key, file, { threads, memoryLimitMb: MEMORY_LIMIT_MB });
  const cold = await timed(prove);
  const warm: { wall: number; cpu: number }[] = [];
  for (let i = 0; i < rounds; i++) warm.push(await timed(prove));
  return {
    engine: backend!.engine,
    coldCpu: cold.cpu,
    coldWall: cold.wall,
    cpu: warm.map((one) => one.cpu),
    wall: warm.map((one) => one.wall),
    witness,
    verify: [],
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
  };
}

/** The pool from task to verified proof, `threads` proofs at once; times are for one proof. */
async function measurePool(circuit: string, threads: number, rounds: number): Promise<Measured> {
  const limits = { queueLimit: threads, taskTimeoutMs: 600_000, memoryLimitMb: MEMORY_LIMIT_MB, backend: 'auto' } as const;
  const prover = await createSettlementProver({ threads, circuits: [circuit], ...limits });
  const { n } = await ensureCircuit(circuit);
  const { task } = await makeTask(circuit, n);
  const verify: number[] = [];
  const round = async (): Promise<{ wall: number; cpu: number }> => {
    const { wall, cpu } = await timed(async () => {
      const proofs = await Promise.all(Array.from({ length: threads }, () => prover.prove(task)));
      verify.push(...proofs.map((proof) => proof.timings.verifyMs));
    });
    return { wall: wall / threads, cpu: cpu / threads };
  };
  const cold = await round();
  const warm: { wall: number; cpu: number }[] = [];
  for (let i = 0; i < rounds; i++) warm.push(await round());
  const { name, engine } = prover.stats().backend;
  const peakMegabytes = process.resourceUsage().maxRSS / 1024;
  await prover.close();
  return {
    engine: `${name} ${engine}`,
    coldCpu: cold.cpu,
    coldWall: cold.wall,
    cpu: warm.map((one) => one.cpu),
    wall: warm.map((one) => one.wall),
    witness: [],
    verify: verify.slice(threads),
    peakMegabytes,
  };
}

function inOwnProcess(circuit: string, what: BackendName | 'pool', threads: number, rounds: number): Measured {
  const args = ['--no-warnings', fileURLToPath(import.meta.url), circuit, what, String(threads), String(rounds)];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.status !== 0) throw new Error(`${circuit} ${what} on ${threads} threads ended with ${child.status}`);
  return JSON.parse(child.stdout) as Measured;
}

function median(values: readonly number[]): number {
  return summarise('', '', values).median;
}

/** The figures of one configuration beside those of the same circuit and threads. */
function figuresBeside(label: string, one: Measured, beside: Measured): Figure[] {
  return [
    summarise(`${label} cpu`, 'ms', one.cpu, median(beside.cpu)),
    summarise(`${label} wall`, 'ms', one.wall, median(beside.wall)),
    summarise(`${label} cold cpu`, 'ms', [one.coldCpu], beside.coldCpu),
    summarise(`${label} peak memory`, 'MB', [one.peakMegabytes], beside.peakMegabytes),
  ];
}

/** The figures of one circuit. */
function figuresOf(circuit: string, rounds: number): Figure[] {
  const names = chooseBackends('auto').backends.map((backend) => backend.name);
  const figures: Figure[] = [];
  for (const threads of [1, 2]) {
    const beside = inOwnProcess(circuit, 'snarkjs', threads, rounds);
    const suffix = threads === 1 ? '' : ` ${threads} threads`;
    for (const name of names) {
      // It uses one thread whatever it is given.
      if (name === 'wasm' && threads > 1) continue;
      const one = name === 'snarkjs' ? beside : inOwnProcess(circuit, name, threads, rounds);
      figures.push(...figuresBeside(`${circuit} ${name}${suffix}`, one, beside));
      if (threads === 1 && name === names[0])
        figures.push(summarise(`${circuit} witness cpu`, 'ms', one.witness, median(one.cpu), 'higher'));
    }
    const pool = inOwnProcess(circuit, 'pool', threads, rounds);
    figures.push(...figuresBeside(`${circuit} pool of ${threads}`, pool, beside));
    if (threads === 1) figures.push(summarise(`${circuit} verification wall`, 'ms', pool.verify));
  }
  return figures;
}

/** Both circuits; some minutes on two cores, most of them for snarkjs. */
export async function run(): Promise<Figure[]> {
  for (const circuit of ['settlement-16', 'settlement-64']) await ensureCircuit(circuit);
  return [...figuresOf('settlement-16', 5), ...figuresOf('settlement-64', 3)];
}

if (import.meta.main) {
  const [circuit = '', what = '', threads = '1', rounds = '1'] = process.argv.slice(2);
  const measured =
    what === 'pool'
      ? await measurePool(circuit, Number(threads), Number(rounds))
      : await measureBackend(circuit, what as BackendName, Number(threads), Number(rounds));
  console.log(JSON.stringify(measured));
  process.exit(0);
}
