/**
 * Forgeries of what the parts of the settlement circuit are given of each other: as forgeries.ts, each under the label of the constraint that
 * would say nothing without it.
 */
import { eddsaPublicKey } from '#protocol/eddsa.ts';
import { TAG } from '#protocol/tags.ts';
import { reduce } from '#circuits/build/field-math.ts';
import { hash, stranger, type Draft } from './draft.ts';
import { exactly, jobTamper, tamperAt, type Forgery } from './forgeries.ts';

const M = 'main';
/** Of an enclave whose secret the attacker does not have. */
const enclaveKey = eddsaPublicKey(31337n);

/** The order id opens to another value than the one that the circuit goes on with. */
function opened(place: number, gain: string, source: string, valueOf: (draft: Draft) => bigint): Forgery {
  return {
    labels: ['1.order'],
    gain,
    replace: (draft) => ({ order: { [place]: valueOf(draft) + 1n } }),
    tamper: () => tamperAt('tamperOrder', 5, place, 1n),
    rows: exactly(`${M}.${source}`, `${M}.order.inputs[${place}]`),
  };
}

/** The lane starts from the genesis of another one. */
function started(place: number, gain: string, source: string, valueOf: (draft: Draft, orderId: bigint) => bigint): Forgery {
  return {
    labels: ['4.select'],
    gain,
    draft: (draft) => {
      draft.laneOld = 0n;
    },
    replace: (draft, honest) => ({ lane: { [place]: valueOf(draft, honest.signals['orderId'] as bigint) + 1n } }),
    tamper: () => tamperAt('tamperLane', 3, place, 1n),
    rows: exactly(`${M}.${source}`, `${M}.start.${source}`),
  };
}

export const wireForgeries: readonly Forgery[] = [
  opened(0, 'settles an order under the terms of another', 'domain', (draft) => draft.domain),
  opened(1, 'signs for an order with a key of another x', 'demandKey[0]', (draft) => draft.demandPair.publicKey.x),
  opened(2, 'signs for an order with a key of another y', 'demandKey[1]', (draft) => draft.demandPair.publicKey.y),
  opened(3, 'settles an order of another model', 'modelId', (draft) => draft.modelId),
  opened(4, 'settles an order of another policy', 'policyId', (draft) => draft.policyId),
  started(0, 'starts the lane of another order', 'orderId', (_draft, orderId) => orderId),
  started(1, "starts another provider's lane", 'provider', (draft) => draft.provider),
  started(2, 'starts another lane', 'laneIndex', (draft) => draft.laneIndex),
  {
    labels: ['5.count'],
    gain: 'is paid for a job that it does not count',
    replace: () => ({ active: { 1: 0n } }),
    tamper: (_draft, _honest, n) => jobTamper(n, 1, 5, 1n),
    rows: exactly(`${M}.active[1]`, `${M}.job[1].active`),
  },
  {
    labels: ['6.select'],
    gain: 'leaves out a demand',
    replace: (_draft, honest) => ({ headsBefore: { 1: honest.heads[1]! + 1n } }),
    tamper: (_draft, _honest, n) => jobTamper(n, 1, 4, 1n),
    rows: exactly(`${M}.head[1]`, `${M}.job[1].headBefore`),
  },
  {
    labels: ['8.total'],
    gain: 'sums another price than the one of the receipt',
    replace: (draft) => ({ prices: { 1: draft.jobs[1]!.price + 1n } }),
    tamper: (_draft, _honest, n) => jobTamper(n, 1, 6, -1n),
    rows: exactly(`${M}.price[1]`, `${M}.job[1].price`),
  },
  {
    labels: ['10.signer'],
    gain: 'shows the leaf of another enclave than the one that the demands name',
    replace: (_draft, honest) => ({ leaf: { 0: honest.signerId + 1n } }),
    tamper: () => tamperAt('tamperLeaf', 6, 0, 1n),
    rows: exactly(`${M}.signer.out`, `${M}.leaf.inputs[0]`),
  },
  {
    labels: ['10.signer'],
    gain: "signs for an enclave with a key of one's own",
    draft: (draft) => {
      draft.receiptPair = stranger();
    },
    replace: () => ({ signerId: hash(TAG.signerId, enclaveKey.x, enclaveKey.y) }),
    tamper: ({ receiptPair: { publicKey } }) => ({
      tamperSigner: [reduce(enclaveKey.x - publicKey.x), reduce(enclaveKey.y - publicKey.y)],
    }),
    rows: (signals) => [0, 1].some((place) => exactly(`${M}.receiptKey[${place}]`, `${M}.signer.inputs[${place}]`)(signals)),
  },
  {
    labels: ['11.root'],
    gain: 'opens the root to another receipt than the one of the job',
    replace: () => ({ leaves: { 1: 4242n } }),
    tamper: (_draft, honest, n) => jobTamper(n, 1, 7, 4242n - honest.receipts[1]!),
    rows: exactly(`${M}.job[1].leaf`, `${M}.receipts.leaves[1]`),
  },
  {
    labels: ['12.root'],
    gain: 'shows a path from another leaf than its own',
    replace: (_draft, honest) => ({ pathLeaf: honest.leaf + 1n }),
    tamper: () => tamperAt('tamperLeaf', 6, 5, 1n),
    rows: exactly(`${M}.leaf.out`, `${M}.path.leaf`),
  },
  {
    labels: ['12.expiry'],
    gain: 'shows a leaf that expires later than the registered one',
    replace: (draft) => ({ leaf: { 4: draft.expiresAt - 86_400n } }),
    tamper: () => tamperAt('tamperLeaf', 6, 4, -86_400n),
    rows: exactly(`${M}.expiresAt`, `${M}.leaf.inputs[4]`),
  },
];
