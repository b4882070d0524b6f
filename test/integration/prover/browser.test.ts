/**
 * A customer's browser proves its own inference: the witness of a compiled model, the proof by WebAssembly and its verification, in a worker
 * of headless Chromium, from the files that `npm run build:browser` writes. Node then verifies what came out.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import type { CompiledFolder } from '#circuits/model/folder.ts';
import { commitIntegers } from '#protocol/index.ts';
import type { MadeProof } from '#prover/backend.ts';
import { verifyGroth16 } from '#prover/verify-groth16.ts';
import { WASM_ENGINES } from '#prover/wasm-backend.ts';
import { loadWasmModules } from '#prover/wasm-modules.ts';
import { serve, startChromium } from '#test/integration/attestation/chromium.ts';
import { compiledFixture } from '#test/unit/worker/compiled-fixture.ts';
import { bundleProver } from '../../../scripts/browser/bundle.ts';

/** Scripts, workers and files of this origin, and WebAssembly; nothing else. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";
const INPUT = [9, 200, 0, 77];
const BLINDINGS = [12345678901234567890n, 2n ** 250n + 7n] as const;

/** What a page's worker does; big integers travel in decimal. */
const WORKER = `
import { InferenceCircuit, verifyGroth16, wasmBackend } from './prover.js';
const bytesOf = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
onmessage = async ({ data: { engines, program, verificationKey, input, blindings, signals } }) => {
  try {
    const modules = {};
    for (const name of engines) modules[name] = await bytesOf('./' + name + '.wasm');
    const backend = wasmBackend(modules);
    const [inputBlinding, outputBlinding] = blindings.map(BigInt);
    const witness = new InferenceCircuit(program).witness({ input, inputBlinding, outputBlinding });
    const made = await backend.prove(await bytesOf('./circuit.zkey'), witness, { threads: 1, memoryLimitMb: 256 });
    verifyGroth16(verificationKey, made, signals.map(BigInt));
    postMessage({ engine: backend.engine, made: { ...made, signals: made.signals.map(String) } });
  } catch (error) {
    postMessage({ code: String(error.code ?? error) });
  }
};`;

type Answer =
  | { readonly engine: string; readonly made: Omit<MadeProof, 'signals'> & { readonly signals: readonly string[] } }
  | { readonly code: string };

describe('prover: in a browser', function () {
  this.timeout(120_000);
  let browser: Browser | null = null;
  let server: Server;
  let page: Page;
  let folder: CompiledFolder;
  let signals: readonly bigint[];
  const complaints: string[] = [];

  before(async function () {
    browser = await startChromium();
    if (browser === null) return this.skip();
    folder = await compiledFixture();
    signals = [
      commitIntegers(folder.model.input, INPUT, BLINDINGS[0]),
      commitIntegers(folder.model.output, folder.run(INPUT), BLINDINGS[1]),
    ];
    const script = 'text/javascript; charset=utf-8';
    const { code, imports } = await bundleProver();
    assert.deepEqual(imports, []);
    const modules = Object.entries(loadWasmModules()).map(
      ([name, bytes]) => [`/${name}.wasm`, ['application/wasm', bytes]] as const,
    );
    const files = {
      '/': ['text/html; charset=utf-8', '<!doctype html><title>prover</title>'],
      '/prover.js': [script, code],
      '/worker.js': [script, WORKER],
      '/circuit.zkey': ['application/octet-stream', readFileSync(folder.zkeyPath)],
      ...Object.fromEntries(modules),
    } as const;
    const served = await serve(files, POLICY);
    server = served.server;
    page = await browser.newPage();
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${served.origin}/`);
  });

  after(async () => {
    await browser?.close();
    server?.close();
  });

  /** Proves in a worker of the page. */
  function prove(engines: readonly string[], expected: readonly bigint[]): Promise<Answer> {
    const task = {
      engines,
      program: folder.program,
      verificationKey: folder.verificationKey,
      input: INPUT,
      blindings: BLINDINGS.map(String),
      signals: expected.map(String),
    };
    return page.evaluate(`new Promise((resolve, reject) => {
      const worker = new Worker('./worker.js', { type: 'module' });
      worker.onmessage = ({ data }) => { worker.terminate(); resolve(data); };
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage(${JSON.stringify(task)});
    })`);
  }

  for (const engines of [WASM_ENGINES, ['portable']]) {
    it(`proves an inference with the modules ${engines.join(' and ')}`, async () => {
      const answer = await prove(engines, signals);
      assert.ok('made' in answer, JSON.stringify(answer));
      assert.ok(engines.some((name) => name === answer.engine));
      assert.deepEqual(answer.made.signals, signals.map(String));
      verifyGroth16(folder.verificationKey, answer.made, signals);
    });
  }

  it('does not pass the proof off as one of another result', async () => {
    const other = commitIntegers(
      folder.model.output,
      folder.run(INPUT).map((value) => value + 1),
      BLINDINGS[1],
    );
    assert.deepEqual(await prove(WASM_ENGINES, [signals[0]!, other]), { code: 'STUN_PROOF_INVALID' });
  });

  it('complains of nothing', () => assert.deepEqual(complaints, []));
});
