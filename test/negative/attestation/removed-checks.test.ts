import assert from 'node:assert/strict';
import { evidenceChecks, sgxPolicyChecks, tdxPolicyChecks, tdxVerificationChecks } from '#attestation/checks.ts';
import type { CheckId } from '#attestation/checks.ts';
import { negativeVectors } from './negative-vectors.ts';
import { sgxVectors } from './sgx-vectors.ts';
import { without } from './without-check.ts';

/** Checks whose result the later ones are made of: without them there is nothing left to verify. */
const producing: readonly CheckId[] = [
  'quote-format',
  'collateral-format',
  'pck-chain',
  'pck-extension',
  'tcb-info-content',
  'qe-identity-content',
  'tcb-evaluation',
  'policy-kind',
  'evidence-format',
  'evidence-kind',
  'evidence-gpu',
];

describe('checks of TDX evidence, removed one at a time', () => {
  const removable = [...tdxVerificationChecks, ...tdxPolicyChecks, ...evidenceChecks].filter((id) => !producing.includes(id));

  for (const check of removable) {
    it(`${check} is all that stands between some vector and acceptance`, () => {
      const vectors = negativeVectors.filter((vector) => vector.check === check);
      const accepted = vectors.filter((vector) => without(check, vector.run).failure === null);
      assert.ok(accepted.length > 0, `${vectors.length} vectors, none accepted`);
    });
  }

  it('are counted, and are back afterwards', () => {
    assert.ok(removable.length >= 25, `${removable.length} checks`);
    for (const vector of negativeVectors) assert.notEqual(vector.run().failure, null, vector.name);
    console.log(`      ${removable.length} checks removed, ${negativeVectors.length} vectors`);
  });
});

describe('policy checks of SGX quotes, removed one at a time', () => {
  // The verification before them is the same code as for TDX, and is taken apart above.
  const removable = sgxPolicyChecks.filter((id) => !producing.includes(id));

  for (const check of removable) {
    it(`${check} is all that stands between some vector and acceptance`, () => {
      const vectors = sgxVectors.filter((vector) => vector.check === check);
      const accepted = vectors.filter((vector) => without(check, vector.run).failure === null);
      assert.ok(accepted.length > 0, `${vectors.length} vectors, none accepted`);
    });
  }
});
