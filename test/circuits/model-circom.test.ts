/** The circom that is emitted for a model has the public signals of the constraints that are written directly. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { circomOf, GADGETS } from '#circuits/model/circom/emit.ts';
import { synthesise } from '#circuits/model/constraints/synthesise.ts';
import { witnessOf } from '#circuits/model/constraints/witness.ts';
import { extremeInputs } from '#circuits/model/program/probes.ts';
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import { sampleCases, sampleSeed } from '#test/depth.ts';
import { SeededRandom } from '../../examples/credit-model/random.ts';
import { compileSource } from './compiled.ts';
import { inputsOf, smallPrograms } from './model-programs.ts';

describe('the circom of a model', function () {
  this.timeout(600_000);

  for (const [name, program] of smallPrograms().filter(([name]) => !name.includes('nine'))) {
    it(`${name}: gives the same commitments, on random inputs and at the ends of accumulators`, async () => {
      // Tests compile four folders below the root.
      const source = circomOf(program, `../../../../${GADGETS}`);
      const directory = await compileSource(source, { level: 'O1', outputs: ['r1cs', 'wasm'] });
      const calculator = await WitnessCalculator.load(join(directory, 'circuit.wasm'));
      const system = synthesise(program);
      const inputs = sampleCases(
        [...extremeInputs(program, Infinity), ...inputsOf(program, new SeededRandom(sampleSeed()), 200)],
        12,
      );
      for (const input of inputs) {
        const [, inCommitment, outCommitment] = witnessOf(system, [...input.map(BigInt), 5n, 6n]);
        const values = await calculator.calculate({ value0: input.map(BigInt), inputBlinding: 5n, outputBlinding: 6n });
        assert.deepEqual([values[1], values[2]], [inCommitment, outCommitment]);
      }
      const beyond = program.input.maxima.map((maximum, i) => BigInt(i === 0 ? maximum + 1 : 0));
      await assert.rejects(calculator.calculate({ value0: beyond, inputBlinding: 5n, outputBlinding: 6n }));
      console.log(`      ${inputs.length} inputs, ${source.length} characters`);
    });
  }
});
