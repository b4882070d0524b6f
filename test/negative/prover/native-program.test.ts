/** Witness programs that the native addon must refuse, each with one thing wrong; and random damage, which may not end the process. */
import assert from 'node:assert/strict';
import { readField } from '#circuits/build/r1cs.ts';
import { programBytes } from '#circuits/witness/program-file.ts';
import { FIELD_ORDER } from '#protocol/field.ts';
import { loadNativeAddon, type NativeAddon } from '#prover/native-addon.ts';
import { depth, sampleCases, sampleSeed } from '#test/depth.ts';
import { SeededRandom } from '#test/circuits/fixtures.ts';
import { nativeRunner } from '#test/circuits/native-witness.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import { EVERY_INSTRUCTION } from '#test/unit/prover/every-instruction.ts';

/** Words of the program's instructions by what they are; section 3 begins with the first sum. */
const SECTION_3 = {
  operation: 0,
  to: 1,
  plus: 2,
  others: 4,
  plusRegister: 5,
  constant: 6,
  register: 7,
  quotients: 20,
  bits: 27,
} as const;

function sectionAt(file: Buffer, wanted: number): number {
  let offset = 12;
  while (file.readUInt32LE(offset) !== wanted) offset += 12 + Number(file.readBigUInt64LE(offset + 4));
  return offset + 12;
}

type Change = readonly [name: string, section: number, distance: number, value: number];
const word = (name: string, at: keyof typeof SECTION_3, value: number): Change => [name, 3, 4 * SECTION_3[at], value];

const CHANGES: readonly Change[] = [
  ['no wire', 1, 0, 0],
  ['a wire more than it has outputs for', 1, 0, 10],
  ['as many inputs as registers', 1, 4, 10],
  ['fewer registers than it uses', 1, 8, 9],
  ['more registers than any circuit', 1, 8, 2 ** 26 + 1],
  ['a constant of no field element', 2, 28, 0xffffffff],
  ['an output of no register', 4, 4, 10],
  word('an unknown operation', 'operation', 5),
  word('a result in no register', 'to', 10),
  word('more terms than words', 'plus', 0xffffffff),
  word('more other terms than words', 'others', 0xffffffff),
  word('a term of no register', 'plusRegister', 10),
  word('a term of no constant', 'constant', 99),
  word('another term of no register', 'register', 10),
  word('more quotients than share an inversion', 'quotients', 257),
  word('more quotients than words', 'quotients', 200),
  word('more bits than words', 'bits', 0xffffffff),
];

describe('prover: witness programs that the native prover refuses', () => {
  let addon: NativeAddon;
  let bytes: Buffer;

  before(function () {
    if (process.platform !== 'linux' || process.arch !== 'x64') this.skip();
    addon = loadNativeAddon();
    bytes = Buffer.from(programBytes(EVERY_INSTRUCTION));
  });

  it('runs the program as it is, and tells which rule is broken', () => {
    for (const engine of addon.engineNames()) {
      const run = nativeRunner(bytes, engine);
      const witness = run({ x: 5n, y: 2n });
      const view = new DataView(witness.buffer, witness.byteOffset);
      const values = Array.from({ length: 9 }, (_, i) => readField(view, 76 + 32 * i));
      assert.deepEqual(values.slice(0, 5), [1n, 5n, 2n, 17n, 169n]);
      assert.equal((values[5]! * 2n) % FIELD_ORDER, 169n);
      assert.deepEqual(values.slice(6), [1n, 0n, 1n]);
      for (const [x, y, rule] of [
        [5n, 0n, /on y$/],
        [8n, 1n, /on x$/],
        [4n, 1n, /on x and 5$/],
      ] as const) {
        throwsCode(() => run({ x, y }), 'STUN_CIRCUIT_UNSATISFIED');
        assert.throws(() => run({ x, y }), rule);
      }
    }
  });

  for (const [name, section, distance, value] of CHANGES) {
    it(`refuses ${name}`, () => {
      const changed = Buffer.from(bytes);
      changed.writeUInt32LE(value, sectionAt(changed, section) + distance);
      for (const engine of addon.engineNames()) assert.equal(addon.openProgram(changed, engine, false, 64), 1);
    });
  }

  it('refuses every program that was cut short', () => {
    for (const length of sampleCases([...bytes.keys()], 200))
      assert.equal(addon.openProgram(bytes.subarray(0, length), 'portable', false, 64), 1);
  });

  it('survives damage at random: refused, or a witness or a broken rule', () => {
    const random = new SeededRandom(`${sampleSeed()}/program`);
    for (let i = 0; i < (depth() === 'full' ? 50_000 : 500); i++) {
      const damaged = Buffer.from(bytes);
      damaged[Number(random.below(BigInt(damaged.length)))] = Number(random.below(256n));
      const opened = addon.openProgram(damaged, 'portable', false, 64);
      if (typeof opened === 'number') assert.equal(opened, 1);
      else for (const wires of [8, 9, 10]) addon.runProgram(opened, new Uint8Array(64).fill(1), new Uint8Array(32 * wires), 1);
    }
  });

  it('takes no argument of another kind, no other lengths, no value of r and no budget that is too small', () => {
    const program = addon.openProgram(bytes, 'portable', false, 64);
    assert.ok(typeof program === 'object');
    const [inputs, witness] = [new Uint8Array(64), new Uint8Array(288)];
    const answers = (status: number, ...args: unknown[]): void =>
      assert.equal(Reflect.apply(addon.runProgram, addon, args), status);
    answers(5, {}, inputs, witness, 1);
    answers(5, program, new Uint8Array(63), witness, 1);
    answers(5, program, inputs, new Uint8Array(287), 1);
    answers(5, program, inputs, witness, 0);
    answers(2, program, new Uint8Array(64).fill(255), witness, 1);
    const large = addon.openProgram(programBytes({ ...EVERY_INSTRUCTION, registerCount: 2 ** 16 }), 'portable', false, 64);
    answers(3, large, inputs, witness, 1);
  });
});
