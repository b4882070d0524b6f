/**
 * What makes Groth16 proofs: one interface, several backends. Every one takes the same key and witness files and gives the same
 * form of proof; none verifies its own work. prover/backends.ts chooses among them.
 */
import type { ProofPoints } from '#protocol/wire/proof-points.ts';
import type { CircuitSignals } from './circuit-input.ts';

/** The backends, the fastest first. */
export const BACKEND_NAMES = ['native', 'wasm', 'snarkjs'] as const;
/** Name of a backend. */
export type BackendName = (typeof BACKEND_NAMES)[number];

/** A made proof with the public signals that its witness has; not verified yet. */
export type MadeProof = ProofPoints & { readonly signals: readonly bigint[] };

/** How one proof is made. */
export interface Groth16Options {
  /** Threads that may work on it, 1 to 256; all but the native backend use one whatever is asked for. */
  readonly threads: number;
  /** Memory that the backend may allocate beside key and witness; snarkjs does not look at it. */
  readonly memoryLimitMb: number;
  /** As in thread-reply.ts: lets other threads stop the proof and see its stage, where the backend can. */
  readonly control?: SharedArrayBuffer;
}

/** What a key and proofs with it take of memory, in bytes. */
export interface KeyMemory {
  /** Of the prepared key; 0 where none is kept. */
  readonly keyBytes: number;
  /** Of one proof on that many threads at most, beside key, prepared key and witness; given back when it ends. */
  readonly proofBytes: (threads: number) => number;
}

/** Makes proofs in the thread that calls it. */
export interface Groth16Backend {
  readonly name: BackendName;
  /** What of the machine it uses, for reports. */
  readonly engine: string;
  /** Threads that can work on one proof. */
  readonly mostThreads: number;
  /** Whether the memory of a proof goes back only when JavaScript collects its garbage. */
  readonly leavesGarbage: boolean;
  /**
   * Makes a proof with randomness of its own; two proofs of one witness differ. Does not check that the witness satisfies the
   * constraints: then the proof does not verify.
   * @param zkey - proving key, the bytes of a `zkey` file. In a SharedArrayBuffer of its own it is prepared once for all threads,
   *   and must not change any more
   * @param witness - the bytes of a `wtns` file of the same circuit
   * @throws `STUN_PROOF_WITNESS` when key and witness are not of one circuit; `STUN_PROVER_KEY`, `STUN_PROVER_MEMORY`;
   *   `STUN_PROVER_ABORTED` when the control block says so
   */
  prove(zkey: Uint8Array, witness: Uint8Array, options: Groth16Options): Promise<MadeProof>;
  /**
   * Says what memory proofs will take. Where the backend keeps prepared keys, it prepares this one: in shared memory, for all threads of
   * the process.
   * @param memoryLimitMb - what the prepared key may take
   * @throws `STUN_PROVER_MEMORY`, `STUN_PROVER_KEY`
   */
  measure(zkey: Uint8Array, memoryLimitMb: number): KeyMemory;
  /**
   * Makes a `wtns` file by a circuit's witness program, where the backend runs such programs; for others circom's program does it. It
   * refuses what breaks a constraint, as circom's does.
   * @param program - the bytes of a witness program, which must not change any more
   * @param signals - by the names of the circuit's inputs
   * @throws `STUN_CIRCUIT_UNSATISFIED` naming the signals of the broken constraint; `STUN_CIRCUIT_INPUT`, `STUN_RANGE` as circom's
   *   program; `STUN_PROVER_KEY`, `STUN_PROVER_MEMORY`
   */
  makeWitness?(program: SharedArrayBuffer, signals: CircuitSignals, memoryLimitMb: number): Uint8Array;
}
