/** A program that behaves like `nvattest`, on a machine whose simulated GPUs come and go. */
import { chmod, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createSimulatedGpu, type SimulatedGpu } from '#attestation/simulated/simulated-gpu.ts';
import { makeSimulatedRimOcsp } from '#attestation/simulated/simulated-rim.ts';
import { fromHex } from '#protocol/index.ts';
import { gpuPki, gpuRimsOf } from '../attestation/gpu-fixture.ts';
import { nvidia, rimsById } from '../attestation/nvidia-answers.ts';
import { rimPki } from '../attestation/rim-fixture.ts';
import type { Recorded } from '../collateral/fetched-collateral.ts';

const CLIENT = fileURLToPath(new URL('./nvattest-client.ts', import.meta.url));

export interface NvattestDouble {
  /** The program. */
  readonly path: string;
  /** Makes it answer for these GPUs: one byte of each one's identity. */
  readonly show: (...gpus: readonly number[]) => Promise<void>;
  /** Makes it do something else, until it shows GPUs again. */
  readonly run: (shell: string) => Promise<void>;
}

/** A GPU of the double, with its chain and the OCSP responses of a time. */
export function doubleGpu(gpu: number, atUnix: number): SimulatedGpu {
  return createSimulatedGpu({ atUnix, pki: gpuPki, hardwareId: new Uint8Array(8).fill(gpu) });
}

/** What `nvattest` prints for GPUs. */
export function printedFor(gpus: readonly number[], nonce: Uint8Array): string {
  const evidences = gpus.map((gpu) => {
    const { report, chain } = doubleGpu(gpu, Date.now() / 1000);
    const [evidence, certificate] = [report(nonce), chain].map((part) => Buffer.from(part).toString('base64'));
    return { arch: 'HOPPER', evidence, certificate };
  });
  return JSON.stringify({ result_code: 0, evidences });
}

/** Makes the program in a folder; it fails until it is told what to do. */
export async function createNvattestDouble(folder: string): Promise<NvattestDouble> {
  const path = join(folder, 'nvattest');
  const socket = join(folder, 'nvattest.sock');
  let shown: readonly number[] = [];
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    void text(connection).then((nonce) => connection.end(printedFor(shown, fromHex(`0x${nonce}`, 32))));
  });
  await new Promise<void>((resolve) => void server.listen(socket, resolve));
  server.unref();
  const run = async (shell: string): Promise<void> => {
    // Never rewritten in place: the worker may be executing it.
    await writeFile(`${path}.new`, `#!/bin/sh\n${shell}\n`);
    await chmod(`${path}.new`, 0o755);
    await rename(`${path}.new`, path);
  };
  const show = (...gpus: readonly number[]): Promise<void> => {
    shown = gpus;
    return run(`exec '${process.execPath}' '${CLIENT}' '${socket}' "$@"`);
  };
  await run('exit 1');
  return { path, show, run };
}

/** NVIDIA's services as they answer for GPUs of the double at a time: OCSP responses end half a day later. */
export function nvidiaAt(atUnix: number, ...gpus: readonly number[]): Recorded {
  return nvidia({
    gpus: gpus.map((gpu) => doubleGpu(gpu, atUnix)),
    rims: rimsById(gpuRimsOf(atUnix)),
    rimOcsp: makeSimulatedRimOcsp(rimPki, atUnix),
  });
}
