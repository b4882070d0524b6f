import assert from 'node:assert/strict';
import { sgxPolicyChecks, sgxVerificationChecks } from '#attestation/index.ts';
import { assessSgxMachine, assessSgxWith } from '../../unit/attestation/sgx-fixture.ts';
import { sgxVectors } from './sgx-vectors.ts';

describe('negative vectors of SGX quotes', () => {
  it('start from quotes that are accepted, of every version', () => {
    for (const assessment of [assessSgxWith({}), assessSgxMachine({ quoteVersion: 4 }), assessSgxMachine({ quoteVersion: 5 })]) {
      assert.equal(assessment.failure, null, assessment.failure?.message);
      assert.deepEqual(
        assessment.checks.filter((check) => check.status !== 'proven'),
        [],
      );
    }
  });

  for (const { check, code, name, run } of sgxVectors) {
    it(`refuses with ${code} at ${check}: ${name}`, () => {
      const { checks, failure } = run();
      assert.equal(failure?.code, code, failure?.message);
      assert.deepEqual(
        checks.filter((entry) => entry.status === 'refuted'),
        [{ id: check, status: 'refuted', code }],
      );
    });
  }

  it('refute every check that can be refuted', () => {
    const all = [...sgxVerificationChecks, ...sgxPolicyChecks].filter((id) => id !== 'tcb-evaluation');
    const covered = new Set(sgxVectors.map((vector) => vector.check));
    assert.deepEqual(
      all.filter((id) => !covered.has(id)),
      [],
    );
    console.log(`      ${sgxVectors.length} negative vectors over ${covered.size} checks`);
  });
});
