import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalPolicyJson } from '#attestation/index.ts';
import { encodeJwks } from '#attestation/jose/jwks.ts';
import { signJws } from '#attestation/jose/jws.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { evidenceVerify } from '#cli/commands/evidence.ts';
import { toHex } from '#protocol/bytes.ts';
import { rejectsCode } from '../assert-code.ts';
import { acceptedReport, earClaims, earIssuer, earSigner, otherEarSigner } from './ear-fixture.ts';
import { acceptedQuote, atUnix, keysetDigest } from './simulated-fixture.ts';

describe('stun evidence verify --ear', () => {
  let folder = '';
  const path = (name: string): string => join(folder, name);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-ear-'));
    const refused = { ...acceptedReport, validated: false, code: 'STUN_POLICY_DEBUG', reason: 'debug' } as const;
    await writeFile(path('ear.jwt'), `${signJws(earClaims(), earSigner)}\n`);
    await writeFile(path('refused.jwt'), signJws(earClaims({ report: refused }), earSigner));
    await writeFile(path('other.jwt'), signJws(earClaims(), otherEarSigner));
    await writeFile(path('quote.bin'), acceptedQuote);
    await writeFile(path('jwks.json'), JSON.stringify(encodeJwks([earSigner])));
    await writeFile(path('policy.json'), canonicalPolicyJson(simulatedPolicy));
  });
  after(() => rm(folder, { recursive: true }));

  const verify = (ear: string, more: object = {}): ReturnType<typeof evidenceVerify> =>
    evidenceVerify({ ear: path(ear), jwks: path('jwks.json'), at: atUnix, policy: path('policy.json'), ...more });

  const wanted = (): object => ({ quote: path('quote.bin'), keysetDigest: toHex(keysetDigest) });

  it('gives the report of the verifier in the shape of all reports', async () => {
    const { document, exitCode, text } = await verify('ear.jwt', { issuer: earIssuer, ...wanted() });
    assert.equal(exitCode, 0);
    const { checks: _, ...facts } = acceptedReport;
    const { checks, ...said } = document as unknown as typeof acceptedReport;
    assert.deepEqual(said, facts);
    assert.ok(checks.every(({ status }) => status === 'proven'));
    assert.equal(checks.length, 9);
    assert.match(text ?? '', /RFC 7515, section 5\.2/);
  });

  it('refuses by the status, the key, the issuer, the time and the policy, in one line that says what to do', async () => {
    const codes = [
      await verify('refused.jwt'),
      await verify('other.jwt'),
      await verify('ear.jwt', { issuer: 'https://other.example' }),
      await verify('ear.jwt', { at: atUnix + 3600 }),
      await verify('ear.jwt', { policy: undefined }),
    ].map(({ document, exitCode, text }) => {
      assert.notEqual(exitCode, 0);
      const line = text?.split('\n').at(-1) ?? '';
      const { code = '' } = document as { readonly code?: string };
      assert.ok(line.startsWith(`refused with ${code} at ear-`), line);
      return code;
    });
    assert.deepEqual(codes, ['STUN_EAR_STATUS', 'STUN_JWS_KEY', 'STUN_TOKEN_ISSUER', 'STUN_TOKEN_TIME', 'STUN_EAR_POLICY']);
  });

  it('refuses a result about another enclave or other evidence', async () => {
    for (const [more, code] of [
      [{ ...wanted(), keysetDigest: `0x${'00'.repeat(32)}` }, 'STUN_EAR_KEYSET'],
      [{ ...wanted(), quote: path('policy.json') }, 'STUN_EAR_EVIDENCE'],
    ] as const) {
      const { document, exitCode } = await verify('ear.jwt', more);
      assert.deepEqual([(document as { readonly code?: string }).code, exitCode], [code, 2]);
    }
  });

  it('says what it was not told to compare', async () => {
    const { document, text, exitCode } = await verify('ear.jwt');
    assert.equal(exitCode, 0);
    const { checks, unproven } = document as unknown as Required<typeof acceptedReport>;
    const open = checks.filter(({ status }) => status === 'unknown').map(({ id }) => id);
    assert.deepEqual(open, ['ear-keyset', 'ear-evidence']);
    assert.equal(unproven.length, 2);
    assert.match(text, /not proven: which keyset .*\nnot proven: which evidence /);
  });

  it('needs keys', async () => {
    await rejectsCode(evidenceVerify({ ear: path('ear.jwt') }), 'STUN_INPUT');
  });
});
