import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCodeOf, isErrorCode } from '#protocol/index.ts';
import { defaultPolicy, parsePolicy } from '#attestation/index.ts';
import { sampleCases } from '#test/depth.ts';
import { ended, runCli, spawnCli } from './run-cli.ts';

interface ErrorDocument {
  readonly error: { readonly code: string; readonly reason: string; readonly actor: string; readonly doc: string };
}

describe('stun, as any program calls it', function () {
  this.timeout(180_000);
  let folder: string;
  let env: Record<string, string>;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-cli-'));
    env = {
      STUN_HOME: join(folder, 'client'),
      STUN_DEPLOYMENT: join(folder, 'none.json'),
      STUN_RPC_URL: 'http://127.0.0.1:1',
      STUN_SERVICE_URL: 'http://127.0.0.1:1',
      STUN_PASSPHRASE: 'a passphrase never printed',
      STUN_PRIVATE_KEY: `0x${'5e'.repeat(32)}`,
    };
    await writeFile(join(folder, 'text.json'), 'not json');
    await writeFile(join(folder, 'empty.json'), '{}');
    await writeFile(join(folder, 'inputs.json'), JSON.stringify({ x: { dtype: 'float32', dims: [1], data: [1] } }));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const word = `0x${'11'.repeat(32)}`;
  const attestor = `0x${'11'.repeat(20)}`;
  const cases: readonly (readonly [args: string, code: string])[] = [
    ['', 'STUN_INPUT'],
    ['nonsense', 'STUN_INPUT'],
    ['order', 'STUN_INPUT'],
    ['order open --nonsense', 'STUN_INPUT'],
    ['order open extra', 'STUN_INPUT'],
    ['order show', 'STUN_FILE'],
    ['order show nokey', 'STUN_FILE'],
    [`order close ${word}`, 'STUN_FILE'],
    [`order refund ${word}`, 'STUN_FILE'],
    ['order top-up', 'STUN_INPUT'],
    ['submit', 'STUN_INPUT'],
    ['submit --resume --resubmit', 'STUN_INPUT'],
    ['submit FOLDER/missing.json', 'STUN_FILE'],
    ['submit FOLDER/text.json', 'STUN_FILE'],
    ['submit FOLDER/inputs.json', 'STUN_INPUT'],
    [`submit FOLDER/inputs.json --max-price ${2n ** 64n}`, 'STUN_PRICE_CAP'],
    ['result', 'STUN_FILE'],
    ['enclaves list', 'STUN_FILE'],
    ['receipt verify', 'STUN_INPUT'],
    ['receipt verify FOLDER/missing.json', 'STUN_FILE'],
    ['receipt verify FOLDER/empty.json', 'STUN_INPUT'],
    ['audit export', 'STUN_INPUT'],
    ['audit verify FOLDER/missing.json', 'STUN_FILE'],
    ['audit verify FOLDER/text.json', 'STUN_FILE'],
    ['settle', 'STUN_INPUT'],
    ['settle --bundle FOLDER/empty.json', 'STUN_INPUT'],
    ['completion powershell', 'STUN_INPUT'],
    ['payout show', 'STUN_INPUT'],
    ['payout address 0x1', 'STUN_INPUT'],
    ['payout withdraw', 'STUN_FILE'],
    ['backup restore FOLDER/missing.json', 'STUN_FILE'],
    ['evidence verify --quote FOLDER/missing.bin --collateral FOLDER/empty.json', 'STUN_FILE'],
    ['chain deploy --attestor 0x1', 'STUN_INPUT'],
    [`chain deploy --attestor ${attestor}`, 'STUN_CHAIN_UNAVAILABLE'],
    [`chain deploy --attestor ${attestor} --ceremony FOLDER`, 'STUN_FILE'],
    ['ceremony verify', 'STUN_INPUT'],
  ];

  it('answers every mistake with exactly one JSON document and the exit code of the registry', async () => {
    let tried = 0;
    const chosen = sampleCases(cases, 10);
    for (const [args, code] of chosen) {
      const words = args === '' ? [] : args.split(' ').map((one) => one.replace('FOLDER', folder));
      const run = await runCli([...words, '--json'], env);
      const { error } = JSON.parse(run.stdout) as ErrorDocument;
      assert.equal(error.code, code, `${args}: ${error.code}: ${error.reason}`);
      assert.ok(isErrorCode(error.code));
      assert.equal(run.exitCode, exitCodeOf(error.code), args);
      assert.deepEqual(Object.keys(error).slice(0, 4), ['code', 'reason', 'actor', 'doc']);
      const all = run.stdout + run.stderr;
      assert.ok(!all.includes(env['STUN_PASSPHRASE']!) && !all.includes('5e5e5e'), `${args} printed a secret`);
      tried++;
    }
    console.log(`      tried ${tried} mistakes`);
    assert.equal(tried, chosen.length);
  });

  it('says the same to people on stderr, with what to do, and leaves stdout empty', async () => {
    const run = await runCli(['order', 'open', '--nonsense'], env);
    assert.equal(run.stdout, '');
    assert.match(run.stderr, /^stun: STUN_INPUT: unknown option '--nonsense'/);
    assert.equal(run.exitCode, 1);
  });

  it('ends quietly, with its own status, when a reader leaves before the end', async () => {
    const mistake = ['chain', 'deploy', '--attestor', attestor];
    const status = exitCodeOf('STUN_CHAIN_UNAVAILABLE');
    for (const [args, left, exitCode] of [
      [['policy', 'show'], 'stdout', 0],
      [[...mistake, '--json'], 'stdout', status],
      [mistake, 'stderr', status],
    ] as const) {
      const child = spawnCli(args, env);
      const end = ended(child);
      // Before it can have written: the end of the pipe is closed.
      child[left]?.destroy();
      const { exitCode: status, stdout, stderr } = await end;
      assert.deepEqual([status, stdout, stderr], [exitCode, '', ''], `${args.join(' ')}, ${left} closed`);
    }
  });

  it('reports a refused audit bundle as one document that names the field', async () => {
    const run = await runCli(['audit', 'verify', join(folder, 'empty.json'), '--json'], env);
    const report = JSON.parse(run.stdout) as {
      ok: boolean;
      chain: string;
      checks: { id: string; status: string; field: string }[];
    };
    assert.deepEqual(
      [report.ok, report.chain, report.checks[0]?.id, report.checks[0]?.status],
      [false, 'not checked', 'format', 'refuted'],
    );
    assert.equal(run.exitCode, exitCodeOf('STUN_AUDIT_FORMAT'));
  });

  it('prints help and version as answers', async () => {
    const help = await runCli(['order', 'open', '--help']);
    assert.equal(help.exitCode, 0);
    assert.match(help.stdout, /--budget <provider=amount>/);
    const version = await runCli(['--version', '--json']);
    assert.deepEqual(JSON.parse(version.stdout), { help: '0.1.0\n' });
  });

  it('runs through npx, from the root of the checkout', async () => {
    const { spawnSync } = await import('node:child_process');
    const { root } = await import('../../../scripts/project-files.ts');
    const run = spawnSync('npx', ['--no-install', 'stun', 'completion', 'bash', '--json'], { cwd: root, encoding: 'utf8' });
    const { script } = JSON.parse(run.stdout) as { script: string };
    assert.match(script, /complete -F _stun stun/);
  });

  it('prints policies that the parser takes', async () => {
    for (const [option, allowSimulated] of [
      [[], false],
      [['--simulated'], true],
    ] as const) {
      const { exitCode, stdout } = await runCli(['policy', 'show', ...option]);
      assert.deepEqual([exitCode, parsePolicy(stdout)], [0, { ...defaultPolicy, allowSimulated }]);
    }
  });

  it('makes completion scripts that the shells accept and that complete commands', async () => {
    const { spawnSync } = await import('node:child_process');
    const { stdout } = await runCli(['completion', 'bash']);
    const words = (line: string[]): string[] => {
      const probe = `${stdout}\nCOMP_WORDS=(${line.map((one) => `'${one}'`).join(' ')}); COMP_CWORD=${line.length - 1}; _stun; echo "\${COMPREPLY[@]}"`;
      const run = spawnSync('bash', ['-c', probe], { encoding: 'utf8' });
      assert.equal(run.status, 0, run.stderr);
      return run.stdout.trim().split(' ');
    };
    assert.deepEqual(words(['stun', 'order', '']).slice(0, 5), ['open', 'show', 'top-up', 'close', 'refund']);
    assert.deepEqual(words(['stun', 'aud']), ['audit']);
    assert.deepEqual(words(['stun', 'order', 'open', '--mod']), ['--model-id']);
    for (const shell of ['zsh', 'fish']) assert.match((await runCli(['completion', shell])).stdout, /stun/);
  });

  it('lets the doctor look at everything and say what to do about what is missing', async () => {
    const run = await runCli(['doctor', '--json'], env);
    const { findings } = JSON.parse(run.stdout) as { findings: { id: string; status: string; found: string; advice: string }[] };
    assert.deepEqual(
      findings.map((finding) => finding.id),
      ['node', 'onnxruntime', 'circuits', 'prover', 'store', 'deployment', 'chain', 'service', 'platform', 'disk'],
    );
    for (const finding of findings) assert.equal(finding.advice === '', finding.status === 'ok', finding.id);
    assert.equal(findings.find((finding) => finding.id === 'chain')?.status, 'missing');
  });
});
