/**
 * How long the verification of TDX evidence takes: in a fresh process, from bytes, and with collateral parsed once, that also for many platforms in turn.
 * Real quotes when STUN_VECTORS names them, the simulated machine always.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assessEvidence, assessTdx, defaultPolicy, defaultTrustRoots, parseIntelCollateral } from '#attestation/index.ts';
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

/** CPU time of this process, user and system, per call: figures that hold beside other load. */
function cpuTimesMs(body: () => void, callsPerSample = 5): number[] {
  for (let i = 0; i < warmUpRuns; i++) body();
  return Array.from({ length: Math.ceil(measuredRuns / callsPerSample) }, () => {
    const start = process.cpuUsage();
    for (let i = 0; i < callsPerSample; i++) body();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000 / callsPerSample;
  });
}

/** How many calls of a time one core makes in a second. */
function perSecond(name: string, samplesMs: readonly number[]): Figure {
  return summarise(
    name,
    '1/s',
    samplesMs.map((ms) => 1000 / ms),
    null,
    'higher',
  );
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
  const parsed = parseIntelCollateral(collateral);
  const base = { quote, atUnix, roots: defaultTrustRoots, policy: defaultPolicy };
  const cold = cpuTimesMs(() => accept(assessTdx({ ...base, collateral }).failure));
  const warm = cpuTimesMs(() => accept(assessTdx({ ...base, collateral: parsed }).failure));
  return [
    summarise('real TDX v4 quote, from bytes, CPU', 'ms', cold),
    summarise('real TDX v4 quote, collateral parsed once, CPU', 'ms', warm),
    perSecond('real TDX v4 quotes a second and core, collateral parsed once', warm),
  ];
}

/** Quotes of many platforms in turn, more than there are kept keys: each brings a PCK key and an attestation key of its own. */
function manyPlatforms(): Figure[] {
  const atUnix = 1_790_000_000;
  const pki = createSimulatedPki(new Uint8Array(32).fill(1));
  const machines = Array.from({ length: 64 }, (_, i) => createSimulatedTdx({ atUnix, pki, ppid: new Uint8Array(16).fill(i) }));
  const quotes = machines.map((machine) => machine.quote(new Uint8Array(64)));
  const collateral = parseIntelCollateral(machines[0]?.collateral ?? '');
  let turn = 0;
  const next = (): void => {
    const quote = quotes[turn++ % quotes.length] ?? new Uint8Array(0);
    accept(assessTdx({ quote, collateral, atUnix, roots: [pki.root], policy: simulatedPolicy }).failure);
  };
  return [perSecond('TDX v4 quotes of 64 platforms a second and core, collateral parsed once', cpuTimesMs(next, 16))];
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
    ...manyPlatforms(),
  ]);
}
