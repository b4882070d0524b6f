/** Options with wrong values: refused before a store, a node or a service is asked for anything. None of them is there. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { levelOf } from '#cli/commands/order.ts';
import { buildProgram } from '#cli/program.ts';
import { Runner } from '#cli/runner.ts';
import { secretOf } from '#cli/settings.ts';
import { encodeTensors, StunError } from '#protocol/index.ts';
import { rejectsCode, throwsCode } from '../assert-code.ts';

const account = `0x${'0a'.repeat(20)}`;
const word = `0x${'01'.repeat(32)}`;
const open = `order open --model-id ${word} --budget ${account}=1`;
const challengeable = `${open} --level challengeable`;
const deploy = `chain deploy --attestor ${account}`;
const send = 'submit --payload FOLDER/payload.bin --max-price 1';

/** A command, the option in question, and values that it does not take. */
const wrong: readonly (readonly [command: string, option: string, values: readonly string[]])[] = [
  [`order open --model-id ${word}`, '--budget', [account, `${account}=x`, '1=1']],
  [`order open --budget ${account}=1`, '--model-id', ['1', account]],
  [open, '--level', ['certain', '']],
  [open, '--approved-by', ['0x1', word]],
  [challengeable, '--window', ['x', '1w', '-1h']],
  [challengeable, '--answer-period', ['x', '1.5h']],
  [challengeable, '--bond', ['x', '1 ether', '-1']],
  [challengeable, '--slash', ['x', '0x1']],
  [challengeable, '--challenger', ['0x1', 'me']],
  [open, '--grace', ['x', '1w']],
  [open, '--deadline', ['x', 'tomorrow']],
  [open, '--segment', ['0', '257', '1.5']],
  [open, '--price-scale', ['x', '-1', '1e9']],
  ['order open', '--resume', ['x', account]],
  [send, '--provider', ['x', word]],
  [send, '--enclave', ['x', account]],
  [send, '--wait', ['x', '1w']],
  ['submit --payload FOLDER/payload.bin', '--max-price', ['x', '-1', '1.5']],
  [`result ${word}`, '--wait', ['x']],
  ['audit export --out FOLDER/out.json', '--job', ['1', account]],
  ['audit export --out FOLDER/out.json', '--batch', ['1', account]],
  ['audit verify FOLDER/none.json', '--threshold', ['0', '33', 'x']],
  ['audit verify FOLDER/none.json', '--attestor', ['0x1']],
  ['challenge watch --compiled-model FOLDER', '--every', ['x', '1w']],
  ['settle --bundle FOLDER/none.json', '--timeout', ['x', '1w']],
  ['service', '--proof-timeout', ['x']],
  ['service', '--memory-mb', ['127', '1048577', 'x']],
  ['prover', '--proof-timeout', ['1w']],
  ['prover', '--memory-mb', ['0', '-1']],
  ['chain dev', '--port', ['65536', '-1', 'x']],
  ['chain dev', '--block-interval', ['60001', '-1', 'x']],
  [deploy, '--threshold', ['0', '33', 'x']],
  [deploy, '--fee-bps', ['501', '-1', 'x']],
  [deploy, '--fee-account', ['0x1']],
  [deploy, '--guardian', ['0x1', 'me']],
  ['model compile FOLDER/none.onnx --out FOLDER/out', '--weight-bits', ['3', '17', 'x']],
  ['ceremony beacon FOLDER/none.zkey --value 0x01 --out FOLDER/out', '--iterations-exponent', ['256', '-1', 'x']],
];

describe('values of options', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-options-'));
    const tensor = { name: 'x', dtype: 'float32', dims: [1], data: new Uint8Array(4) } as const;
    await writeFile(join(folder, 'payload.bin'), encodeTensors([tensor]));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const refusalOf = async (args: readonly string[]): Promise<StunError> => {
    const context = { progress: () => undefined, signal: new AbortController().signal };
    const thrown: unknown = await buildProgram(new Runner(context))
      .parseAsync([...args], { from: 'user' })
      .then(
        () => null,
        (error: unknown) => error,
      );
    assert.ok(thrown instanceof StunError, `${args.join(' ')}: ${String(thrown)}`);
    return thrown;
  };

  for (const [command, option, values] of wrong) {
    it(`${option} of ${command.split(' -')[0]!.replaceAll(/ (FOLDER|0x)\S*/g, '')} refuses ${values.join(', ')}`, async () => {
      const words = command.split(' ').map((one) => one.replace('FOLDER', folder));
      for (const value of values) {
        const { code, message } = await refusalOf([...words, `${option}=${value}`]);
        assert.equal(code, 'STUN_INPUT', `${value}: ${code}: ${message}`);
        assert.ok(message.includes(option), `${value}: ${message}`);
      }
    });
  }

  it('of a challengeable order make its level', () => {
    const typed = { budget: [], token: 'native', deadline: '7d', grace: '24h', segment: '16', priceScale: '1' };
    const asked = { ...typed, level: 'challengeable', window: '2h', answerPeriod: '36h', bond: '0.5ether', slash: '7' };
    const level = {
      assurance: 'challengeable',
      challengeWindowSeconds: 7200,
      answerPeriodSeconds: 129_600,
      bond: 5n * 10n ** 17n,
      slash: 7n,
    };
    assert.deepEqual(levelOf(asked), level);
    assert.deepEqual(levelOf({ ...asked, challenger: account.toUpperCase().replace('X', 'x') }), {
      ...level,
      challenger: account,
    });
    assert.deepEqual(levelOf({ ...asked, level: 'proven' }), { assurance: 'proven' });
    throwsCode(() => levelOf({ ...asked, level: 'Proven' }), 'STUN_INPUT');
  });
});

describe('secrets of the command line', () => {
  const files = [
    'STUN_PASSPHRASE_FILE',
    'STUN_PRIVATE_KEY_FILE',
    'STUN_API_KEY_FILE',
    'STUN_BACKUP_PASSPHRASE_FILE',
    'STUN_CEREMONY_ENTROPY_FILE',
    'STUN_CLI_PCS_KEY_FILE',
  ];
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-secrets-'));
    await writeFile(join(folder, 'secret'), ' a secret \r\n\n');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const file of files) {
    const name = file.replace(/_FILE$/, '');
    it(`come from ${name}, else from the file of ${file}, without trailing line ends`, async () => {
      try {
        assert.equal(await secretOf(name), undefined);
        process.env[file] = join(folder, 'secret');
        assert.equal(await secretOf(name), ' a secret ');
        process.env[name] = '';
        assert.equal(await secretOf(name), ' a secret ');
        process.env[name] = 'other';
        assert.equal(await secretOf(name), 'other');
        delete process.env[name];
        process.env[file] = join(folder, 'absent');
        await rejectsCode(secretOf(name), 'STUN_FILE');
      } finally {
        for (const one of [name, file]) delete process.env[one];
      }
    });
  }
});
