/**
 * Real GPU and NVSwitch evidence, kept outside the project: `nvidia/` of the folder that STUN_VECTORS names, one folder per case.
 * Without it the tests run on simulated evidence alone and say so; with STUN_REQUIRE_VECTORS=1 its absence is a failure.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex } from '#protocol/bytes.ts';

/** The answer of a correct verifier on an OCSP response. */
export interface OcspAnswer {
  readonly status: string;
  readonly serial: string;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

/** A case with the answer that a correct verifier gives. */
export interface GpuCase {
  readonly name: string;
  readonly folder: string;
  readonly report: Uint8Array;
  /** PEM, device certificate first. */
  readonly chain: string;
  readonly arch: string;
  /** What the report was asked for with, 32 bytes. */
  readonly nonce: Uint8Array;
  /** `valid`, or the first check that fails. */
  readonly expected: string;
  readonly alsoFails: readonly string[];
  readonly ocsp: Readonly<Record<string, OcspAnswer>>;
}

type Answer = Pick<GpuCase, 'arch' | 'expected'> & { readonly nonce: string } & Partial<Pick<GpuCase, 'alsoFails' | 'ocsp'>>;

/** The folder of the cases, or null without STUN_VECTORS. */
export function gpuFolder(): string | null {
  const vectors = process.env['STUN_VECTORS'];
  const folder = vectors === undefined || vectors === '' ? null : join(vectors, 'nvidia');
  if (folder !== null && existsSync(folder)) return folder;
  if (process.env['STUN_REQUIRE_VECTORS'] === '1')
    throw new Error('STUN_REQUIRE_VECTORS=1, but STUN_VECTORS names no folder with nvidia/');
  return null;
}

/** All cases; empty, and said aloud, without the vectors. */
export function gpuCases(): readonly GpuCase[] {
  const all = gpuFolder();
  if (all === null) {
    console.log('      SKIPPED: every real NVIDIA case: STUN_VECTORS is not set. Simulated evidence alone is tested.');
    return [];
  }
  const names = readdirSync(all);
  if (names.length === 0) throw new Error(`${all} has no case`);
  return names.map((name) => {
    const folder = join(all, name);
    const { nonce, ...answer } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Answer;
    return {
      alsoFails: [],
      ocsp: {},
      ...answer,
      name,
      folder,
      nonce: fromHex(`0x${nonce}`, 32, 'nonce'),
      report: new Uint8Array(readFileSync(join(folder, 'report.bin'))),
      chain: readFileSync(join(folder, 'chain.pem'), 'utf8'),
    };
  });
}
