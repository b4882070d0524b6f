/** Segments of a stage's order with real signatures, and real Groth16 proofs of them under the development keys. */
import { readFile } from 'node:fs/promises';
import { ensureCircuit, type CircuitName } from '#circuits/manifest.ts';
import { settlementInputOf, toCircuitInput, type SettlementSegment } from '#circuits/settlement-input.ts';
import { familyForJobs } from '#chain/deployment.ts';
import type { OrderRequest, ProofPoints, PublishedSettlement } from '#chain/escrow.ts';
import {
  ASSURANCE,
  demandHeadOf,
  generateEddsaKeyPair,
  laneGenesisOf,
  orderDomainOf,
  orderIdOf,
  randomField,
  signDemand,
  signStatement,
  statementOver,
  type Demand,
  type EddsaKeyPair,
  type OrderOpening,
  type Receipt,
  publishedPairsOf,
  type PublishedPair,
  type SettlementSignals,
} from '#protocol/index.ts';
import type { Groth16Backend } from '#prover/backend.ts';
import { chooseBackends } from '#prover/backends.ts';
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import { openOrder, placeOf, termsFor, type Stage, type StageEnclave, type StageOrder } from './stage.ts';

/** An open order with all that its customer knows. */
export interface RealOrder extends StageOrder {
  readonly opening: OrderOpening;
  readonly demandKey: EddsaKeyPair;
}

/** Opens an order whose id opens to real keys, for the enclave's policy, with the family of a circuit. The model is public above `attested`. */
export async function openRealOrder(
  stage: Stage,
  enclave: StageEnclave,
  maxJobs: number,
  change: Partial<OrderRequest> = {},
): Promise<RealOrder> {
  const above = change.terms ?? termsFor(stage);
  const { family } = familyForJobs(stage.deployment, maxJobs, above.assurance);
  const terms = { ...above, settlementFamily: family, segmentLength: maxJobs };
  const demandKey = generateEddsaKeyPair();
  const token = change.token ?? `0x${'00'.repeat(20)}`;
  const opening: OrderOpening = {
    domain: orderDomainOf(placeOf(stage, token), terms),
    demandKey: demandKey.publicKey,
    modelId: terms.assurance === ASSURANCE.attested ? randomField() : terms.publicModelId,
    policyId: enclave.registration.policyId,
    salt: randomField(),
  };
  const order = await openOrder(stage, { ...change, terms, orderId: orderIdOf(opening) });
  return { ...order, opening, demandKey };
}

/** Where a segment stands and how long it is. */
export interface SegmentChoice {
  readonly jobs: number;
  readonly price: bigint;
  readonly laneIndex?: number;
  readonly laneOld?: bigint;
  /** Of the jobs' inputs and outputs, in order; random when left out. */
  readonly commitments?: readonly PublishedPair[];
  /** Unix seconds; the newest block's time when left out. */
  readonly validAtUnix?: number;
}

/** A segment that the enclave served, signed by both parties, under the provider's current root. */
export async function serveSegment(
  stage: Stage,
  enclave: StageEnclave,
  order: RealOrder,
  choice: SegmentChoice,
): Promise<SettlementSegment> {
  const registered = await stage.as(stage.owner).registry.leaf(enclave.keysetDigest, enclave.registration.policyId);
  const { path } = await stage.as(stage.owner).registry.pathOf(registered.leaf.provider, registered.index);
  const laneIndex = choice.laneIndex ?? 0;
  const laneOld = choice.laneOld ?? 0n;
  const lane = { orderId: order.orderId, provider: registered.leaf.provider, laneIndex };
  const fromHead = laneOld === 0n ? laneGenesisOf(lane) : laneOld;
  const demands: Demand[] = [];
  const receipts: Receipt[] = [];
  let head = fromHead;
  for (let i = 0; i < choice.jobs; i++) {
    const { inputCommitment, outputCommitment } = choice.commitments?.[i] ?? {
      inputCommitment: randomField(),
      outputCommitment: randomField(),
    };
    const demand: Demand = { inputCommitment, maxPrice: choice.price, signerId: enclave.signerId };
    head = demandHeadOf(head, demand);
    demands.push(demand);
    receipts.push({
      demandHead: head,
      outputCommitment,
      price: choice.price,
      deliveryDigest: randomField(),
      status: 'served',
      startedAtUnix: 1_800_000_000,
      finishedAtUnix: 1_800_000_001,
    });
  }
  return {
    opening: order.opening,
    laneIndex,
    laneOld,
    leaf: registered.leaf,
    receiptKey: enclave.receiptKey.publicKey,
    enclavePath: path,
    validAtUnix: choice.validAtUnix ?? (await stage.chain.nowUnix()),
    demands,
    receipts,
    demandSignature: signDemand(order.demandKey, head),
    statementSignature: signStatement(enclave.receiptKey, statementOver(fromHead, order.opening.modelId, receipts)),
  };
}

/** A proof with its signals by name. */
export interface RealProof {
  readonly proof: ProofPoints;
  readonly signals: SettlementSignals;
}

const calculators = new Map<string, WitnessCalculator>();

/** Proves a segment with a circuit, as the prover does; with the best backend where none is named. */
export async function proveSegment(
  name: CircuitName,
  segment: SettlementSegment,
  backend: Groth16Backend = chooseBackends('auto').backends[0]!,
): Promise<RealProof> {
  const circuit = await ensureCircuit(name);
  let calculator = calculators.get(name);
  if (calculator === undefined) {
    calculator = await WitnessCalculator.load(circuit.wasmPath);
    calculators.set(name, calculator);
  }
  const input = settlementInputOf(segment);
  const witness = await calculator.calculateFile(toCircuitInput(input, circuit));
  const { a, b, c } = await backend.prove(await readFile(circuit.zkeyPath), witness, { threads: 1, memoryLimitMb: 1024 });
  return { proof: { a, b, c } as ProofPoints, signals: input.signals };
}

/** Proves a segment of an order above `attested`, with the pairs that its circuit publishes. */
export async function provePublishedSegment(segment: SettlementSegment): Promise<PublishedSettlement> {
  const proven = await proveSegment('settlement-proven-16', segment);
  const jobs = segment.demands.map(({ inputCommitment }, i) => {
    const { outputCommitment, price } = segment.receipts[i]!;
    return { inputCommitment, outputCommitment, price };
  });
  return { ...proven, pairs: publishedPairsOf(jobs) };
}
