/** A checked segment as the input of its circuit: the one place where the prover meets the circuits' own mapping. */
import { settlementInputOf, toCircuitInput, type CircuitPlaces, type CircuitSignals } from '#circuits/settlement-input.ts';
import { laneOldOf } from '#protocol/wire/settlement-bundle.ts';
import type { ProvableSegment } from './segment.ts';

export type { CircuitSignals } from '#circuits/settlement-input.ts';

/**
 * @param circuit - whose inputs they are
 * @throws `STUN_CIRCUIT_INPUT` when the segment has more jobs than the circuit has places
 */
export function circuitInputOf(segment: ProvableSegment, circuit: CircuitPlaces): CircuitSignals {
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
  return toCircuitInput(input, circuit);
}
