/** `stun model compile` on the trained model of the examples: what it writes, that it proves, and that it does so again byte for byte. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { groth16 } from 'snarkjs';
import { CIRCOM_FILE, compileModel, type CompiledModel, type CompileOptions } from '#circuits/model/compile.ts';
import { r1csBytes, witnessBytes } from '#circuits/model/constraints/r1cs-file.ts';
import { synthesise } from '#circuits/model/constraints/synthesise.ts';
import { witnessOf } from '#circuits/model/constraints/witness.ts';
import { MODEL_FILES } from '#circuits/model/folder.ts';
import { interpret } from '#circuits/model/program/interpret.ts';
import { committedShapes, OUTPUT_BIAS, type IntegerProgram } from '#circuits/model/program/program.ts';
import { quantiseRow, type FeatureQuantiser } from '#circuits/model/quantise/quantiser.ts';
import { compiledModelId, tensorCommitment } from '#protocol/commitments.ts';
import { fieldToHex } from '#protocol/field.ts';
import { fromHex } from '#protocol/bytes.ts';
import { parseManifest } from '#worker/model/manifest.ts';

const example = (name: string): string => join(import.meta.dirname, '../../examples/credit-model', name);

interface CompiledFacts {
  readonly modelSha256: string;
  readonly constraints: number;
  readonly quantisers: readonly FeatureQuantiser[];
  readonly accuracy: { readonly disagreements: readonly number[] };
}

describe('compiling the credit model', function () {
  this.timeout(600_000);
  let directory: string;
  let compiled: CompiledModel;
  let program: IntegerProgram;
  let facts: CompiledFacts;
  let rows: number[][];
  const read = (kind: keyof typeof MODEL_FILES): Buffer => readFileSync(join(compiled.outDirectory, MODEL_FILES[kind]));

  function options(name: string): CompileOptions {
    return {
      source: new Uint8Array(readFileSync(example('credit-model.onnx'))),
      name: 'credit-default',
      calibrationCsv: readFileSync(example('unseen-rows.csv'), 'utf8'),
      labelColumn: 'defaulted',
      weightBits: 8,
      circom: name === 'first',
      outDirectory: join(directory, name),
    };
  }

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'stun-model-'));
    compiled = await compileModel(options('first'), () => {});
    program = JSON.parse(read('program').toString()) as IntegerProgram;
    facts = (JSON.parse(read('manifest').toString()) as { compiled: CompiledFacts }).compiled;
    const lines = readFileSync(example('unseen-rows.csv'), 'utf8').trim().split('\n').slice(1);
    rows = lines.map((line) => line.split(',').slice(0, -1).map(Number));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  it('keeps the accuracy of the float model on held-out rows', () => {
    const { accuracy } = compiled;
    assert.ok(accuracy !== null && accuracy.floatModel !== null && accuracy.compiledModel !== null);
    assert.equal(accuracy.heldOutRows, 128);
    assert.ok(accuracy.compiledModel >= accuracy.floatModel - 0.01, `${accuracy.compiledModel} of ${accuracy.floatModel}`);
    console.log(
      `      ${accuracy.floatModel} as given, ${accuracy.compiledModel} compiled, ${accuracy.disagreements.length} disagree`,
    );
  });

  it('says how many of its 32 bits the widest accumulator of each step takes', () => {
    const [first] = program.operations;
    assert.ok(first?.kind === 'affine');
    const reaches = first.weights.map((row, o) =>
      row.reduce((sum, weight, i) => sum + Math.abs(weight) * program.input.maxima[i]!, Math.abs(first.biases[o]!)),
    );
    const bits = 2 + Math.floor(Math.log2(Math.max(...reaches)));
    assert.deepEqual(compiled.accumulators[0], { operation: 0, kind: 'affine', bits });
    assert.deepEqual(
      compiled.accumulators.map(({ operation }) => operation),
      [...program.operations.keys()],
      'layers and activations add, and this model has nothing else',
    );
    assert.ok(compiled.accumulators.every((one) => one.bits > 8 && one.bits <= 32));
  });

  it('writes a manifest that names every file by its digest, and an identity beside it', () => {
    const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
    assert.equal(facts.modelSha256, sha256(read('model')).toString('hex'));
    assert.equal(facts.constraints, compiled.constraints);
    const { identity } = compiled;
    assert.equal(identity.manifestSha256, `0x${sha256(read('manifest')).toString('hex')}`);
    const modelId = compiledModelId(fromHex(identity.vkHash, 32, 'vkHash'), sha256(read('manifest')), new Uint8Array(32));
    assert.equal(identity.modelId, fieldToHex(modelId));
    assert.equal(parseManifest(read('manifest')).outputs[0]?.dtype, 'int32', 'a worker reads it as it reads any manifest');
  });

  it('writes the model that onnxruntime runs as the interpreter does, on every row of the example', async () => {
    const session = await InferenceSession.create(new Uint8Array(read('model')), { intraOpNumThreads: 1 });
    for (const row of rows) {
      const input = quantiseRow(facts.quantisers, row);
      const tensor = new Tensor('uint8', Uint8Array.from(input), [1, input.length]);
      const result = await session.run({ [program.input.name]: tensor });
      assert.deepEqual([...(result[program.outputName]!.data as Int32Array)], interpret(program, input));
    }
    console.log(`      ${rows.length} rows`);
  });

  it('proves one inference, and nothing else with that proof', async () => {
    const input = quantiseRow(facts.quantisers, rows[3]!);
    const output = interpret(program, input);
    const system = synthesise(program);
    assert.ok(read('r1cs').equals(r1csBytes(system)), 'program.json gives the constraints that the key is for');
    const witness = witnessOf(system, [...input.map(BigInt), 21n, 22n]);
    const { proof, publicSignals } = await groth16.prove(new Uint8Array(read('zkey')), witnessBytes(witness));
    const shapes = committedShapes(program, output.length);
    const commitments = [
      tensorCommitment(shapes.input, input.map(BigInt), 21n),
      tensorCommitment(
        shapes.output,
        output.map((value) => BigInt(value) + OUTPUT_BIAS),
        22n,
      ),
    ].map(String);
    assert.deepEqual(publicSignals, commitments);
    const key: Parameters<typeof groth16.verify>[0] = JSON.parse(read('verificationKey').toString());
    assert.equal(await groth16.verify(key, commitments, proof), true);
    const other = tensorCommitment(shapes.output, [BigInt(output[0]!) + OUTPUT_BIAS + 1n], 22n).toString();
    assert.equal(await groth16.verify(key, [commitments[0]!, other], proof), false, 'another output');
    assert.equal(await groth16.verify(key, commitments.toReversed(), proof), false, 'signals in another order');
  });

  it('writes the circuit as circom when asked, beside the gadgets that it includes', () => {
    const source = readFileSync(join(compiled.outDirectory, CIRCOM_FILE), 'utf8');
    const [, included] = /include "(.*)"/.exec(source) ?? [];
    assert.match(readFileSync(join(compiled.outDirectory, included!), 'utf8'), /template Requantise\(/);
    assert.match(source, /signal value5\[1\] <== Dense\(16, 1,/);
  });

  it('writes the same bytes again', async () => {
    const again = await compileModel(options('second'), () => {});
    assert.deepEqual(again.identity, compiled.identity);
    const files = readdirSync(again.outDirectory);
    for (const file of files) {
      const [first, second] = [compiled, again].map(({ outDirectory }) => readFileSync(join(outDirectory, file)));
      assert.ok(first!.equals(second!), file);
    }
    const { transcript, ...made } = MODEL_FILES;
    assert.deepEqual(files.toSorted(), Object.values(made).toSorted(), `all but ${transcript}, which a ceremony gives`);
  });
});
