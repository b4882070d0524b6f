/**
 * Real SEV-SNP evidence, kept outside the project: `amd/` of the folder that STUN_VECTORS names, one folder per case.
 * Without it the tests run on simulated evidence alone and say so; with STUN_REQUIRE_VECTORS=1 its absence is a failure.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SnpEndorsementBytes } from '#attestation/index.ts';

/** A case with the answer that a correct verifier gives. */
export interface AmdCase {
  readonly name: string;
  readonly report: Uint8Array;
  readonly endorsements: SnpEndorsementBytes;
  readonly reportVersion: number;
  readonly product: string;
  readonly signer: string;
  readonly debug: boolean;
  /** `valid`, or the first check that fails. */
  readonly expected: string;
  readonly alsoFails: readonly string[];
  readonly verifyAt: number;
}

type Answer = Omit<AmdCase, 'name' | 'report' | 'endorsements' | 'alsoFails'> & { readonly alsoFails?: readonly string[] };

/** The folder of the cases, or null without STUN_VECTORS. */
export function amdFolder(): string | null {
  const vectors = process.env['STUN_VECTORS'];
  const folder = vectors === undefined || vectors === '' ? null : join(vectors, 'amd');
  if (folder !== null && existsSync(folder)) return folder;
  if (process.env['STUN_REQUIRE_VECTORS'] === '1')
    throw new Error('STUN_REQUIRE_VECTORS=1, but STUN_VECTORS names no folder with amd/');
  return null;
}

/** All cases; empty, and said aloud, without the vectors. */
export function amdCases(): readonly AmdCase[] {
  const folder = amdFolder();
  if (folder === null) {
    console.log('      SKIPPED: every real AMD case: STUN_VECTORS is not set. Simulated evidence alone is tested.');
    return [];
  }
  const names = readdirSync(folder);
  if (names.length === 0) throw new Error(`${folder} has no case`);
  return names.map((name) => {
    const file = (part: string): Uint8Array => new Uint8Array(readFileSync(join(folder, name, part)));
    const answer = JSON.parse(readFileSync(join(folder, name, 'expected.json'), 'utf8')) as Answer;
    return {
      alsoFails: [],
      ...answer,
      name,
      report: file('report.bin'),
      endorsements: { vek: file('vek.der'), ask: file('ask.pem'), ark: file('ark.pem'), crl: null },
    };
  });
}
