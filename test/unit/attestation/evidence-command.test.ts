import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalPolicyJson } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import type { CommandResult } from '#cli/command.ts';
import { evidenceInspect, evidenceVerify } from '#cli/commands/evidence.ts';
import { toHex } from '#protocol/bytes.ts';
import { rejectsCode } from '../assert-code.ts';
import {
  acceptedCollateral,
  acceptedQuote,
  atUnix,
  collateralWith,
  keysetDigest,
  machine,
  nonce,
  pki,
  reportData,
} from './simulated-fixture.ts';
import { acceptedSgxCollateral, acceptedSgxQuote, sgxPolicyWith } from './sgx-fixture.ts';
import { intelCases, intelFolder } from './vector-cases.ts';

const shape = [
  'kind',
  'verified',
  'validated',
  'simulated',
  'tcbStatus',
  'platform',
  'module',
  'qe',
  'advisoryIds',
  'debug',
  'checks',
];

function fields(result: CommandResult): Record<string, unknown> {
  assert.ok(typeof result.document === 'object' && result.document !== null && !Array.isArray(result.document));
  return Object.fromEntries(Object.entries(result.document));
}

describe('stun evidence', () => {
  let folder = '';
  const path = (name: string): string => join(folder, name);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-evidence-'));
    await writeFile(path('quote.bin'), acceptedQuote);
    await writeFile(path('collateral.json'), JSON.stringify(acceptedCollateral));
    await writeFile(path('expected.json'), JSON.stringify({ verifyAt: atUnix, expected: { tcbStatus: 'Revoked' } }));
    await writeFile(path('policy.json'), canonicalPolicyJson(simulatedPolicy));
    await writeFile(path('root.json'), JSON.stringify(pki.root));
    await writeFile(path('broken.json'), '{"version":1');
    await writeFile(path('evidence.json'), machine().evidence(keysetDigest, nonce));
    await writeFile(path('short.bin'), acceptedQuote.subarray(0, 600));
    await writeFile(path('sgx-short.bin'), Uint8Array.of(3, 0, 2, 0, 0, 0, 0, 0, 0, 0));
    await writeFile(path('sgx.bin'), acceptedSgxQuote);
    await writeFile(path('sgx.json'), JSON.stringify(acceptedSgxCollateral));
    await writeFile(path('sgx-policy.json'), canonicalPolicyJson(sgxPolicyWith({})));
    await writeFile(path('fifth.bin'), machine({ quoteVersion: 5, bodyType: 4 }).quote(reportData));
    await writeFile(path('without-crl.json'), JSON.stringify(collateralWith({ pck_crl: null })));
  });
  after(async () => rm(folder, { recursive: true }));

  const files = (): { quote: string; collateral: string; at: number; policy: string; root: string } => ({
    quote: path('quote.bin'),
    collateral: path('collateral.json'),
    at: atUnix,
    policy: path('policy.json'),
    root: path('root.json'),
  });

  it('accepts with exit code 0, one shape and no code', async () => {
    const result = await evidenceVerify(files());
    assert.equal(result.exitCode, 0);
    const document = fields(result);
    assert.deepEqual(Object.keys(document), shape);
    assert.deepEqual(
      [document['kind'], document['verified'], document['validated'], document['simulated']],
      ['tdx', true, true, true],
    );
    assert.deepEqual(
      [document['tcbStatus'], document['platform'], document['module'], document['qe']],
      ['UpToDate', 'UpToDate', 'UpToDate', 'UpToDate'],
    );
    assert.match(result.text, /SIMULATED HARDWARE/);
  });

  const refusals: readonly (readonly [string, () => Parameters<typeof evidenceVerify>[0], string, number, boolean])[] = [
    [
      'a root that is not trusted',
      () => ({ quote: path('quote.bin'), collateral: path('collateral.json'), at: atUnix }),
      'STUN_ROOT_UNTRUSTED',
      2,
      false,
    ],
    [
      'simulated hardware under the default policy',
      () => ({ quote: path('quote.bin'), collateral: path('collateral.json'), at: atUnix, root: path('root.json') }),
      'STUN_POLICY_SIMULATED',
      4,
      true,
    ],
    ['a quote cut short', () => ({ ...files(), quote: path('short.bin') }), 'STUN_QUOTE_FORMAT', 1, false],
    ['collateral of another time', () => ({ ...files(), at: '1900000000' }), 'STUN_CRL_EXPIRED', 2, false],
    ['missing revocation data', () => ({ ...files(), collateral: path('without-crl.json') }), 'STUN_POLICY_REVOCATION', 4, true],
    ['an SGX quote cut short', () => ({ ...files(), quote: path('sgx-short.bin') }), 'STUN_QUOTE_FORMAT', 1, false],
    [
      'an SGX enclave that the policy does not name',
      () => ({ ...files(), quote: path('sgx.bin'), collateral: path('sgx.json') }),
      'STUN_POLICY_KIND',
      4,
      true,
    ],
  ];
  for (const [name, options, code, exitCode, verified] of refusals) {
    it(`refuses ${name} in the same shape`, async () => {
      const result = await evidenceVerify(options());
      const document = fields(result);
      assert.deepEqual(Object.keys(document), [...shape, 'code', 'reason']);
      assert.deepEqual(
        [document['code'], result.exitCode, document['verified'], document['validated']],
        [code, exitCode, verified, false],
      );
      assert.ok(typeof document['reason'] === 'string' && document['reason'].length > 10);
      assert.ok(Array.isArray(document['checks']) && document['checks'].length > 0);
    });
  }

  it('verifies a whole document against a keyset and refuses it for another', async () => {
    const options = { evidence: path('evidence.json'), at: atUnix, policy: path('policy.json'), root: path('root.json') };
    assert.equal((await evidenceVerify({ ...options, keysetDigest: toHex(keysetDigest) })).exitCode, 0);
    const other = await evidenceVerify({ ...options, keysetDigest: `0x${'00'.repeat(32)}` });
    assert.deepEqual([fields(other)['code'], fields(other)['verified'], other.exitCode], ['STUN_REPORT_DATA', true, 2]);
    await rejectsCode(evidenceVerify(options), 'STUN_INPUT');
  });

  it('answers for a malformed document too', async () => {
    const result = await evidenceVerify({ evidence: path('broken.json'), at: atUnix, keysetDigest: toHex(keysetDigest) });
    assert.deepEqual([fields(result)['code'], result.exitCode], ['STUN_JSON_FORMAT', 1]);
  });

  it('reads of a case only the time, never the answer', async () => {
    const result = await evidenceVerify({ case: folder, policy: path('policy.json'), root: path('root.json') });
    assert.deepEqual([result.exitCode, fields(result)['tcbStatus']], [0, 'UpToDate']);
  });

  it('shows every field of a quote and says that nothing is verified', async () => {
    const result = await evidenceInspect({ quote: path('quote.bin'), collateral: path('collateral.json') });
    const listed = fields(result)['fields'];
    assert.ok(Array.isArray(listed));
    assert.equal(fields(result)['verified'], false);
    assert.match(result.text, /^Nothing below is verified/);
    assert.ok(result.text.includes(toHex(reportData)) && result.text.includes('Intel SGX TCB Signing, serial '));
    await rejectsCode(evidenceInspect({ quote: path('short.bin'), collateral: path('collateral.json') }), 'STUN_QUOTE_FORMAT');
    await rejectsCode(
      evidenceInspect({ quote: path('sgx-short.bin'), collateral: path('collateral.json') }),
      'STUN_QUOTE_FORMAT',
    );
  });

  it('names what it shows of chain, certificate, collateral and document', async () => {
    const shown = async (source: object): Promise<ReadonlyMap<string, string>> => {
      const listed = fields(await evidenceInspect(source))['fields'] as readonly {
        readonly name: string;
        readonly value: string;
      }[];
      return new Map(listed.map(({ name, value }) => [name, value]));
    };
    const beside = [
      'pckChain[0]',
      'pckChain[1]',
      'pckChain[2]',
      'pckCrlIssuerChain[0]',
      'rootCaCrl',
      'pckCrl',
      ...['ppid', 'fmspc', 'pceId', 'componentSvns', 'pceSvn', 'cpuSvn', 'platformInstanceId'].map((name) => `pck.${name}`),
      ...['version', 'issueDate', 'nextUpdate', 'tcbEvaluationDataNumber', 'fmspc', 'pceId'].map((name) => `tcbInfo.${name}`),
      ...['levels[0]', 'signature', 'text', 'chain[0]'].flatMap((name) => [`tcbInfo.${name}`, `qeIdentity.${name}`]),
      ...['kind', 'mrSigner', 'isvProdId', 'miscSelect', 'attributesMask'].map((name) => `qeIdentity.${name}`),
    ];
    const quote = await shown({ quote: path('quote.bin'), collateral: path('collateral.json') });
    assert.deepEqual(
      [...beside, 'tcbInfo.module.mrSigner'].filter((name) => !quote.has(name)),
      [],
    );
    assert.equal(quote.get('tcbInfo.text'), acceptedCollateral.tcb_info);
    assert.equal(quote.get('pck.fmspc'), quote.get('tcbInfo.fmspc'));
    const sgx = await shown({ quote: path('sgx.bin'), collateral: path('sgx.json') });
    assert.deepEqual(
      beside.filter((name) => !sgx.has(name)),
      [],
    );
    const document = await shown({ evidence: path('evidence.json') });
    assert.deepEqual(
      [...beside, 'body.mrTd'].filter((name) => !document.has(name)),
      [],
    );
    const own = ['version', 'kind', 'simulated', 'nonce', 'gpus'].map((name) => document.get(`document.${name}`));
    assert.deepEqual(own, ['1', 'tdx', 'true', toHex(nonce), 'none']);
    await rejectsCode(evidenceInspect({ evidence: path('broken.json') }), 'STUN_JSON_FORMAT');
  });

  it('verifies and shows SGX quotes and quotes of version 5', async () => {
    const sgx = { ...files(), quote: path('sgx.bin'), collateral: path('sgx.json'), policy: path('sgx-policy.json') };
    const verdict = await evidenceVerify(sgx);
    assert.deepEqual(
      [verdict.exitCode, fields(verdict)['kind'], fields(verdict)['tcbStatus'], fields(verdict)['module']],
      [0, 'sgx', 'UpToDate', null],
    );
    const shown = await evidenceInspect({ quote: sgx.quote, collateral: sgx.collateral });
    assert.equal(fields(shown)['kind'], 'sgx');
    assert.ok(shown.text.includes('body.mrEnclave: 0xe1e1') && shown.text.includes('1: SGX enclave report'));
    const fifth = { ...files(), quote: path('fifth.bin') };
    assert.equal((await evidenceVerify(fifth)).exitCode, 0);
    const fields5 = await evidenceInspect({ quote: fifth.quote, collateral: fifth.collateral });
    assert.ok(
      ['body.mrServiceTd', 'body.curServTdAttributes', '4: TD report 1.5 Ex'].every((text) => fields5.text.includes(text)),
    );
  });

  it('refuses options that cannot be used', async () => {
    await rejectsCode(evidenceVerify({}), 'STUN_INPUT');
    await rejectsCode(evidenceVerify({ quote: path('quote.bin') }), 'STUN_INPUT');
    await rejectsCode(evidenceVerify({ ...files(), case: folder }), 'STUN_INPUT');
    await rejectsCode(evidenceVerify({ ...files(), at: 'tomorrow' }), 'STUN_INPUT');
    await rejectsCode(evidenceVerify({ ...files(), quote: path('absent.bin') }), 'STUN_FILE');
    await rejectsCode(evidenceVerify({ case: path('absent') }), 'STUN_FILE');
    await rejectsCode(evidenceVerify({ ...files(), policy: path('root.json') }), 'STUN_POLICY_FORMAT');
  });

  it('answers every real case in one shape, with exit code 0 exactly for verified and validated', async () => {
    const root = intelFolder();
    const names = ['tdx-', 'sgx-'].flatMap((prefix) => intelCases(prefix)).map((vector) => vector.name);
    for (const name of root === null ? [] : names) {
      const result = await evidenceVerify({ case: join(root ?? '', name) });
      const document = fields(result);
      assert.deepEqual(Object.keys(document).slice(0, shape.length), shape, name);
      assert.equal(result.exitCode === 0, document['verified'] === true && document['validated'] === true, name);
      assert.equal(document['verified'], true, name);
    }
    assert.ok(root === null || names.length >= 30, `${names.length} cases`);
    console.log(`      ${names.length} real cases`);
  });
});
