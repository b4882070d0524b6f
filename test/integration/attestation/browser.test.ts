/** The bundle of attestation in headless Chromium, beside Node: the same cases, and every field of every verdict the same. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { defaultPolicy, defaultTrustRoots } from '#attestation/index.ts';
import { sampleCases } from '#test/depth.ts';
import { earNegativeVectors } from '#test/negative/attestation/ear-negative-vectors.ts';
import { gpuNegativeVectors } from '#test/negative/attestation/gpu-negative-vectors.ts';
import { negativeVectors } from '#test/negative/attestation/negative-vectors.ts';
import { nrasNegativeVectors } from '#test/negative/attestation/nras-negative-vectors.ts';
import { rimNegativeVectors } from '#test/negative/attestation/rim-negative-vectors.ts';
import { sgxVectors } from '#test/negative/attestation/sgx-vectors.ts';
import { snpNegativeVectors } from '#test/negative/attestation/snp-negative-vectors.ts';
import { assessEarWith } from '#test/unit/attestation/ear-fixture.ts';
import { inputsOf } from '#test/unit/attestation/observed-inputs.ts';
import { assessNrasWith } from '#test/unit/attestation/nras-fixture.ts';
import { assessRimsWith } from '#test/unit/attestation/rim-fixture.ts';
import { assessSgxWith } from '#test/unit/attestation/sgx-fixture.ts';
import { assessGpuWith } from '#test/unit/attestation/gpu-fixture.ts';
import { gpuCases } from '#test/unit/attestation/gpu-vector-cases.ts';
import { assessWith, flipped } from '#test/unit/attestation/simulated-fixture.ts';
import { assessSnpMachine, assessSnpWith } from '#test/unit/attestation/snp-fixture.ts';
import { amdCases } from '#test/unit/attestation/snp-vector-cases.ts';
import { intelCases } from '#test/unit/attestation/vector-cases.ts';
import type { IntelCase } from '#test/unit/attestation/vector-cases.ts';
import { bundleAttestation, bundleTokens } from '../../../scripts/browser/bundle.ts';
import { serve, startChromium } from './chromium.ts';
import { encodeCase, runCases } from './run-cases.ts';

const real = { roots: defaultTrustRoots, policy: defaultPolicy };

/** Real quotes at their time; a sample of them on both sides of their window's ends, and with a byte of the signed body changed. */
function intelInputs(): string[] {
  const vectors = intelCases('');
  const encode = ({ name, quote, collateral, verifyAt }: IntelCase, changes: object = {}): string =>
    encodeCase(name.startsWith('tdx-') ? 'assessTdx' : 'assessSgx', { ...real, quote, collateral, atUnix: verifyAt, ...changes });
  const changed = vectors.flatMap((vector) => [
    ...vector.window.flatMap((end) => [end - 1, end, end + 1]).map((atUnix) => encode(vector, { atUnix })),
    encode(vector, { quote: flipped(vector.quote, 200) }),
  ]);
  return [...vectors.map((vector) => encode(vector)), ...(changed.length === 0 ? [] : sampleCases(changed, 24))];
}

/** Real reports, as they are and with a byte of the measurement changed. */
function amdInputs(): string[] {
  return amdCases().flatMap(({ report, endorsements, verifyAt }) =>
    [report, flipped(report, 0x90)].map((bytes) =>
      encodeCase('assessSnp', { ...real, report: bytes, endorsements, atUnix: verifyAt }),
    ),
  );
}

/** Real GPU reports: a sample, as they are with their OCSP responses, and with a byte of the first measurement changed; all that have RIMs. */
function gpuInputs(): string[] {
  const vectors = gpuCases();
  const withRims: string[] = [];
  const inputs = vectors.flatMap(({ folder, report, chain, nonce }) => {
    const files = (wanted: RegExp): Uint8Array[] =>
      readdirSync(folder)
        .filter((name) => wanted.test(name))
        .map((name) => new Uint8Array(readFileSync(join(folder, name))));
    const ocsp = files(/^ocsp-/);
    const rims = files(/-rim.*\.xml$/);
    // 2025-10-24T12:00:00Z: the chains have no end, and no case names a time for report and chain.
    const start = { ...real, chain, ocsp, ocspAtUnix: null, nonce, atUnix: 1_761_307_200 };
    if (rims.length > 0) withRims.push(encodeCase('assessGpu', { ...start, report, rims, rimAtUnix: start.atUnix }));
    return [report, flipped(report, 60)].map((bytes) => encodeCase('assessGpu', { ...start, report: bytes }));
  });
  return inputs.length === 0 ? [] : [...withRims, ...sampleCases(inputs, 16)];
}

/** What is accepted, and a sample of negative vectors of each kind. */
function inputsFrom(
  accepted: readonly (() => unknown)[],
  refused: readonly (readonly { readonly run: () => unknown }[])[],
): string[] {
  const sampled = refused.flatMap((vectors) => sampleCases(vectors, 12).map((vector) => vector.run));
  return [...accepted, ...sampled].flatMap((run) => inputsOf(run)).map(({ call, input }) => encodeCase(call, input));
}

function simulatedInputs(): string[] {
  return inputsFrom(
    [
      () => assessWith({}),
      () => assessSgxWith({}),
      () => assessSnpWith({}),
      () => assessSnpMachine({ product: 'Turin' }),
      () => assessGpuWith({}),
      () => assessRimsWith({}),
    ],
    [negativeVectors, sgxVectors, snpNegativeVectors, gpuNegativeVectors, rimNegativeVectors],
  );
}

function tokenInputs(): string[] {
  return inputsFrom([() => assessEarWith({}), () => assessNrasWith({})], [earNegativeVectors, nrasNegativeVectors]);
}

describe('attestation in a browser', function () {
  this.timeout(120_000);
  let browser: Browser | null = null;
  let server: Server;
  let page: Page;
  const evidence = '/attestation.js';
  const tokens = '/tokens.js';
  const asked: string[] = [];
  const complaints: string[] = [];

  before(async function () {
    browser = await startChromium();
    if (browser === null) return this.skip();
    const { code } = await bundleAttestation();
    const served = await serve({
      '/': ['text/html; charset=utf-8', '<!doctype html><title>attestation</title>'],
      [evidence]: ['text/javascript; charset=utf-8', code],
      [tokens]: ['text/javascript; charset=utf-8', (await bundleTokens()).code],
    });
    server = served.server;
    page = await browser.newPage();
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${served.origin}/`);
  });

  after(async () => {
    await browser?.close();
    server?.close();
  });

  for (const [what, inputs, build] of [
    ['real quotes of Intel hardware', intelInputs, evidence],
    ['real SEV-SNP reports', amdInputs, evidence],
    ['real GPU reports', gpuInputs, evidence],
    ['simulated evidence and negative vectors', simulatedInputs, evidence],
    ["results of verifiers, answers of NVIDIA's service", tokenInputs, tokens],
  ] as const) {
    it(`gives the verdicts of Node, field by field: ${what}`, async function () {
      const cases = inputs();
      if (cases.length === 0) return this.skip();
      const here = await runCases({ build: '#attestation/index.ts', cases });
      const there = await page.evaluate(runCases, { build, cases });
      assert.equal(there.length, cases.length);
      there.forEach((verdict, i) => assert.deepEqual(JSON.parse(verdict), JSON.parse(here[i] ?? '')));
      const accepted = here.filter((verdict) => (JSON.parse(verdict) as { failure: unknown }).failure === null).length;
      console.log(`      ${cases.length} verdicts, ${accepted} of them acceptances`);
    });
  }

  it('asks for the page and the bundles alone, and nothing was refused or complained of', () => {
    assert.deepEqual(asked, ['/', evidence, tokens]);
    assert.deepEqual(complaints, []);
  });
});
