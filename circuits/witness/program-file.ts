/**
 * The file of a witness program ("wprg", version 1), in the container of circom's binary files; integers little-endian.
 *
 * Section 1: wires of the witness, values of input, registers, all u32. Section 2: constants, 32 bytes each, in Montgomery form (times 2^256
 * modulo r), 1 and r - 1 first. Section 3: instructions as u32 words. Section 4: register of each wire. Section 5, JSON: inputs and rules.
 *
 * Instructions, `terms` being the numbers of terms with coefficients 1, -1 and others, then registers of the first two kinds, then
 * constant and register of each other:
 *   0 to terms                          sum
 *   1 to scale a b terms                product
 *   2 count (to over under rule)…       quotients, rule 2^32 - 1 for none
 *   3 of rule count (to position)…      bits
 *   4 of rule                           zero
 */
import { reduce } from '../build/field-math.ts';
import { container, FIELD_BYTES, putField } from '../build/section-container.ts';
import type { Instruction, Term, WitnessProgram } from './witness-program.ts';

const MONTGOMERY = 1n << 256n;
const NO_RULE = 0xffffffff;
/** Most quotients that share an inversion. */
const BATCH = 256;
const [ONE, MINUS_ONE] = [0, 1];

/** Constants by value, each once. */
class ConstantPool {
  readonly #places = new Map<bigint, number>();

  constructor() {
    for (const value of [1n, reduce(-1n)]) this.place(value);
  }

  place(value: bigint): number {
    let place = this.#places.get(value);
    if (place === undefined) this.#places.set(value, (place = this.#places.size));
    return place;
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#places.size * FIELD_BYTES);
    const view = new DataView(bytes.buffer);
    for (const [value, place] of this.#places) putField(view, place * FIELD_BYTES, reduce(value * MONTGOMERY));
    return bytes;
  }
}

function termWords(terms: readonly Term[], pool: ConstantPool): number[] {
  const kinds: [number[], number[], number[]] = [[], [], []];
  for (const [coefficient, register] of terms) {
    const place = pool.place(coefficient);
    if (place === ONE || place === MINUS_ONE) kinds[place]!.push(register);
    else kinds[2].push(place, register);
  }
  const [plus, minus, others] = kinds;
  return [plus.length, minus.length, others.length / 2, ...plus, ...minus, ...others];
}

function* wordsOf(instruction: Instruction, pool: ConstantPool): Iterable<readonly number[]> {
  switch (instruction.kind) {
    case 'sum':
      yield [0, instruction.to, ...termWords(instruction.terms, pool)];
      return;
    case 'product': {
      const { to, scale, a, b, terms } = instruction;
      yield [1, to, pool.place(scale), a, b, ...termWords(terms, pool)];
      return;
    }
    case 'divide':
      for (let i = 0; i < instruction.quotients.length; i += BATCH) {
        const part = instruction.quotients.slice(i, i + BATCH);
        yield [2, part.length, ...part.flatMap(({ to, over, under, rule = NO_RULE }) => [to, over, under, rule])];
      }
      return;
    case 'bits':
      yield [
        3,
        instruction.of,
        instruction.rule,
        instruction.bits.length,
        ...instruction.bits.flatMap(({ to, position }) => [to, position]),
      ];
      return;
    case 'zero':
      yield [4, instruction.of, instruction.rule];
  }
}

function u32(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true);
  return bytes;
}

/** The bytes of a program. */
export function programBytes(program: WitnessProgram): Uint8Array {
  const pool = new ConstantPool();
  const words: number[] = [];
  for (const instruction of program.instructions) for (const part of wordsOf(instruction, pool)) words.push(...part);
  const values = program.inputs.reduce((sum, { size }) => sum + size, 0);
  return container('wprg', 1, [
    [1, u32([program.outputs.length, values, program.registerCount])],
    [2, pool.bytes()],
    [3, u32(words)],
    [4, u32(program.outputs)],
    [5, new TextEncoder().encode(JSON.stringify({ inputs: program.inputs, rules: program.rules }))],
  ]);
}
