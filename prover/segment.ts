/**
 * From a task in wire form to a segment that can be proved, and to the public signals its proof must have. The signals come from
 * the bundle through protocol/ alone, not from the circuit's input, so that a fault there cannot vouch for itself.
 */
import { enclaveLeafOf } from '#protocol/commitments.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldFromHex } from '#protocol/field.ts';
import { ENCLAVE_TREE, receiptsRootOf, rootFromPath, type MerklePath } from '#protocol/merkle.ts';
import { receiptHashOf } from '#protocol/receipt.ts';
import { packPayee, publishedPairsOf, type PublishedPair, type SettlementSignals } from '#protocol/terms.ts';
import { readDocument } from '#protocol/wire/scalars.ts';
import { laneOldOf, settlementBundleFromWire, type SettlementBundle } from '#protocol/wire/settlement-bundle.ts';
import { settlementProofTaskSchema, type SettlementProofTask } from './interface.ts';

/** A checked task. */
export interface ProvableSegment {
  readonly bundle: SettlementBundle;
  readonly enclavePath: MerklePath;
  readonly validAtUnix: number;
  readonly signals: SettlementSignals;
  /** What a circuit that publishes commitments has besides, one a job. */
  readonly pairs: readonly PublishedPair[];
}

/** The form of a task alone. @throws `STUN_INPUT` */
export function readTask(document: unknown): SettlementProofTask {
  return readDocument(settlementProofTaskSchema, document, 'proof task');
}

/** The public signals that a proof of this segment has. */
function signalsOf(bundle: SettlementBundle, enclaveRoot: bigint, validAtUnix: number): SettlementSignals {
  const receipts = bundle.jobs.map((job) => job.receipt);
  return {
    enclaveRoot,
    orderId: bundle.order.orderId,
    laneOld: laneOldOf(bundle),
    // assertBundle has checked that the last receipt ends the demand chain.
    laneNew: receipts.at(-1)!.demandHead,
    receiptsRoot: receiptsRootOf(receipts.map(receiptHashOf)),
    payee: packPayee({ provider: bundle.provider, validAtUnix, laneIndex: bundle.laneIndex }),
    total: receipts.reduce((sum, receipt) => sum + receipt.price, 0n),
    domain: bundle.order.opening.domain,
  };
}

/**
 * Checks a task: the whole bundle, that its leaf leads to the given root, that the leaf is alive at the claimed time.
 * Does not check that the root is live on chain nor that the lane stands at laneOld: see refresh.ts and the escrow.
 * @throws `STUN_INPUT`, the codes of `settlementBundleFromWire`, `STUN_PROOF_ROOT`, `STUN_PROOF_VALID_AT`
 */
export function provableSegment(task: SettlementProofTask): ProvableSegment {
  const bundle = settlementBundleFromWire(task.bundle);
  const root = fieldFromHex(task.enclavePath.root, 'enclave root');
  const enclavePath: MerklePath = {
    index: task.enclavePath.index,
    siblings: task.enclavePath.siblings.map((sibling) => fieldFromHex(sibling, 'sibling')),
  };
  if (rootFromPath(ENCLAVE_TREE, enclaveLeafOf(bundle.leaf), enclavePath) !== root) {
    throw new StunError('STUN_PROOF_ROOT', `the enclave leaf at index ${enclavePath.index} is not under the given root`);
  }
  if (task.validAtUnix >= bundle.leaf.expiresAtUnix) {
    throw new StunError(
      'STUN_PROOF_VALID_AT',
      `the enclave leaf expires at ${bundle.leaf.expiresAtUnix}, the proof would claim ${task.validAtUnix}`,
    );
  }
  return {
    bundle,
    enclavePath,
    validAtUnix: task.validAtUnix,
    signals: signalsOf(bundle, root, task.validAtUnix),
    pairs: publishedPairsOf(
      bundle.jobs.map(({ demand, receipt }) => ({
        inputCommitment: demand.inputCommitment,
        outputCommitment: receipt.outputCommitment,
        price: receipt.price,
      })),
    ),
  };
}
