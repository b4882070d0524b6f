/** What the compiler of witness programs makes of circuits: each of its rules alone, held to circom's own program, and what it cannot do. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { witnessBytes } from '#circuits/model/constraints/r1cs-file.ts';
import { ensureCircuit } from '#circuits/manifest.ts';
import { settlementInputOf, toCircuitInput, type CircuitSignals } from '#circuits/settlement-input.ts';
import { programBytes } from '#circuits/witness/program-file.ts';
import { witnessProgramOf } from '#circuits/witness/compile-program.ts';
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import { FIELD_ORDER } from '#protocol/field.ts';
import { loadNativeAddon } from '#prover/native-addon.ts';
import { sampleSeed } from '#test/depth.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';
import { compileSource } from './compiled.ts';
import { makeSegment, SeededRandom } from './fixtures.ts';
import { nativeRunner } from './native-witness.ts';

/** One template of each rule; `q` is a quotient, `z` a test for zero, `b` bits, `s` bits of a negative and shifted sum. */
const RULES = `pragma circom 2.1.6;
template Rules() {
  signal input x; signal input y[2]; signal input small;
  signal output out;
  signal q <-- y[0] / (x + 3);
  q * (x + 3) === y[0];
  signal t <-- 5 * (y[0] + q) / (2 * y[1]);
  (2 * t - 1) * y[1] === 5 * (y[0] + q) - y[1];
  signal inv <-- x != y[1] ? 7 / (x - y[1]) : 0;
  signal z <== 3 - (x - y[1]) * inv;
  (2 * (x - y[1])) * (z + 4) === 0;
  signal b[8]; var sum = 0;
  for (var i = 0; i < 8; i++) { b[i] <-- (small >> i) & 1; b[i] * (b[i] - 1) === 0; sum += b[i] * (1 << i); }
  sum === small;
  signal s[3]; var other = 0;
  for (var i = 0; i < 3; i++) { s[i] <-- ((small * 4) >> (i + 2)) & 1; s[i] * (1 - s[i]) === 0; other -= 12 * s[i] * (1 << i); }
  other + 12 * (b[0] + 2 * b[1] + 4 * b[2]) === 0;
  signal copy <== z;
  signal unused <== copy * copy;
  out <== (q + z) * (t - copy) + b[3] - s[1] + 9;
}
component main { public [y] } = Rules();
`;

/** A square root has a sign that no constraint tells. */
const ROOT = `pragma circom 2.1.6;
template Root() { signal input square; signal output root; root <-- square == 4 ? 2 : 0; root * root === square; }
component main = Root();
`;

/** A signal that nothing binds. */
const FREE = `pragma circom 2.1.6;
template Free() { signal input x; signal output free; free <-- x; }
component main = Free();
`;

/** A linear state without wires: each row is a sum over all boxes before it. `y` are sums over them that no state gives. */
const STATE = `pragma circom 2.1.6;
template State(n) {
  signal input x[4];
  signal output out;
  var matrix[4][4] = [[3, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8], [9, 7, 9, 3]];
  var state[4]; for (var i = 0; i < 4; i++) { state[i] = x[i] + i; }
  signal box[n]; signal y[n];
  for (var r = 0; r < n; r++) {
    box[r] <== state[0] * state[0] + (state[1] - r);
    state[0] = box[r];
    var mixed[4];
    for (var i = 0; i < 4; i++) { for (var j = 0; j < 4; j++) { mixed[i] += matrix[i][j] * state[j]; } }
    state = mixed;
    var other = x[0];
    for (var i = 0; i <= r; i++) { other += (r * r * r + 7 * i * i * r + 13 * i * i * i + 5) * box[i]; }
    y[r] <== other * (other + 1);
  }
  out <== state[2] * y[n - 1];
}
component main = State(30);
`;

async function filesOf(source: string) {
  const [plain, simple] = await Promise.all([
    compileSource(source, { level: 'O0', outputs: ['r1cs', 'sym'] }),
    compileSource(source, { level: 'O2', outputs: ['r1cs', 'wasm', 'sym'] }),
  ]);
  const [rows, plainSymbols, symbols] = await Promise.all([
    readFile(join(plain, 'circuit.r1cs')),
    readFile(join(plain, 'circuit.sym'), 'utf8'),
    readFile(join(simple, 'circuit.sym'), 'utf8'),
  ]);
  return { program: () => witnessProgramOf(rows, plainSymbols, symbols), wasm: join(simple, 'circuit.wasm') };
}

describe('circuits: witness programs', function () {
  this.timeout(300_000);
  let engines: readonly string[];

  before(function () {
    if (process.platform !== 'linux' || process.arch !== 'x64') this.skip();
    engines = loadNativeAddon().engineNames();
  });

  describe('of a circuit with every kind of hint', () => {
    let calculator: WitnessCalculator;
    let runners: readonly ((signals: CircuitSignals) => Uint8Array)[];

    before(async () => {
      const { program, wasm } = await filesOf(RULES);
      calculator = await WitnessCalculator.load(wasm);
      runners = engines.map((engine) => nativeRunner(programBytes(program()), engine));
    });

    /** A code or a witness, from each. */
    async function agree(signals: CircuitSignals): Promise<string> {
      const answer = await calculator.calculate(signals).then(
        (witness) => Buffer.from(witnessBytes(witness)).toString('hex'),
        (error: { code: string }) => error.code,
      );
      for (const run of runners) {
        const codeOrWitness = (() => {
          try {
            return Buffer.from(run(signals)).toString('hex');
          } catch (error) {
            return (error as { code: string }).code;
          }
        })();
        assert.equal(codeOrWitness, answer);
      }
      return answer;
    }

    it('gives the witness of circom for random values', async () => {
      const random = new SeededRandom(`${sampleSeed()}/rules`);
      for (let i = 0; i < 20; i++) {
        const signals = { x: random.field(), y: [random.field(), random.field()], small: random.below(256n) };
        assert.match(await agree(signals), /^7774/);
      }
    });

    it('gives it where a tested value is 0, a quotient is 0 or the bits are all the same', async () => {
      for (const [x, y, small] of [
        [5n, [1n, 5n], 0n],
        [FIELD_ORDER - 1n, [0n, FIELD_ORDER - 1n], 255n],
        [0n, [0n, 1n], 1n],
        [FIELD_ORDER - 3n, [0n, 1n], 128n],
      ] as const)
        assert.match(await agree({ x, y: [...y], small }), /^7774/);
    });

    it('refuses what circom refuses', async () => {
      for (const [x, y, small] of [
        [FIELD_ORDER - 3n, [1n, 1n], 0n],
        [1n, [1n, 0n], 0n],
        [1n, [1n, 1n], 256n],
        [1n, [1n, 1n], FIELD_ORDER - 1n],
      ] as const)
        assert.equal(await agree({ x, y: [...y], small }), 'STUN_CIRCUIT_UNSATISFIED');
    });

    it('refuses inputs that are missing, unknown, of another length or no field elements, with the codes of circom', async () => {
      const good = { x: 1n, y: [1n, 1n], small: 1n };
      const { small: _, ...missing } = good;
      assert.equal(await agree(missing), 'STUN_CIRCUIT_INPUT');
      assert.equal(await agree({ ...good, other: 1n }), 'STUN_CIRCUIT_INPUT');
      assert.equal(await agree({ ...good, y: [1n] }), 'STUN_CIRCUIT_INPUT');
      assert.equal(await agree({ ...good, x: FIELD_ORDER }), 'STUN_RANGE');
      assert.equal(await agree({ ...good, x: -1n }), 'STUN_RANGE');
    });

    it('names the signals of the broken constraint', () => {
      assert.throws(() => runners[0]!({ x: 1n, y: [1n, 1n], small: 256n }), /main\.small/);
    });
  });

  it('writes sums over the past of a state by way of the last ones, and leaves others whole', async () => {
    const { program, wasm } = await filesOf(STATE);
    const { instructions, registerCount, outputs, inputs, rules } = program();
    const lengths = instructions.flatMap((instruction) => (instruction.kind === 'sum' ? [instruction.terms.length] : []));
    const own = Array.from({ length: 20 }, (_, i) => 12 + i);
    assert.deepEqual(
      lengths.filter((length) => length >= own[0]!),
      own,
    );
    const calculator = await WitnessCalculator.load(wasm);
    const bytes = programBytes({ instructions, registerCount, outputs, inputs, rules });
    const random = new SeededRandom(`${sampleSeed()}/state`);
    for (let i = 0; i < 5; i++) {
      const signals = { x: Array.from({ length: 4 }, () => random.field()) };
      const expected = Buffer.from(witnessBytes(await calculator.calculate(signals)));
      for (const engine of engines) assert.deepEqual(Buffer.from(nativeRunner(bytes, engine)(signals)), expected);
    }
  });

  it('refuses to compile a hint that no rule knows, and a signal that nothing binds', async () => {
    for (const [source, name] of [
      [ROOT, 'main.root'],
      [FREE, 'main.free'],
    ] as const) {
      const { program } = await filesOf(source);
      throwsCode(program, 'STUN_CIRCUIT_WITNESS');
      assert.throws(program, new RegExp(name.replace('.', String.raw`\.`)));
    }
  });

  const jobs = process.env['STUN_CIRCUITS'] === 'all' ? 64 : 16;
  it(`gives the witness of circom for full and for short segments of ${jobs} jobs, with every engine`, async () => {
    const artefacts = await ensureCircuit(`settlement-${jobs}`);
    const calculator = await WitnessCalculator.load(artefacts.wasmPath);
    const program = await readFile(artefacts.witnessProgramPath);
    for (const count of [jobs, 1]) {
      const signals = toCircuitInput(settlementInputOf(makeSegment(`${sampleSeed()}/${count}`, { count }).segment), artefacts);
      const expected = Buffer.from(await calculator.calculateFile(signals));
      for (const engine of engines) assert.deepEqual(Buffer.from(nativeRunner(program, engine)(signals)), expected);
      const broken = { ...signals, total: (signals['total'] as bigint) + 1n };
      await rejectsCode(calculator.calculateFile(broken), 'STUN_CIRCUIT_UNSATISFIED');
      for (const engine of engines) throwsCode(() => nativeRunner(program, engine)(broken), 'STUN_CIRCUIT_UNSATISFIED');
    }
  });
});
