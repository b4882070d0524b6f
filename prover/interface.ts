/**
 * What a settlement prover takes and gives, in wire form: the one file of prover/ that other folders may import.
 * A proof leaves a prover only after it was verified against signals that were computed from the bundle, not from the witness.
 * docs/proving.md says how provers are run and what a prover gets to see.
 */
import { z } from 'zod';
import { ENCLAVE_TREE, pathLength, treeCapacity } from '#protocol/merkle.ts';
import { publicSignalNames, type PublishedPair, type SettlementSignals } from '#protocol/terms.ts';
import { proofPointsSchema, type ProofPoints } from '#protocol/wire/proof-points.ts';
import { bytes32Hex, fieldHex, unixSeconds } from '#protocol/wire/scalars.ts';
import { settlementBundleSchema } from '#protocol/wire/settlement-bundle.ts';

export { defaultMemoryMb } from './memory-plan.ts';
export { DEFAULT_REFRESH_RULE, freshnessOf } from './refresh.ts';

/** What a proof needs besides the bundle: where the enclave's leaf stands in its provider's tree, and the claimed time. */
export const settlementProofTaskSchema = z.strictObject({
  bundle: settlementBundleSchema,
  enclavePath: z.strictObject({
    root: fieldHex,
    index: z
      .int()
      .min(0)
      .max(treeCapacity(ENCLAVE_TREE) - 1),
    /** From the leaf level up. */
    siblings: z.array(fieldHex).length(pathLength(ENCLAVE_TREE)),
  }),
  validAtUnix: unixSeconds,
});
export type SettlementProofTask = z.infer<typeof settlementProofTaskSchema>;

/** Most pairs that any circuit publishes: a transaction cannot verify more inference proofs. */
const MAX_PUBLISHED_PAIRS = 16;

/** A Groth16 proof of one segment, laid out as the Solidity verifier takes it: each coordinate of `b` as (c1, c0). */
export const settlementProofSchema = z.strictObject({
  /** Name of the circuit in circuits/circuits.json. */
  circuit: z.string().regex(/^[a-z0-9-]{1,64}$/),
  familyId: bytes32Hex,
  ...proofPointsSchema.shape,
  /** In the order of `publicSignalNames`: as many as the circuit has, at most those of one that publishes 16 pairs. */
  signals: z.array(fieldHex).min(publicSignalNames(0).length).max(publicSignalNames(MAX_PUBLISHED_PAIRS).length),
  timings: z.strictObject({ witnessMs: z.number(), proveMs: z.number(), verifyMs: z.number() }),
});
export type SettlementProof = z.infer<typeof settlementProofSchema>;

/** Steps of a proof in order: witness, its products with the constraints, sums over it, sum over the quotient, verification. */
export const PROOF_STAGES = ['witness', 'scalars', 'sums', 'quotient', 'verification'] as const;
export type ProofStage = (typeof PROOF_STAGES)[number];

/** How one proof is asked for. */
export interface ProveOptions {
  /** Aborting removes a waiting task and stops a running one by replacing its thread. */
  readonly signal?: AbortSignal;
  /** Higher runs first; equal ones in order of arrival. 0 when left out. */
  readonly priority?: number;
  /** Told each stage that is reached, some may be skipped; snarkjs reports none after the first. */
  readonly progress?: (stage: ProofStage) => void;
}

/** A cumulative histogram in the manner of Prometheus; `counts[i]` proofs took at most `boundsMs[i]`. */
export interface TimeHistogram {
  readonly boundsMs: readonly number[];
  readonly counts: readonly number[];
  readonly count: number;
  readonly sumMs: number;
}

/** The state of a prover, for metrics and readiness. */
export interface ProverStats {
  /** Threads that may prove at once. */
  readonly threads: number;
  /** Tasks that wait, and how many may. */
  readonly queued: number;
  readonly queueLimit: number;
  readonly running: number;
  /** Waiting tasks for which a thread is free, but no memory. */
  readonly waitingForMemory: number;
  /** Cores that a task would get which began now: all of `threads` when there is none, 1 when there are as many tasks as threads. */
  readonly coresPerTask: number;
  /** Attempts at proofs that began with more than one core. */
  readonly begunOnSeveralCores: number;
  /** Since the start: proofs given, tasks refused for good, second attempts, threads replaced after a crash, a hang or an abort. */
  readonly proved: number;
  readonly failed: number;
  readonly retried: number;
  readonly threadsReplaced: number;
  /** Processes that ended over a task and were started again; 0 for a prover inside the process that asks. */
  readonly processesReplaced: number;
  /** What makes the proofs. */
  readonly backend: {
    readonly name: string;
    /** What of the machine it uses. */
    readonly engine: string;
    /** Backends that try again what the first one gets wrong, in order, and how many proofs one of them had to make. */
    readonly fallbacks: readonly string[];
    readonly madeByFallback: number;
    /** Why other backends are not used, by name. */
    readonly unavailable: Readonly<Record<string, string>>;
  };
  /** From the start of the attempt that succeeded to its verified proof. */
  readonly proofTime: TimeHistogram;
  readonly memory: {
    /** What keys, threads and running proofs may take together, and what they may have taken by now. */
    readonly limitBytes: number;
    readonly plannedBytes: number;
    /** Of the whole process. */
    readonly rssBytes: number;
    /** Proving keys, held once for all threads. */
    readonly sharedKeyBytes: number;
    /** Largest heap that a thread reported when it finished a proof. */
    readonly largestThreadHeapBytes: number;
  };
}

/** What a verified proof shows. */
export interface VerifiedSettlement {
  readonly signals: SettlementSignals;
  /** What the circuit publishes of each place, both 0 where nothing is paid; none for a circuit that publishes nothing. */
  readonly pairs: readonly PublishedPair[];
}

/** Proves segments. Implementations: prover/pool.ts. */
export interface SettlementProver {
  /**
   * Proves one segment.
   * @throws `STUN_INPUT` and the codes of `settlementBundleFromWire` for a bad bundle; `STUN_PROOF_FAMILY`, `STUN_PROOF_ROOT`,
   *   `STUN_PROOF_VALID_AT`, `STUN_CIRCUIT_INPUT`, `STUN_CIRCUIT_UNSATISFIED` for a bundle that this circuit, path or time does not prove;
   *   `STUN_PROOF_INVALID` when the made proof does not verify; `STUN_PROVER_BUSY`, `STUN_PROVER_ABORTED`,
   *   `STUN_PROVER_TIMEOUT`, `STUN_PROVER_MEMORY`, `STUN_PROVER_CRASHED`, `STUN_PROVER_CLOSED` for the pool's own state
   */
  prove(task: SettlementProofTask, options?: ProveOptions): Promise<SettlementProof>;
  /**
   * Verifies a proof under the key of its circuit and returns its signals by name and its pairs. Does not check what the signals mean, nor
   * that the chain knows the family: see docs/protocol.md section 3.
   * @throws `STUN_INPUT`, `STUN_PROOF_FAMILY`, `STUN_PROOF_INVALID`
   */
  verify(proof: SettlementProof): Promise<VerifiedSettlement>;
  stats(): ProverStats;
  /** Refuses new tasks, ends waiting ones with `STUN_PROVER_CLOSED`, lets running ones finish, then ends the threads. */
  close(): Promise<void>;
}

/** One inference of a compiled model, in the clear: it does not leave the machine that may know it. */
export interface InferenceTask {
  readonly modelId: bigint;
  /** The input's integers, in order. */
  readonly input: readonly number[];
  /** Field elements. */
  readonly inputBlinding: bigint;
  readonly outputBlinding: bigint;
  /** What the proof must be about, as demand and receipt have it. */
  readonly inputCommitment: bigint;
  readonly outputCommitment: bigint;
}

/** Proves inferences of the compiled models that it was started with. Implementation: prover/inference-pool.ts. */
export interface InferenceProver {
  /** Ids of the models. */
  readonly models: ReadonlySet<bigint>;
  /**
   * Proves one inference; the proof was verified against the two commitments.
   * @throws `STUN_PROOF_FAMILY` for another model, `STUN_CIRCUIT_INPUT`, `STUN_PROOF_INVALID` when the model does not give this output on this input,
   *   and what a pool's own state throws in {@link SettlementProver.prove}
   */
  prove(task: InferenceTask, options?: ProveOptions): Promise<ProofPoints>;
  /** As of a settlement prover. */
  close(): Promise<void>;
}
