/**
 * How long verification takes. TDX: in a fresh process, from bytes, with collateral parsed once and that also for many platforms in turn; a real quote
 * beside @phala/dcap-qvl, sample by sample in the same run. SEV-SNP and a GPU from bytes. And how large the bundle for browsers is. Real evidence when STUN_VECTORS names
 * it, the simulated machine always.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  assessEvidence,
  assessGpu,
  assessSnp,
  assessTdx,
  defaultPolicy,
  defaultTrustRoots,
  parseIntelCollateral,
} from '#attestation/index.ts';
import { createSimulatedPki } from '#attestation/simulated/pki.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { createSimulatedTdx } from '#attestation/simulated/simulated-tdx.ts';
import { fromHex } from '#protocol/bytes.ts';
import { bundleAttestation } from '../scripts/browser/bundle.ts';
import type { Figure } from './figure.ts';
import { summarise } from './figure.ts';
import { peerCollateral, peerVerify } from './peers/dcap-qvl.ts';

const warmUpRuns = 50;
const measuredRuns = 300;
const freshProcesses = 7;
const realQuote = 'intel/tdx-v4-90c06f000000-cbdb5b2f-at-2026-03-31';
const realReport = 'amd/genoa-v5-vcek-7ea4daeb';
const realGpuReport = 'nvidia/hopper-06f60df6';
/** 2025-10-24T12:00:00Z; the chain has no end. */
const gpuAtUnix = 1_761_307_200;

function timesMs(body: () => void): number[] {
  for (let i = 0; i < warmUpRuns; i++) body();
  return Array.from({ length: measuredRuns }, () => {
    const start = performance.now();
    body();
    return performance.now() - start;
  });
}

/**
 * CPU time of this process, user and system, per call: figures that hold beside other load. With several bodies their samples take turns, so that
 * all of them see the same machine.
 */
function cpuTimesMs(bodies: readonly (() => void)[], callsPerSample = 5): number[][] {
  for (const body of bodies) for (let i = 0; i < warmUpRuns; i++) body();
  const samples = bodies.map((): number[] => []);
  for (let round = 0; round < measuredRuns / callsPerSample; round++) {
    bodies.forEach((body, index) => {
      const start = process.cpuUsage();
      for (let i = 0; i < callsPerSample; i++) body();
      const { user, system } = process.cpuUsage(start);
      samples[index]?.push((user + system) / 1000 / callsPerSample);
    });
  }
  return samples;
}

function median(samples: readonly number[]): number {
  return summarise('', '', samples).median;
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

/** The folder of a real case; null without the vectors. */
function realFolder(name: string): string | null {
  const folder = join(process.env['STUN_VECTORS'] ?? '', name);
  return process.env['STUN_VECTORS'] !== undefined && existsSync(folder) ? folder : null;
}

function verifyAtOf(folder: string): number {
  return (JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as { verifyAt: number }).verifyAt;
}

/** A real quote, ours beside the peer's: both from the collateral's JSON text, and both from what each can keep of it. */
function realTdx(): Figure[] {
  const folder = realFolder(realQuote);
  if (folder === null) return [];
  const quote = new Uint8Array(readFileSync(join(folder, 'quote.bin')));
  const text = readFileSync(join(folder, 'collateral.json'), 'utf8');
  const atUnix = verifyAtOf(folder);
  const base = { quote, atUnix, roots: defaultTrustRoots, policy: defaultPolicy };
  const kept = { ours: parseIntelCollateral(text), theirs: peerCollateral(text) };
  const [cold = [], peerCold = [], warm = [], peerWarm = []] = cpuTimesMs([
    () => accept(assessTdx({ ...base, collateral: text }).failure),
    () => peerVerify(quote, peerCollateral(text), atUnix),
    () => accept(assessTdx({ ...base, collateral: kept.ours }).failure),
    () => peerVerify(quote, kept.theirs, atUnix),
  ]);
  return [
    summarise('real TDX v4 quote, from bytes, CPU; beside @phala/dcap-qvl', 'ms', cold, median(peerCold)),
    summarise('real TDX v4 quote, collateral parsed once, CPU; beside @phala/dcap-qvl', 'ms', warm, median(peerWarm)),
    perSecond('real TDX v4 quotes a second and core, collateral parsed once', warm),
  ];
}

/** A real report from bytes: two RSA-PSS and one P-384 signature. The policy refuses it for want of a CRL; all the rest is computed. */
function realSnp(): Figure[] {
  const folder = realFolder(realReport);
  if (folder === null) return [];
  const [report, vek, ask, ark] = ['report.bin', 'vek.der', 'ask.pem', 'ark.pem'].map(
    (name) => new Uint8Array(readFileSync(join(folder, name))),
  ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const base = { report, atUnix: verifyAtOf(folder), roots: defaultTrustRoots, policy: defaultPolicy };
  const [samples = []] = cpuTimesMs([
    () => {
      const { verified, failure } = assessSnp({ ...base, endorsements: { vek, ask, ark, crl: null } });
      if (verified === null) accept(failure);
    },
  ]);
  return [
    summarise('real SEV-SNP v5 report of Genoa, from bytes, CPU', 'ms', samples),
    perSecond('real SEV-SNP reports a second and core', samples),
  ];
}

/** A real GPU report from bytes, without OCSP responses and RIM documents: the signatures of its chain and its own, all P-384. */
function realGpu(): Figure[] {
  const folder = realFolder(realGpuReport);
  if (folder === null) return [];
  const { nonce } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as { nonce: string };
  const input = {
    report: new Uint8Array(readFileSync(join(folder, 'report.bin'))),
    chain: readFileSync(join(folder, 'chain.pem'), 'utf8'),
    ocsp: [],
    ocspAtUnix: null,
    nonce: fromHex(`0x${nonce}`, 32),
    atUnix: gpuAtUnix,
    roots: defaultTrustRoots,
    policy: defaultPolicy,
  };
  const [samples = []] = cpuTimesMs([
    () => {
      const { verified, failure } = assessGpu(input);
      if (verified === null) accept(failure);
    },
  ]);
  return [
    summarise('real GPU report of Hopper, from bytes, CPU', 'ms', samples),
    perSecond('real GPU reports a second and core', samples),
  ];
}

async function bundleSizes(): Promise<Figure[]> {
  const { gzipBytes, gzipBytesWithoutXml } = await bundleAttestation();
  return [
    summarise('bundle for browsers, gzip', 'bytes', [gzipBytes]),
    summarise('bundle for browsers without what reads XML, gzip', 'bytes', [gzipBytesWithoutXml]),
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
  const [samples = []] = cpuTimesMs([next], 16);
  return [perSecond('TDX v4 quotes of 64 platforms a second and core, collateral parsed once', samples)];
}

/** Runs the benchmark. */
export async function run(): Promise<Figure[]> {
  const { document, atUnix, root } = simulated();
  const context = { atUnix, roots: [root], policy: simulatedPolicy, keysetDigest: new Uint8Array(32) };
  const fromBytes = timesMs(() => accept(assessEvidence(document, context).failure));
  return [
    summarise('evidence document, fresh process with import', 'ms', freshProcessMs()),
    summarise('evidence document, from bytes', 'ms', fromBytes),
    ...realTdx(),
    ...manyPlatforms(),
    ...realSnp(),
    ...realGpu(),
    ...(await bundleSizes()),
  ];
}
