/** Sums of a witness program by every engine, against integers: products are added before one reduction, so their number and size matter. */
import assert from 'node:assert/strict';
import { inverse, reduce } from '#circuits/build/field-math.ts';
import { readField } from '#circuits/build/r1cs.ts';
import { programBytes } from '#circuits/witness/program-file.ts';
import type { Term } from '#circuits/witness/witness-program.ts';
import { FIELD_ORDER } from '#protocol/field.ts';
import { loadNativeAddon } from '#prover/native-addon.ts';
import { sampleSeed } from '#test/depth.ts';
import { SeededRandom } from '#test/circuits/fixtures.ts';
import { nativeRunner } from '#test/circuits/native-witness.ts';

const LAST = FIELD_ORDER - 1n;
/** What an engine stores as r - 1, the largest factor there is. */
const LARGEST = reduce(LAST * inverse(reduce(1n << 256n)));
const COUNTS = [1, 2, 5, 16, 17, 300, 20_000];
/** Input registers. */
const [X, Y] = [1, 2];

type Case = readonly [name: string, x: bigint, term: (i: number, random: SeededRandom) => Term];

const CASES: readonly Case[] = [
  ['random products', 0n, (_, random) => [random.field(), Y]],
  ['the largest products', LARGEST, () => [LARGEST, X]],
  ['products that cancel in pairs', LARGEST, (i) => [i % 2 === 0 ? LARGEST : reduce(-LARGEST), X]],
  ['units and products', LAST, (i, random) => [[1n, LAST, random.field()][i % 3]!, i % 2 === 0 ? X : Y]],
];

describe('prover: sums of a witness program', () => {
  before(function () {
    if (process.platform !== 'linux' || process.arch !== 'x64') this.skip();
  });

  for (const [name, x, term] of CASES) {
    it(`adds ${name}`, () => {
      const random = new SeededRandom(`${sampleSeed()}/${name}`);
      for (const count of COUNTS) {
        const y = random.field();
        const terms = Array.from({ length: count }, (_, i) => term(i, random));
        const sum = reduce(terms.reduce((total, [coefficient, register]) => total + coefficient * (register === X ? x : y), 0n));
        const program = programBytes({
          inputs: ['x', 'y'].map((input) => ({ name: input, size: 1 })),
          registerCount: 6,
          instructions: [
            { kind: 'sum', to: 3, terms },
            { kind: 'product', to: 4, scale: 2n, a: 1, b: 2, terms },
            // A zero has to be all zeros, where a product takes any number that stands for one.
            { kind: 'sum', to: 5, terms: [[reduce(-sum), 0], ...terms] },
            { kind: 'zero', of: 5, rule: 0 },
          ],
          outputs: [0, 3, 4],
          rules: ['the sum'],
        });
        for (const engine of loadNativeAddon().engineNames()) {
          const witness = nativeRunner(program, engine)({ x, y });
          const view = new DataView(witness.buffer, witness.byteOffset + witness.length - 64);
          assert.equal(readField(view, 0), sum, `${engine} with ${count} terms`);
          assert.equal(readField(view, 32), reduce(2n * x * y + sum), `${engine} with ${count} terms beside a product`);
        }
      }
    });
  }
});
