/** A model's circuit as its prover holds it: from integers and blindings to the witness, and nothing checked but by the rows. */
import { witnessBytes } from './constraints/r1cs-file.ts';
import { synthesise } from './constraints/synthesise.ts';
import type { ConstraintSystem } from './constraints/system.ts';
import { witnessOf } from './constraints/witness.ts';
import type { IntegerProgram } from './program/program.ts';

/** What one inference is proved from. */
export interface InferenceInput {
  /** The input's integers, in order. */
  readonly input: readonly number[];
  /** Field elements. */
  readonly inputBlinding: bigint;
  readonly outputBlinding: bigint;
}

/** The circuit of one program. Making it takes as long as compiling the program; it is kept. */
export class InferenceCircuit {
  readonly #system: ConstraintSystem;

  constructor(program: IntegerProgram) {
    this.#system = synthesise(program);
  }

  /** The bytes of a `wtns` file. @throws `STUN_CIRCUIT_INPUT` */
  witness({ input, inputBlinding, outputBlinding }: InferenceInput): Uint8Array {
    return witnessBytes(witnessOf(this.#system, [...input.map(BigInt), inputBlinding, outputBlinding]));
  }
}
