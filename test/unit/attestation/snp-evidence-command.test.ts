import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalPolicyJson, parseTrustRoots } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import type { CommandResult } from '#cli/command.ts';
import { evidenceInspect, evidenceVerify } from '#cli/commands/evidence.ts';
import { toHex } from '#protocol/bytes.ts';
import { rejectsCode, throwsCode } from '../assert-code.ts';
import { atUnix, keysetDigest, nonce } from './simulated-fixture.ts';
import { acceptedEndorsements, acceptedReport, snpMachine } from './snp-fixture.ts';
import { amdCases, amdFolder } from './snp-vector-cases.ts';

const shape = 'kind verified validated simulated tcbStatus platform module qe advisoryIds debug checks'.split(' ');

function fields(result: CommandResult): Record<string, unknown> {
  assert.ok(typeof result.document === 'object' && result.document !== null && !Array.isArray(result.document));
  return Object.fromEntries(Object.entries(result.document));
}

function refuted(result: CommandResult): readonly string[] {
  const checks = fields(result)['checks'] as readonly { readonly id: string; readonly status: string }[];
  return checks.filter((check) => check.status === 'refuted').map((check) => check.id);
}

describe('stun evidence of SEV-SNP', () => {
  const machine = snpMachine();
  let folder = '';
  const path = (name: string): string => join(folder, name);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-snp-'));
    await writeFile(path('report.bin'), acceptedReport);
    await writeFile(path('vek.der'), acceptedEndorsements.vek);
    await writeFile(path('ask.pem'), acceptedEndorsements.ask);
    await writeFile(path('ark.pem'), acceptedEndorsements.ark);
    await writeFile(path('crl.der'), acceptedEndorsements.crl ?? new Uint8Array(0));
    await writeFile(path('short.bin'), acceptedReport.subarray(0, 1183));
    await writeFile(path('expected.json'), JSON.stringify({ verifyAt: atUnix, expected: 'vek-signature' }));
    await writeFile(path('policy.json'), canonicalPolicyJson(simulatedPolicy));
    await writeFile(path('root.json'), JSON.stringify(machine.root));
    await writeFile(path('evidence.json'), machine.evidence(keysetDigest, nonce));
  });
  after(async () => rm(folder, { recursive: true }));

  const files = (): { report: string; vek: string; ask: string; ark: string; at: number; policy: string; root: string } => ({
    report: path('report.bin'),
    vek: path('vek.der'),
    ask: path('ask.pem'),
    ark: path('ark.pem'),
    at: atUnix,
    policy: path('policy.json'),
    root: path('root.json'),
  });

  it('accepts with exit code 0, one shape and no code', async () => {
    const result = await evidenceVerify({ ...files(), crl: path('crl.der') });
    const document = fields(result);
    assert.deepEqual(Object.keys(document), shape);
    assert.deepEqual(
      [document['kind'], document['verified'], document['validated'], document['simulated']],
      ['snp', true, true, true],
    );
    assert.deepEqual([document['tcbStatus'], document['debug'], result.exitCode], [null, false, 0]);
    assert.match(result.text, /SIMULATED HARDWARE/);
  });

  it('refuses in the same shape, with the check that failed', async () => {
    const without = await evidenceVerify(files());
    assert.deepEqual(
      [fields(without)['code'], fields(without)['verified'], without.exitCode],
      ['STUN_POLICY_REVOCATION', true, 4],
    );
    assert.deepEqual(refuted(without), ['policy-revocation']);
    const { root: _left, ...withoutRoot } = files();
    const stranger = await evidenceVerify(withoutRoot);
    assert.deepEqual(
      [fields(stranger)['code'], fields(stranger)['verified'], stranger.exitCode],
      ['STUN_ROOT_UNTRUSTED', false, 2],
    );
    const short = await evidenceVerify({ ...files(), report: path('short.bin') });
    assert.deepEqual([fields(short)['code'], refuted(short), short.exitCode], ['STUN_SNP_REPORT_FORMAT', ['report-format'], 1]);
    for (const result of [without, stranger, short]) assert.deepEqual(Object.keys(fields(result)), [...shape, 'code', 'reason']);
  });

  it('verifies a whole document against a keyset and refuses it for another', async () => {
    const options = { evidence: path('evidence.json'), at: atUnix, policy: path('policy.json'), root: path('root.json') };
    const own = await evidenceVerify({ ...options, keysetDigest: toHex(keysetDigest) });
    assert.deepEqual([fields(own)['kind'], own.exitCode], ['snp', 0]);
    const other = await evidenceVerify({ ...options, keysetDigest: `0x${'00'.repeat(32)}` });
    assert.deepEqual([fields(other)['kind'], fields(other)['code'], other.exitCode], ['snp', 'STUN_REPORT_DATA', 2]);
  });

  it('reads of a case only the time, never the answer, and its CRL where there is one', async () => {
    const result = await evidenceVerify({ case: folder, policy: path('policy.json'), root: path('root.json') });
    assert.deepEqual([result.exitCode, fields(result)['verified'], fields(result)['validated']], [0, true, true]);
  });

  it('shows every field of a report and says that nothing is verified', async () => {
    const { report, vek, ask, ark } = files();
    for (const source of [
      { report, vek, ask, ark, crl: path('crl.der') },
      { report, vek, ask, ark },
      { evidence: path('evidence.json') },
    ]) {
      const result = await evidenceInspect(source);
      const listed = fields(result)['fields'];
      assert.ok(Array.isArray(listed));
      const names = new Set(listed.map(({ name }: { readonly name: string }) => name));
      const wanted = ['vek', 'ask', 'ark', 'crl', ...('evidence' in source ? ['document.nonce', 'document.simulated'] : [])];
      assert.deepEqual(
        wanted.filter((name) => !names.has(name)),
        [],
      );
      assert.equal(fields(result)['verified'], false);
      assert.match(result.text, /^Nothing below is verified/);
      assert.ok(
        result.text.includes('alias check complete') &&
          result.text.includes('snp 27') &&
          result.text.includes('SEV-VCEK, serial 00'),
      );
    }
    await rejectsCode(evidenceInspect({ report: path('short.bin'), vek, ask, ark }), 'STUN_SNP_REPORT_FORMAT');
  });

  it('refuses options that cannot be used', async () => {
    await rejectsCode(evidenceVerify({ report: path('report.bin') }), 'STUN_INPUT');
    await rejectsCode(evidenceVerify({ crl: path('crl.der') }), 'STUN_INPUT');
    await rejectsCode(evidenceVerify({ ...files(), case: folder }), 'STUN_INPUT');
    await rejectsCode(evidenceVerify({ ...files(), vek: path('absent.der') }), 'STUN_FILE');
  });

  it('takes a simulated root of AMD and no other', () => {
    const root = machine.root;
    assert.deepEqual(parseTrustRoots(JSON.stringify(root)), [root]);
    for (const change of [
      { simulated: false },
      { product: 'Venice' },
      { publicKeySha256: '0x00' },
      { vendor: 'arm' },
      { publicKey: '0x' },
    ])
      throwsCode(() => parseTrustRoots(JSON.stringify({ ...root, ...change })), 'STUN_CONFIG');
    const real = '0x429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831';
    throwsCode(() => parseTrustRoots(JSON.stringify({ ...root, publicKeySha256: real })), 'STUN_CONFIG');
  });

  it('answers every real case in one shape, as its expected answer says', async () => {
    const cases = amdCases();
    for (const vector of cases) {
      const result = await evidenceVerify({ case: join(amdFolder() ?? '', vector.name) });
      const document = fields(result);
      assert.deepEqual(Object.keys(document).slice(0, shape.length), shape, vector.name);
      assert.equal(document['kind'], 'snp');
      assert.equal(document['verified'], vector.expected === 'valid', vector.name);
      assert.equal(document['debug'], vector.expected === 'valid' ? vector.debug : null, vector.name);
      if (vector.expected !== 'valid') assert.equal(refuted(result)[0], vector.expected, vector.name);
      assert.notEqual(result.exitCode, 0, `${vector.name}: there is no CRL`);
      await evidenceInspect({ case: join(amdFolder() ?? '', vector.name) });
    }
    assert.ok(amdFolder() === null || cases.length >= 14, `${cases.length} cases`);
    console.log(`      ${cases.length} real cases`);
  });
});
