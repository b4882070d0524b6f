/** The circuit of selective disclosures: what it accepts, and each of its rules against the forgery that it alone stops. */
import assert from 'node:assert/strict';
import { disclosureSystem, disclosureWitness } from '#circuits/model/disclosure/disclosure-circuit.ts';
import { chosenWires, unboundAlone } from '#circuits/model/constraints/soundness.ts';
import type { ConstraintSystem } from '#circuits/model/constraints/system.ts';
import { violated, witnessOf, type Override } from '#circuits/model/constraints/witness.ts';
import { biasedElements, tensorCommitment } from '#protocol/index.ts';
import {
  disclosureInWords,
  disclosureSignals,
  integerRange,
  isTrueOf,
  type DisclosedTensor,
  type DisclosureStatement,
} from '#protocol/disclosure.ts';
import { FIELD_ORDER } from '#protocol/field.ts';
import { sampleCases } from '#test/depth.ts';
import { throwsCode } from '#test/unit/assert-code.ts';

const BLINDING = 123_456_789n;
const INT32 = { dtype: 'int32', shape: { dtype: 6, scale: 4, dims: [3], bytesPerElement: 4 } } satisfies DisclosedTensor;
const UINT8 = { dtype: 'uint8', shape: { dtype: 2, scale: 0, dims: [2, 2], bytesPerElement: 1 } } satisfies DisclosedTensor;
const minus = (value: bigint): bigint => FIELD_ORDER - value;

const systems = new Map<DisclosedTensor, ConstraintSystem>();
function systemOf(tensor: DisclosedTensor): ConstraintSystem {
  const system = systems.get(tensor) ?? disclosureSystem(tensor.shape);
  systems.set(tensor, system);
  return system;
}

function witnessFor(tensor: DisclosedTensor, output: readonly number[], statement: DisclosureStatement): bigint[] {
  const elements = biasedElements(tensor, output);
  const signals = disclosureSignals(tensor, tensorCommitment(tensor.shape, elements, BLINDING), statement);
  const values = disclosureWitness(systemOf(tensor), elements, BLINDING, signals);
  assert.deepEqual(values.slice(1, 6), signals);
  return values;
}

const inRange = (index: number, low: number, high: number): DisclosureStatement => ({ kind: 'in-range', index, low, high });
const argmaxIs = (index: number): DisclosureStatement => ({ kind: 'argmax-is', index });

describe('circuit of selective disclosures', function () {
  this.timeout(120_000);

  it('accepts exactly the statements that are true', () => {
    const outputs: readonly (readonly [DisclosedTensor, readonly number[]])[] = [
      [INT32, [-5, 7, 7]],
      [INT32, [-(2 ** 31), 2 ** 31 - 1, 0]],
      [INT32, [4, 4, 4]],
      [UINT8, [0, 255, 3, 255]],
    ];
    const judged = { true: 0, false: 0 };
    for (const [tensor, output] of outputs) {
      const range = integerRange(tensor);
      const clamp = (value: number): number => Math.min(Math.max(value, range.low), range.high);
      const statements = output.flatMap((value, index) => [
        argmaxIs(index),
        inRange(index, value, value),
        inRange(index, range.low, range.high),
        ...[-1, 1].flatMap((step) => [
          inRange(index, clamp(value + step), range.high),
          inRange(index, range.low, clamp(value + step)),
          inRange(index, clamp(value + step), clamp(value + step)),
        ]),
      ]);
      for (const statement of statements) {
        const holds = violated(systemOf(tensor), witnessFor(tensor, output, statement)).length === 0;
        assert.equal(holds, isTrueOf(statement, output), `${output.join(',')}: ${disclosureInWords(tensor, statement)}`);
        judged[holds ? 'true' : 'false']++;
      }
    }
    assert.ok(judged.true > 20 && judged.false > 20);
    console.log(`      ${judged.true} true statements, ${judged.false} false ones`);
  });

  it('is of no output with more elements than statements are about', () => {
    throwsCode(() => disclosureSystem({ ...INT32.shape, dims: [16, 17] }), 'STUN_INPUT');
  });

  // Of two bytes, 10 and 20. Inputs: elements 0-1, blinding 2, choices 3-4, low 5, high 6, isArgmax 7.
  const pair = { dtype: 'uint8', shape: { dtype: 2, scale: 0, dims: [2], bytesPerElement: 1 } } satisfies DisclosedTensor;
  const honest = [10n, 20n, BLINDING, 0n, 1n, 15n, 255n, 1n];
  interface Forgery {
    readonly label: string;
    readonly gain: string;
    readonly inputs: Readonly<Record<number, bigint>>;
    readonly publicSignal?: readonly [place: number, value: bigint];
  }
  const forgeries: readonly Forgery[] = [
    {
      label: 'disclosure.choice',
      gain: 'chooses twice the second and minus once the first: an element that the output does not have',
      inputs: { 3: minus(1n), 4: 2n, 5: 30n, 7: 0n },
    },
    { label: 'disclosure.one', gain: 'chooses nothing: a value of 0 at index 0', inputs: { 4: 0n, 5: 0n, 6: 0n, 7: 0n } },
    { label: 'disclosure.is-argmax', gain: 'takes a lead times -1 for a lead', inputs: { 3: 1n, 4: 0n, 5: 0n, 7: minus(1n) } },
    { label: 'disclosure.public.outputCommitment', gain: 'speaks of another output', inputs: {}, publicSignal: [1, 99n] },
    { label: 'disclosure.public.index', gain: 'speaks of another element', inputs: {}, publicSignal: [2, 0n] },
    { label: 'disclosure.public.low', gain: 'shows another lower bound', inputs: {}, publicSignal: [3, 21n] },
    { label: 'disclosure.public.high', gain: 'shows another upper bound', inputs: {}, publicSignal: [4, 19n] },
    { label: 'disclosure.public.isArgmax', gain: 'calls a range a maximum', inputs: { 7: 0n }, publicSignal: [5, 1n] },
  ];
  for (const { label, gain, inputs, publicSignal } of forgeries) {
    it(`[${label}] refuses who ${gain}`, () => {
      const system = disclosureSystem(pair.shape);
      assert.deepEqual(violated(system, witnessOf(system, honest)), []);
      const override: Override = new Map(publicSignal === undefined ? [] : [publicSignal]);
      const forged = witnessOf(
        system,
        honest.map((value, i) => inputs[i] ?? value),
        override,
      );
      const labels = new Set(violated(system, forged).map((row) => system.rows[row]!.label));
      assert.deepEqual([...labels], [label]);
    });
  }

  // Ranges: with its rows gone, a number of more than 8 bits passes, and all that follows from it agrees.
  const ranges: readonly (readonly [label: string, gain: string, inputs: Readonly<Record<number, bigint>>])[] = [
    ['disclosure.above-low', 'is below the lower bound', { 5: 21n, 7: 0n }],
    ['disclosure.below-high', 'is above the upper bound', { 6: 19n, 7: 0n }],
    ['disclosure.not-above', 'is not the greatest', { 3: 1n, 4: 0n, 5: 0n }],
    ['disclosure.low', 'has a lower bound below all numbers', { 5: minus(5n), 6: 20n, 7: 0n }],
    ['disclosure.high', 'has an upper bound past all numbers', { 5: 20n, 6: 256n, 7: 0n }],
    [
      'disclosure.element',
      'has an element of more than its bytes, which packs as its neighbour',
      { 0: 0n, 1: 276n, 5: 30n, 6: 276n, 7: 0n },
    ],
  ];
  for (const [label, gain, inputs] of ranges) {
    it(`[${label}] refuses a value that ${gain}`, () => {
      const system = disclosureSystem(pair.shape);
      const forged = witnessOf(
        system,
        honest.map((value, i) => inputs[i] ?? value),
      );
      const labels = new Set(violated(system, forged).map((row) => system.rows[row]!.label.replace(/\.(?:bit|sum)$/, '')));
      assert.ok(labels.has(label), [...labels].join(' '));
      // A bound out of range takes the range of its difference along; nothing else stands against the forgery.
      const along = { 'disclosure.low': 'disclosure.above-low', 'disclosure.high': 'disclosure.below-high' } as Record<
        string,
        string
      >;
      labels.delete(label);
      labels.delete(along[label] ?? '');
      if (label === 'disclosure.element') labels.delete('disclosure.high');
      assert.deepEqual([...labels], []);
    });
  }

  it('[disclosure.value, disclosure.lead] leaves no wire free: each one, changed alone, violates a row', () => {
    const system = disclosureSystem(pair.shape);
    const witness = witnessOf(system, honest);
    const unbound = unboundAlone(system, witness, sampleCases(chosenWires(system), 400));
    assert.deepEqual(unbound, []);
  });

  it('has an attack for every rule of its own', () => {
    const own = new Set(
      disclosureSystem(pair.shape)
        .rows.map((row) => row.label.replace(/\.(?:bit|sum)$/, ''))
        .filter((label) => label.startsWith('disclosure.')),
    );
    const attacked = [
      ...forgeries.map(({ label }) => label),
      ...ranges.map(([label]) => label),
      'disclosure.value',
      'disclosure.lead',
    ];
    assert.deepEqual([...own].sort(), attacked.sort());
  });
});
