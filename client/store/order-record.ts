/** What the client keeps of an order: the opening, the demand key's secret, the seed of output blindings, and the policy's text. */
import { z } from 'zod';
import {
  addressHex,
  bytes32Hex,
  decimal,
  eddsaPublicKey,
  fieldFromHex,
  fieldHex,
  fieldToHex,
  fromHex,
  bytesToBigInt,
  openedOrderFromWire,
  openingSchema,
  openingToWire,
  orderKeyOf,
  policyIdOf,
  publicModelFromWire,
  publicModelSchema,
  publicModelToWire,
  readDocument,
  StunError,
  toHex,
  bigIntToBytes,
  unixSeconds,
  utf8,
  type EddsaKeyPair,
  type Hex,
  type OpenedOrder,
  type PublicModel,
} from '#protocol/index.ts';

const recordSchema = z.strictObject({
  version: z.literal(1),
  opening: openingSchema,
  /** Secret scalar. */
  demandSecret: bytes32Hex,
  /** Secret field element: output blindings are made from it. */
  outputSeed: fieldHex,
  /** Canonical policy text, the bytes policyId is made from. */
  policy: z.string(),
  budgets: z.array(z.strictObject({ provider: addressHex, amount: decimal })),
  deadlineUnix: unixSeconds,
  graceSeconds: z.int().min(0),
  /** Unknown until the transaction was sent. */
  openTransaction: bytes32Hex.optional(),
  /** Lane indexes of this store start here: 0, or a random number after a restore. */
  laneIndexBase: z
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  /** Of an order over a compiled model. */
  publicModel: publicModelSchema.optional(),
});
export type OrderRecordWire = z.infer<typeof recordSchema>;

/** A budget for one provider, token units. */
export interface ProviderBudget {
  readonly provider: string;
  readonly amount: bigint;
}

/** An order of this client. */
export interface OrderRecord extends OpenedOrder {
  readonly orderKey: Hex;
  readonly demandKey: EddsaKeyPair;
  readonly outputSeed: bigint;
  readonly policyText: string;
  readonly budgets: readonly ProviderBudget[];
  readonly deadlineUnix: number;
  readonly graceSeconds: number;
  readonly openTransaction: string | undefined;
  readonly laneIndexBase: number;
  /** Of an order over a compiled model: what its jobs commit to and what verifies their proofs. */
  readonly publicModel?: PublicModel;
}

/**
 * Reads a stored order and checks that its secret, key and policy belong together.
 * @throws `STUN_INPUT`, `STUN_RANGE`, `STUN_KEY_*`, `STUN_STORE_DAMAGED`
 */
export function orderRecordFromWire(document: unknown): OrderRecord {
  const wire = readDocument(recordSchema, document, 'stored order');
  const order = openedOrderFromWire(wire.opening);
  const secret = bytesToBigInt(fromHex(wire.demandSecret, 32, 'demandSecret'));
  const publicKey = eddsaPublicKey(secret);
  if (publicKey.x !== order.opening.demandKey.x || publicKey.y !== order.opening.demandKey.y) {
    throw new StunError('STUN_STORE_DAMAGED', 'the demand secret of the stored order belongs to another key');
  }
  if (policyIdOf(utf8(wire.policy)) !== order.opening.policyId) {
    throw new StunError('STUN_STORE_DAMAGED', 'the policy of the stored order has another policyId');
  }
  const publicModel = wire.publicModel === undefined ? undefined : publicModelFromWire(wire.publicModel);
  if (publicModel !== undefined && publicModel.model.modelId !== order.opening.modelId) {
    throw new StunError('STUN_STORE_DAMAGED', 'the compiled model of the stored order is another one');
  }
  return {
    ...order,
    orderKey: orderKeyOf(order.place.funder, order.orderId),
    demandKey: { secret, publicKey },
    outputSeed: fieldFromHex(wire.outputSeed, 'outputSeed'),
    policyText: wire.policy,
    budgets: wire.budgets.map(({ provider, amount }) => ({ provider, amount: BigInt(amount) })),
    deadlineUnix: wire.deadlineUnix,
    graceSeconds: wire.graceSeconds,
    openTransaction: wire.openTransaction,
    laneIndexBase: wire.laneIndexBase,
    ...(publicModel && { publicModel }),
  };
}

/** The stored form of an order; it holds secrets and leaves the process sealed only. */
export function orderRecordToWire(record: OrderRecord): OrderRecordWire {
  return {
    version: 1,
    opening: openingToWire(record),
    demandSecret: toHex(bigIntToBytes(record.demandKey.secret, 32)),
    outputSeed: fieldToHex(record.outputSeed),
    policy: record.policyText,
    budgets: record.budgets.map(({ provider, amount }) => ({ provider, amount: amount.toString() })),
    deadlineUnix: record.deadlineUnix,
    graceSeconds: record.graceSeconds,
    ...(record.openTransaction === undefined ? {} : { openTransaction: record.openTransaction }),
    laneIndexBase: record.laneIndexBase,
    ...(record.publicModel && { publicModel: publicModelToWire(record.publicModel) }),
  };
}
