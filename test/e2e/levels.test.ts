/**
 * The levels above attested with every part a process of its own: one order proven, one challenged and answered by the service, one whose worker
 * lies. Then what an auditor sees, and what the court refuses whoever comes too late, with too little, or with another pair's proof.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { contractsOf } from '#chain/deployment.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import { ensureCircuit } from '#circuits/manifest.ts';
import { verificationKeyBytes } from '#circuits/build/verification-key.ts';
import { compileStage, levelStages, settledBatch, type CompiledDemoModel, type LevelOrders } from '#cli/demo/level-stages.ts';
import { environmentOf } from '#cli/demo/next-steps.ts';
import { Stages } from '#cli/demo/stages.ts';
import { proofToChain } from '#chain/proof-forms.ts';
import type { Child } from '#cli/stack/child.ts';
import { ACCOUNT, addressOf, createLocalStack, type LocalStack } from '#cli/stack/local-stack.ts';
import {
  connectClient,
  encodeInputs,
  exportAuditBundle,
  fetchResult,
  inferenceProofOf,
  openOrder,
  receiptFileOf,
  submitJobs,
  verifyAuditBundle,
  verifyReceiptFile,
  type AuditBundle,
  type ClientConnection,
  type JobResult,
} from '#client/index.ts';
import { fieldToHex, tensorIntegers } from '#protocol/index.ts';
import { defaultTrustRoots } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { runCli } from '#test/integration/cli/run-cli.ts';
import { copyMigratedStore } from '#test/integration/service/kept-store.ts';
import { changed, leavesOf, withChange, type JsonValue } from '#test/integration/client/document-leaves.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';
import { compiledFixture } from '#test/unit/worker/compiled-fixture.ts';

const silent = new Writable({ write: (_chunk, _encoding, done) => done() }) as unknown as NodeJS.WriteStream;
const ETHER = 10n ** 18n;
const PASSPHRASE = 'levels above attested';

describe('orders above attested, end to end', function () {
  this.timeout(900_000);
  let directory: string;
  let stack: LocalStack;
  let service: Child;
  let client: ClientConnection;
  let compiled: CompiledDemoModel;
  let levels: LevelOrders;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'stun-levels-'));
    const stages = new Stages(new AbortController().signal, silent);
    compiled = await compileStage(stages, join(directory, 'model'));
    const compiledModel = compiled.directory;
    const database = await copyMigratedStore(join(directory, 'service-db'));
    stack = await createLocalStack({ directory, database, price: 700n, segmentIdleMs: 8000, compiledModel });
    await stack.startAttestors();
    service = await stack.startService();
    await stack.startWorker('worker');
    client = await connectClient({
      home: join(directory, 'client'),
      passphrase: PASSPHRASE,
      deployment: stack.deployment,
      rpcUrl: stack.chain.url,
      serviceUrl: stack.serviceUrl,
      privateKey: stack.chain.accounts[ACCOUNT.customer]!.privateKey,
      extraRoots: [stack.trustRoot],
    });
    levels = await levelStages(stages, stack, client, compiled);
  });
  after(async () => {
    client?.close();
    await stack?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const roots = () => [...defaultTrustRoots, stack.trustRoot];

  async function bundleOf(): Promise<AuditBundle> {
    const { n, verificationKey } = await ensureCircuit('settlement-proven-16');
    const key = { maxJobs: n, key: verificationKeyBytes(verificationKey) };
    return exportAuditBundle(client, levels.proven, { open: 'all' }, () => Promise.resolve(key));
  }

  async function stun(args: readonly string[], account: number = ACCOUNT.customer): Promise<Record<string, unknown>> {
    const key = { STUN_PRIVATE_KEY: stack.chain.accounts[account]!.privateKey };
    const run = await runCli([...args, '--json'], { ...environmentOf(stack, PASSPHRASE), ...key });
    assert.equal(run.exitCode, 0, `stun ${args.join(' ')}: ${run.stdout}${run.stderr}`);
    return JSON.parse(run.stdout) as Record<string, unknown>;
  }

  async function provenPlan() {
    return {
      modelId: compiled.publicModel.model.modelId,
      policy: simulatedPolicy,
      budgets: [{ provider: addressOf(stack, ACCOUNT.provider), amount: ETHER }],
      token: NATIVE_TOKEN,
      deadlineUnix: (await stack.chain.nowUnix()) + 7 * 86_400,
      graceSeconds: 86_400,
      segmentLength: 4,
      priceScale: 1n,
      level: { assurance: 'proven' } as const,
    };
  }

  /** A served job of a proven order whose segment is not full, so that the service waits with it. @returns its order */
  async function unsettledJob(): Promise<string> {
    const { publicModel, rows } = compiled;
    const { order } = await openOrder(client, { ...(await provenPlan()), publicModel });
    const { name, dtype, dims } = publicModel.model.input;
    const payload = encodeInputs([{ name, dtype, dims, data: Uint8Array.from(rows[0]!) }]);
    const [job] = await submitJobs(client, order, [{ payload, maxPrice: 900n }]);
    await fetchResult(client, job!.jobId, { timeoutMs: 120_000 });
    return order.orderKey;
  }

  async function refuses(args: readonly string[], code: string, account: number = ACCOUNT.customer): Promise<void> {
    const key = { STUN_PRIVATE_KEY: stack.chain.accounts[account]!.privateKey };
    const run = await runCli([...args, '--json'], { ...environmentOf(stack, PASSPHRASE), ...key });
    assert.notEqual(run.exitCode, 0, `stun ${args.join(' ')} was expected to fail with ${code}`);
    assert.match(`${run.stdout}${run.stderr}`, new RegExp(`\\b${code}\\b`));
  }

  /** The worker's own bundle of the one segment of an order, as soon as it has all proofs. */
  async function bundleFor(orderKey: string): Promise<string> {
    for (let attempt = 0; attempt < 60; attempt++) {
      const folder = mkdtempSync(join(directory, 'bundles-'));
      const exported = await stun(['bundles', '--store', join(directory, 'worker.sqlite'), '--out', folder], ACCOUNT.provider);
      const paths = (exported['bundles'] as { path: string; orderKey: string }[]).filter((one) => one.orderKey === orderKey);
      if (paths.length === 1) return paths[0]!.path;
      await sleep(500);
    }
    throw new Error('the worker has no bundle of the order');
  }

  it('pays the honest and slashes the liar', async () => {
    const { court } = client.contracts;
    assert.equal((await court.batch(levels.honest.batchId)).state, 'paid');
    assert.equal(levels.honest.answered, levels.honest.expected);
    assert.equal((await court.batch(levels.liar.batchId)).state, 'refunded');
    assert.notEqual(levels.liar.answered, levels.liar.expected);
    assert.equal((await court.stake(NATIVE_TOKEN, addressOf(stack, ACCOUNT.liar))).total, 0n);
    const { total, reserved } = await court.stake(NATIVE_TOKEN, addressOf(stack, ACCOUNT.provider));
    assert.deepEqual([total > 0n, reserved], [true, 0n]);
  });

  it('counts settlements by their level', async () => {
    const text = await (await fetch(`${stack.serviceUrl}/metrics`)).text();
    assert.match(text, /^stun_service_settled_total\{level="proven"\} 1$/m);
    assert.match(text, /^stun_service_settled_total\{level="challengeable"\} 2$/m);
  });

  it('gives an auditor the proof of every answer, and refutes one that was swapped', async () => {
    const bundle = await bundleOf();
    const trust = { roots: roots(), attestors: [], threshold: 0 };
    const report = verifyAuditBundle(bundle, trust);
    assert.deepEqual([report.ok, report.assurance, report.jobs, report.inferencesProven], [true, 'proven', 4, 4]);
    assert.ok(report.checks.some(({ id, status }) => id === 'order.publicModel.setup' && status === 'unknown'));
    const [segment] = bundle.segments;
    const [first, second, ...rest] = segment!.jobs;
    const swapped = [{ ...first!, inferenceProof: second!.inferenceProof }, second!, ...rest];
    const refuted = verifyAuditBundle({ ...bundle, segments: [{ ...segment!, jobs: swapped }] }, trust);
    const check = refuted.checks.find(({ id }) => id === 'segments[0].jobs[0].inference');
    assert.deepEqual([refuted.ok, check?.status, check?.code], [false, 'refuted', 'STUN_PROOF_INVALID']);
    const words = leavesOf(first!.inferenceProof as unknown as JsonValue);
    assert.equal(words.length, 8);
    for (const { keys, path } of words) {
      const proof = withChange(first!.inferenceProof as unknown as JsonValue, keys, (leaf) => changed(leaf as string, path));
      const jobs = [
        { ...first!, inferenceProof: proof as unknown as NonNullable<typeof first>['inferenceProof'] },
        second!,
        ...rest,
      ];
      const found = verifyAuditBundle({ ...bundle, segments: [{ ...segment!, jobs }] }, trust);
      const at = found.checks.find(({ status }) => status === 'refuted');
      assert.deepEqual([found.ok, at?.id], [false, 'segments[0].jobs[0].inference'], path);
    }
  });

  it('verifies a receipt with its inference proof offline, and not with that of another job', async () => {
    const jobIds: string[] = [];
    for (const { files } of await client.store.lanes.ofOrder(levels.proven.orderKey)) {
      jobIds.push(...(await files.jobs()).map(({ jobId }) => jobId));
    }
    const results: JobResult[] = [];
    for (const jobId of jobIds.slice(0, 2)) results.push(await fetchResult(client, jobId, { timeoutMs: 0 }));
    const proofs = await Promise.all(results.map((result) => inferenceProofOf(client, result)));
    const verified = verifyReceiptFile(receiptFileOf(results[0]!, proofs[0]), roots());
    assert.deepEqual([verified.inferenceProven, verified.publicModel?.model.modelId], [true, compiled.publicModel.model.modelId]);
    assert.equal(verifyReceiptFile(receiptFileOf(results[0]!), roots()).inferenceProven, false);
    throwsCode(() => verifyReceiptFile(receiptFileOf(results[0]!, proofs[1]), roots()), 'STUN_PROOF_INVALID');
    const { publicModel: _, ...without } = receiptFileOf(results[0]!, proofs[0]);
    throwsCode(() => verifyReceiptFile(without, roots()), 'STUN_RECEIPT_FILE');
  });

  it('shows one thing of a settled answer, and in which bundle it is settled', async () => {
    const file = (name: string, document?: object): string => {
      const path = join(directory, name);
      if (document !== undefined) writeFileSync(path, JSON.stringify(document));
      return path;
    };
    const [lane] = await client.store.lanes.ofOrder(levels.proven.orderKey);
    const [job] = await lane!.files.jobs();
    const receipt = receiptFileOf(await fetchResult(client, job!.jobId, { timeoutMs: 0 }));
    const { publicModel, outputPayload } = verifyReceiptFile(receipt, roots());
    const output = tensorIntegers(publicModel!.model.output, outputPayload);
    const statement = ['--output-index', String(output.length - 1), '--eq', String(output.at(-1)!)];
    await stun(['receipt', 'disclose', file('receipt.json', receipt), ...statement, '--out', file('disclosure.json')]);
    const bundle = ['--audit', file('audit.json', await bundleOf())];
    const shown = await stun(['receipt', 'verify-disclosure', file('disclosure.json'), ...bundle]);
    const settled = shown['settlement'] as { state: string; transactionHash: string };
    assert.equal(settled.state, 'settlement signed');
    assert.equal((await stack.chain.provider.getTransactionReceipt(settled.transactionHash))?.status, 1);
  });

  it('does all of it from the command line', async () => {
    const provider = addressOf(stack, ACCOUNT.provider);
    const { directory: folder, model } = await compiledFixture();
    const registered = await stun(['model', 'register', folder]);
    assert.deepEqual([registered['modelId'], registered['development']], [fieldToHex(model.modelId), true]);
    const order = ['order', 'open', '--compiled-model', folder, '--level', 'proven', '--policy', stack.policyPath];
    const opened = await stun([...order, '--budget', `${provider}=0.5ether`]);
    assert.equal(opened['modelId'], fieldToHex(model.modelId));
    const before = await stun(['stake', 'show', '--provider', provider]);
    const after = await stun(['stake', 'deposit', '7'], ACCOUNT.provider);
    assert.equal(BigInt(String(after['total'])), BigInt(String(before['total'])) + 7n);
    assert.equal((await stun(['stake', 'unbond', '7'], ACCOUNT.provider))['unbonding'], '7');
    const { token } = contractsOf(stack.deployment, stack.chain.wallet(ACCOUNT.owner));
    await token.transfer(provider, 9n);
    assert.equal((await stun(['stake', 'deposit', '9', '--token', 'stun'], ACCOUNT.provider))['total'], '9');
    const status = await stun(['challenge', 'status', levels.liar.orderKey]);
    assert.deepEqual(
      (status['batches'] as { batchId: string; state: string }[]).map(({ batchId, state }) => [batchId, state]),
      [[levels.liar.batchId, 'refunded']],
    );
  });

  it('holds settled answers to the model from the command line, and the customer acts on a lie', async () => {
    const model = ['--compiled-model', compiled.directory];
    const checked = await stun(['challenge', 'check', levels.honest.orderKey, ...model]);
    const [answer, ...others] = checked['answers'] as { jobId: string; finding: string }[];
    assert.deepEqual([answer?.jobId, answer?.finding, checked['code'], others], [levels.honest.jobId, 'agrees', null, []]);
    await refuses(['challenge', 'check', levels.liar.orderKey, ...model], 'STUN_ANSWER_DISAGREES');
    const watched = await stun(['challenge', 'watch', levels.liar.orderKey, ...model, '--once', '--challenge-withheld']);
    const { batches, pending, answers, steps } = watched;
    const found = { agrees: 0, differs: 1, withheld: 0, unknown: 0 };
    assert.deepEqual({ batches, pending, answers, steps }, { batches: 1, pending: 0, answers: found, steps: [] });
    // A store that never sent the job: what nobody can look at is not right.
    const lanes = join(directory, 'client', 'lanes', levels.honest.orderKey);
    renameSync(lanes, `${lanes}-away`);
    await refuses(['challenge', 'check', levels.honest.orderKey, ...model], 'STUN_ANSWER_UNKNOWN');
    renameSync(`${lanes}-away`, lanes);
  });

  it('shows an auditor what became of the challenged batches', async () => {
    const audited = async ({ orderKey }: { orderKey: string }) => {
      const file = join(directory, `${orderKey}.json`);
      await stun(['audit', 'export', '--order', orderKey, '--out', file]);
      const report = await stun(['audit', 'verify', file, '--rpc', stack.chain.url, '--root', stack.rootPath]);
      // The bundle alone says the same, with a proof for what was answered.
      const alone = await stun(['audit', 'verify', file, '--root', stack.rootPath]);
      assert.deepEqual([alone['ok'], alone['batches']], [true, report['batches']]);
      const [batch, ...others] = report['batches'] as { state: string; slash: string; challenges: { outcome: string }[] }[];
      assert.deepEqual([report['ok'], others], [true, []]);
      return [batch!.state, BigInt(batch!.slash) > 0n, batch!.challenges.map(({ outcome }) => outcome)];
    };
    assert.deepEqual(await audited(levels.honest), ['paid', false, ['answered']]);
    assert.deepEqual(await audited(levels.liar), ['refunded', true, ['returned']]);
  });

  it('opens no challenge of a batch that has ended, and no order above attested without a registered model', async () => {
    const { court } = client.contracts;
    const { orderKey, laneNew, batchId } = levels.honest;
    const [published] = await court.pairsPublished(0, { orderKey, laneNew });
    const bond = { token: NATIVE_TOKEN, amount: ETHER / 100n };
    await rejectsCode(court.challenge(batchId, 0, published!.pairs, bond), 'STUN_CHALLENGE_BATCH');
    const plan = await provenPlan();
    await rejectsCode(openOrder(client, plan), 'STUN_ORDER_TERMS');
    const { publicModel } = compiled;
    const stranger = addressOf(stack, ACCOUNT.guardian);
    await rejectsCode(openOrder(client, { ...plan, publicModel, modelApprovedBy: [stranger] }), 'STUN_MODEL_APPROVALS');
    const other = { ...publicModel, model: { ...publicModel.model, modelId: 5n } };
    await rejectsCode(openOrder(client, { ...plan, publicModel: other }), 'STUN_MODEL_MISMATCH');
    await rejectsCode(openOrder(client, { ...plan, modelId: 5n, publicModel: other }), 'STUN_MODEL_UNREGISTERED');
  });

  it('lets a provider answer, settle and finalise from its own files when the service is gone, and take its stake back', async () => {
    const batch = await settledBatch(stack, client, compiled, ACCOUNT.provider, () => undefined);
    const otherProof = (await bundleOf()).segments[0]!.jobs[0]!.inferenceProof!;
    const unsettled = await unsettledJob();
    await service.stop();
    const challenged = await stun(['challenge', batch.jobId]);
    assert.deepEqual([challenged['batchId'], challenged['index']], [batch.batchId, 0]);
    const [published] = await client.contracts.court.pairsPublished(0, { orderKey: batch.orderKey, laneNew: batch.laneNew });
    const stranger = contractsOf(stack.deployment, stack.chain.wallet(ACCOUNT.guardian));
    await rejectsCode(
      stranger.court.answer(batch.batchId, 0, published!.pairs, proofToChain(otherProof)),
      'STUN_INFERENCE_PROOF',
    );
    const { court, escrow } = client.contracts;
    const provider = addressOf(stack, ACCOUNT.provider);
    const owed = await court.credit(NATIVE_TOKEN, provider);
    const { total } = await court.stake(NATIVE_TOKEN, provider);
    // The batch holds a part of the stake until it is final.
    await refuses(['stake', 'unbond', String(total)], 'STUN_STAKE_AMOUNT', ACCOUNT.provider);
    const answered = await stun(['answer', '--bundle', await bundleFor(batch.orderKey)], ACCOUNT.guardian);
    assert.deepEqual([answered['batchId'], (answered['answered'] as unknown[]).length], [batch.batchId, 1]);
    // Whoever challenges a right answer loses the bond to the provider, whoever answered.
    assert.equal((await court.credit(NATIVE_TOKEN, provider)) - owed, BigInt(String(challenged['bond'])));
    assert.equal(await court.credit(NATIVE_TOKEN, addressOf(stack, ACCOUNT.guardian)), 0n);
    const unsettledBundle = await bundleFor(unsettled);
    await refuses(['settle', '--bundle', unsettledBundle], 'STUN_SETTLE_CALLER', ACCOUNT.guardian);
    const credit = await escrow.credit(NATIVE_TOKEN, provider);
    const settled = await stun(['settle', '--bundle', unsettledBundle], ACCOUNT.provider);
    assert.equal((await escrow.credit(NATIVE_TOKEN, provider)) - credit, BigInt(String(settled['credited'])));
    assert.deepEqual([settled['jobs'], BigInt(String(settled['credited'])) > 0n], [1, true]);
    await refuses(['settle', '--bundle', unsettledBundle], 'STUN_SETTLE_LANE_MOVED', ACCOUNT.provider);
    await stack.chain.increaseTime(3602);
    await refuses(['challenge', batch.jobId], 'STUN_CHALLENGE_WINDOW');
    assert.equal((await stun(['challenge', 'finalise', batch.batchId], ACCOUNT.guardian))['state'], 'paid');
    await stun(['stake', 'unbond', String(total)], ACCOUNT.provider);
    await refuses(['stake', 'withdraw'], 'STUN_STAKE_NOT_DUE', ACCOUNT.provider);
    await stack.chain.increaseTime(7 * 86_400);
    assert.equal((await stun(['stake', 'withdraw'], ACCOUNT.provider))['total'], '0');
    assert.equal(await court.credit(NATIVE_TOKEN, provider), 0n);
  });
});
