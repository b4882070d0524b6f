/** Proves inferences of compiled models, one at a time, in the thread that calls it. */
import { InferenceCircuit } from '#circuits/model/inference-circuit.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldToHex } from '#protocol/field.ts';
import type { ProofPoints } from '#protocol/wire/proof-points.ts';
import type { Groth16Backend } from './backend.ts';
import type { InferenceArtefacts } from './inference-artefacts.ts';
import type { InferenceTask } from './interface.ts';
import { releasedBy } from './retry-backends.ts';
import { releaseProof } from './segment-prover.ts';
import { proofOptionsOf, type GivenTask } from './thread-reply.ts';

/** The circuits of several models; each is made when it is first asked for. */
export class ThreadInferenceProver {
  readonly #models: readonly InferenceArtefacts[];
  readonly #backends: readonly Groth16Backend[];
  readonly #circuits = new Map<bigint, InferenceCircuit>();

  /** @param backends - in the order of trying, at least one */
  constructor(models: readonly InferenceArtefacts[], backends: readonly Groth16Backend[]) {
    this.#models = models;
    this.#backends = backends;
  }

  #circuit({ modelId, program }: InferenceArtefacts): InferenceCircuit {
    const circuit = this.#circuits.get(modelId) ?? new InferenceCircuit(program);
    this.#circuits.set(modelId, circuit);
    return circuit;
  }

  /** @throws the codes of `InferenceProver.prove` that speak of the task, not of the pool; `BackendFailed` */
  async prove(given: GivenTask<InferenceTask>): Promise<ProofPoints> {
    const { task } = given;
    const artefacts = this.#models.find(({ modelId }) => modelId === task.modelId);
    if (artefacts === undefined) {
      throw new StunError('STUN_PROOF_FAMILY', `the compiled model ${fieldToHex(task.modelId)} is not loaded here`);
    }
    const witness = this.#circuit(artefacts).witness(task);
    try {
      const { released } = await releasedBy(
        this.#backends,
        given.backend,
        (backend) => backend.prove(new Uint8Array(artefacts.zkey), witness, proofOptionsOf(given)),
        (made) => releaseProof(artefacts, made, [task.inputCommitment, task.outputCommitment]),
      );
      return released;
    } finally {
      // It holds the customer's input.
      witness.fill(0);
    }
  }
}
