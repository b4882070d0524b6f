/** Proves inferences of compiled models, one at a time, in the thread that calls it. */
import { InferenceCircuit } from '#circuits/model/inference-circuit.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldToHex } from '#protocol/field.ts';
import type { ProofPoints } from '#protocol/wire/proof-points.ts';
import type { Groth16Backend } from './backend.ts';
import type { InferenceArtefacts } from './inference-artefacts.ts';
import type { InferenceTask } from './interface.ts';
import { firstReleased } from './retry-backends.ts';
import { releaseProof } from './segment-prover.ts';

/** The circuits of several models; each is made when it is first asked for. */
export class ThreadInferenceProver {
  readonly #models: readonly InferenceArtefacts[];
  readonly #backends: readonly Groth16Backend[];
  readonly #memoryLimitMb: number;
  readonly #circuits = new Map<bigint, InferenceCircuit>();

  /**
   * @param backends - in the order of trying, at least one
   * @param memoryLimitMb - what a backend may allocate for one proof
   */
  constructor(models: readonly InferenceArtefacts[], backends: readonly Groth16Backend[], memoryLimitMb: number) {
    this.#models = models;
    this.#backends = backends;
    this.#memoryLimitMb = memoryLimitMb;
  }

  #circuit({ modelId, program }: InferenceArtefacts): InferenceCircuit {
    const circuit = this.#circuits.get(modelId) ?? new InferenceCircuit(program);
    this.#circuits.set(modelId, circuit);
    return circuit;
  }

  /** @throws the codes of `InferenceProver.prove` that speak of the task, not of the pool */
  async prove(task: InferenceTask, threads: number, control?: SharedArrayBuffer): Promise<ProofPoints> {
    const artefacts = this.#models.find(({ modelId }) => modelId === task.modelId);
    if (artefacts === undefined) {
      throw new StunError('STUN_PROOF_FAMILY', `the compiled model ${fieldToHex(task.modelId)} is not loaded here`);
    }
    const witness = this.#circuit(artefacts).witness(task);
    const options = { threads, memoryLimitMb: this.#memoryLimitMb, ...(control && { control }) };
    try {
      const { released } = await firstReleased(
        this.#backends,
        (backend) => backend.prove(new Uint8Array(artefacts.zkey), witness, options),
        (made) => releaseProof(artefacts, made, [task.inputCommitment, task.outputCommitment]),
      );
      return released;
    } finally {
      // It holds the customer's input.
      witness.fill(0);
    }
  }
}
