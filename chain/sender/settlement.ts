/** Settlements as intents: their keys, and how to see on chain that a segment is settled, whoever sent the transaction. */
import { z } from 'zod';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldToHex } from '#protocol/field.ts';
import { orderKeyOf, unpackPayee } from '#protocol/terms.ts';
import { addressHex, bytes32Hex, fieldHex } from '#protocol/wire/scalars.ts';
import type { EscrowContract } from '../escrow.ts';
import { settleAtLevel, type LevelSettlement } from '../settle-at-level.ts';
import type { IsDone } from './advance.ts';
import type { Submission } from './sender.ts';

/** The lane step that a settlement makes; the context of its intent. */
const laneStepSchema = z.strictObject({
  orderKey: bytes32Hex,
  provider: addressHex,
  laneIndex: z.int().min(0),
  laneOld: fieldHex,
  laneNew: fieldHex,
});

/**
 * The submission that settles a segment. The key names the lane step and the time that the proof claims, so that a proof that was
 * made again may be sent after the one before it failed; both ask the same question of the chain, so only one has an effect.
 * @param batch - with the proof as a prover gives it
 */
export function settlementSubmission(escrow: EscrowContract, funder: string, batch: LevelSettlement): Submission {
  const { signals } = batch;
  const { provider, laneIndex, validAtUnix } = unpackPayee(signals.payee);
  const step: z.infer<typeof laneStepSchema> = {
    orderKey: orderKeyOf(funder, signals.orderId),
    provider,
    laneIndex,
    laneOld: fieldToHex(signals.laneOld),
    laneNew: fieldToHex(signals.laneNew),
  };
  return {
    key: `settle/${step.orderKey}/${laneIndex}/${step.laneNew.slice(2, 34)}/${validAtUnix}`,
    call: settleAtLevel(escrow, funder, batch).call(),
    context: JSON.stringify(step),
  };
}

/**
 * Whether the lane step of a settlement intent is on chain at a block: the lane stands at its new head, or once stood there.
 * @param fromBlock - block of the deployment, before which no event stands
 * @throws (the check) `STUN_INPUT` for an intent that is no settlement; `STUN_CHAIN_UNAVAILABLE`
 */
export function settlementIsDone(escrow: EscrowContract, fromBlock: number): IsDone {
  return async ({ context, key }, blockNumber) => {
    const read = laneStepSchema.safeParse(parseJson(context));
    if (!read.success) throw new StunError('STUN_INPUT', `intent ${key} has no lane step in its context`);
    const { orderKey, provider, laneIndex, laneOld, laneNew } = read.data;
    if (blockNumber < fromBlock) return false;
    const head = fieldToHex(BigInt((await escrow.access.read('laneOf', [orderKey, provider, laneIndex], blockNumber))[0]));
    if (head === laneNew) return true;
    if (head === laneOld) return false;
    // The lane is elsewhere: it may have passed through this step.
    const settled = await escrow.access.events('Settled', [orderKey, provider], fromBlock, blockNumber);
    return settled.some(
      ({ args }) => Number(args.getValue('laneIndex')) === laneIndex && fieldToHex(BigInt(args.getValue('laneNew'))) === laneNew,
    );
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
