import assert from 'node:assert/strict';
import { snpPolicyChecks, snpVerificationChecks } from '#attestation/checks.ts';
import type { CheckId } from '#attestation/checks.ts';
import { snpNegativeVectors } from './snp-negative-vectors.ts';
import { without } from './without-check.ts';

/** Checks whose result the later ones are made of: without them there is nothing left to verify. */
const producing: readonly CheckId[] = [
  'report-format',
  'endorsements-format',
  'ark-product',
  'ark-key',
  'tcb-layout',
  'policy-kind',
];

describe('checks of SEV-SNP evidence, removed one at a time', () => {
  const removable = [...snpVerificationChecks, ...snpPolicyChecks].filter((id) => !producing.includes(id));

  for (const check of removable) {
    it(`${check} is all that stands between some vector and acceptance`, () => {
      const vectors = snpNegativeVectors.filter((vector) => vector.check === check);
      const accepted = vectors.filter((vector) => without(check, vector.run).failure === null);
      assert.ok(accepted.length > 0, `${vectors.length} vectors, none accepted`);
    });
  }

  it('are counted, and are back afterwards', () => {
    assert.ok(removable.length >= 30, `${removable.length} checks`);
    for (const vector of snpNegativeVectors) assert.notEqual(vector.run().failure, null, vector.name);
    console.log(`      ${removable.length} checks removed, ${snpNegativeVectors.length} vectors`);
  });
});
