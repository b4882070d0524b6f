/**
 * Each rule of a model circuit, attacked: a forgery whose other wires follow from the lie violates rows of that rule and of no other, so
 * without the rule it would be accepted. And every wire of whole circuits, changed alone.
 */
import assert from 'node:assert/strict';
import { throwsCode } from '#test/unit/assert-code.ts';
import { firstMax } from '#circuits/model/constraints/gadgets/first-max.ts';
import { greatest } from '#circuits/model/constraints/gadgets/greatest.ts';
import { poseidonOf } from '#circuits/model/constraints/gadgets/poseidon.ts';
import { toBits } from '#circuits/model/constraints/gadgets/range.ts';
import { requantise } from '#circuits/model/constraints/gadgets/requantise.ts';
import { commitTensor } from '#circuits/model/constraints/gadgets/tensor-commitment.ts';
import { thermometer, treeScores } from '#circuits/model/constraints/gadgets/trees.ts';
import { Linear } from '#circuits/model/constraints/linear.ts';
import { chosenWires, unboundAlone, unboundFollowed } from '#circuits/model/constraints/soundness.ts';
import { freeInverses, walkCircuit } from '#circuits/model/constraints/walk.ts';
import { synthesise } from '#circuits/model/constraints/synthesise.ts';
import { ConstraintSystem } from '#circuits/model/constraints/system.ts';
import { violated, witnessOf, type Override } from '#circuits/model/constraints/witness.ts';
import type { IntegerProgram } from '#circuits/model/program/program.ts';
import { FIELD_ORDER } from '#protocol/field.ts';
import { depth, sampleCases } from '#test/depth.ts';
import { SeededRandom } from '../../examples/credit-model/random.ts';
import { inputsOf, smallPrograms } from './model-programs.ts';

const minus = (value: bigint): bigint => FIELD_ORDER - value;

/** One attack on one rule. */
interface Attack {
  readonly label: string;
  /** Builds the gadget over `inputs`; what it returns is what the attacker wants to change. */
  readonly build: (system: ConstraintSystem) => Linear;
  readonly inputs: readonly bigint[];
  /** The lie, by the number of the wire counted from the first that the gadget allocated. */
  readonly lie: Readonly<Record<number, bigint>>;
}

/** A combination of three wires, so that its bits take a row for their sum. */
const long = (system: ConstraintSystem): Linear =>
  Linear.combine([0, 1, 2].map((i) => [1n, system.input(i)] as const)).plus(Linear.constant(1n));

const signedBounds = { low: -100n, high: 100n };
const wideBounds = { low: -60_000n, high: 60_000n };
const activation = (system: ConstraintSystem, bounds = signedBounds): Linear => requantise(system, long(system), bounds, 2, 15n);
const scores = (system: ConstraintSystem): Linear[] => [0, 1, 2].map((i) => system.input(i));
const index = (system: ConstraintSystem): Linear => firstMax(system, scores(system), { low: 0n, high: 63n });
const larger = (system: ConstraintSystem): Linear =>
  greatest(
    system,
    [long(system), system.input(2)].map((of) => ({ of, bounds: { low: 0n, high: 63n } })),
  );
const reached = (system: ConstraintSystem): Linear[] => thermometer(system, long(system), 3);
const weighted = (bits: readonly Linear[]): Linear => Linear.combine(bits.map((bit, i) => [BigInt((i + 1) ** 2), bit] as const));
const path = (system: ConstraintSystem): Linear =>
  treeScores(
    system,
    [
      {
        feature: 0,
        rank: 1,
        below: { leaf: [1] },
        above: { feature: 0, rank: 2, below: { leaf: [5] }, above: { leaf: [9] } },
      },
    ],
    [reached(system)],
    1,
  )[0]!;
const wideElement = (system: ConstraintSystem): Linear =>
  commitTensor(
    system,
    { dtype: 6, scale: 0, dims: [8], bytesPerElement: 4 },
    new Array<Linear>(8).fill(long(system)),
    Linear.zero,
  );

const attacks: readonly Attack[] = [
  // 7 = 1·1 + 1·2 + 1·4; a bit of -1 and its neighbour of 2 give the same sum.
  {
    label: 'range.bit',
    build: (s) => weighted(toBits(s, 'range', long(s), 4)),
    inputs: [3n, 2n, 1n],
    lie: { 0: minus(1n), 1: 2n },
  },
  { label: 'range.sum', build: (s) => weighted(toBits(s, 'range', long(s), 4)), inputs: [3n, 2n, 1n], lie: { 0: 0n } },
  // acc + half + 2^7 = 5 + 2 + 128: a negative bit below the shift, made up for by one above it.
  { label: 'requantise.bit', build: activation, inputs: [1n, 1n, 2n], lie: { 1: minus(1n), 2: 2n } },
  { label: 'requantise.sum', build: activation, inputs: [1n, 1n, 2n], lie: { 4: 1n } },
  {
    label: 'requantise.activation',
    build: (s) => requantise(s, long(s), signedBounds, 2, 63n),
    inputs: [1n, 1n, 2n],
    lie: { 8: 60n },
  },
  { label: 'requantise.fits', build: activation, inputs: [1n, 1n, 2n], lie: { 8: 0n } },
  { label: 'requantise.saturates.inverse', build: (s) => activation(s, wideBounds), inputs: [1n, 1n, 2n], lie: { 17: 1n } },
  {
    label: 'requantise.saturates.zero',
    build: (s) => activation(s, wideBounds),
    inputs: [900n, 1n, 2n],
    lie: { 17: 0n, 18: 0n },
  },
  // Equal scores, chosen twice and minus once: the index becomes -1.
  { label: 'first-max.choice', build: index, inputs: [9n, 9n, 1n], lie: { 0: 2n, 1: minus(1n), 2: 0n } },
  { label: 'first-max.one', build: index, inputs: [1n, 2n, 30n], lie: { 0: 0n, 1: 0n, 2: 0n, 3: 63n } },
  { label: 'first-max.chosen', build: index, inputs: [9n, 30n, 1n], lie: { 0: 1n, 1: 0n, 2: 0n, 3: 30n } },
  // A lower score taken for the maximum: the one above it lies 21 below zero, which one bit alone would have to hold.
  {
    label: 'first-max.above.bit',
    build: index,
    inputs: [9n, 30n, 1n],
    lie: { 0: 1n, 1: 0n, 2: 0n, 3: 9n, 10: minus(21n), 11: 0n, 12: 0n, 13: 0n, 14: 0n, 15: 0n },
  },
  // A later one of two equal scores: the earlier one is not below it.
  { label: 'first-max.above.sum', build: index, inputs: [9n, 9n, 1n], lie: { 0: 0n, 1: 1n, 2: 0n } },
  // The first of two is 3 greater, which 64 + 3 says in seven bits; a doubled bit stands in for the highest.
  { label: 'window-max.difference.bit', build: larger, inputs: [1n, 1n, 2n], lie: { 5: 2n, 6: 0n } },
  { label: 'window-max.difference.sum', build: larger, inputs: [1n, 1n, 2n], lie: { 6: 0n } },
  { label: 'window-max.greater', build: larger, inputs: [1n, 1n, 2n], lie: { 7: 60n } },
  { label: 'thermometer.step', build: (s) => weighted(reached(s)), inputs: [0n, 0n, 1n], lie: { 0: 1n, 1: 0n, 2: 1n } },
  { label: 'thermometer.rank', build: (s) => weighted(reached(s)), inputs: [0n, 0n, 1n], lie: { 0: 1n, 1: 0n, 2: 0n } },
  { label: 'tree.path', build: path, inputs: [0n, 0n, 1n], lie: { 3: 0n } },
  { label: 'poseidon.square', build: (s) => poseidonOf(s, 4n, [s.input(0)]), inputs: [5n, 0n, 0n], lie: { 0: 77n } },
  { label: 'poseidon.fourth', build: (s) => poseidonOf(s, 4n, [s.input(0)]), inputs: [5n, 0n, 0n], lie: { 1: 77n } },
  { label: 'poseidon.fifth', build: (s) => poseidonOf(s, 4n, [s.input(0)]), inputs: [5n, 0n, 0n], lie: { 2: 77n } },
  // The first round has a constant beside the input; the second is the first whose state has wires of its own.
  { label: 'poseidon.mix', build: (s) => poseidonOf(s, 4n, [s.input(0)]), inputs: [5n, 0n, 0n], lie: { 7: 77n } },
  { label: 'packing.bit', build: wideElement, inputs: [3n, 2n, 1n], lie: { 7: minus(2n), 8: 1n } },
  { label: 'packing.sum', build: wideElement, inputs: [3n, 2n, 1n], lie: { 30: 1n } },
];

function forge({ build, inputs, lie }: Attack): { system: ConstraintSystem; honest: bigint[]; forged: bigint[]; wanted: Linear } {
  const system = new ConstraintSystem({ publicCount: 0, inputCount: 3 });
  const first = system.wireCount;
  const wanted = build(system);
  const override: Override = new Map(Object.entries(lie).map(([offset, value]) => [first + Number(offset), value]));
  return { system, honest: witnessOf(system, inputs), forged: witnessOf(system, inputs, override), wanted };
}

const family = (label: string): string => label.split('.')[0]!;

describe('soundness of model circuits', function () {
  this.timeout(1_200_000);

  for (const attack of attacks) {
    it(`${attack.label} stops a forgery that every other rule lets pass`, () => {
      const { system, honest, forged, wanted } = forge(attack);
      assert.deepEqual(violated(system, honest), [], 'the honest witness holds');
      assert.notEqual(wanted.evaluate(forged), wanted.evaluate(honest), 'the forgery changes the result');
      const labels = new Set(violated(system, forged).map((row) => system.rows[row]!.label));
      assert.deepEqual([...labels], [attack.label]);
    });
  }

  it('bounds the input: one beyond it violates the range alone', () => {
    const program = smallPrograms()[0]![1];
    const system = synthesise(program);
    for (const [place, beyond, label] of [
      [0, 256n, 'input.bit'],
      [2, 201n, 'input.rest.bit'],
    ] as const) {
      const inputs = [...program.input.maxima.map(() => 0n), 1n, 2n].with(place, beyond);
      const labels = new Set(violated(system, witnessOf(system, inputs)).map((row) => system.rows[row]!.label));
      assert.deepEqual([...labels], [label]);
    }
  });

  it('binds both public signals', () => {
    const system = synthesise(smallPrograms()[0]![1]);
    const inputs = new Array<bigint>(system.layout.inputCount).fill(1n);
    for (const [wire, label] of [
      [1, 'commitment.input'],
      [2, 'commitment.output'],
    ] as const) {
      const rows = violated(system, witnessOf(system, inputs, new Map([[wire, 5n]])));
      assert.deepEqual([...new Set(rows.map((row) => system.rows[row]!.label))], [label]);
    }
  });

  it('attacks every rule that compiled programs have', () => {
    const used = new Set(smallPrograms().flatMap(([, program]) => synthesise(program).rows.map(({ label }) => label)));
    // Ranges go by the name of what they bound; the gadget is one.
    const ranges = (label: string): string => label.replace(/^(?:input|input\.rest)\.(bit|sum)$/, 'range.$1');
    const attacked = new Set([...attacks.map(({ label }) => label), 'commitment.input', 'commitment.output']);
    const missed = [...used].map(ranges).filter((label) => !attacked.has(label));
    assert.deepEqual(missed, []);
    assert.ok(new Set(attacks.map(({ label }) => family(label))).size >= 7);
    console.log(`      ${used.size} rules, ${attacks.length} attacks`);
  });

  function subject(program: IntegerProgram): { system: ConstraintSystem; inputs: bigint[] } {
    const [input] = inputsOf(program, new SeededRandom(7), 2).slice(1);
    return { system: synthesise(program), inputs: [...input!.map(BigInt), 11n, 12n] };
  }

  for (const [name, program] of smallPrograms()) {
    it(`${name}: no wire can be changed alone, but for inverses of zero, on which nothing depends`, () => {
      const { system, inputs } = subject(program);
      const witness = witnessOf(system, inputs);
      const wires = sampleCases(chosenWires(system), 500);
      const unbound = unboundAlone(system, witness, wires);
      const inverses = freeInverses(system);
      for (const { wire, changesOutputs } of unbound) {
        assert.ok(inverses.has(wire), `wire ${wire} is bound by nothing`);
        assert.equal(changesOutputs, false);
      }
      console.log(`      ${wires.length} wires, ${unbound.length} inverses of zero free`);
    });

    it(`${name}: a walk before the key finds no free wire, and finds one where a row is missing`, () => {
      const system = synthesise(program);
      const walk = walkCircuit(system, program, { witnesses: 2, wires: 60 });
      assert.deepEqual([walk.witnesses, walk.wires, walk.ofWires], [2, Math.min(60, walk.ofWires), chosenWires(system).length]);
      const last = chosenWires(system).at(-1)!;
      const rows = system.rows.filter(({ a, b, c }) => ![a, b, c].some(({ terms }) => terms.has(last)));
      system.rows.splice(0, Number.POSITIVE_INFINITY, ...rows);
      throwsCode(() => walkCircuit(system, program, { witnesses: 1, wires: walk.ofWires }), 'STUN_MODEL_UNSOUND');
    });

    it(`${name}: no lie about a wire stands when everything else follows from it`, () => {
      const { system, inputs } = subject(program);
      // Each wire takes a witness of its own, so a full run takes every fortieth.
      const all = chosenWires(system);
      const wires = depth() === 'full' ? all.filter((_, i) => i % 40 === 0) : sampleCases(all, 6);
      const unbound = unboundFollowed(system, inputs, wires).filter(({ changesOutputs }) => changesOutputs);
      assert.deepEqual(unbound, []);
      console.log(`      ${wires.length} wires`);
    });
  }
});
