/** One process that proves, seen from its owner. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ProofStage, ProverStats } from '../interface.ts';
import { receivedError, type Creation, type FromProcess, type Question, type ToProcess } from './messages.ts';

const PROGRAM = fileURLToPath(new URL('./prover.process.ts', import.meta.url));
/** What the process may see of the environment: no setting of the owner, and none of its secrets. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LD_LIBRARY_PATH', 'NODE_OPTIONS', 'NODE_V8_COVERAGE', 'UV_THREADPOOL_SIZE'];

/** The process ended before it answered. */
export class ProcessLost extends Error {}

/** How one question is asked. */
export interface AskOptions {
  readonly signal?: AbortSignal;
  readonly priority?: number;
  readonly progress?: (stage: ProofStage) => void;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly progress: AskOptions['progress'];
}

/** A running process with one prover in it. */
export class ProverProcess {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  #asked = 0;
  #ended = false;
  /** What the prover last said of itself; undefined for one of inferences. */
  stats: ProverStats | undefined;
  /** Ids of the models of a prover of inferences. */
  models: readonly bigint[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once('exit', (status, signal) => {
        this.#end(`the prover's process ended with ${signal ?? `status ${status}`}`);
        resolve();
      });
      // A process that could not be started never exits.
      child.once('error', () => child.pid === undefined && resolve());
    });
    // A message that could not be sent: what is pending ends with it, and so does the process.
    child.on('error', (error) => {
      this.#end(`the prover's process cannot be reached: ${error.message}`);
      child.kill('SIGKILL');
    });
  }

  /**
   * Starts a process and has it make its prover.
   * @param progress - told what is built first
   * @param start - another program or runtime, only to observe how failures are handled
   * @throws what the prover refused its options with, and {@link ProcessLost} when the process ended over it
   */
  static async start(
    creation: Creation,
    progress?: (line: string) => void,
    start: { readonly program?: string; readonly execPath?: string } = {},
  ): Promise<ProverProcess> {
    const env = Object.fromEntries(
      INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    );
    // Standard output belongs to the owner's answers.
    const child = fork(start.program ?? PROGRAM, [], {
      env,
      serialization: 'advanced',
      stdio: ['ignore', 2, 2, 'ipc'],
      execPath: start.execPath ?? process.execPath,
    });
    const made = new ProverProcess(child);
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new ProcessLost("the prover's process ended while it started")));
      child.once('error', ({ message }) => reject(new ProcessLost(`the prover's process cannot start: ${message}`)));
      child.on('message', (message: FromProcess) => {
        if (message.type === 'progress') progress?.(message.line);
        else if (message.type === 'refused') reject(receivedError(message.error));
        else if (message.type === 'created') {
          made.models = message.models;
          resolve();
        } else made.#hear(message);
      });
      made.#tell({ type: 'create', creation });
    }).catch(async (error: unknown) => {
      await made.close();
      throw error;
    });
    return made;
  }

  /** Whether it can still answer. */
  get alive(): boolean {
    return !this.#ended;
  }

  /** @throws what the prover throws, and {@link ProcessLost} when the process ends before it answers */
  ask(question: Question, { signal, priority = 0, progress }: AskOptions = {}): Promise<unknown> {
    if (this.#ended) return Promise.reject(new ProcessLost("the prover's process has ended"));
    const id = this.#asked++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(id, { resolve, reject, progress });
    this.#tell({ type: 'ask', id, question, priority, staged: progress !== undefined });
    const abort = (): void => this.#tell({ type: 'abort', id });
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
    return promise.finally(() => signal?.removeEventListener('abort', abort));
  }

  /** Lets running tasks finish, then ends the process. */
  async close(): Promise<void> {
    if (!this.#ended) this.#tell({ type: 'close' });
    await this.#exited;
  }

  #tell(message: ToProcess): void {
    // A channel that has closed is told of by `exit`.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #hear(message: Extract<FromProcess, { type: 'stats' | 'stage' | 'answer' | 'failed' }>): void {
    if (message.type === 'stats') this.stats = message.stats;
    else if (message.type === 'stage') this.#pending.get(message.id)?.progress?.(message.stage);
    else {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.type === 'answer') pending?.resolve(message.value);
      else pending?.reject(receivedError(message.error));
    }
  }

  #end(why: string): void {
    this.#ended = true;
    for (const { reject } of this.#pending.values()) reject(new ProcessLost(why));
    this.#pending.clear();
  }
}
