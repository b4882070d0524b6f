/** Turns derived steps into instructions: combinations are computed once, copies and unread values are left out. */
import { FIELD_ORDER } from '#protocol/field.ts';
import { reduce } from '../build/field-math.ts';
import { addScaled, constantOf, inverseOf, type Combination, type ConstraintRows } from './constraint-rows.ts';
import type { Step } from './derive-order.ts';
import { LONG_SUM, SumShortener } from './shorten.ts';
import type { Instruction, ProgramInput, Term, WitnessProgram } from './witness-program.ts';

function without(combination: Combination, wire: number): Combination {
  const rest = new Map(combination);
  rest.delete(wire);
  return rest;
}

class Assembler {
  readonly #rows: ConstraintRows;
  readonly #nameOf: (wire: number) => string;
  /** Register of each known wire. */
  readonly #registerOf: Int32Array;
  readonly #combinations = new Map<string, number>();
  readonly #shortener = new SumShortener();
  readonly instructions: Instruction[] = [];
  readonly rules: string[] = [];
  count: number;

  constructor(rows: ConstraintRows, inputs: readonly number[], nameOf: (wire: number) => string) {
    this.#rows = rows;
    this.#nameOf = nameOf;
    this.#registerOf = new Int32Array(rows.r1cs.wireCount).fill(-1);
    this.#registerOf[0] = 0;
    for (const [i, wire] of inputs.entries()) this.#registerOf[wire] = 1 + i;
    this.count = 1 + inputs.length;
  }

  /** @returns -1 for a wire that no step made */
  registerOf(wire: number): number {
    return this.#registerOf[wire]!;
  }

  #define(wire: number): number {
    return (this.#registerOf[wire] = this.count++);
  }

  /** Terms over registers, in their order. */
  #terms(combination: Combination): Term[] {
    const byRegister: Combination = new Map();
    for (const [wire, coefficient] of combination) addScaled(byRegister, new Map([[this.#registerOf[wire]!, 1n]]), coefficient);
    return [...byRegister].toSorted(([a], [b]) => a - b).map(([register, coefficient]) => [coefficient, register]);
  }

  /** A register times a scale that hold a combination together. */
  #scaled(combination: Combination): { register: number; scale: bigint } {
    const terms = this.#terms(combination);
    if (terms.length === 1) return { register: terms[0]![1], scale: terms[0]![0] };
    // circom writes the negative of a sum as readily as the sum: one register does for both.
    const negative = terms.length > 0 && 2n * terms[0]![0] > FIELD_ORDER;
    const sum = negative ? terms.map(([coefficient, register]) => [FIELD_ORDER - coefficient, register] as const) : terms;
    const key = sum.map(([coefficient, register]) => `${coefficient.toString(36)},${register}`).join(' ');
    let register = this.#combinations.get(key);
    if (register === undefined) {
      register = this.count++;
      this.instructions.push({ kind: 'sum', to: register, terms: this.#shortener.shorten(register, sum) });
      this.#combinations.set(key, register);
    }
    return { register, scale: negative ? reduce(-1n) : 1n };
  }

  #product(to: number, [a, b]: readonly [Combination, Combination], factor: bigint, terms: readonly Term[]): void {
    const [left, right] = [this.#scaled(a), this.#scaled(b)];
    const scale = reduce(reduce(left.scale * right.scale) * factor);
    this.instructions.push({ kind: 'product', to, scale, a: left.register, b: right.register, terms });
  }

  /** A register with factor · (product + linear). */
  #value(product: readonly [Combination, Combination] | undefined, linear: Combination, factor: bigint): number {
    const scaled: Combination = new Map();
    addScaled(scaled, linear, factor);
    const folds = product?.some((side) => side.size === 0) !== false;
    // A long sum has a register of its own even beside a product: it makes the next one shorter.
    const long = scaled.size >= LONG_SUM;
    const apart = folds || long ? this.#scaled(scaled) : undefined;
    if (folds && apart?.scale === 1n) return apart.register;
    const terms: Term[] = long ? [[apart!.scale, apart!.register]] : this.#terms(scaled);
    const to = this.count++;
    if (folds) this.instructions.push({ kind: 'sum', to, terms });
    else this.#product(to, product, factor, terms);
    return to;
  }

  /** A rule named by the last signals of a row, those that it only makes left out. */
  #rule(row: number, made: readonly number[] = []): number {
    const signals = [...this.#rows.wiresOf(row)].filter((wire) => !made.includes(wire));
    return this.rules.push((signals.length === 0 ? made : signals).slice(-3).map(this.#nameOf).join(', ')) - 1;
  }

  #assign(row: number, wire: number): void {
    const { product, linear } = this.#rows.folded(row);
    const factor = reduce(-inverseOf(linear.get(wire)!));
    // A copy gets the register of what it copies.
    this.#registerOf[wire] = this.#value(product, without(linear, wire), factor);
  }

  /** The divisor and the negative rest of a row whose product has a wire in one factor. */
  #quotient(row: number, wire: number): { over: number; under: number } {
    const { product, linear } = this.#rows.folded(row);
    const [own, other] = product![0].has(wire) ? product! : ([product![1], product![0]] as const);
    const divisor: Combination = new Map();
    addScaled(divisor, other, own.get(wire)!);
    addScaled(divisor, new Map([[0, 1n]]), linear.get(wire) ?? 0n);
    const left = without(own, wire);
    const rest = without(linear, wire);
    const constant = constantOf(left);
    if (constant !== undefined) addScaled(rest, other, constant);
    const product_ = constant === undefined ? ([left, other] as const) : undefined;
    return { over: this.#value(product_, rest, -1n), under: this.#value(undefined, divisor, 1n) };
  }

  step(step: Step): void {
    switch (step.kind) {
      case 'assign':
        this.#assign(step.row, step.wire);
        return;
      case 'check': {
        const { product, linear } = this.#rows.folded(step.row);
        this.instructions.push({ kind: 'zero', of: this.#value(product, linear, 1n), rule: this.#rule(step.row) });
        return;
      }
      case 'divide': {
        const values = step.quotients.map(({ row, wire }) => ({ ...this.#quotient(row, wire), rule: this.#rule(row), wire }));
        const quotients = values.map(({ wire, ...quotient }) => ({ ...quotient, to: this.#define(wire) }));
        this.instructions.push({ kind: 'divide', quotients });
        return;
      }
      case 'bits': {
        const { product, linear } = this.#rows.folded(step.row);
        const rest = new Map(linear);
        for (const bit of step.bits) rest.delete(bit);
        const of = this.#value(product, rest, step.scale);
        const bits = step.bits.map((bit, i) => ({ to: this.#define(bit), position: step.positions[i]! }));
        this.instructions.push({ kind: 'bits', of, rule: this.#rule(step.row, step.bits), bits });
        return;
      }
      case 'is-zero': {
        const over = this.#value(undefined, new Map([[0, step.numerator]]), 1n);
        const under = this.#value(undefined, step.tested, 1n);
        this.instructions.push({ kind: 'divide', quotients: [{ to: this.#define(step.inverse), over, under }] });
        this.#assign(step.row, step.flag);
      }
    }
  }
}

/** Registers that an instruction reads. */
function readsOf(instruction: Instruction): number[] {
  switch (instruction.kind) {
    case 'sum':
      return instruction.terms.map(([, register]) => register);
    case 'product':
      return [instruction.a, instruction.b, ...instruction.terms.map(([, register]) => register)];
    case 'divide':
      return instruction.quotients.flatMap(({ over, under }) => [over, under]);
    case 'bits':
    case 'zero':
      return [instruction.of];
  }
}

/** Leaves out sums and products that nobody reads. */
function readOnes(instructions: readonly Instruction[], outputs: readonly number[], registerCount: number): Instruction[] {
  const read = new Uint8Array(registerCount);
  for (const register of outputs) read[register] = 1;
  const kept = instructions.toReversed().filter((instruction) => {
    if ((instruction.kind === 'sum' || instruction.kind === 'product') && read[instruction.to] === 0) return false;
    for (const register of readsOf(instruction)) read[register] = 1;
    return true;
  });
  return kept.toReversed();
}

/**
 * Assembles a program.
 * @param inputs - their wires are consecutive, `first` being that of an input's first value
 * @param outputs - wires of the constraint system in the order of the witness
 */
export function assemble(
  rows: ConstraintRows,
  steps: readonly Step[],
  inputs: readonly (ProgramInput & { readonly first: number })[],
  outputs: readonly number[],
  nameOf: (wire: number) => string,
): WitnessProgram {
  const wires = inputs.flatMap(({ first, size }) => Array.from({ length: size }, (_, i) => first + i));
  const assembler = new Assembler(rows, wires, nameOf);
  for (const step of steps) assembler.step(step);
  const registers = outputs.map((wire) => assembler.registerOf(wire));
  return {
    inputs: inputs.map(({ name, size }) => ({ name, size })),
    registerCount: assembler.count,
    instructions: readOnes(assembler.instructions, registers, assembler.count),
    outputs: registers,
    rules: assembler.rules,
  };
}
