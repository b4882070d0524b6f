import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeTensors, exitCodeOf, fieldToHex, settlementBundleToWire } from '#protocol/index.ts';
import { canonicalPolicyJson } from '#attestation/index.ts';
import { EscrowContract } from '#chain/escrow.ts';
import { buildProgram } from '#cli/program.ts';
import { Runner } from '#cli/runner.ts';
import type { AuditBundle } from '#client/index.ts';
import { withOtherPolicy } from '#test/integration/client/forged-bundle.ts';
import { MODEL_ID, DAY, startClientStage, type ClientStage } from '#test/integration/client/stage.ts';
import { customerEnv, runCli } from './run-cli.ts';

type Document = Readonly<Record<string, unknown>>;

const isRefuted = ({ status }: { readonly status: string }): boolean => status === 'refuted';

describe('stun, one order from the first command to the refund', function () {
  this.timeout(400_000);
  let stage: ClientStage;
  let env: Record<string, string>;
  let folder: string;

  before(async () => {
    stage = await startClientStage();
    await stage.addEnclave();
    folder = await stage.folder();
    env = await customerEnv(stage, join(folder, 'client'));
    await writeFile(join(folder, 'policy.json'), canonicalPolicyJson(stage.policy));
    const tensor = { dtype: 'float32', dims: [1, 2], data: [1.5, -2] };
    await writeFile(join(folder, 'inputs.json'), JSON.stringify([{ x: tensor }, { x: { ...tensor, data: [3, 4] } }]));
  });
  after(() => stage.close());

  const stun = async (args: readonly string[], exitCode = 0, change: Record<string, string> = {}): Promise<Document> => {
    const run = await runCli([...args, '--json'], { ...env, ...change });
    assert.equal(run.exitCode, exitCode, `stun ${args.join(' ')}\n${run.stdout.slice(0, 2000)}\n${run.stderr}`);
    return JSON.parse(run.stdout) as Document;
  };

  /** What a command says to people, in this process. */
  const said = async (args: readonly string[], change: Record<string, string> = {}): Promise<string> => {
    const given = { ...env, ...change };
    Object.assign(process.env, given);
    try {
      const runner = new Runner({ progress: () => {}, signal: new AbortController().signal });
      await buildProgram(runner).parseAsync([...args], { from: 'user' });
      return runner.result!.text;
    } finally {
      for (const name of Object.keys(given)) Reflect.deleteProperty(process.env, name);
    }
  };

  it('opens, submits, settles, audits and refunds', async () => {
    const opened = await stun([
      'order',
      'open',
      '--model-id',
      fieldToHex(MODEL_ID),
      '--budget',
      `${stage.provider}=0.5ether`,
      '--policy',
      join(folder, 'policy.json'),
      '--deadline',
      '7d',
      '--grace',
      '36h',
      '--segment',
      '2',
      '--price-scale',
      '2000000000',
    ]);
    const orderKey = String(opened['orderKey']);

    const listed = await stun(['enclaves', 'list', '--verify', '--policy', join(folder, 'policy.json')]);
    const [enclave] = listed['enclaves'] as { keysetDigest: string; verified: unknown }[];
    assert.deepEqual(enclave?.verified, { simulated: true });

    const sent = await stun(['submit', join(folder, 'inputs.json'), '--max-price', '900', '--wait', '30s']);
    const jobs = sent['jobs'] as { jobId: string; status: string; outputs: { y: { data: number[] } }; simulated: boolean }[];
    assert.deepEqual(
      jobs.map((job) => [job.status, job.outputs.y.data, job.simulated]),
      [
        ['served', [1.5, -2], true],
        ['served', [3, 4], true],
      ],
    );

    const receiptPath = join(folder, 'receipt.json');
    const result = await stun(['result', jobs[0]!.jobId, '--receipt', receiptPath, '--out', join(folder, 'output.bin')]);
    const receipt = await stun(['receipt', 'verify', receiptPath]);
    assert.deepEqual([receipt['verified'], receipt['simulated'], receipt['receiptHash']], [true, true, result['receiptHash']]);
    const { createHash } = await import('node:crypto');
    const sha256 = createHash('sha256')
      .update(await readFile(join(folder, 'output.bin')))
      .digest('hex');
    assert.equal(receipt['outputSha256'], `0x${sha256}`);
    const lied = JSON.parse(await readFile(receiptPath, 'utf8')) as { output: { payload: string } };
    lied.output.payload = lied.output.payload.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    await writeFile(join(folder, 'lied.json'), JSON.stringify(lied));
    const refused = await stun(['receipt', 'verify', join(folder, 'lied.json')], exitCodeOf('STUN_RECEIPT_FILE'));
    assert.deepEqual((refused['error'] as { details: unknown }).details, { field: 'output' });

    const [bundle] = stage.service.bundles;
    assert.ok(bundle, 'two jobs close a segment of two');
    await writeFile(join(folder, 'bundle.json'), JSON.stringify(settlementBundleToWire(bundle)));
    const provider = { STUN_PRIVATE_KEY: stage.chain.accounts[5]!.privateKey };
    const stranger = { STUN_PRIVATE_KEY: stage.chain.accounts[8]!.privateKey };
    const proved = await stun(['settle', '--bundle', join(folder, 'bundle.json'), '--prove-only', join(folder, 'proof.json')], 0);
    assert.equal(proved['settled'], false);
    const withProof = ['settle', '--bundle', join(folder, 'bundle.json'), '--proof', join(folder, 'proof.json')];
    const stolen = await stun(withProof, exitCodeOf('STUN_SETTLE_CALLER'), stranger);
    assert.equal((stolen['error'] as { code: string }).code, 'STUN_SETTLE_CALLER');
    const settled = await stun(withProof, 0, provider);
    assert.deepEqual([settled['settled'], settled['total'], settled['jobs']], [true, '1400', 2]);
    assert.equal(settled['credited'], String((1400n * 2_000_000_000n * 99n) / 100n));
    const [elsewherePaid, operator] = [7, 9].map((at) => stage.chain.accounts[at]!.address.toLowerCase());
    const escrow = new EscrowContract(stage.deployment.escrow, stage.chain.provider);
    const operating = ['payout', 'operator', operator!];
    await stun(operating, 0, provider);
    assert.equal(await escrow.isOperator(stage.provider, operator!), true);
    await stun([...operating, '--revoke'], 0, provider);
    assert.equal(await escrow.isOperator(stage.provider, operator!), false);
    const renamed = await stun(['payout', 'address', elsewherePaid!], 0, provider);
    assert.deepEqual([renamed['credit'], renamed['payoutAddress']], [settled['credited'], elsewherePaid]);
    const had = await stage.chain.provider.getBalance(elsewherePaid!);
    const drawn = await stun(['payout', 'withdraw'], 0, provider);
    assert.deepEqual([drawn['creditBefore'], drawn['credit']], [settled['credited'], '0']);
    assert.equal((await stage.chain.provider.getBalance(elsewherePaid!)) - had, BigInt(String(settled['credited'])));
    const drawnTwice = await stun(['payout', 'withdraw'], exitCodeOf('STUN_NOTHING_DUE'), provider);
    assert.equal((drawnTwice['error'] as { code: string }).code, 'STUN_NOTHING_DUE');
    assert.equal((await stun(['payout', 'show', '--account', stage.provider]))['credit'], '0');
    const again = await stun(withProof, exitCodeOf('STUN_SETTLE_LANE_MOVED'), provider);
    assert.equal((again['error'] as { code: string }).code, 'STUN_SETTLE_LANE_MOVED');

    const audit = join(folder, 'audit.json');
    const exported = await stun(['audit', 'export', '--out', audit, '--open']);
    assert.deepEqual([exported['jobs'], exported['settled']], [2, 1]);
    const trust = stage.attestors.flatMap((attestor) => ['--attestor', attestor]);
    const unmet = await stun(['audit', 'verify', audit, ...trust, '--threshold', '3'], exitCodeOf('STUN_AUDIT_REFUTED'));
    assert.match((unmet['checks'] as { status: string; field: string }[]).find(isRefuted)?.field ?? '', /\.approvals$/);
    const forged = join(folder, 'forged.json');
    await writeFile(forged, JSON.stringify(withOtherPolicy(JSON.parse(await readFile(audit, 'utf8')) as AuditBundle)));
    const told = await runCli(['audit', 'verify', forged, ...trust], env);
    assert.equal(told.exitCode, exitCodeOf('STUN_AUDIT_REFUTED'));
    assert.match(
      told.stdout,
      /\nrefuted  order\.transaction  at order\.openTransaction  STUN_AUDIT_REFUTED: .+\n +binds .*\border\.policy\b/,
    );
    assert.match(told.stdout, /\nchain: not checked\nTHE BUNDLE DOES NOT HOLD: order\.openTransaction/);
    const refuted = await stun(['audit', 'verify', forged, ...trust], exitCodeOf('STUN_AUDIT_REFUTED'));
    const checks = refuted['checks'] as { status: string; binds: string[] }[];
    assert.ok(checks.find(isRefuted)?.binds.includes('order.policy'));
    assert.deepEqual([refuted['ok'], refuted['chain']], [false, 'not checked']);
    const online = await stun(['audit', 'verify', audit, ...trust, '--rpc', stage.chain.url]);
    assert.deepEqual([online['ok'], online['chain'], online['provenTotal']], [true, 'checked', '1400']);

    const one = join(folder, 'one.json');
    await stun(['audit', 'export', '--out', one, '--job', jobs[1]!.jobId]);
    const { segments } = JSON.parse(await readFile(one, 'utf8')) as AuditBundle;
    assert.deepEqual(
      segments.map((segment) => segment.jobs.map(({ opened }) => opened !== undefined)),
      [[false, true]],
    );

    const backup = join(folder, 'backup.json');
    await writeFile(join(folder, 'backup-passphrase'), 'another one\n');
    const sealing = { STUN_BACKUP_PASSPHRASE_FILE: join(folder, 'backup-passphrase') };
    assert.equal((await stun(['backup', 'export', '--out', backup], 0, sealing))['orders'], 1);
    const elsewhere = ['--home', join(folder, 'elsewhere'), '--service', stage.service.url];
    const opening = { STUN_BACKUP_PASSPHRASE: 'another one', STUN_SERVICE_URL: '' };
    assert.deepEqual((await stun(['backup', 'restore', backup, ...elsewhere], 0, opening))['restored'], [orderKey]);
    const data = new Uint8Array(Float32Array.of(5, 6).buffer);
    await writeFile(join(folder, 'payload.bin'), encodeTensors([{ name: 'x', dtype: 'float32', dims: [1, 2], data }]));
    const sending = ['submit', '--payload', join(folder, 'payload.bin'), '--max-price', '900', '--wait', '30s'];
    const to = ['--provider', stage.provider, '--enclave', enclave.keysetDigest];
    const more = await stun([...sending, ...to, ...elsewhere], 0, { STUN_API_KEY: 'a key', STUN_SERVICE_URL: '' });
    assert.deepEqual((more['jobs'] as { outputs: { y: { data: number[] } } }[])[0]?.outputs.y.data, [5, 6]);
    assert.ok(stage.service.authorizations.has('Bearer a key'), 'the API key signs in');
    const [lane] = (await stun(['order', 'show', orderKey, ...elsewhere]))['lanes'] as { laneIndex: number }[];
    assert.ok(lane!.laneIndex >= 65_536, 'a restored client opens a lane of its own');

    // What ran on simulated hardware says so in words, wherever it is shown.
    for (const args of [
      ['enclaves', 'list', '--verify', '--policy', join(folder, 'policy.json')],
      ['submit', join(folder, 'inputs.json'), '--max-price', '900'],
      ['result', jobs[0]!.jobId],
      ['receipt', 'verify', receiptPath],
      ['order', 'show', orderKey],
      ['audit', 'verify', audit, ...trust],
    ]) {
      assert.match(await said(args), /SIMULATED HARDWARE/, args.slice(0, 2).join(' '));
    }

    await stun(['order', 'top-up', orderKey, '--budget', `${stage.provider}=7`]);
    const early = await stun(['order', 'refund'], exitCodeOf('STUN_ORDER_NOT_REFUNDABLE'));
    assert.equal((early['error'] as { code: string }).code, 'STUN_ORDER_NOT_REFUNDABLE');
    await stun(['order', 'close']);
    await stage.chain.increaseTime(2 * DAY);
    const refunded = BigInt(String((await stun(['order', 'refund']))['refunded']));
    const shown = await stun(['order', 'show', orderKey]);
    assert.equal(shown['graceSeconds'], 129_600);
    assert.equal(refunded + BigInt(String(shown['paid'])), 5n * 10n ** 17n + 7n);
    assert.equal(shown['refunded'], refunded.toString());
  });

  it('finishes an interrupted opening, and sends voided jobs again to another enclave', async () => {
    stage.service.reset();
    const enclave = await stage.addEnclave();
    const secrets = { PASSPHRASE: env['STUN_PASSPHRASE']!, PRIVATE_KEY: env['STUN_PRIVATE_KEY']! };
    for (const [name, secret] of Object.entries(secrets)) await writeFile(join(folder, name), `${secret}\n`);
    const inFiles = { STUN_PASSPHRASE_FILE: join(folder, 'PASSPHRASE'), STUN_PRIVATE_KEY_FILE: join(folder, 'PRIVATE_KEY') };
    const own = { STUN_HOME: join(folder, 'second'), STUN_PASSPHRASE: '', STUN_PRIVATE_KEY: '', ...inFiles };
    const policy = join(folder, 'policy.json');
    const open = [
      'order',
      'open',
      '--model-id',
      fieldToHex(MODEL_ID),
      '--budget',
      `${stage.provider}=20000ether`,
      '--policy',
      policy,
    ];
    const poor = await stun(open, exitCodeOf('STUN_CHAIN_FUNDS'), own);
    assert.equal((poor['error'] as { code: string }).code, 'STUN_CHAIN_FUNDS');
    const [stored] = (await stun(['order', 'show'], 0, own))['orders'] as { orderKey: string; onChain: boolean }[];
    assert.equal(stored?.onChain, false);
    const orderKey = stored.orderKey;
    assert.match((await runCli(['order', 'show'], { ...env, ...own })).stdout, new RegExp(`open --resume ${orderKey}`));
    await stage.chain.request('hardhat_setBalance', [stage.chain.accounts[4]!.address, `0x${(10n ** 23n).toString(16)}`]);
    assert.equal((await stun(['order', 'open', '--resume', orderKey], 0, own))['orderKey'], orderKey);
    const twice = await stun(['order', 'open', '--resume', orderKey], exitCodeOf('STUN_ORDER_EXISTS'), own);
    assert.equal((twice['error'] as { code: string }).code, 'STUN_ORDER_EXISTS');

    stage.service.serving = false;
    const sent = await stun(['submit', join(folder, 'inputs.json'), '--max-price', '900'], 0, own);
    const [first] = sent['jobs'] as { jobId: string }[];
    const pending = await stun(['result', first!.jobId], exitCodeOf('STUN_JOB_PENDING'), own);
    assert.equal((pending['error'] as { code: string }).code, 'STUN_JOB_PENDING');
    stage.service.lose(enclave);
    stage.service.serving = true;
    await stage.addEnclave();
    const voided = await stun(['result', first!.jobId], exitCodeOf('STUN_JOB_VOIDED'), own);
    assert.deepEqual((voided['error'] as { details: unknown }).details, { cause: 'STUN_ENCLAVE_GONE' });
    const again = await stun(['submit', '--resubmit', '--wait', '30s'], 0, own);
    assert.equal((again['jobs'] as object[]).length, 2);
    assert.match(String(again['note']), /both are paid/);
    const listed = await stun(['result'], 0, own);
    assert.deepEqual(
      (listed['jobs'] as { status: string }[]).map((job) => job.status),
      ['void', 'void', 'served', 'served'],
    );
  });
});
