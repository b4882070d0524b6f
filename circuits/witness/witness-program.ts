/**
 * The instructions of a witness program: values of the scalar field in numbered registers, each written once. Register 0 holds 1, the
 * inputs follow, then whatever the instructions make.
 */

/** A coefficient times a register. */
export type Term = readonly [coefficient: bigint, register: number];

/** Refusals name a rule by its place in the program's list of them. */
export type Instruction =
  | { readonly kind: 'sum'; readonly to: number; readonly terms: readonly Term[] }
  /** scale · a · b + Σ terms. */
  | {
      readonly kind: 'product';
      readonly to: number;
      readonly scale: bigint;
      readonly a: number;
      readonly b: number;
      readonly terms: readonly Term[];
    }
  /** Quotients of registers; 0 / 0 is 0, anything else over 0 is refused under `rule`, or 0 without one. */
  | {
      readonly kind: 'divide';
      readonly quotients: readonly {
        readonly to: number;
        readonly over: number;
        readonly under: number;
        readonly rule?: number;
      }[];
    }
  /** Bits of a register as an integer; refused when it has others. */
  | {
      readonly kind: 'bits';
      readonly of: number;
      readonly rule: number;
      readonly bits: readonly { readonly to: number; readonly position: number }[];
    }
  /** Refused unless the register is 0. */
  | { readonly kind: 'zero'; readonly of: number; readonly rule: number };

/** An input as circom names it; its values are consecutive registers. */
export interface ProgramInput {
  readonly name: string;
  readonly size: number;
}

/** A program before it is written. */
export interface WitnessProgram {
  readonly inputs: readonly ProgramInput[];
  readonly registerCount: number;
  readonly instructions: readonly Instruction[];
  /** Register of each wire of the witness. */
  readonly outputs: readonly number[];
  /** Names of what may be broken. */
  readonly rules: readonly string[];
}
