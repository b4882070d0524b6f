/** The stages of the demonstration: each is announced, timed, and closed with one line of what it gave. */
const WIDTH = 58;

/** How long a stage took. */
export interface StageTime {
  readonly name: string;
  readonly ms: number;
}

/** Thrown out of a stage when the demonstration is told to stop. */
export class Interrupted extends Error {}

/** Prints stages as they run; on a terminal the line of the running stage is rewritten in place. */
export class Stages {
  readonly #times: StageTime[] = [];
  readonly #started = performance.now();
  readonly #interrupted: Promise<never>;
  readonly #out: NodeJS.WriteStream;

  /** @param stopping - interrupts the running stage, and every later one */
  constructor(stopping: AbortSignal, out: NodeJS.WriteStream = process.stdout) {
    this.#out = out;
    this.#interrupted = new Promise((_resolve, reject) => {
      const interrupt = (): void => reject(new Interrupted());
      if (stopping.aborted) interrupt();
      else stopping.addEventListener('abort', interrupt, { once: true });
    });
    this.#interrupted.catch(() => undefined);
  }

  get times(): readonly StageTime[] {
    return this.#times;
  }

  /** Milliseconds since the first stage could start. */
  get elapsedMs(): number {
    return performance.now() - this.#started;
  }

  /**
   * Runs a stage.
   * @param name - what is done, a few words
   * @param work - does it; `tell` shows progress; what `say` is given stands behind the stage's time
   * @throws Interrupted, while the work may go on until the process ends
   */
  async run<T>(name: string, work: (tell: (line: string) => void, say: (line: string) => void) => Promise<T>): Promise<T> {
    const start = performance.now();
    const said: string[] = [];
    const label = `${String(this.#times.length + 1).padStart(2)} ${name} `;
    this.#rewrite(`${label}…`);
    const working = work(
      (line) => this.#rewrite(`${label}… ${line}`),
      (line) => said.push(line),
    );
    const result = await Promise.race([this.#interrupted, working]);
    const ms = performance.now() - start;
    this.#times.push({ name, ms });
    const [first, ...rest] = said;
    this.#rewrite('');
    this.#out.write(`${label.padEnd(WIDTH, '.')} ${seconds(ms).padStart(7)}${first === undefined ? '' : `  ${first}`}\n`);
    for (const line of rest) this.#out.write(`   ${line}\n`);
    return result;
  }

  #rewrite(text: string): void {
    if (!this.#out.isTTY) return;
    const line = text.replaceAll('\n', ' ').slice(0, Math.max(20, this.#out.columns - 1));
    this.#out.write(`\r\u001b[2K${line}`);
  }
}

/** A duration as `12.3 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Lines of a table with a heading, columns as wide as their widest cell. */
export function table(heading: string, rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)), []);
  const lines = rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd());
  return [heading, ...lines].join('\n');
}
