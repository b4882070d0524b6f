/** A checked segment as the input of its circuit: the one place where the prover meets the circuits' own mapping. */
import { settlementInputOf, toCircuitInput, type CircuitSignals } from '#circuits/settlement-input.ts';
import { laneOldOf } from '#protocol/wire/settlement-bundle.ts';
import type { ProvableSegment } from './segment.ts';

/**
 * @param n - places of the circuit
 * @throws `STUN_CIRCUIT_INPUT` when the segment has more than n jobs
 */
export function circuitInputOf(segment: ProvableSegment, n: number): CircuitSignals {
  const { bundle } = segment;
  const input = settlementInputOf({
    opening: bundle.order.opening,
    laneIndex: bundle.laneIndex,
    laneOld: laneOldOf(bundle),
    leaf: bundle.leaf,
    receiptKey: bundle.keyset.receiptKey,
    enclavePath: segment.enclavePath,
    validAtUnix: segment.validAtUnix,
    demands: bundle.jobs.map((job) => job.demand),
    receipts: bundle.jobs.map((job) => job.receipt),
    demandSignature: bundle.demandSignature,
    statementSignature: bundle.statementSignature,
  });
  return toCircuitInput(input, n);
}
