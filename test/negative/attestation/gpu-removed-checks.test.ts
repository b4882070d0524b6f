import assert from 'node:assert/strict';
import { gpuPolicyChecks, gpuVerificationChecks } from '#attestation/checks.ts';
import type { CheckId } from '#attestation/checks.ts';
import { gpuNegativeVectors } from './gpu-negative-vectors.ts';
import { without } from './without-check.ts';

/** Checks whose result the later ones are made of: without them there is nothing left to verify. */
const producing: readonly CheckId[] = [
  'report-format',
  'chain-format',
  'chain',
  'chain-names',
  'fwid',
  'device-identity',
  'ocsp',
  'policy-kind',
];

describe('checks of GPU evidence, removed one at a time', () => {
  const removable = [...gpuVerificationChecks, ...gpuPolicyChecks].filter((id) => !producing.includes(id));

  for (const check of removable) {
    it(`${check} is all that stands between some vector and acceptance`, () => {
      const vectors = gpuNegativeVectors.filter((vector) => vector.check === check);
      const accepted = vectors.filter((vector) => without(check, vector.run).failure === null);
      assert.ok(accepted.length > 0, `${vectors.length} vectors, none accepted`);
    });
  }

  it('are counted, and are back afterwards', () => {
    assert.ok(removable.length >= 15, `${removable.length} checks`);
    for (const vector of gpuNegativeVectors) assert.notEqual(vector.run().failure, null, vector.name);
    console.log(`      ${removable.length} checks removed, ${gpuNegativeVectors.length} vectors`);
  });
});
