/**
 * Real Intel evidence, kept outside the project: the folder that STUN_VECTORS names, one folder per case under `intel/`.
 * Without it the tests run on simulated evidence alone and say so; with STUN_REQUIRE_VECTORS=1 its absence is a failure.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A case with the answer that a correct verifier gives. */
export interface IntelCase {
  readonly name: string;
  readonly quote: Uint8Array;
  readonly collateral: string;
  readonly verifyAt: number;
  readonly window: readonly [number, number];
  readonly teeType: 'SGX' | 'TDX';
  readonly quoteVersion: number;
  readonly bodyType: number | null;
  readonly debug: boolean;
  readonly trailingBytes: number;
  readonly fmspc: string;
  readonly expected: {
    readonly tcbStatus: string;
    readonly platform: string | null;
    readonly module: string | null;
    readonly qe: string | null;
    readonly advisoryIDs: readonly string[];
    readonly tcbDate: string | null;
  };
}

type Answer = Omit<IntelCase, 'name' | 'quote' | 'collateral'>;

/** The folder of the cases, or null without STUN_VECTORS. */
export function intelFolder(): string | null {
  const vectors = process.env['STUN_VECTORS'];
  const folder = vectors === undefined || vectors === '' ? null : join(vectors, 'intel');
  if (folder !== null && existsSync(folder)) return folder;
  if (process.env['STUN_REQUIRE_VECTORS'] === '1')
    throw new Error('STUN_REQUIRE_VECTORS=1, but STUN_VECTORS names no folder with intel/');
  return null;
}

/** All cases whose name begins so; empty, and said aloud, without the vectors. */
export function intelCases(prefix: string): readonly IntelCase[] {
  const folder = intelFolder();
  if (folder === null) {
    console.log(
      `      SKIPPED: every real Intel case (${prefix}*): STUN_VECTORS is not set. Simulated evidence alone is tested.`,
    );
    return [];
  }
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix));
  if (names.length === 0) throw new Error(`${folder} has no case ${prefix}*`);
  return names.map((name) => {
    const file = (part: string): Buffer => readFileSync(join(folder, name, part));
    const answer = JSON.parse(file('expected.json').toString('utf8')) as Answer;
    return { ...answer, name, quote: new Uint8Array(file('quote.bin')), collateral: file('collateral.json').toString('utf8') };
  });
}
