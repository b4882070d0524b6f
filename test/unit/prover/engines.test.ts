/**
 * The arithmetic of our provers, every engine that this machine can run: sums of multiples against known multiples of the
 * generator, transforms against the evaluation of polynomials one value at a time.
 */
import assert from 'node:assert/strict';
import { buildBn128, type Bn128 } from 'ffjavascript';
import { inverse, power, reduce, rootOfUnity } from '#circuits/build/field-math.ts';
import { FixedBase, toMontgomery } from '#circuits/build/fixed-base.ts';
import { FIELD_ORDER } from '#protocol/field.ts';
import { SeededRandom } from '#test/circuits/fixtures.ts';
import { depth, sampleCases, sampleSeed } from '#test/depth.ts';
import { allArithmetic, hasNative, type EngineArithmetic } from './engines.ts';

const WINDOWS = Array.from({ length: 15 }, (_, i) => i + 2);
const LAST = FIELD_ORDER - 1n;

/** Multiples of the generator that serve as points, with the scalars they are multiplied with. */
interface Sum {
  readonly points: readonly bigint[];
  readonly scalars: readonly bigint[];
}

type SumCase = readonly [name: string, make: (random: SeededRandom, count: number) => Sum];

const listOf = (count: number, make: (i: number) => bigint): bigint[] => Array.from({ length: count }, (_, i) => make(i));
const fields = (random: SeededRandom, count: number): bigint[] => listOf(count, () => random.field());

/** What has broken bucket methods before: see each name. */
const SUM_CASES: readonly SumCase[] = [
  ['random points and scalars', (random, n) => ({ points: fields(random, n), scalars: fields(random, n) })],
  ['scalars 0', (random, n) => ({ points: fields(random, n), scalars: listOf(n, () => 0n) })],
  ['scalars 1', (random, n) => ({ points: fields(random, n), scalars: listOf(n, () => 1n) })],
  ['scalars r - 1', (random, n) => ({ points: fields(random, n), scalars: listOf(n, () => LAST) })],
  ['one scalar for all', (random, n) => ({ points: fields(random, n), scalars: listOf(n, () => LAST / 3n) })],
  ['scalars of bits', (random, n) => ({ points: fields(random, n), scalars: listOf(n, () => random.below(2n)) })],
  ['small scalars', (random, n) => ({ points: fields(random, n), scalars: listOf(n, () => random.below(1n << 16n)) })],
  [
    'few scalars that are not 0',
    (random, n) => ({ points: fields(random, n), scalars: listOf(n, (i) => (i % 29 === 3 ? random.field() : 0n)) }),
  ],
  [
    'powers of two',
    (random, n) => ({ points: fields(random, n), scalars: listOf(n, (i) => (1n << BigInt(i % 254)) % FIELD_ORDER) }),
  ],
  ['equal points', (random, n) => ({ points: listOf(n, () => 5n), scalars: fields(random, n) })],
  ['equal points in one bucket', (_random, n) => ({ points: listOf(n, () => 7n), scalars: listOf(n, () => 3n) })],
  [
    'opposite points in one bucket',
    (_random, n) => ({ points: listOf(n, (i) => (i % 2 === 0 ? 11n : FIELD_ORDER - 11n)), scalars: listOf(n, () => 9n) }),
  ],
  [
    'equal points with opposite scalars',
    (_random, n) => ({ points: listOf(n, () => 13n), scalars: listOf(n, (i) => (i % 2 === 0 ? 2n : FIELD_ORDER - 2n)) }),
  ],
  [
    'every second point at infinity',
    (random, n) => ({ points: listOf(n, (i) => (i % 2 === 0 ? 0n : random.field())), scalars: fields(random, n) }),
  ],
  ['all points at infinity', (random, n) => ({ points: listOf(n, () => 0n), scalars: fields(random, n) })],
  [
    'points that meet in sums',
    (random, n) => ({ points: listOf(n, (i) => BigInt((i % 4) + 1)), scalars: listOf(n, () => random.below(4n)) }),
  ],
];
/** Numbers of points, and how often each is summed with other random ones: the last costs five times all others. */
const COUNTS = [...[0, 1, 2, 3, 7, 64, 257].map((count) => ({ count, repeats: 3 })), { count: 1500, repeats: 1 }];

function littleEndian(values: readonly bigint[]): Uint8Array {
  const bytes = Buffer.alloc(32 * values.length);
  for (const [i, value] of values.entries())
    for (let limb = 0; limb < 4; limb++)
      bytes.writeBigUInt64LE(BigInt.asUintN(64, value >> BigInt(64 * limb)), 32 * i + 8 * limb);
  return bytes;
}

describe('prover: engines', function () {
  this.timeout(3_600_000);
  let curve: Bn128;
  let engines: readonly EngineArithmetic[];

  before(async () => {
    engines = allArithmetic();
    curve = await buildBn128(true);
  });

  it('has the portable ones everywhere, each the last of its backend', () => {
    const labels = engines.map(({ label }) => label);
    assert.equal(labels.at(-1), 'wasm portable');
    assert.equal(labels.findLast((label) => label.startsWith('native')) === 'native portable', hasNative);
  });

  for (const group of [1, 2] as const) {
    const all = SUM_CASES.flatMap(([name, make]) =>
      COUNTS.flatMap(({ count, repeats }) =>
        listOf(repeats, BigInt).map((repeat) => ({ name, make, count, repeat, windows: WINDOWS as readonly number[] })),
      ),
    );
    const caseOf = (i: number, count: number, window: number): (typeof all)[number] => {
      const [name, make] = SUM_CASES[i % SUM_CASES.length]!;
      return { name, make, count, repeat: 0n, windows: [window] };
    };
    // Every window and every case at least once, then a sample of their combinations.
    const chosen =
      depth() === 'full'
        ? all
        : [
            ...WINDOWS.map((window, i) => caseOf(i, 257, window)),
            ...SUM_CASES.map((_, i) => caseOf(i, 64, 8)),
            ...sampleCases(
              all.flatMap((one) => WINDOWS.map((window) => ({ ...one, windows: [window] }))),
              12,
            ),
          ];
    const caseCount = chosen.reduce((sum, { windows }) => sum + windows.length, 0);

    it(`sums multiples in group ${group} as one multiple of the generator: ${caseCount} cases`, () => {
      const base = new FixedBase(curve, group === 1 ? 'g1' : 'g2', 2 ** 12);
      for (const { name, make, count, repeat, windows } of chosen) {
        const { points, scalars } = make(new SeededRandom(`${sampleSeed()}/${name}/${count}/${repeat}`), count);
        const expected = base.multiply([reduce(points.reduce((sum, point, i) => sum + point * scalars[i]!, 0n))]);
        const stored = base.multiply(points);
        const bytes = littleEndian(scalars);
        // The points and what they sum to are the same for every window and engine.
        for (const window of windows) {
          for (const engine of engines) {
            const sum = engine.multiply(group, stored, bytes, window);
            assert.deepEqual(
              Buffer.from(sum as Uint8Array),
              Buffer.from(expected),
              `${engine.label}: ${name}, ${count} points, window ${window}`,
            );
          }
        }
      }
    });
  }

  it('refuses windows that it has no memory layout for', () => {
    for (const engine of engines)
      for (const window of [0, 1, 17, 64]) assert.equal(engine.multiply(1, new Uint8Array(0), new Uint8Array(0), window), 5);
  });

  const exponents = depth() === 'full' ? listOf(9, BigInt).map(Number) : [0, 1, 2, 3, 5, 7];
  const TRANSFORM_CASES: readonly (readonly [name: string, make: (random: SeededRandom, size: number) => bigint[]])[] = [
    ['random', fields],
    ['zero', (_random, size) => listOf(size, () => 0n)],
    // Every limb of its Montgomery form, of whatever length, is the greatest.
    [
      'a constant of ones',
      (_random, size) => listOf(size, (i) => (i === 0 ? reduce((2n ** 253n - 1n) * inverse(reduce(2n ** 256n))) : 0n)),
    ],
    ['constant r - 1', (_random, size) => listOf(size, () => LAST)],
    [
      'one at one place',
      (random, size) => {
        const place = Number(random.below(BigInt(size)));
        return listOf(size, (i) => (i === place ? 1n : 0n));
      },
    ],
  ];

  it('carries values from a domain to its coset as the polynomial through them does', () => {
    for (const exponent of exponents) {
      const size = 2 ** exponent;
      const root = rootOfUnity(exponent);
      const shift = rootOfUnity(exponent + 1);
      for (const [name, make] of TRANSFORM_CASES) {
        const coefficients = make(new SeededRandom(`${sampleSeed()}/${name}/${exponent}`), size);
        const at = (x: bigint): bigint => coefficients.reduceRight((sum, coefficient) => reduce(sum * x + coefficient), 0n);
        const onDomain = listOf(size, (i) => at(power(root, BigInt(i))));
        const onCoset = listOf(size, (i) => at(reduce(shift * power(root, BigInt(i)))));
        const input = toMontgomery(curve, littleEndian(onDomain), 1);
        const expected = toMontgomery(curve, littleEndian(onCoset), 1);
        for (const engine of engines) {
          const moved = engine.transform(input);
          assert.deepEqual(
            Buffer.from(moved as Uint8Array),
            Buffer.from(expected),
            `${engine.label}: ${name}, domain 2^${exponent}`,
          );
        }
      }
    }
  });
});
