import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { assessEar } from '#attestation/ear/assess.ts';
import type { EarAssessment } from '#attestation/ear/assess.ts';
import { canonicalPolicyJson } from '#attestation/index.ts';
import type { JsonObject } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { earOf, earSignerOf } from '#service/enclaves/ear.ts';
import { reportOn } from '#service/enclaves/report.ts';
import type { Question } from '#service/enclaves/report.ts';
import { Secret } from '#service/secret.ts';
import type { Services } from '#service/services.ts';
import { acceptedCollateral, acceptedQuote, atUnix, pki } from '../attestation/simulated-fixture.ts';

const earSigner = earSignerOf(new Secret(`0x${'5e'.repeat(32)}`));
const services = {
  roots: [pki.root],
  nowMs: () => atUnix * 1000,
  earSigner,
  audience: () => 'https://service.example',
  settings: { earSeconds: 600 },
} as unknown as Services;

const question = {
  quote: toHex(acceptedQuote),
  collateral: acceptedCollateral as unknown as JsonObject,
  policy: JSON.parse(canonicalPolicyJson(simulatedPolicy)) as JsonObject,
} as Question;

function answered(asked: Question, atTime = atUnix): EarAssessment {
  const token = earOf(services, asked, reportOn(services, asked));
  assert.ok(token !== null);
  return assessEar({
    token,
    keys: [earSigner],
    atUnix: atTime,
    issuer: 'https://service.example',
    policy: simulatedPolicy,
    keysetDigest: { skip: 'these questions are about no keyset' },
    evidenceSha256: createHash('sha256')
      .update(fromHex(asked.quote ?? '0x'))
      .digest(),
  });
}

describe("the service's attestation results", () => {
  it('are its reports, signed with a key that its secret gives', () => {
    const { verified, failure } = answered(question);
    assert.equal(failure, null);
    assert.deepEqual([verified?.status, verified?.kind, verified?.keysetDigest], ['warning', 'tdx', null]);
    assert.equal(JSON.stringify(verified?.report), JSON.stringify(reportOn(services, question)));
    assert.equal(earSignerOf(new Secret(`0x${'5e'.repeat(32)}`)).keyId, earSigner.keyId);
    assert.notEqual(earSignerOf(new Secret(`0x${'5f'.repeat(32)}`)).keyId, earSigner.keyId);
  });

  it('hold for as long as the service is set to', () => {
    assert.equal(answered(question, atUnix + 599).failure, null);
    assert.equal(answered(question, atUnix + 600).failure?.code, 'STUN_TOKEN_TIME');
  });

  it('say of refused evidence that it is refused', () => {
    const { policy: _, ...asked } = question;
    const { failure, checks } = answered(asked);
    assert.equal(failure?.code, 'STUN_EAR_POLICY');
    assert.equal(checks.find(({ id }) => id === 'ear-profile')?.status, 'proven');
    const quote = toHex(acceptedQuote.subarray(0, -1));
    const { verified, failure: cut } = answered({ ...question, quote });
    assert.equal(verified?.status, 'contraindicated');
    assert.equal(cut?.code, 'STUN_EAR_STATUS');
  });

  it("are not given for a time of the caller's choice", () => {
    const asked = { ...question, atUnix } as Question;
    assert.equal(earOf(services, asked, reportOn(services, asked)), null);
  });
});
