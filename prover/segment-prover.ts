/** One proof from task to verified result, in the thread that calls it. A pool has one SegmentProver per thread. */
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldToHex } from '#protocol/field.ts';
import { signalListWithPairs } from '#protocol/terms.ts';
import type { ProvingArtefacts } from './artefacts.ts';
import { circuitInputOf, type CircuitSignals } from './circuit-input.ts';
import type { ProofPoints } from '#protocol/wire/proof-points.ts';
import type { BackendName, Groth16Backend, MadeProof } from './backend.ts';
import type { SettlementProof, SettlementProofTask } from './interface.ts';
import { releasedBy } from './retry-backends.ts';
import { provableSegment } from './segment.ts';
import { proofOptionsOf, type GivenTask } from './thread-reply.ts';
import { verifyGroth16 } from './verify-groth16.ts';

/** The circuit of a family. @throws `STUN_PROOF_FAMILY` */
export function artefactsOfFamily(circuits: readonly ProvingArtefacts[], familyId: string): ProvingArtefacts {
  const found = circuits.find((circuit) => circuit.familyId === familyId);
  if (found === undefined) {
    const names = circuits.map((circuit) => circuit.name).join(', ');
    throw new StunError('STUN_PROOF_FAMILY', `family ${familyId} is none of the loaded circuits (${names})`);
  }
  return found;
}

/**
 * Compares a made proof with the signals it must have and verifies it: the gate every proof passes before it leaves.
 * @returns the proof points, untouched
 * @throws `STUN_PROOF_INVALID`
 */
export function releaseProof(
  artefacts: Pick<ProvingArtefacts, 'verificationKey'>,
  proof: MadeProof,
  expected: readonly bigint[],
): ProofPoints {
  if (proof.signals.length !== expected.length || expected.some((signal, i) => signal !== proof.signals[i])) {
    throw new StunError('STUN_PROOF_INVALID', 'the witness has other public signals than were expected');
  }
  verifyGroth16(artefacts.verificationKey, proof, expected);
  return { a: proof.a, b: proof.b, c: proof.c };
}

/** A verified proof, with the backends that did not give one. */
export interface ProvenSegment {
  readonly proof: SettlementProof;
  readonly madeBy: BackendName;
  readonly failed: readonly BackendName[];
}

/** Proves segments of the loaded circuits, one at a time. */
export class SegmentProver {
  readonly #circuits: readonly ProvingArtefacts[];
  readonly #backends: readonly Groth16Backend[];
  readonly #calculators = new Map<string, WitnessCalculator>();

  /** @param backends - in the order of trying, at least one */
  constructor(circuits: readonly ProvingArtefacts[], backends: readonly Groth16Backend[]) {
    this.#circuits = circuits;
    this.#backends = backends;
  }

  #calculator(artefacts: ProvingArtefacts): WitnessCalculator {
    let calculator = this.#calculators.get(artefacts.name);
    if (calculator === undefined) {
      calculator = WitnessCalculator.over(artefacts.calculator);
      this.#calculators.set(artefacts.name, calculator);
    }
    return calculator;
  }

  /** A backend that fails is not tried again with its own witness: the next one makes another. */
  async #witness(
    backend: Groth16Backend,
    artefacts: ProvingArtefacts,
    signals: CircuitSignals,
    memoryLimitMb: number,
  ): Promise<Uint8Array> {
    const native = backend.makeWitness?.(artefacts.witnessProgram, signals, memoryLimitMb);
    return native ?? this.#calculator(artefacts).calculateFile(signals);
  }

  /** @throws the codes of `SettlementProver.prove` that speak of the task, not of the pool; `BackendFailed` */
  async prove(given: GivenTask<SettlementProofTask>): Promise<ProvenSegment> {
    const segment = provableSegment(given.task);
    const artefacts = artefactsOfFamily(this.#circuits, segment.bundle.order.terms.settlementFamily);
    const expected = signalListWithPairs(segment.signals, segment.pairs, artefacts.publishedPairs);
    const started = performance.now();
    const signals = circuitInputOf(segment, artefacts);
    const options = proofOptionsOf(given);
    let witnessed = started;
    let proved = started;
    const { released, madeBy, failed } = await releasedBy(
      this.#backends,
      given.backend,
      async (backend) => {
        const witness = await this.#witness(backend, artefacts, signals, options.memoryLimitMb);
        witnessed = performance.now();
        try {
          return await backend.prove(new Uint8Array(artefacts.zkey), witness, options);
        } finally {
          witness.fill(0);
        }
      },
      (made) => {
        proved = performance.now();
        return releaseProof(artefacts, made, expected);
      },
    );
    const proof: SettlementProof = {
      circuit: artefacts.name,
      familyId: artefacts.familyId,
      ...released,
      signals: expected.map((signal) => fieldToHex(signal)),
      timings: { witnessMs: witnessed - started, proveMs: proved - witnessed, verifyMs: performance.now() - proved },
    };
    return { proof, madeBy, failed };
  }
}
