/** A witness program for tests of what runs it. */
import type { WitnessProgram } from '#circuits/witness/witness-program.ts';
import { FIELD_ORDER } from '#protocol/field.ts';

/** Every instruction once: 3·x + y, twice that times x, that by y, the bits of x, and x - 5 = 0. */
export const EVERY_INSTRUCTION: WitnessProgram = {
  inputs: [
    { name: 'x', size: 1 },
    { name: 'y', size: 1 },
  ],
  registerCount: 10,
  instructions: [
    {
      kind: 'sum',
      to: 3,
      terms: [
        [3n, 1],
        [1n, 2],
      ],
    },
    { kind: 'product', to: 4, scale: 2n, a: 1, b: 3, terms: [[FIELD_ORDER - 1n, 0]] },
    { kind: 'divide', quotients: [{ to: 5, over: 4, under: 2, rule: 0 }] },
    {
      kind: 'bits',
      of: 1,
      rule: 1,
      bits: [
        { to: 6, position: 0 },
        { to: 7, position: 1 },
        { to: 8, position: 2 },
      ],
    },
    {
      kind: 'sum',
      to: 9,
      terms: [
        [1n, 1],
        [FIELD_ORDER - 5n, 0],
      ],
    },
    { kind: 'zero', of: 9, rule: 2 },
  ],
  outputs: [0, 1, 2, 3, 4, 5, 6, 7, 8],
  rules: ['y', 'x', 'x and 5'],
};
