/** The build's readers and the witness calculator on files and inputs that are wrong in one way. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FIELD_ORDER } from '#protocol/field.ts';
import { compileCircuit } from '#circuits/build/compile.ts';
import { parseR1cs, violatedRows, visitTerms } from '#circuits/build/r1cs.ts';
import { collectSources, flatten, sourceHash } from '#circuits/build/source.ts';
import { readZkeySections } from '#circuits/build/zkey-format.ts';
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';
import { compileSource } from './compiled.ts';

const SQUARE = `pragma circom 2.1.6;
template Square() {
    signal input root;
    signal input offsets[2];
    signal output square;
    root * (root - 3) === 0;
    square <== root * root + offsets[0] - offsets[1];
}
component main = Square();
`;

describe('circuit build files', function () {
  this.timeout(60_000);
  let bytes: Buffer;
  let calculator: WitnessCalculator;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-build-'));
    const compiled = await compileSource(SQUARE, { level: 'O1', outputs: ['r1cs', 'wasm'] });
    bytes = await readFile(join(compiled, 'circuit.r1cs'));
    calculator = await WitnessCalculator.load(join(compiled, 'circuit.wasm'));
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('reads a constraint file and judges assignments by it', async () => {
    const r1cs = parseR1cs(bytes);
    assert.deepEqual([r1cs.publicCount, r1cs.outputCount, r1cs.inputCount, r1cs.constraintCount], [1, 1, 3, 2]);
    const witness = await calculator.calculate({ root: 3n, offsets: [10n, 4n] });
    assert.deepEqual(witness.slice(0, 2), [1n, 15n]);
    assert.deepEqual(violatedRows(r1cs, witness), []);
    for (let wire = 1; wire < witness.length; wire++) {
      const changed = witness.map((value, i) => (i === wire ? value + 1n : value));
      assert.notDeepEqual(violatedRows(r1cs, changed), [], `wire ${wire}`);
    }
    throwsCode(() => violatedRows(r1cs, witness.slice(1)), 'STUN_CIRCUIT_R1CS');
  });

  const header = (file: Buffer): number => file.indexOf(Buffer.from([1, 0, 0, 0, 64, 0, 0, 0]));
  const wrong: readonly (readonly [string, (file: Buffer) => Buffer])[] = [
    ['another magic', (file) => (file.write('r2cs', 'latin1'), file)],
    ['another version', (file) => (file.writeUInt32LE(2, 4), file)],
    ['no bytes', () => Buffer.alloc(0)],
    ['a cut tail', (file) => file.subarray(0, file.length - 1)],
    ['a cut head', (file) => file.subarray(0, 20)],
    ['another field', (file) => (file.writeUInt8(2, header(file) + 12 + 4), file)],
    ['no constraint section', (file) => (file.writeUInt32LE(9, sectionAt(file, 2)), file)],
    ['no header section', (file) => (file.writeUInt32LE(9, sectionAt(file, 1)), file)],
  ];
  for (const [name, change] of wrong) {
    it(`refuses a constraint file with ${name}`, () => {
      throwsCode(() => parseR1cs(change(Buffer.from(bytes))), 'STUN_CIRCUIT_R1CS');
    });
  }

  /** Offset of a section's type. */
  function sectionAt(file: Buffer, type: number): number {
    for (let offset = 12; ; offset += 12 + Number(file.readBigUInt64LE(offset + 4))) {
      if (file.readUInt32LE(offset) === type) return offset;
    }
  }

  it('refuses constraints that go on after the last', () => {
    const r1cs = parseR1cs(bytes);
    const longer = { ...r1cs, constraints: Buffer.concat([r1cs.constraints, Buffer.alloc(1)]) };
    throwsCode(() => visitTerms(longer, () => {}), 'STUN_CIRCUIT_R1CS');
  });

  it('calculates no witness from wrong inputs', async () => {
    const input = { root: 3n, offsets: [1n, 1n] };
    await rejectsCode(calculator.calculate({ ...input, root: 2n }), 'STUN_CIRCUIT_UNSATISFIED');
    await rejectsCode(calculator.calculate({ ...input, offsets: [1n] }), 'STUN_CIRCUIT_INPUT');
    await rejectsCode(calculator.calculate({ ...input, offsets: [1n, 1n, 1n] }), 'STUN_CIRCUIT_INPUT');
    await rejectsCode(calculator.calculate({ ...input, other: 1n }), 'STUN_CIRCUIT_INPUT');
    await rejectsCode(calculator.calculate({ root: 3n }), 'STUN_CIRCUIT_INPUT');
    await rejectsCode(calculator.calculate({ ...input, root: -1n }), 'STUN_RANGE');
    await rejectsCode(calculator.calculate({ ...input, root: 3n + FIELD_ORDER }), 'STUN_RANGE');
    assert.equal((await calculator.calculate(input))[1], 9n, 'and goes on working');
  });

  it("reports the compiler's message", async () => {
    await rejectsCode(
      compileSource(SQUARE.replace('root * root', 'root * root * root'), { level: 'O1', outputs: ['r1cs'] }),
      'STUN_CIRCUIT_COMPILE',
    );
    await rejectsCode(
      compileCircuit('circuits/main/none.circom', folder, { level: 'O1', outputs: ['r1cs'] }),
      'STUN_CIRCUIT_COMPILE',
    );
  });

  it('reads no proving key from another file', async () => {
    const path = join(folder, 'not-a-key');
    await writeFile(path, bytes);
    await rejectsCode(readZkeySections(path), 'STUN_FILE');
  });

  it('identifies a circuit by all it includes, and by the recipe', async () => {
    const files = await collectSources('circuits/main/settlement-16.circom');
    const paths = files.map(({ path }) => path);
    assert.equal(new Set(paths).size, paths.length);
    assert.ok(
      paths.includes('circuits/lib/job.circom') && paths.includes('node_modules/circomlib/circuits/poseidon_constants.circom'),
    );
    const hash = sourceHash(files, 'recipe');
    assert.notEqual(sourceHash(files, 'recipe 2'), hash);
    for (const [i] of files.entries()) {
      const changed = files.map((file, j) => (i === j ? { ...file, text: `${file.text}\n` } : file));
      assert.notEqual(sourceHash(changed, 'recipe'), hash);
    }
    assert.ok(!/^\s*include/m.test(flatten(files)));
  });
});
