/**
 * The inputs of a settlement circuit: from the protocol's objects to integers, and from integers to the circuit's signals.
 *
 * Nothing here decides whether a segment is valid: the circuit does. What is built from honest parts satisfies it.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { enclaveLeafOf, type EnclaveLeaf } from '#protocol/commitments.ts';
import { laneGenesisOf, orderIdOf, type Demand, type OrderOpening } from '#protocol/demand.ts';
import type { EddsaSignature } from '#protocol/eddsa.ts';
import type { JubPoint } from '#protocol/babyjub.ts';
import { addressToField } from '#protocol/field.ts';
import { ENCLAVE_TREE, rootFromPath, type MerklePath } from '#protocol/merkle.ts';
import { JOB_STATUS, statementOver, type Receipt } from '#protocol/receipt.ts';
import { packPayee, publishedPairsOf, SETTLEMENT_SIGNALS, type SettlementSignals } from '#protocol/terms.ts';
import type { CircuitSpec } from './build/build-circuit.ts';

/** One job of a segment as the circuit takes it; all are field elements. */
export interface JobInput {
  readonly inputCommitment: bigint;
  /** Price units, below 2^63. */
  readonly maxPrice: bigint;
  readonly outputCommitment: bigint;
  /** Price units, at most maxPrice. */
  readonly price: bigint;
  readonly deliveryDigest: bigint;
  /** 1 served, 2 failed, 3 void. */
  readonly status: bigint;
  /** Unix seconds, below 2^34. */
  readonly startedAt: bigint;
  /** Unix seconds, below 2^34. */
  readonly finishedAt: bigint;
}

/** Everything a proof of one segment needs; `signals` are public, the rest stays with the prover. */
export interface SettlementInput {
  readonly signals: SettlementSignals;
  readonly demandKey: JubPoint;
  readonly modelId: bigint;
  readonly policyId: bigint;
  readonly salt: bigint;
  readonly demandSignature: EddsaSignature;
  readonly receiptKey: JubPoint;
  readonly hardwareIdHash: bigint;
  /** Unix seconds, below 2^40. */
  readonly expiresAt: bigint;
  /** Place of the enclave's leaf in the provider's tree, depth 10. */
  readonly enclavePath: MerklePath;
  readonly statementSignature: EddsaSignature;
  /** 160-bit address. */
  readonly provider: bigint;
  /** Unix seconds, below 2^40. */
  readonly validAt: bigint;
  /** Below 2^32. */
  readonly laneIndex: bigint;
  /** 1..N jobs in lane order. */
  readonly jobs: readonly JobInput[];
}

/** A segment in the protocol's own objects. */
export interface SettlementSegment {
  readonly opening: OrderOpening;
  readonly laneIndex: number;
  /** State of the lane on chain: 0 before its first settlement. */
  readonly laneOld: bigint;
  /** The leaf of the enclave that served the segment; its provider is the one that is paid. */
  readonly leaf: EnclaveLeaf;
  readonly receiptKey: JubPoint;
  readonly enclavePath: MerklePath;
  /** When the leaf is claimed to be live, unix seconds: near the block that settles. */
  readonly validAtUnix: number;
  /** Demands and receipts of the segment, in lane order, same length. */
  readonly demands: readonly Demand[];
  readonly receipts: readonly Receipt[];
  /** Over the head of the last job. */
  readonly demandSignature: EddsaSignature;
  /** Over the running statement of exactly these jobs. */
  readonly statementSignature: EddsaSignature;
}

/** Names a circuit's signals as snarkjs takes them. */
export type CircuitSignals = Record<string, bigint | bigint[]>;

/** What of a circuit its input depends on. */
export type CircuitPlaces = Pick<CircuitSpec, 'n' | 'publishedPairs'>;

/** A place after the last job: void, free, at no time. */
const PADDING: JobInput = {
  inputCommitment: 0n,
  maxPrice: 0n,
  outputCommitment: 0n,
  price: 0n,
  deliveryDigest: 0n,
  status: BigInt(JOB_STATUS.void),
  startedAt: 0n,
  finishedAt: 0n,
};

/**
 * The circuit input of a segment.
 * Checks no signature and no price against a maximum; a segment that breaks a rule gives an input that no proof exists for.
 * @throws `STUN_CIRCUIT_INPUT` when demands and receipts differ in number; `STUN_RANGE`, `STUN_KEY_*` of the protocol's hashes
 */
export function settlementInputOf(segment: SettlementSegment): SettlementInput {
  const { opening, leaf, demands, receipts } = segment;
  if (demands.length !== receipts.length) {
    throw new StunError(
      'STUN_CIRCUIT_INPUT',
      `a segment must have a receipt for each demand, got ${demands.length} and ${receipts.length}`,
    );
  }
  const orderId = orderIdOf(opening);
  const lane = { orderId, provider: leaf.provider, laneIndex: segment.laneIndex };
  const fromHead = segment.laneOld === 0n ? laneGenesisOf(lane) : segment.laneOld;
  const statement = statementOver(fromHead, opening.modelId, receipts);
  return {
    signals: {
      enclaveRoot: rootFromPath(ENCLAVE_TREE, enclaveLeafOf(leaf), segment.enclavePath),
      orderId,
      laneOld: segment.laneOld,
      laneNew: statement.toHead,
      receiptsRoot: statement.receiptsRoot,
      payee: packPayee({ provider: leaf.provider, validAtUnix: segment.validAtUnix, laneIndex: segment.laneIndex }),
      total: statement.total,
      domain: opening.domain,
    },
    demandKey: opening.demandKey,
    modelId: opening.modelId,
    policyId: opening.policyId,
    salt: opening.salt,
    demandSignature: segment.demandSignature,
    receiptKey: segment.receiptKey,
    hardwareIdHash: leaf.hardwareIdHash,
    expiresAt: BigInt(leaf.expiresAtUnix),
    enclavePath: segment.enclavePath,
    statementSignature: segment.statementSignature,
    provider: addressToField(leaf.provider),
    validAt: BigInt(segment.validAtUnix),
    laneIndex: BigInt(segment.laneIndex),
    jobs: demands.map((demand, i) => jobInputOf(demand, receipts[i]!)),
  };
}

function jobInputOf(demand: Demand, receipt: Receipt): JobInput {
  return {
    inputCommitment: demand.inputCommitment,
    maxPrice: demand.maxPrice,
    outputCommitment: receipt.outputCommitment,
    price: receipt.price,
    deliveryDigest: receipt.deliveryDigest,
    status: BigInt(JOB_STATUS[receipt.status]),
    startedAt: BigInt(receipt.startedAtUnix),
    finishedAt: BigInt(receipt.finishedAtUnix),
  };
}

/**
 * The signals of `Settlement(n, publishedPairs)`, by the names of circuits/lib/settlement.circom; unused places are padded.
 * @param circuit - whose places they are
 * @throws `STUN_CIRCUIT_INPUT` when the segment has no job or more than there are places
 */
export function toCircuitInput(input: SettlementInput, { n, publishedPairs }: CircuitPlaces): CircuitSignals {
  const { jobs } = input;
  if (jobs.length < 1 || jobs.length > n) {
    throw new StunError('STUN_CIRCUIT_INPUT', `a segment of this circuit must have 1..${n} jobs, got ${jobs.length}`);
  }
  const places = Array.from({ length: n }, (_, i) => jobs[i] ?? PADDING);
  const pairs = publishedPairsOf(places.slice(0, publishedPairs));
  const signals: CircuitSignals = Object.fromEntries(SETTLEMENT_SIGNALS.map((name) => [name, input.signals[name]]));
  return {
    ...signals,
    demandKey: [input.demandKey.x, input.demandKey.y],
    modelId: input.modelId,
    policyId: input.policyId,
    salt: input.salt,
    demandSignatureR8: [input.demandSignature.r8.x, input.demandSignature.r8.y],
    demandSignatureS: input.demandSignature.s,
    receiptKey: [input.receiptKey.x, input.receiptKey.y],
    hardwareIdHash: input.hardwareIdHash,
    expiresAt: input.expiresAt,
    pathBits: input.enclavePath.siblings.map((_, height) => BigInt((input.enclavePath.index >> height) & 1)),
    pathSiblings: [...input.enclavePath.siblings],
    statementSignatureR8: [input.statementSignature.r8.x, input.statementSignature.r8.y],
    statementSignatureS: input.statementSignature.s,
    provider: input.provider,
    validAt: input.validAt,
    laneIndex: input.laneIndex,
    active: places.map((_, i) => (i < jobs.length ? 1n : 0n)),
    inputCommitment: places.map((job) => job.inputCommitment),
    maxPrice: places.map((job) => job.maxPrice),
    outputCommitment: places.map((job) => job.outputCommitment),
    price: places.map((job) => job.price),
    deliveryDigest: places.map((job) => job.deliveryDigest),
    status: places.map((job) => job.status),
    startedAt: places.map((job) => job.startedAt),
    finishedAt: places.map((job) => job.finishedAt),
    publishedInput: pairs.map((pair) => pair.inputCommitment),
    publishedOutput: pairs.map((pair) => pair.outputCommitment),
  };
}
