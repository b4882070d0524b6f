/**
 * A rank-1 constraint system under construction, and beside it the tape of steps by which an honest prover fills its wires.
 *
 * The tape proves nothing: whatever it computes, only `rows` bind. Each row carries the label of the rule that it enforces, so that
 * tests can take one rule away and see the forgery that it stopped.
 */
import { Linear } from './linear.ts';

/** a · b = c. */
export interface Row {
  readonly a: Linear;
  readonly b: Linear;
  readonly c: Linear;
  /** The rule, such as `requantise.bit`. */
  readonly label: string;
}

/** How an honest prover fills wires; `first` is the first of the wires that a step fills. */
export type Step =
  | { readonly kind: 'product'; readonly first: number; readonly a: Linear; readonly b: Linear }
  | { readonly kind: 'bits'; readonly first: number; readonly count: number; readonly of: Linear }
  | { readonly kind: 'at-least'; readonly first: number; readonly of: Linear; readonly thresholds: readonly number[] }
  | { readonly kind: 'first-max'; readonly first: number; readonly of: readonly Linear[] }
  | { readonly kind: 'non-zero'; readonly first: number; readonly of: Linear }
  /** Wire j holds Σ rows_j,i · a_i · b_i + plus_j. */
  | {
      readonly kind: 'mixed-products';
      readonly first: number;
      readonly factors: readonly (readonly [a: Linear, b: Linear])[];
      readonly rows: readonly (readonly bigint[])[];
      readonly plus: readonly Linear[];
    };

/** Numbers of wires: the constant, then public outputs, then inputs, then everything else. */
export interface WireLayout {
  readonly publicCount: number;
  readonly inputCount: number;
}

/** Wires filled by a step. */
export function widthOf(step: Step): number {
  switch (step.kind) {
    case 'product':
      return 1;
    case 'bits':
      return step.count;
    case 'at-least':
      return step.thresholds.length;
    case 'first-max':
      return step.of.length + 1;
    case 'non-zero':
      return 2;
    case 'mixed-products':
      return step.rows.length;
  }
}

type NewStep = Step extends infer One ? (One extends Step ? Omit<One, 'first'> : never) : never;

/** Builds one system. Wires: 0 is the constant 1, then the public ones, then the inputs, then what gadgets allocate. */
export class ConstraintSystem {
  readonly layout: WireLayout;
  readonly rows: Row[] = [];
  readonly tape: Step[] = [];
  /** The combination that each public wire equals, in order; set by {@link expose}. */
  readonly outputs: Linear[] = [];
  #wires: number;

  constructor(layout: WireLayout) {
    this.layout = layout;
    this.#wires = 1 + layout.publicCount + layout.inputCount;
  }

  get wireCount(): number {
    return this.#wires;
  }

  /** The i-th private input. */
  input(index: number): Linear {
    return Linear.wire(1 + this.layout.publicCount + index);
  }

  /** Allocates the wires of a step. @returns the number of the first */
  allocate(step: NewStep): number {
    const first = this.#wires;
    const placed = { ...step, first } as Step;
    this.tape.push(placed);
    this.#wires += widthOf(placed);
    return first;
  }

  /** Demands a · b = c. */
  enforce(label: string, a: Linear, b: Linear, c: Linear): void {
    this.rows.push({ a, b, c, label });
  }

  /** Demands that a combination is 0, as a row without a product: its terms stay out of A and B, which provers pay for. */
  enforceZero(label: string, of: Linear): void {
    this.enforce(label, Linear.zero, Linear.zero, of);
  }

  /** Demands that at least one of two combinations is 0. */
  enforceZeroProduct(label: string, a: Linear, b: Linear): void {
    this.enforce(label, a, b, Linear.zero);
  }

  /** A wire that holds a · b, bound to it; constants are folded and cost nothing. */
  product(label: string, a: Linear, b: Linear): Linear {
    const [left, right] = [a.constantValue, b.constantValue];
    if (left !== null) return b.times(left);
    if (right !== null) return a.times(right);
    const wire = Linear.wire(this.allocate({ kind: 'product', a, b }));
    this.enforce(label, a, b, wire);
    return wire;
  }

  /** Makes the next public wire equal to a combination. */
  expose(label: string, of: Linear): void {
    const wire = 1 + this.outputs.length;
    this.outputs.push(of);
    this.enforceZero(label, of.minus(Linear.wire(wire)));
  }

  /** Demands that a combination is 0 or 1. */
  enforceBoolean(label: string, of: Linear): void {
    this.enforce(label, of, of.minus(Linear.constant(1n)), Linear.zero);
  }
}
