/** The auditor's page in headless Chromium, opened from a file: evidence in, one line and every check out, and no connection. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { defaultPolicy, defaultTrustRoots, assessTdx, reportOf } from '#attestation/index.ts';
import { acceptedCollateral, acceptedQuote, atUnix } from '#test/unit/attestation/simulated-fixture.ts';
import { acceptedEndorsements, acceptedReport } from '#test/unit/attestation/snp-fixture.ts';
import { intelCases } from '#test/unit/attestation/vector-cases.ts';
import { verifyPage } from '../../../scripts/browser/verify-page.ts';
import { startChromium } from './chromium.ts';

type Upload = { name: string; mimeType: string; buffer: Buffer };
const file = (name: string, content: Uint8Array | string): Upload => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: Buffer.from(content),
});
const inputTime = (unix: number): string => new Date(unix * 1000).toISOString().slice(0, 19);

describe('the page that verifies evidence', function () {
  this.timeout(60_000);
  let browser: Browser | null = null;
  let page: Page;
  let folder: string;
  const asked: string[] = [];
  const complaints: string[] = [];

  before(async function () {
    browser = await startChromium();
    if (browser === null) return this.skip();
    folder = mkdtempSync(join(tmpdir(), 'stun-page-'));
    const path = join(folder, 'verify.html');
    writeFileSync(path, await verifyPage());
    page = await browser.newPage();
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(pathToFileURL(path).href);
  });

  after(async () => {
    await browser?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  /** What the page says of files: its line, and its report. */
  async function answer(time: number, ...files: readonly Upload[]): Promise<{ line: string; report: unknown }> {
    await page.locator('#files').setInputFiles([]);
    await page.locator('#time').fill(inputTime(time));
    await page.evaluate("document.querySelector('#report').textContent = ''");
    await page.locator('#files').setInputFiles([...files]);
    await page.locator('#report:not(:empty)').waitFor({ state: 'attached' });
    const text = await page.locator('#report').textContent();
    return { line: (await page.locator('#verdict').textContent()) ?? '', report: JSON.parse(text ?? '') };
  }

  it('refuses simulated hardware, says why and what to do, and shows each check', async () => {
    const { line, report } = await answer(
      atUnix,
      file('quote.bin', acceptedQuote),
      file('collateral.json', JSON.stringify(acceptedCollateral)),
    );
    assert.match(line, /^refused with STUN_ROOT_UNTRUSTED at pck-chain: .*\. \S/);
    const input = {
      quote: acceptedQuote,
      collateral: acceptedCollateral,
      atUnix,
      roots: defaultTrustRoots,
      policy: defaultPolicy,
    };
    const { verified, checks, failure } = assessTdx(input);
    assert.deepEqual(report, reportOf('tdx', verified, checks, failure));
    assert.equal(await page.locator('#checks tr').count(), checks.length);
    assert.equal(await page.locator('#checks tr.refuted').count(), 1);
  });

  it('takes a report with its certificates, and says which is missing', async () => {
    const { vek, ask, ark } = acceptedEndorsements;
    const report = file('report.bin', acceptedReport);
    const whole = await answer(atUnix, report, file('vek.der', vek), file('ask.der', ask), file('ark.der', ark));
    assert.match(whole.line, /^refused with STUN_ROOT_UNTRUSTED at /);
    const partly = await answer(atUnix, report, file('vek.der', vek), file('ark.der', ark));
    assert.match(partly.line, /^refused with STUN_INPUT: .* begins with ask /);
  });

  it('refuses what is no evidence', async () => {
    assert.match((await answer(atUnix, file('x.json', '{"version":1}'))).line, /^refused with STUN_EVIDENCE_FORMAT/);
    assert.match((await answer(atUnix, file('<b>.bin', 'nothing'))).line, /^refused with /);
  });

  it('accepts a real quote', async function () {
    const [vector] = intelCases('tdx-v4-90c06f000000-cbdb5b2f-at-2026-03-31');
    if (vector === undefined) return this.skip();
    const { line } = await answer(vector.verifyAt, file('q', vector.quote), file('collateral.json', vector.collateral));
    assert.match(line, /^accepted: \d+ checks proven/);
  });

  it('asks for nothing but itself, and nothing was refused or complained of', () => {
    assert.equal(asked.length, 1);
    assert.deepEqual(complaints, []);
  });
});
