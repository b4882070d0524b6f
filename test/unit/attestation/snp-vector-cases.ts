/**
 * Real SEV-SNP evidence, kept outside the project: `amd/` of the folder that STUN_VECTORS names, one folder per case.
 * Without it the tests run on simulated evidence alone and say so; with STUN_REQUIRE_VECTORS=1 its absence is a failure.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defaultPolicy } from '#attestation/index.ts';
import type { Policy, SnpEndorsementBytes } from '#attestation/index.ts';

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

/** A policy that looks at DEBUG and the cloud alone: what the real samples differ in. */
export function lenientSnpPolicy(): Policy {
  const { sevSnp } = defaultPolicy;
  if (sevSnp === null) throw new RangeError('the default policy has a part for SEV-SNP');
  const any = { products: ['Milan', 'Genoa', 'Turin'] as const, minReportVersion: 2, requireAliasCheck: false, vmpls: [0, 1] };
  const firmware = { minFirmware: { major: 0, minor: 0, build: 0 }, requireRevocationData: false };
  return { ...defaultPolicy, sevSnp: { ...sevSnp, ...any, ...firmware, vlekCspIds: ['CN=cc-us-east-2.amazonaws.com'] } };
}
