/** A customer shows one thing of an old output: `stun receipt disclose`, and everyone who may verify it: offline, in a browser, on chain. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Interface } from 'ethers';
import { network } from 'hardhat';
import { solidityVerifier } from '#circuits/build/solidity-verifier.ts';
import { verificationKeyBytes, vkHashOf } from '#circuits/build/verification-key.ts';
import { compileVerifier } from '#circuits/ceremony/compile-verifier.ts';
import { makeDisclosureKeys, type DisclosureKeys } from '#circuits/model/disclosure/disclosure-key.ts';
import { settlementOfReceipt, type AuditedBundle, type Disclosure } from '#client/index.ts';
import { verifyDisclosure } from '#client/disclosure.ts';
import {
  DISCLOSURE_SIGNALS,
  disclosureSignals,
  exitCodeOf,
  fieldToHex,
  FIELD_ORDER,
  receiptHashOf,
  type ErrorCode,
} from '#protocol/index.ts';
import { sampleCases } from '#test/depth.ts';
import { serve, startChromium } from '#test/integration/attestation/chromium.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import { makeCompiledReceipt, type CompiledReceipt } from '#test/unit/client/compiled-receipt.ts';
import { compiledFixture } from '#test/unit/worker/compiled-fixture.ts';
import { bundleDisclosure } from '../../../scripts/browser/bundle.ts';
import { runCli } from './run-cli.ts';

const INPUT = [9, 200, 0, 77];

/** A page that answers with the statement in words, or with the code of the refusal. */
const BROWSER_PAGE = `
import { disclosureInWords, verifyDisclosure } from './disclosure.js';
window.say = (document, key) => {
  try {
    const { tensor, statement } = verifyDisclosure(document, Uint8Array.from(key));
    return disclosureInWords(tensor, statement);
  } catch (error) {
    return String(error.code ?? error);
  }
};`;

describe('cli: a disclosure from a receipt', function () {
  this.timeout(300_000);
  let folder: string;
  let made: CompiledReceipt;
  let env: Record<string, string>;
  let receiptPath: string;
  let disclosure: Disclosure;
  let keys: DisclosureKeys;
  let keyBytes: Uint8Array;

  async function stun(args: readonly string[], code?: ErrorCode): Promise<Record<string, unknown>> {
    const run = await runCli([...args, '--json'], env);
    assert.equal(run.exitCode, code === undefined ? 0 : exitCodeOf(code), run.stderr);
    if (code !== undefined) assert.ok((run.stdout + run.stderr).includes(code), run.stderr);
    return code === undefined ? (JSON.parse(run.stdout) as Record<string, unknown>) : {};
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-disclose-'));
    const model = await compiledFixture();
    made = await makeCompiledReceipt(model, INPUT);
    receiptPath = join(folder, 'receipt.json');
    await writeFile(receiptPath, JSON.stringify(made.file));
    const trustRoot = join(folder, 'root.json');
    await writeFile(trustRoot, JSON.stringify(made.pki.root));
    env = { STUN_TRUST_ROOT: trustRoot, STUN_HOME: join(folder, 'home') };
    keys = await makeDisclosureKeys(model.model.output.shape, () => {});
    keyBytes = verificationKeyBytes(keys.verificationKey);
    const out = join(folder, 'disclosure.json');
    await stun(['receipt', 'disclose', receiptPath, '--out', out, '--output-index', '0', `--ge=${made.output[0]! - 1}`]);
    disclosure = JSON.parse(await readFile(out, 'utf8')) as Disclosure;
  });

  after(async () => {
    await rm(folder, { recursive: true });
  });

  it('shows what is true, verifies it offline, and says that nothing shows it to be settled', async () => {
    const shown = await stun(['receipt', 'verify-disclosure', join(folder, 'disclosure.json')]);
    assert.equal(shown['words'], `element 0 of the output is at least ${made.output[0]! - 1}`);
    assert.equal(shown['receiptHash'], fieldToHex(receiptHashOf(made.receipt)));
    assert.equal(shown['setup'], 'development');
    assert.match((shown['settlement'] as { state: string }).state, /^not shown/);
  });

  it('holds neither input nor output nor blindings', () => {
    const text = JSON.stringify(disclosure);
    const { input, output, sealedResult } = made.file;
    for (const secret of [input.payload, input.blinding, output.payload, output.blinding, sealedResult])
      assert.ok(!text.includes(secret.slice(2)));
    const fields = ['escrow', 'format', 'keyset', 'proof', 'receipt', 'receiptSignature', 'statement', 'tensor', 'vkHash'];
    assert.deepEqual(Object.keys(disclosure).toSorted(), fields);
  });

  const index = ['--output-index', '0'];
  const refusals: readonly (readonly [what: string, args: () => readonly string[], code: ErrorCode])[] = [
    ['what is not true', () => [...index, `--ge=${made.output[0]! + 1}`], 'STUN_DISCLOSURE_FALSE'],
    ['a maximum that is none', () => ['--argmax-is', made.output[0]! < made.output[1]! ? '0' : '1'], 'STUN_DISCLOSURE_FALSE'],
    ['an element past the end', () => ['--output-index', '2', '--eq', '0'], 'STUN_INPUT'],
    ['no bound', () => index, 'STUN_INPUT'],
    ['two statements', () => [...index, '--eq', '0', '--ge', '0'], 'STUN_INPUT'],
    ['no element', () => ['--eq', '0'], 'STUN_INPUT'],
    ['a bound outside the type', () => [...index, '--le', '2147483648'], 'STUN_INPUT'],
  ];
  for (const [what, args, code] of sampleCases(refusals, 3)) {
    it(`proves nothing for ${what}`, async () => {
      await stun(['receipt', 'disclose', receiptPath, '--out', join(folder, 'none.json'), ...args()], code);
      await assert.rejects(readFile(join(folder, 'none.json')));
    });
  }

  it('proves nothing of a job that was not served', async () => {
    const failed = await makeCompiledReceipt(await compiledFixture(), INPUT, 'failed');
    const path = join(folder, 'failed.json');
    await writeFile(path, JSON.stringify(failed.file));
    env = { ...env, STUN_TRUST_ROOT: join(folder, 'failed-root.json') };
    await writeFile(env['STUN_TRUST_ROOT']!, JSON.stringify(failed.pki.root));
    const args = ['receipt', 'disclose', path, '--out', join(folder, 'none.json'), ...index, '--eq', '0'];
    await stun(args, 'STUN_DISCLOSURE_RECEIPT');
  });

  it('refuses a disclosure in which one thing is changed', async () => {
    const { statement } = disclosure;
    assert.ok(statement.kind === 'in-range');
    const other = await makeCompiledReceipt(await compiledFixture(), [0, 0, 0, 0]);
    const refuses = (change: Partial<Disclosure>, code: ErrorCode): void =>
      throwsCode(() => verifyDisclosure({ ...disclosure, ...change }, keyBytes), code);
    assert.equal(verifyDisclosure(disclosure, keyBytes).statement.index, 0);
    refuses({ statement: { ...statement, index: 1 } }, 'STUN_PROOF_INVALID');
    refuses({ statement: { ...statement, low: statement.low + 1 } }, 'STUN_PROOF_INVALID');
    refuses({ statement: { ...statement, high: statement.high - 1 } }, 'STUN_PROOF_INVALID');
    refuses({ statement: { kind: 'argmax-is', index: 0 } }, 'STUN_PROOF_INVALID');
    refuses({ statement: { ...statement, index: 2 } }, 'STUN_INPUT');
    const otherRecord = other.file.record;
    refuses({ receipt: otherRecord.receipt }, 'STUN_SIGNATURE');
    refuses({ receipt: otherRecord.receipt, receiptSignature: otherRecord.receiptSignature }, 'STUN_SIGNATURE');
    refuses(
      { receipt: otherRecord.receipt, receiptSignature: otherRecord.receiptSignature, keyset: other.file.keyset },
      'STUN_PROOF_INVALID',
    );
    refuses({ escrow: `0x${'11'.repeat(20)}` }, 'STUN_SIGNATURE');
    refuses({ tensor: { ...disclosure.tensor, dtype: 'uint8' } }, 'STUN_INPUT');
    refuses({ vkHash: `0x${'22'.repeat(32)}` }, 'STUN_PROOF_INVALID');
    const [a0, a1] = disclosure.proof.a;
    refuses({ proof: { ...disclosure.proof, a: [a1, a0] } }, 'STUN_PROOF_INVALID');
    const anotherShape = verificationKeyBytes({ ...keys.verificationKey, IC: keys.verificationKey.IC.slice(0, 5) });
    throwsCode(() => verifyDisclosure(disclosure, anotherShape), 'STUN_PROOF_INVALID');
  });

  it('is verified by a contract, for this statement alone', async () => {
    const source = solidityVerifier(keys.verificationKey, {
      contract: 'DisclosureVerifier',
      circuit: 'a disclosure of two 32-bit integers',
      signals: DISCLOSURE_SIGNALS,
      sourceHash: 'test',
      setup: keys.setup,
    });
    const compiled = await compileVerifier('DisclosureVerifier', source);
    const abi = new Interface(JSON.stringify(compiled.abi));
    const { provider } = await network.connect();
    const [from] = (await provider.request({ method: 'eth_accounts' })) as [string];
    const deploy = { from, data: compiled.bytecode, gas: '0xf00000' };
    const hash = await provider.request({ method: 'eth_sendTransaction', params: [deploy] });
    const { contractAddress: to } = (await provider.request({ method: 'eth_getTransactionReceipt', params: [hash] })) as {
      contractAddress: string;
    };
    const ask = async (name: string, args: readonly unknown[] = []): Promise<unknown> => {
      const call = { from, to, data: abi.encodeFunctionData(name, args), gas: '0xf00000' };
      const answer = (await provider.request({ method: 'eth_call', params: [call] })) as string;
      return abi.decodeFunctionResult(name, answer)[0];
    };
    const signals = disclosureSignals(disclosure.tensor, made.receipt.outputCommitment, disclosure.statement);
    const { a, b, c } = disclosure.proof;
    assert.equal(await ask('verifyProof', [a, b, c, signals]), true);
    assert.equal(await ask('DEVELOPMENT'), true);
    assert.equal(await ask('VK_HASH'), vkHashOf(keys.verificationKey));
    for (const i of signals.keys()) {
      for (const by of [1n, FIELD_ORDER]) {
        const changed = signals.map((signal, j) => (i === j ? signal + by : signal));
        assert.equal(await ask('verifyProof', [a, b, c, changed]), false, `${DISCLOSURE_SIGNALS[i]} plus ${by}`);
      }
    }
  });

  it('is verified in a browser, by a module that imports nothing', async function () {
    const { code, imports } = await bundleDisclosure();
    assert.deepEqual(imports, []);
    const browser = await startChromium();
    if (browser === null) return this.skip();
    const script = 'text/javascript; charset=utf-8';
    const { origin, server } = await serve({
      '/': ['text/html; charset=utf-8', '<!doctype html><title>disclosure</title><script type="module" src="/page.js"></script>'],
      '/page.js': [script, BROWSER_PAGE],
      '/disclosure.js': [script, code],
    });
    try {
      const page = await browser.newPage();
      await page.goto(`${origin}/`);
      const ask = (document: unknown): Promise<string> =>
        page.evaluate(`window.say(${JSON.stringify(document)}, ${JSON.stringify([...keyBytes])})`);
      assert.equal(await ask(disclosure), `element 0 of the output is at least ${made.output[0]! - 1}`);
      assert.equal(await ask({ ...disclosure, statement: { kind: 'argmax-is', index: 0 } }), 'STUN_PROOF_INVALID');
    } finally {
      await browser.close();
      server.close();
    }
    return undefined;
  });

  it('says how far a bundle shows its receipt to be settled', () => {
    const hash = fieldToHex(receiptHashOf(made.receipt));
    const transactionHash = `0x${'33'.repeat(32)}` as const;
    const audited = (segment: object | undefined): AuditedBundle =>
      ({ segments: [undefined, segment && { receipts: [made.receipt], ...segment }] }) as unknown as AuditedBundle;
    assert.deepEqual(settlementOfReceipt(undefined, hash), { state: 'not in the bundle' });
    assert.deepEqual(settlementOfReceipt(audited(undefined), hash), { state: 'not in the bundle' });
    assert.deepEqual(settlementOfReceipt(audited({ proven: false, transactionHash }), hash), { state: 'receipted' });
    assert.deepEqual(settlementOfReceipt(audited({ proven: true }), hash), { state: 'proven' });
    const settled = settlementOfReceipt(audited({ proven: true, transactionHash }), hash);
    assert.deepEqual(settled, { state: 'settlement signed', transactionHash });
    assert.deepEqual(settlementOfReceipt(audited({ proven: true, transactionHash }), fieldToHex(1n)), {
      state: 'not in the bundle',
    });
  });
});
