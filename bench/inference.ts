/**
 * Model circuits: how large they are, how long compiling, keys, witnesses and proofs take, and what a verification costs on chain. Proofs are
 * beside snarkjs' for the same witness and witnesses beside onnxruntime on the same input, in one run. Published constraints stand in
 * docs/proven-inference.md: nothing here measures them.
 *
 * Each model is measured in a process of its own, so that peak memory is its own: `node bench/inference.ts INDEX` prints JSON.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildBn128 } from 'ffjavascript';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { artifacts } from '#chain/artifacts.ts';
import { ContractAccess } from '#chain/contract-access.ts';
import { deployContract } from '#chain/deploy.ts';
import { startDevChain } from '#chain/dev-chain.ts';
import { DEVELOPMENT_TRAPDOOR, writeDevelopmentKey } from '#circuits/build/development-key.ts';
import { parseR1cs } from '#circuits/build/r1cs.ts';
import { readVerificationKey, verificationKeyBytes } from '#circuits/build/verification-key.ts';
import { r1csBytes, witnessBytes } from '#circuits/model/constraints/r1cs-file.ts';
import { synthesise } from '#circuits/model/constraints/synthesise.ts';
import { witnessOf } from '#circuits/model/constraints/witness.ts';
import { integerOnnx } from '#circuits/model/program/integer-onnx.ts';
import type { IntegerProgram } from '#circuits/model/program/program.ts';
import { fromHex } from '#protocol/bytes.ts';
import type { MadeProof } from '#prover/backend.ts';
import { chooseBackends } from '#prover/backends.ts';
import { summarise, type Figure } from './figure.ts';
import { measuredModels, type MeasuredModel } from './inference/models.ts';

const PROOF_ROUNDS = 5;
/** A proof's three points, two coordinates of 32 bytes each, four of the second. */
const PROOF_BYTES = 256;

interface Times {
  readonly wallMs: number[];
  readonly cpuMs: number[];
}

/** Repeats work: wall and CPU milliseconds of each run. */
async function timed(rounds: number, work: () => unknown): Promise<Times> {
  const times: Times = { wallMs: [], cpuMs: [] };
  for (let i = 0; i < rounds; i++) {
    const before = process.cpuUsage();
    const startedAtMs = performance.now();
    await work();
    times.wallMs.push(performance.now() - startedAtMs);
    const { user, system } = process.cpuUsage(before);
    times.cpuMs.push((user + system) / 1000);
  }
  return times;
}

const median = (values: readonly number[]): number => summarise('', '', values).median;

async function rawRuns(program: IntegerProgram, input: readonly number[]): Promise<Times> {
  const session = await InferenceSession.create(integerOnnx(program), { intraOpNumThreads: 1 });
  const type = program.input.bytesPerElement === 1 ? ('uint8' as const) : ('uint16' as const);
  const data = type === 'uint8' ? Uint8Array.from(input) : Uint16Array.from(input);
  const feeds = { [program.input.name]: new Tensor(type, data, [1, input.length]) };
  return timed(50, () => session.run(feeds));
}

/** What a call of the verifier costs beyond the transaction's base and calldata. @param key - fixed encoding of the verification key */
async function verificationGas(key: Uint8Array, { a, b, c, signals }: MadeProof): Promise<number> {
  const chain = await startDevChain();
  try {
    const signer = await chain.provider.getSigner(0);
    const address = await deployContract(signer, artifacts.InferenceVerifier, []);
    const code = Buffer.concat([Buffer.of(0), key]);
    // Creation code that returns what follows it: the registry keeps keys as code behind a byte that stops.
    const size = code.length.toString(16).padStart(4, '0');
    const creation = `0x61${size}80600a3d393df3${code.toString('hex')}`;
    const made = await (await signer.sendTransaction({ data: creation })).wait();
    const verifier = new ContractAccess(artifacts.InferenceVerifier, address, signer);
    const words = [made!.contractAddress!, [a, b, c], signals[0], signals[1]];
    if ((await verifier.read('verifyProof', words))[0] !== true) throw new Error('the verifier refused the proof');
    const { to, data } = verifier.encode('verifyProof', words);
    const calldata = fromHex(data).reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 0);
    return Number(await chain.provider.estimateGas({ to, data })) - 21_000 - calldata;
  } finally {
    await chain.close();
  }
}

async function figuresOf({ name, program: make }: MeasuredModel, folder: string): Promise<Figure[]> {
  const program = make();
  const system = synthesise(program);
  const hashing = system.rows.filter(({ label }) => label.startsWith('poseidon')).length;
  const built = await timed(3, () => r1csBytes(synthesise(program)));
  const r1cs = r1csBytes(system);
  const path = join(folder, 'key.zkey');
  const curve = await buildBn128(true);
  const key = await timed(1, () => writeDevelopmentKey(curve, parseR1cs(r1cs), DEVELOPMENT_TRAPDOOR, path, () => {}));
  const input = program.input.maxima.map((maximum, i) => (i * 37) % (maximum + 1));
  const values = [...input.map(BigInt), 3n, 4n];
  const witness = await timed(7, () => witnessOf(system, values));
  const raw = await rawRuns(program, input);
  const bytes = witnessBytes(witnessOf(system, values));
  const zkey = new Uint8Array(readFileSync(path));
  const { backends } = chooseBackends('auto');
  const [backend, beside] = [backends[0]!, backends.at(-1)!];
  const prove = (by: typeof backend, threads: number): Promise<MadeProof> =>
    by.prove(zkey, bytes, { threads, memoryLimitMb: 2048 });
  const proof = await prove(backend, 1);
  const one = await timed(PROOF_ROUNDS, () => prove(backend, 1));
  const two = await timed(PROOF_ROUNDS, () => prove(backend, 2));
  const peakMegabytes = process.resourceUsage().maxRSS / 1024;
  await prove(beside, 1);
  const baseline = await timed(PROOF_ROUNDS, () => prove(beside, 1));
  const verificationKey = verificationKeyBytes(await readVerificationKey(path));
  const figure = (what: string, unit: string, samples: readonly number[], next: number | null = null): Figure =>
    summarise(`${name}: ${what}`, unit, samples, next);
  return [
    figure('constraints', 'rows', [system.rows.length]),
    figure('constraints beside commitments', 'rows', [system.rows.length - hashing]),
    figure('wires', 'wires', [system.wireCount]),
    figure('constraints and their file, CPU', 'ms', built.cpuMs),
    figure('development key, CPU', 'ms', key.cpuMs),
    figure('proving key', 'MB', [statSync(path).size / 1e6]),
    figure('verification key', 'bytes', [verificationKey.length]),
    figure('witness, CPU (beside onnxruntime on the same input)', 'ms', witness.cpuMs, median(raw.cpuMs)),
    figure(`proof by ${backend.name}, one thread, CPU (beside ${beside.name})`, 'ms', one.cpuMs, median(baseline.cpuMs)),
    figure(`proof by ${backend.name}, one thread, wall (beside ${beside.name})`, 'ms', one.wallMs, median(baseline.wallMs)),
    figure(
      `proof by ${backend.name}, two threads, wall (beside ${beside.name} on one)`,
      'ms',
      two.wallMs,
      median(baseline.wallMs),
    ),
    figure('peak memory of the process until then', 'MB', [peakMegabytes]),
    figure('proof', 'bytes', [PROOF_BYTES]),
    figure('verification on chain, execution', 'gas', [await verificationGas(verificationKey, proof)]),
  ];
}

/** Runs one model here and prints its figures. */
async function measureHere(index: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'stun-bench-inference-'));
  try {
    process.stdout.write(JSON.stringify(await figuresOf(measuredModels[index]!, folder)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All models; about four minutes on two idle cores. */
export function run(): Figure[] {
  return measuredModels.flatMap(({ name }, index) => {
    const args = ['--no-warnings', fileURLToPath(import.meta.url), String(index)];
    const child = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    if (child.status !== 0) throw new Error(`${name}: the process ended with ${child.status}`);
    return JSON.parse(child.stdout) as Figure[];
  });
}

if (import.meta.main) {
  await measureHere(Number(process.argv[2]));
  process.exit(0);
}
