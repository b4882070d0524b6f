/** Poseidon beside hashes that circomlib and go-iden3-crypto publish and beside the permutation as its authors write it, dense matrices and all. */
import assert from 'node:assert/strict';
import { grainGenConstants, poseidon as densePermutation } from '@noble/curves/abstract/poseidon.js';
import { bn254_Fr as Fr } from '@noble/curves/bn254.js';
import { FIELD_ORDER, poseidon } from '#protocol/index.ts';
import { throwsCode } from '#test/unit/assert-code.ts';

const upTo = (count: number): bigint[] => Array.from({ length: count }, (_, i) => BigInt(i + 1));

describe('Poseidon', () => {
  // circomlib, test/poseidoncircuit.js, and go-iden3-crypto, poseidon/poseidon_test.go.
  for (const [inputs, hash] of [
    [[1n], 18586133768512220936620570745912940619677854269274689475585506675881198879027n],
    [[1n, 2n], 7853200120776062878684798364095072458815029376092732009249414926327459813530n],
    [[1n, 2n, 0n, 0n, 0n], 1018317224307729531995786483840663576608797660851238720571059489595066344487n],
    [upTo(5), 6183221330272524995739186171720101788151706631170188140075976616310159254464n],
  ] as const) {
    it(`gives the published hash of ${inputs.join(', ')}`, () => assert.equal(poseidon(0n, inputs), hash));
  }

  // Partial rounds for one to six inputs, eprint 2019/458 as circomlib has them.
  for (const [i, roundsPartial] of [56, 57, 56, 60, 60, 63].entries()) {
    it(`is the dense permutation of ${i + 2} elements`, () => {
      const parameters = { Fp: Fr, t: i + 2, roundsFull: 8, roundsPartial, sboxPower: 5 };
      const permutation = densePermutation({ ...parameters, ...grainGenConstants(parameters) });
      for (const [tag, inputs] of [
        [0n, upTo(i + 1)],
        [18n, upTo(i + 1)],
        [FIELD_ORDER - 1n, upTo(i + 1).map((input) => FIELD_ORDER - input)],
      ] as const) {
        assert.equal(poseidon(tag, inputs), permutation([tag, ...inputs])[0]);
      }
    });
  }

  it('refuses no inputs, more than 16, and elements of r or more', () => {
    throwsCode(() => poseidon(0n, []), 'STUN_RANGE');
    throwsCode(() => poseidon(0n, upTo(17)), 'STUN_RANGE');
    throwsCode(() => poseidon(0n, [1n, FIELD_ORDER]), 'STUN_RANGE');
    throwsCode(() => poseidon(FIELD_ORDER, [1n]), 'STUN_RANGE');
  });
});
