/** One proof from task to verified result, in the thread that calls it. A pool has one SegmentProver per thread. */
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldToHex } from '#protocol/field.ts';
import { signalList } from '#protocol/terms.ts';
import type { ProvingArtefacts } from './artefacts.ts';
import { circuitInputOf } from './circuit-input.ts';
import { proveGroth16, type ProofPoints } from './groth16.ts';
import type { SettlementProof, SettlementProofTask } from './interface.ts';
import { provableSegment } from './segment.ts';
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
  artefacts: ProvingArtefacts,
  proof: ProofPoints & { readonly signals: readonly bigint[] },
  expected: readonly bigint[],
): ProofPoints {
  if (proof.signals.length !== expected.length || expected.some((signal, i) => signal !== proof.signals[i])) {
    throw new StunError('STUN_PROOF_INVALID', 'the witness has other public signals than the bundle');
  }
  verifyGroth16(artefacts.verificationKey, proof, expected);
  return { a: proof.a, b: proof.b, c: proof.c };
}

/** Proves segments of the loaded circuits, one at a time. */
export class SegmentProver {
  readonly #circuits: readonly ProvingArtefacts[];
  readonly #calculators = new Map<string, WitnessCalculator>();

  constructor(circuits: readonly ProvingArtefacts[]) {
    this.#circuits = circuits;
  }

  #calculator(artefacts: ProvingArtefacts): WitnessCalculator {
    let calculator = this.#calculators.get(artefacts.name);
    if (calculator === undefined) {
      calculator = WitnessCalculator.over(artefacts.witnessProgram);
      this.#calculators.set(artefacts.name, calculator);
    }
    return calculator;
  }

  /** @throws the codes of `SettlementProver.prove` that speak of the task, not of the pool */
  async prove(task: SettlementProofTask): Promise<SettlementProof> {
    const segment = provableSegment(task);
    const artefacts = artefactsOfFamily(this.#circuits, segment.bundle.order.terms.settlementFamily);
    const started = performance.now();
    const witness = await this.#calculator(artefacts).calculateFile(circuitInputOf(segment, artefacts.n));
    const witnessed = performance.now();
    const made = await proveGroth16(new Uint8Array(artefacts.zkey), witness);
    const proved = performance.now();
    const expected = signalList(segment.signals);
    const points = releaseProof(artefacts, made, expected);
    return {
      circuit: artefacts.name,
      familyId: artefacts.familyId,
      ...points,
      signals: expected.map((signal) => fieldToHex(signal)),
      timings: { witnessMs: witnessed - started, proveMs: proved - witnessed, verifyMs: performance.now() - proved },
    };
  }
}
