/**
 * Evidence of the GPUs beside a CPU, from NVIDIA's own program: `nvattest collect-evidence` asks each device for a measurement report
 * over a nonce. Its form is that of NVIDIA/attestation-sdk; whoever verifies the document checks what is in it.
 */
import { execFile } from 'node:child_process';
import { z } from 'zod';
import { equalBytes, StunError, toHex } from '#protocol/index.ts';
import { childEnvironment } from '../child-environment.ts';

/** One device. */
export interface CollectedGpu {
  /** SPDM measurement report: request and response. */
  readonly report: Uint8Array;
  /** PEM, the key that signs reports first. */
  readonly chain: string;
}

/** How the program is called. */
export interface NvattestOptions {
  /** `nvattest`, or the path of it. */
  readonly command: string;
  readonly timeoutMs: number;
  /** Kills the program. */
  readonly signal?: AbortSignal;
}

const MAX_OUTPUT_BYTES = 16 << 20;
/** Where a report carries the nonce that it was asked for with. */
const NONCE_OFFSET = 4;

const outputSchema = z.looseObject({
  result_code: z.int().optional(),
  evidences: z
    .array(z.looseObject({ evidence: z.string(), certificate: z.string() }))
    .min(1)
    .max(16),
});

function refuse(reason: string, cause?: unknown): never {
  throw new StunError('STUN_GPU_COLLECTION', reason, cause === undefined ? {} : { cause });
}

function run({ command, timeoutMs, signal }: NvattestOptions, nonce: Uint8Array): Promise<string> {
  const parameters = ['collect-evidence', '--device', 'gpu', '--nonce', toHex(nonce).slice(2), '--format', 'json'];
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const fail = (why: string, cause?: unknown): void =>
    reject(new StunError('STUN_GPU_COLLECTION', `${command} ${why}`, cause === undefined ? {} : { cause }));
  const child = execFile(command, parameters, { maxBuffer: MAX_OUTPUT_BYTES, env: childEnvironment() }, (error, output) => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    if (error === null) resolve(output);
    else fail(`ended with ${error.code ?? error.signal ?? 'an error'}`, error);
  });
  // It is given up on even when the driver holds it, so that nothing ends it.
  const giveUp = (why: string): void => {
    fail(why);
    child.kill('SIGKILL');
    child.stdout?.destroy();
    child.stderr?.destroy();
    child.unref();
  };
  const timer = setTimeout(() => giveUp(`did not end within ${timeoutMs} ms`), timeoutMs);
  const onAbort = (): void => {
    clearTimeout(timer);
    giveUp('was stopped');
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  return promise;
}

/** Text in base64, or as it is: versions of the program differ. */
function textOf(certificate: string): string {
  return certificate.startsWith('-----BEGIN') ? certificate : Buffer.from(certificate, 'base64').toString('latin1');
}

/**
 * Collects the reports of all GPUs of this machine.
 * @param nonce - 32 bytes, `gpuNonceOf` of the keyset and the document's nonce
 * @throws `STUN_GPU_COLLECTION` when the program is missing, fails, is stopped, or gives reports over another nonce
 */
export async function collectGpus(nonce: Uint8Array, options: NvattestOptions): Promise<readonly CollectedGpu[]> {
  if (options.signal?.aborted === true) return refuse(`${options.command} was not started`);
  const output = await run(options, nonce);
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch (cause) {
    return refuse(`${options.command} did not print JSON`, cause);
  }
  const parsed = outputSchema.safeParse(value);
  if (!parsed.success) return refuse(`${options.command} printed something that is no evidence`);
  const { result_code: resultCode = 0, evidences } = parsed.data;
  if (resultCode !== 0) return refuse(`${options.command} says result code ${resultCode}`);
  return evidences.map(({ evidence, certificate }, i) => {
    const report = new Uint8Array(Buffer.from(evidence, 'base64'));
    if (!equalBytes(report.subarray(NONCE_OFFSET, NONCE_OFFSET + nonce.length), nonce))
      refuse(`report ${i} is over another nonce`);
    return { report, chain: textOf(certificate) };
  });
}
