/**
 * Runs one model in a process of its own, one job at a time, within limits of time, memory and output size. A job that breaks a
 * limit ends with its process; the next one gets a new process.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { StunError, type NamedTensor } from '#protocol/index.ts';
import { childEnvironment } from '../child-environment.ts';
import { assertManifestMatches, type ModelFile } from './manifest.ts';
import { checkInputs } from './check-inputs.ts';
import { residentBytes } from './process-memory.ts';
import type { ExecutionProvider, LoadedSession, RunnerReply, RunnerRequest, SessionSettings } from './runner-messages.ts';

/** Limits of one job. All required: zero is no way to say "none". */
export interface JobLimits {
  readonly timeoutMs: number;
  /** Resident bytes of the runner's process, the model included. Enforced on Linux, sampled every 20 ms. */
  readonly memoryBytes: number;
  readonly outputBytes: number;
}

/** Time to start a process and load the model. */
const LOAD_TIMEOUT_MS = 120_000;
const MEMORY_SAMPLE_MS = 20;

/** A live process with the loaded model. */
class RunnerProcess {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(new URL('./runner-process.ts', import.meta.url), {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: childEnvironment(),
      execArgv: [],
    });
    // Without a listener a failing send would be an uncaught error; every request notices the end by itself.
    this.#child.on('error', () => undefined);
    // An idle runner keeps nobody alive; while a job runs, its timers do.
    this.#child.unref();
    this.#child.channel?.unref();
  }

  get alive(): boolean {
    return this.#child.connected && !this.#child.killed && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** One question, one answer. On any limit the process is killed. */
  async ask(request: RunnerRequest, timeoutMs: number, memoryBytes: number): Promise<RunnerReply> {
    const child = this.#child;
    const { promise, resolve, reject } = Promise.withResolvers<RunnerReply>();
    const stop = (error: StunError): void => {
      child.kill('SIGKILL');
      reject(error);
    };
    const timer = setTimeout(
      () => stop(new StunError('STUN_MODEL_TIMEOUT', `the model ran longer than ${timeoutMs} ms`)),
      timeoutMs,
    );
    const sampler = setInterval(() => {
      const resident = child.pid === undefined ? undefined : residentBytes(child.pid);
      if (resident !== undefined && resident > memoryBytes) {
        stop(new StunError('STUN_MODEL_MEMORY', `the model took more than ${memoryBytes} bytes`));
      }
    }, MEMORY_SAMPLE_MS);
    const onExit = (): void => reject(new StunError('STUN_MODEL_CRASHED', 'the process that ran the model ended'));
    child.once('message', resolve as (reply: unknown) => void);
    child.once('exit', onExit);
    try {
      if (!this.alive) onExit();
      else child.send(request, (error) => error !== null && onExit());
      return await promise;
    } finally {
      clearTimeout(timer);
      clearInterval(sampler);
      child.removeAllListeners('message');
      child.off('exit', onExit);
    }
  }
}

/** A model that is loaded and takes jobs. */
export class ModelRunner {
  readonly file: ModelFile;
  /** What was loaded at the start; a restarted process must load the same. */
  readonly session: LoadedSession;
  readonly #settings: SessionSettings;
  readonly #limits: JobLimits;
  #process: RunnerProcess | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(
    file: ModelFile,
    settings: SessionSettings,
    limits: JobLimits,
    live: RunnerProcess,
    session: LoadedSession,
  ) {
    this.file = file;
    this.#settings = settings;
    this.#limits = limits;
    this.#process = live;
    this.session = session;
  }

  /** The provider that runs the model: not the configured one when the CPU stands in. */
  get executionProvider(): ExecutionProvider {
    return this.session.executionProvider;
  }

  /**
   * Starts the process, loads the model and holds it against its digest and manifest.
   * @throws `STUN_MODEL_LOAD`, `STUN_MODEL_EXECUTION_PROVIDER`, `STUN_MODEL_MANIFEST`, `STUN_TENSOR_STRING`
   */
  static async start(file: ModelFile, settings: SessionSettings, limits: JobLimits): Promise<ModelRunner> {
    const { live, session } = await loadProcess(file, settings);
    try {
      assertManifestMatches(file.manifest, session.inputs, session.outputs);
    } catch (error) {
      live.kill();
      throw error;
    }
    return new ModelRunner(file, settings, limits, live, session);
  }

  /**
   * Runs the model on one job's tensors. Jobs wait for each other.
   * @throws `STUN_MODEL_INPUT_*`, `STUN_MODEL_RUN`, `STUN_MODEL_TIMEOUT`, `STUN_MODEL_MEMORY`, `STUN_MODEL_CRASHED`,
   *   `STUN_MODEL_OUTPUT_SIZE`, `STUN_TENSOR_STRING`
   */
  async run(tensors: readonly NamedTensor[]): Promise<readonly NamedTensor[]> {
    const { manifest } = this.file;
    const inputs = checkInputs(manifest.inputs, tensors, manifest.allowNonFiniteInputs);
    const turn = this.#queue.then(() => this.#runNow(inputs));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #runNow(inputs: readonly NamedTensor[]): Promise<readonly NamedTensor[]> {
    if (this.#closed) throw new StunError('STUN_MODEL_CRASHED', 'the runner is closed');
    if (this.#process?.alive !== true) {
      const { live, session } = await loadProcess(this.file, this.#settings);
      if (session.executionProvider !== this.session.executionProvider) {
        live.kill();
        throw new StunError('STUN_MODEL_EXECUTION_PROVIDER', 'a restarted runner uses another provider than the keyset names');
      }
      this.#process = live;
    }
    const reply = await this.#process.ask({ type: 'run', tensors: inputs }, this.#limits.timeoutMs, this.#limits.memoryBytes);
    if (reply.type === 'failed') throw new StunError(reply.code, reply.reason);
    if (reply.type !== 'result') throw new StunError('STUN_MODEL_CRASHED', 'the runner answered another question');
    const size = reply.tensors.reduce((sum, tensor) => sum + tensor.data.length, 0);
    if (size > this.#limits.outputBytes) {
      throw new StunError(
        'STUN_MODEL_OUTPUT_SIZE',
        `the output has ${size} bytes, at most ${this.#limits.outputBytes} are returned`,
      );
    }
    return reply.tensors;
  }

  /** Ends the process; a job that runs ends with it. */
  close(): void {
    this.#closed = true;
    this.#process?.kill();
  }
}

async function loadProcess(file: ModelFile, settings: SessionSettings): Promise<{ live: RunnerProcess; session: LoadedSession }> {
  const live = new RunnerProcess();
  try {
    const reply = await live.ask({ type: 'load', modelPath: file.modelPath, settings }, LOAD_TIMEOUT_MS, Number.MAX_SAFE_INTEGER);
    if (reply.type === 'failed') throw new StunError(reply.code, reply.reason);
    if (reply.type !== 'loaded') throw new StunError('STUN_MODEL_LOAD', 'the runner answered another question');
    if (reply.session.modelSha256 !== file.modelSha256) {
      throw new StunError('STUN_MODEL_LOAD', 'the model file changed while it was read');
    }
    return { live, session: reply.session };
  } catch (error) {
    live.kill();
    throw error;
  }
}
