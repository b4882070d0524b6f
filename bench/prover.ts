/**
 * Proofs by each backend on one thread and on two, and by the pool; witnesses beside them. Every configuration runs in a process of its own,
 * so that its first proof is cold and peak memory is its own. A figure's ratio is snarkjs' value over the backend's, for the same circuit and
 * number of threads; that of a witness is its share of the fastest proof.
 *
 * `node bench/prover.ts WHAT NAME THREADS ROUNDS [ZKEY WITNESS]` is what one such process runs; it prints JSON. STUN_BENCH_CIRCUITS names
 * what is measured, by default all: settlement-16 settlement-64 settlement-256 settlement-proven-16 credit-mlp credit-trees reference-64.
 * STUN_BENCH_ENGINES names engines of the native backend to measure besides the one that this machine takes by itself (adx, portable), on
 * one thread. A proof of each backend is verified outside of what is timed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { groth16 } from 'snarkjs';
import { readVerificationKey } from '#circuits/build/verification-key.ts';
import { ensureCircuit } from '#circuits/manifest.ts';
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import type { BackendName, Groth16Backend, MadeProof } from '#prover/backend.ts';
import { chooseBackends } from '#prover/backends.ts';
import { nativeBackend } from '#prover/native-backend.ts';
import { createSettlementProver } from '#prover/pool.ts';
import { verifyGroth16 } from '#prover/verify-groth16.ts';
import { makeTask } from '#test/unit/prover/task-fixture.ts';
import { summarise, type Figure } from './figure.ts';
import { modelSubject, settlementOf, settlementSubject, shapeSubject, type Subject } from './prover/subjects.ts';
import { SyntheticSystem } from './prover/synthetic-system.ts';

const MEMORY_LIMIT_MB = 4096;
const ENGINES = process.env['STUN_BENCH_ENGINES']?.split(' ') ?? [];

/** What one process measured; times in milliseconds, the cold one that of its first proof. */
interface Measured {
  readonly engine: string;
  readonly coldCpu: number;
  readonly coldWall: number;
  readonly cpu: number[];
  readonly wall: number[];
  /** Wall time of the verification of a proof; empty where it is not measured. */
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

/** Rounds of one call after a cold one. */
async function measured(
  call: () => Promise<unknown>,
  rounds: number,
): Promise<Pick<Measured, 'coldCpu' | 'coldWall' | 'cpu' | 'wall' | 'peakMegabytes'>> {
  const cold = await timed(call);
  const warm: { wall: number; cpu: number }[] = [];
  for (let i = 0; i < rounds; i++) warm.push(await timed(call));
  return {
    coldCpu: cold.cpu,
    coldWall: cold.wall,
    cpu: warm.map((one) => one.cpu),
    wall: warm.map((one) => one.wall),
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
  };
}

/** A backend, or with `native-ENGINE` that engine of the native one. */
function backendOf(name: BackendName | `native-${string}`): Groth16Backend {
  return name.startsWith('native-')
    ? nativeBackend(name.slice('native-'.length))
    : chooseBackends(name as BackendName).backends[0]!;
}

async function measureBackend(
  name: BackendName | `native-${string}`,
  threads: number,
  rounds: number,
  files: readonly string[],
): Promise<Measured> {
  const [zkeyPath = '', witnessPath = ''] = files;
  const [bytes, witness] = [readFileSync(zkeyPath), readFileSync(witnessPath)];
  const backend = backendOf(name);
  // snarkjs on several threads is not one of our backends: it starts as many as there are cores, by itself.
  const onAllCores = name === 'snarkjs' && threads > 1;
  const key = new Uint8Array(new SharedArrayBuffer(bytes.length));
  key.set(bytes);
  const prove = (): Promise<MadeProof> => backend.prove(key, witness, { threads, memoryLimitMb: MEMORY_LIMIT_MB });
  const result = await measured(onAllCores ? () => groth16.prove(bytes, witness) : prove, rounds);
  // What is timed has to be a proof. One more, so that neither times nor peak memory have the verification in them.
  if (!onAllCores) {
    const proof = await prove();
    verifyGroth16(await readVerificationKey(zkeyPath), proof, proof.signals);
  }
  return { engine: backend.engine, ...result, verify: [] };
}

/** Witnesses: by circom's program, or by the backend's own. */
async function measureWitness(circuit: string, by: 'circom' | 'native', rounds: number): Promise<Measured> {
  const { artefacts, signals } = await settlementOf(circuit);
  const calculator = WitnessCalculator.over(artefacts.calculator);
  const [backend] = chooseBackends('auto').backends;
  const make = async (): Promise<unknown> =>
    by === 'circom'
      ? calculator.calculateFile(signals)
      : backend!.makeWitness!(artefacts.witnessProgram, signals, MEMORY_LIMIT_MB);
  return { engine: by === 'circom' ? by : backend!.engine, ...(await measured(make, rounds)), verify: [] };
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
  const { name, engine } = prover.stats().backend;
  const cold = await round();
  const warm: { wall: number; cpu: number }[] = [];
  for (let i = 0; i < rounds; i++) warm.push(await round());
  const peakMegabytes = process.resourceUsage().maxRSS / 1024;
  await prover.close();
  return {
    engine: `${name} ${engine}`,
    coldCpu: cold.cpu,
    coldWall: cold.wall,
    cpu: warm.map((one) => one.cpu),
    wall: warm.map((one) => one.wall),
    verify: verify.slice(threads),
    peakMegabytes,
  };
}

type What = BackendName | `native-${string}` | 'pool' | 'witness-circom' | 'witness-native';

function inOwnProcess(what: What, circuit: string, threads: number, rounds: number, files: readonly string[] = []): Measured {
  const args = ['--no-warnings', fileURLToPath(import.meta.url), what, circuit, String(threads), String(rounds), ...files];
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

/** Proofs of one circuit by every backend. @returns the figures, and the CPU time of the fastest on one thread */
function proofFigures(subject: Subject, rounds: number): { figures: Figure[]; fastest: number } {
  const { name: circuit, zkey, witness, constraints } = subject;
  const figures: Figure[] = [];
  let fastest = Infinity;
  for (const threads of [1, 2]) {
    const beside = inOwnProcess('snarkjs', circuit, threads, rounds, [zkey, witness]);
    const suffix = threads === 1 ? '' : ` ${threads} threads`;
    for (const { name } of chooseBackends('auto').backends) {
      // It uses one thread whatever it is given.
      if (name === 'wasm' && threads > 1) continue;
      const one = name === 'snarkjs' ? beside : inOwnProcess(name, circuit, threads, rounds, [zkey, witness]);
      figures.push(...figuresBeside(`${circuit} ${name}${suffix}`, one, beside));
      const perSecond = one.wall.map((ms) => (1000 * constraints) / ms);
      figures.push(summarise(`${circuit} ${name}${suffix} constraints`, '1/s', perSecond));
      if (threads === 1) fastest = Math.min(fastest, median(one.cpu));
    }
    for (const engine of threads === 1 ? ENGINES : []) {
      const one = inOwnProcess(`native-${engine}`, circuit, threads, rounds, [zkey, witness]);
      figures.push(...figuresBeside(`${circuit} native ${engine}`, one, beside));
    }
  }
  return { figures, fastest };
}

/** What a settlement needs besides: witnesses, the pool, verification. */
function settlementFigures(circuit: string, fastest: number, rounds: number): Figure[] {
  const figures: Figure[] = [];
  const hasProgram = chooseBackends('auto').backends[0]!.makeWitness !== undefined;
  for (const by of hasProgram ? (['native', 'circom'] as const) : (['circom'] as const)) {
    const one = inOwnProcess(`witness-${by}`, circuit, 1, 5 * rounds);
    figures.push(summarise(`${circuit} witness ${by} cpu, share of a proof`, 'ms', one.cpu, fastest, 'higher'));
  }
  for (const threads of [1, 2]) {
    const pool = inOwnProcess('pool', circuit, threads, rounds);
    figures.push(summarise(`${circuit} pool of ${threads} cpu`, 'ms', pool.cpu));
    figures.push(summarise(`${circuit} pool of ${threads} wall`, 'ms', pool.wall));
    if (threads === 1) figures.push(summarise(`${circuit} verification wall`, 'ms', pool.verify));
  }
  return figures;
}

/** The circuit of settlement's first draft with 64 jobs, simplified: rapidsnark was measured on it. */
const REFERENCE_64 = { constraints: 101_603, publicCount: 5, nonZeros: [710_000, 1_286_000, 262_000] } as const;

const SUBJECTS: Readonly<Record<string, { rounds: number; make: (name: string, folder: string) => Promise<Subject> }>> = {
  'settlement-16': { rounds: 5, make: settlementSubject },
  'settlement-64': { rounds: 3, make: settlementSubject },
  'settlement-256': { rounds: 1, make: settlementSubject },
  'settlement-proven-16': { rounds: 5, make: settlementSubject },
  'credit-mlp': { rounds: 5, make: (name, folder) => modelSubject(name, 'credit-model/credit-model.onnx', folder) },
  'credit-trees': { rounds: 5, make: (name, folder) => modelSubject(name, 'credit-trees/credit-trees.onnx', folder) },
  'reference-64': { rounds: 1, make: (name, folder) => shapeSubject(name, new SyntheticSystem(REFERENCE_64), folder) },
};

/** All circuits, or those of STUN_BENCH_CIRCUITS; half an hour on two cores, most of it for snarkjs. */
export async function run(): Promise<Figure[]> {
  const wanted = process.env['STUN_BENCH_CIRCUITS']?.split(' ') ?? Object.keys(SUBJECTS);
  const folder = mkdtempSync(join(tmpdir(), 'stun-bench-prover-'));
  const all: Figure[] = [];
  try {
    for (const circuit of wanted) {
      const subject = SUBJECTS[circuit];
      if (subject === undefined) throw new RangeError(`${circuit} is none of ${Object.keys(SUBJECTS).join(', ')}`);
      const { figures, fastest } = proofFigures(await subject.make(circuit, folder), subject.rounds);
      all.push(...figures);
      if (circuit.startsWith('settlement')) all.push(...settlementFigures(circuit, fastest, subject.rounds));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return all;
}

async function measureAs(what: What, circuit: string, threads: number, rounds: number, files: string[]): Promise<Measured> {
  switch (what) {
    case 'pool':
      return measurePool(circuit, threads, rounds);
    case 'witness-circom':
    case 'witness-native':
      return measureWitness(circuit, what === 'witness-circom' ? 'circom' : 'native', rounds);
    default:
      return measureBackend(what, threads, rounds, files);
  }
}

if (import.meta.main) {
  const [what = '', circuit = '', threads = '1', rounds = '1', ...files] = process.argv.slice(2);
  console.log(JSON.stringify(await measureAs(what as What, circuit, Number(threads), Number(rounds), files)));
  process.exit(0);
}
