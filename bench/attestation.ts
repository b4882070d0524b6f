/**
 * How long the verification of TDX evidence takes: in a fresh process, from bytes, and with parsed collateral.
 * Real quotes when STUN_VECTORS names them, the simulated machine always.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  assessEvidence,
  assessTdx,
  defaultPolicy,
  defaultTrustRoots,
  parseIntelCollateral,
  parseTdxQuote,
  verifyTdx,
} from '#attestation/index.ts';
import { createSimulatedPki } from '#attestation/simulated/pki.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { createSimulatedTdx } from '#attestation/simulated/simulated-tdx.ts';
import type { Figure } from './figure.ts';
import { summarise } from './figure.ts';

const warmUpRuns = 50;
const measuredRuns = 300;
const freshProcesses = 7;
const realCase = 'tdx-v4-90c06f000000-cbdb5b2f-at-2026-03-31';

function timesMs(body: () => void): number[] {
  for (let i = 0; i < warmUpRuns; i++) body();
  return Array.from({ length: measuredRuns }, () => {
    const start = performance.now();
    body();
    return performance.now() - start;
  });
}

function accept(failure: { readonly message: string } | null): void {
  if (failure !== null) throw new Error(`the evidence of the benchmark is refused: ${failure.message}`);
}

/** Import and first verification in a fresh process, process start left out. */
function freshProcessMs(): number[] {
  const script = `
    const start = performance.now();
    const { assessEvidence } = await import('#attestation/index.ts');
    const chunks = [];
    for await (const chunk of process.stdin) chunks.push(chunk);
    const input = JSON.parse(Buffer.concat(chunks).toString());
    const { failure } = assessEvidence(Buffer.from(input.document, 'base64'), {
      ...input, keysetDigest: new Uint8Array(32),
    });
    if (failure !== null) throw failure;
    console.log(performance.now() - start);`;
  const { document, atUnix, root } = simulated();
  const input = JSON.stringify({
    document: Buffer.from(document).toString('base64'),
    atUnix,
    roots: [root],
    policy: simulatedPolicy,
  });
  return Array.from({ length: freshProcesses }, () =>
    Number(
      execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
        input,
        cwd: join(import.meta.dirname, '..'),
      }).toString(),
    ),
  );
}

function simulated(): { document: Uint8Array; atUnix: number; root: ReturnType<typeof createSimulatedPki>['root'] } {
  const atUnix = 1_790_000_000;
  const machine = createSimulatedTdx({ atUnix, pki: createSimulatedPki(new Uint8Array(32).fill(1)), ppid: new Uint8Array(16) });
  return { document: machine.evidence(new Uint8Array(32), new Uint8Array(32)), atUnix, root: machine.root };
}

function realFigures(): Figure[] {
  const folder = join(process.env['STUN_VECTORS'] ?? '', 'intel', realCase);
  if (process.env['STUN_VECTORS'] === undefined || !existsSync(folder)) return [];
  const quote = new Uint8Array(readFileSync(join(folder, 'quote.bin')));
  const collateral = readFileSync(join(folder, 'collateral.json'), 'utf8');
  const atUnix = (JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as { verifyAt: number }).verifyAt;
  const parsedQuote = parseTdxQuote(quote);
  const parsed = parseIntelCollateral(collateral);
  const roots = defaultTrustRoots;
  return [
    summarise(
      'real TDX v4 quote, from bytes',
      'ms',
      timesMs(() => accept(assessTdx({ quote, collateral, atUnix, roots, policy: defaultPolicy }).failure)),
    ),
    summarise(
      'real TDX v4 quote, parsed collateral',
      'ms',
      timesMs(() => void verifyTdx(parsedQuote, parsed, atUnix, roots)),
    ),
  ];
}

/** Runs the benchmark. */
export function run(): Promise<Figure[]> {
  const { document, atUnix, root } = simulated();
  const context = { atUnix, roots: [root], policy: simulatedPolicy, keysetDigest: new Uint8Array(32) };
  const fromBytes = timesMs(() => accept(assessEvidence(document, context).failure));
  return Promise.resolve([
    summarise('evidence document, fresh process with import', 'ms', freshProcessMs()),
    summarise('evidence document, from bytes', 'ms', fromBytes),
    ...realFigures(),
  ]);
}
