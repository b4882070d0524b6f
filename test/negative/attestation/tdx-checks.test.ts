import assert from 'node:assert/strict';
import { evidenceChecks, tdxPolicyChecks, tdxVerificationChecks } from '#attestation/index.ts';
import { assessWith } from '../../unit/attestation/simulated-fixture.ts';
import { negativeVectors } from './negative-vectors.ts';

describe('negative vectors of TDX evidence', () => {
  it('start from evidence that is accepted', () => {
    const { failure, validated, checks } = assessWith({});
    assert.equal(failure, null);
    assert.equal(validated, true);
    const open = checks.filter((check) => check.status !== 'proven').map((check) => check.id);
    assert.deepEqual(open, ['policy-measurements']); // the one check that this policy skips
  });

  for (const { check, code, name, run } of negativeVectors) {
    it(`refuses with ${code} at ${check}: ${name}`, () => {
      const { checks, failure } = run();
      assert.equal(failure?.code, code, failure?.message);
      const refuted = checks.filter((entry) => entry.status === 'refuted');
      assert.deepEqual(refuted, [{ id: check, status: 'refuted', code }]);
    });
  }

  it('refute every check that can be refuted', () => {
    // NotSupported is an answer of the evaluation, refused by policy-tcb-status: nothing refutes the evaluation itself.
    const all = [...tdxVerificationChecks, ...tdxPolicyChecks, ...evidenceChecks].filter((id) => id !== 'tcb-evaluation');
    const covered = new Set(negativeVectors.map((vector) => vector.check));
    assert.deepEqual(
      all.filter((id) => !covered.has(id)),
      [],
    );
    assert.ok(negativeVectors.length >= 100, `${negativeVectors.length} vectors`);
    console.log(`      ${negativeVectors.length} negative vectors over ${covered.size} checks`);
  });
});
