/** Valid segments made from a seed with the protocol's own functions: random keys, order, enclave tree, demands and receipts. */
import { createHash } from 'node:crypto';
import { SUBGROUP_ORDER } from '#protocol/babyjub.ts';
import { enclaveLeafOf, signerIdOf, type EnclaveLeaf } from '#protocol/commitments.ts';
import {
  demandHeadOf,
  laneGenesisOf,
  orderIdOf,
  PRICE_BITS,
  signDemand,
  type Demand,
  type OrderOpening,
} from '#protocol/demand.ts';
import { eddsaPublicKey, type EddsaKeyPair } from '#protocol/eddsa.ts';
import { FIELD_ORDER, fieldToAddress } from '#protocol/field.ts';
import { enclaveTree } from '#protocol/merkle.ts';
import { signStatement, statementOver, type JobStatus, type Receipt } from '#protocol/receipt.ts';
import type { SettlementSegment } from '#circuits/settlement-input.ts';

/** Deterministic integers from a seed: SHA-512 of seed and counter. Not for secrets. */
export class SeededRandom {
  readonly #seed: string;
  #counter = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** Uniform in 0..bound-1, bias below 2^-250 for field-sized bounds. */
  below(bound: bigint): bigint {
    const digest = createHash('sha512').update(`${this.#seed}/${this.#counter++}`).digest('hex');
    return BigInt(`0x${digest}`) % bound;
  }

  field(): bigint {
    return this.below(FIELD_ORDER);
  }

  keyPair(): EddsaKeyPair {
    const secret = this.below(SUBGROUP_ORDER - 1n) + 1n;
    return { secret, publicKey: eddsaPublicKey(secret) };
  }
}

/** What a test may fix instead of drawing. */
export interface SegmentChoice {
  /** Jobs, at least 1. */
  readonly count: number;
  /** true: the lane has never settled. */
  readonly fresh?: boolean;
  readonly validAtUnix?: number;
  readonly expiresAtUnix?: number;
  readonly laneIndex?: number;
  /** Price and limit of every job. */
  readonly price?: bigint;
  readonly maxPrice?: bigint;
  readonly status?: JobStatus;
}

/** A segment with the key pairs that signed it. */
export interface SignedSegment {
  readonly segment: SettlementSegment;
  readonly demandPair: EddsaKeyPair;
  readonly receiptPair: EddsaKeyPair;
}

const NOW_UNIX = 1_790_000_000;
const STATUSES: readonly JobStatus[] = ['served', 'served', 'failed', 'void'];

function drawReceipt(random: SeededRandom, choice: SegmentChoice, demandHead: bigint, maxPrice: bigint): Receipt {
  const status = choice.status ?? (choice.price === undefined ? STATUSES[Number(random.below(4n))]! : 'served');
  const startedAtUnix = NOW_UNIX + Number(random.below(1000n));
  return {
    demandHead,
    outputCommitment: random.field(),
    price: status === 'served' ? (choice.price ?? random.below(maxPrice + 1n)) : 0n,
    deliveryDigest: random.field(),
    status,
    startedAtUnix,
    finishedAtUnix: startedAtUnix + Number(random.below(100n)),
  };
}

function drawEnclave(random: SeededRandom, receiptPair: EddsaKeyPair, policyId: bigint, choice: SegmentChoice) {
  const leaf: EnclaveLeaf = {
    signerId: signerIdOf(receiptPair.publicKey),
    policyId,
    provider: fieldToAddress(random.below(1n << 160n)),
    hardwareIdHash: random.field(),
    expiresAtUnix: choice.expiresAtUnix ?? NOW_UNIX + 86_400,
  };
  const neighbours = Array.from({ length: 1 + Number(random.below(6n)) }, () => random.field());
  const index = Number(random.below(BigInt(neighbours.length)));
  neighbours[index] = enclaveLeafOf(leaf);
  return { leaf, enclavePath: enclaveTree(neighbours).path(index) };
}

/** A valid signed segment; the same seed and choice give the same segment, signatures' nonces apart. */
export function makeSegment(seed: string, choice: SegmentChoice): SignedSegment {
  const random = new SeededRandom(seed);
  const demandPair = random.keyPair();
  const receiptPair = random.keyPair();
  const opening: OrderOpening = {
    domain: random.below(1n << 248n),
    demandKey: demandPair.publicKey,
    modelId: random.field(),
    policyId: random.field(),
    salt: random.field(),
  };
  const { leaf, enclavePath } = drawEnclave(random, receiptPair, opening.policyId, choice);
  const laneIndex = choice.laneIndex ?? Number(random.below(1n << 32n));
  const fresh = choice.fresh ?? random.below(2n) === 0n;
  const laneOld = fresh ? 0n : random.field();
  const fromHead = fresh ? laneGenesisOf({ orderId: orderIdOf(opening), provider: leaf.provider, laneIndex }) : laneOld;

  const demands: Demand[] = [];
  const receipts: Receipt[] = [];
  for (let i = 0; i < choice.count; i++) {
    const maxPrice = choice.maxPrice ?? random.below(1n << BigInt(PRICE_BITS));
    const demand = { inputCommitment: random.field(), maxPrice, signerId: leaf.signerId };
    demands.push(demand);
    receipts.push(drawReceipt(random, choice, demandHeadOf(receipts.at(-1)?.demandHead ?? fromHead, demand), maxPrice));
  }
  const segment: SettlementSegment = {
    opening,
    laneIndex,
    laneOld,
    leaf,
    receiptKey: receiptPair.publicKey,
    enclavePath,
    validAtUnix: choice.validAtUnix ?? NOW_UNIX,
    demands,
    receipts,
    demandSignature: signDemand(demandPair, receipts.at(-1)!.demandHead),
    statementSignature: signStatement(receiptPair, statementOver(fromHead, opening.modelId, receipts)),
  };
  return { segment, demandPair, receiptPair };
}
