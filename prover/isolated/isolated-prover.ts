/**
 * Provers in a process of their own, so that a crash in native code takes neither a service nor an enclave's keys with it. The process is started
 * again, and what it lost is asked again: once of its successor, then of a spare process without native code, where a task that brought
 * down two is proven, or fails alone.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { ProofPoints } from '#protocol/wire/proof-points.ts';
import type { InferenceProverOptions } from '../inference-pool.ts';
import type {
  InferenceProver,
  InferenceTask,
  ProveOptions,
  ProverStats,
  SettlementProof,
  SettlementProofTask,
  SettlementProver,
  VerifiedSettlement,
} from '../interface.ts';
import type { ProverOptions } from '../pool.ts';
import type { Creation, Question } from './messages.ts';
import { ProcessLost, ProverProcess, type AskOptions } from './prover-process.ts';

/** Processes that a task may bring down before it goes to the spare one. */
const LOSSES = 2;

/** Keeps one process running, and starts another in its place when it has ended. */
class KeptProcess {
  readonly #creation: Creation;
  /** Whether what the prover refuses at its start is the caller's to hear: it is no more once one has run, or runs beside. */
  #mayRefuse: boolean;
  #started: Promise<ProverProcess> | undefined;
  #running: ProverProcess | undefined;
  #closed = false;
  /** Processes that ended by themselves. */
  replaced = 0;

  constructor(creation: Creation, mayRefuse: boolean) {
    this.#creation = creation;
    this.#mayRefuse = mayRefuse;
  }

  /** The last one that ran. */
  get last(): ProverProcess | undefined {
    return this.#running;
  }

  /** @throws `STUN_PROVER_CLOSED`, and as {@link ProverProcess.start} */
  async get(progress?: (line: string) => void): Promise<ProverProcess> {
    if (this.#closed) throw new StunError('STUN_PROVER_CLOSED', 'the prover is closed');
    if (this.#started !== undefined && this.#running?.alive === false) {
      this.#started = undefined;
      this.#running = undefined;
      this.replaced += 1;
    }
    this.#started ??= ProverProcess.start(this.#creation, progress);
    try {
      this.#running = await this.#started;
      this.#mayRefuse = false;
      return this.#running;
    } catch (error) {
      this.#started = undefined;
      if (this.#mayRefuse || !(error instanceof StunError)) throw error;
      // Something on this machine has changed since the start. The task is not to blame, and can be proven once it is mended.
      throw new StunError('STUN_PROVER_CRASHED', `the prover could not be started again: ${error.code}: ${error.message}`);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await (await this.#started?.catch(() => undefined))?.close();
  }
}

/** A prover's process with its spare. */
class Isolation {
  readonly #main: KeptProcess;
  readonly #spare: KeptProcess | undefined;
  #stats: ProverStats | undefined;
  #bySpare = 0;
  #closed = false;

  private constructor(creation: Creation) {
    this.#main = new KeptProcess(creation, true);
    const { backend } = creation.options;
    if (backend !== 'auto' && backend !== 'native') return;
    const options = { ...creation.options, backend: 'wasm' };
    this.#spare = new KeptProcess({ ...creation, options } as Creation, false);
  }

  /** Starts the process; the spare starts when it is needed. */
  static async start(creation: Creation, progress?: (line: string) => void) {
    const isolation = new Isolation(creation);
    try {
      const { models } = await isolation.#main.get(progress);
      return { isolation, models };
    } catch (error) {
      throw error instanceof ProcessLost ? new StunError('STUN_PROVER_CRASHED', error.message) : error;
    }
  }

  async ask(question: Question, options: AskOptions = {}): Promise<unknown> {
    for (let lost = 0; ; lost++) {
      const spare = lost >= LOSSES ? this.#spare : undefined;
      try {
        const process = await (spare ?? this.#main).get();
        const value = await process.ask(question, options);
        if (spare !== undefined) this.#bySpare += 1;
        return value;
      } catch (error) {
        if (!(error instanceof ProcessLost)) throw error;
        if (this.#closed) throw new StunError('STUN_PROVER_CLOSED', 'the prover is closed');
        if (lost >= LOSSES) throw new StunError('STUN_PROVER_CRASHED', `${error.message}, ${lost + 1} times over this task`);
      }
    }
  }

  stats(): ProverStats {
    this.#stats = this.#main.last?.stats ?? this.#stats;
    if (this.#stats === undefined) throw new StunError('STUN_INTERNAL', 'the prover has not said anything of itself');
    const { backend, proved } = this.#stats;
    const processesReplaced = this.#main.replaced + (this.#spare?.replaced ?? 0);
    return {
      ...this.#stats,
      proved: proved + this.#bySpare,
      processesReplaced,
      backend: { ...backend, madeByFallback: backend.madeByFallback + this.#bySpare },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#main.close(), this.#spare?.close()]);
  }
}

/**
 * A settlement prover in a process of its own, which sees nothing of this one's environment but paths.
 * What it says of itself is up to half a second old, and counts from the start of the process that runs now.
 * @throws as `createSettlementProver`; `STUN_PROVER_CRASHED` when the process ends while it starts
 */
export async function isolatedSettlementProver({ progress, ...options }: ProverOptions): Promise<SettlementProver> {
  const { isolation } = await Isolation.start({ kind: 'settlement', options }, progress);
  return {
    prove: (task: SettlementProofTask, how?: ProveOptions) =>
      isolation.ask({ type: 'prove', task }, how) as Promise<SettlementProof>,
    verify: (proof: SettlementProof) => isolation.ask({ type: 'verify', proof }) as Promise<VerifiedSettlement>,
    stats: () => isolation.stats(),
    close: () => isolation.close(),
  };
}

/** The same for the inference prover of a worker, whose keys then outlive a crash of it. @throws as `createInferenceProver`, `STUN_PROVER_CRASHED` */
export async function isolatedInferenceProver(options: InferenceProverOptions): Promise<InferenceProver> {
  const { isolation, models } = await Isolation.start({ kind: 'inference', options });
  const known = new Set(models);
  return {
    models: known,
    async prove(task: InferenceTask, how?: ProveOptions) {
      try {
        return (await isolation.ask({ type: 'prove', task }, how)) as ProofPoints;
      } catch (error) {
        if (!(error instanceof StunError) || error.code !== 'STUN_PROOF_FAMILY' || !known.has(task.modelId)) throw error;
        throw new StunError('STUN_PROVER_CRASHED', "the model's folder has changed since the prover's first start");
      }
    },
    close: () => isolation.close(),
  };
}
