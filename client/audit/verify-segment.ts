/** One segment of a bundle: demands, receipts, the statement over them, the proof, and the transaction that settled it. */
import { Interface } from 'ethers';
import {
  ASSURANCE,
  demandHeadOf,
  deliveryDigestOf,
  eddsaFromWire,
  fieldFromHex,
  fromHex,
  inputCommitmentOf,
  laneGenesisOf,
  outputCommitmentOf,
  packPayee,
  publishedPairsOf,
  receiptHashOf,
  recoverEip712,
  secpAddressOf,
  SETTLEMENT_SIGNALS,
  signalListWithPairs,
  statementOver,
  verifyDemand,
  verifyStatement,
  type OpenedOrder,
  type ProofPoints as WireProof,
  type PublicModel,
  type PublishedPair,
  type Receipt,
  type RunningStatement,
  type SettlementSignals,
  type Hex,
} from '#protocol/index.ts';
import { artifacts } from '#chain/artifacts.ts';
import { settleArguments, settleProvenArguments, settlePublishedArguments } from '#chain/escrow.ts';
import { ORDER_FIELDS, type AuditBundle, type AuditJob, type AuditSegment } from './bundle.ts';
import { signalCountOf, verifyProof as verifyGroth16 } from './groth16.ts';
import { proofToChain } from '#chain/proof-forms.ts';
import { refute, type AuditLedger } from './report.ts';
import { readTransaction } from './transactions.ts';
import type { BatchOutcome } from './verify-court.ts';
import { verifyCourtRecord } from './verify-court-record.ts';
import type { AuditedEnclave } from './verify-enclave.ts';
import type { AuditedKey } from './verify-keys.ts';

/** A segment whose demands and receipts hold. */
export interface AuditedSegment {
  readonly receipts: readonly Receipt[];
  readonly statement: RunningStatement;
  /** Head of the last demand. */
  readonly laneNew: bigint;
  /** Whether a proof in the bundle holds for it. */
  readonly proven: boolean;
  readonly signals: SettlementSignals | undefined;
  readonly transactionHash: Hex | undefined;
  /** What became of the batch by the court's record in the bundle, where there is one and it holds. */
  readonly court: BatchOutcome | undefined;
  /** Jobs under an inference proof in the bundle. */
  readonly inferencesProven: number;
}

interface SegmentContext {
  readonly order: OpenedOrder;
  readonly enclave: AuditedEnclave;
  readonly keys: AuditedKey | undefined;
  readonly publicModel: PublicModel | undefined;
  readonly ledger: AuditLedger;
}

/** Checks one segment; undefined when a demand or receipt was refuted. */
export function verifySegment(bundle: AuditBundle, index: number, context: SegmentContext): AuditedSegment | undefined {
  const wire = bundle.segments[index];
  if (wire === undefined) return undefined;
  const { order, enclave, ledger } = context;
  const field = `segments[${index}]`;
  const origin = [
    ...ORDER_FIELDS,
    `${field}.enclave`,
    `${field}.laneIndex`,
    `${field}.fromHead`,
    `enclaves[${wire.enclave}].keyset`,
  ];
  const lane = { orderId: order.orderId, provider: enclave.keyset.provider, laneIndex: wire.laneIndex };
  const fromHead = wire.fromHead === null ? laneGenesisOf(lane) : fieldFromHex(wire.fromHead, 'fromHead');
  const receipts: Receipt[] = [];
  let head = fromHead;
  for (const [i, job] of wire.jobs.entries()) {
    const receipt = verifyJob(job, `${field}.jobs[${i}]`, head, i === 0 ? origin : [], context);
    if (receipt === undefined) {
      ledger.unknown(`${field}.statement`, `job ${i} was refuted`);
      return undefined;
    }
    receipts.push(receipt);
    head = receipt.demandHead;
  }
  const place = {
    id: `${field}.statement`,
    field: `${field}.statementSignature`,
    binds: [`${field}.statementSignature`, ...origin],
  };
  const statement = ledger.check(place, () => {
    if (receipts.length > order.terms.segmentLength) refute('the segment is longer than the order allows');
    const over = statementOver(fromHead, order.opening.modelId, receipts);
    return verifyStatement(enclave.keyset.receiptKey, over, eddsaFromWire(wire.statementSignature));
  });
  if (statement === undefined) return undefined;
  const inferencesProven = wire.jobs.filter((job, i) => verifyInference(job, `${field}.jobs[${i}]`, context)).length;
  const signals = wire.settlement === undefined ? undefined : signalsOf(wire, statement, context);
  const proven = verifyProof(wire, field, signals, context);
  const transactionHash = verifyTransaction(wire, field, signals, context);
  const { publicModel } = context;
  const batch = signals && { order, provider: enclave.keyset.provider, publicModel, signals, pairs: pairsOf(wire), ledger };
  const court = verifyCourtRecord(wire, field, batch, ledger);
  return { receipts, statement, laneNew: head, inferencesProven, signals, proven, transactionHash, court };
}

/** Demand, receipt and opened payloads of one job. @returns the receipt with its demand head filled in */
function verifyJob(
  job: AuditJob,
  field: string,
  previousHead: bigint,
  origin: readonly string[],
  context: SegmentContext,
): Receipt | undefined {
  const { order, enclave, ledger } = context;
  const demandFields = [`${field}.inputCommitment`, `${field}.maxPrice`, `${field}.demandSignature`];
  const demandPlace = { id: `${field}.demand`, field: `${field}.demandSignature`, binds: [...demandFields, ...origin] };
  const demandHead = ledger.check(demandPlace, () => {
    const inputCommitment = fieldFromHex(job.inputCommitment, 'inputCommitment');
    const head = demandHeadOf(previousHead, { inputCommitment, maxPrice: BigInt(job.maxPrice), signerId: enclave.signerId });
    return verifyDemand(order.opening.demandKey, head, eddsaFromWire(job.demandSignature));
  });
  if (demandHead === undefined) return undefined;
  const receiptPlace = {
    id: `${field}.receipt`,
    field: `${field}.receipt`,
    binds: [`${field}.receipt`, `${field}.receiptSignature`, 'order.opening.place', ...origin],
  };
  const receipt = ledger.check(receiptPlace, () => {
    const read: Receipt = {
      ...job.receipt,
      demandHead,
      outputCommitment: fieldFromHex(job.receipt.outputCommitment, 'outputCommitment'),
      price: BigInt(job.receipt.price),
      deliveryDigest: fieldFromHex(job.receipt.deliveryDigest, 'deliveryDigest'),
    };
    const domain = { chainId: order.place.chainId, verifyingContract: order.place.escrow };
    const signer = recoverEip712('Receipt', domain, { receipt: receiptHashOf(read) }, job.receiptSignature);
    if (signer !== secpAddressOf(enclave.keyset)) refute('the receipt is not signed by the enclave');
    if (read.price > BigInt(job.maxPrice)) refute('the receipt charges more than the demand allows');
    return read;
  });
  if (receipt !== undefined) verifyOpened(job, field, receipt, context);
  return receipt;
}

function verifyOpened(job: AuditJob, field: string, receipt: Receipt, { publicModel, ledger }: SegmentContext): void {
  const { opened } = job;
  if (opened === undefined) return;
  const model = publicModel?.model;
  const blindingOf = ({ blinding }: { blinding: string }): bigint => fieldFromHex(blinding, 'blinding');
  const at = (name: string) => ({
    id: `${field}.opened.${name}`,
    field: `${field}.opened.${name}`,
    binds: [`${field}.opened.${name}`],
  });
  ledger.check(at('input'), () => {
    const commitment = inputCommitmentOf(model?.input, fromHex(opened.input.payload), blindingOf(opened.input));
    if (commitment !== BigInt(job.inputCommitment)) refute('the input is not the committed one');
  });
  ledger.check(at('output'), () => {
    const commitment = outputCommitmentOf(model?.output, fromHex(opened.output.payload), blindingOf(opened.output));
    if (commitment !== receipt.outputCommitment) refute('the output is not the committed one');
  });
  ledger.check(at('sealedResult'), () => {
    if (deliveryDigestOf(fromHex(opened.sealedResult)) !== receipt.deliveryDigest) refute('other bytes were delivered');
  });
}

/** The inference proof of a job, where there is one; a paid job above `attested` without one is said to be unknown. */
function verifyInference(job: AuditJob, field: string, { order, publicModel, ledger }: SegmentContext): boolean {
  const id = `${field}.inference`;
  const { inferenceProof } = job;
  if (inferenceProof === undefined) {
    const isDue = order.terms.assurance !== ASSURANCE.attested && BigInt(job.receipt.price) > 0n;
    if (isDue) ledger.unknown(id, 'the bundle does not hold the inference proof of the job');
    return false;
  }
  const at = `${field}.inferenceProof`;
  const place = { id, field: at, binds: [at, 'order.publicModel'] };
  return (
    ledger.check(place, () => {
      if (publicModel === undefined) refute('the bundle does not hold the model that the proof is for', 'STUN_PROOF_FAMILY');
      const signals = [job.inputCommitment, job.receipt.outputCommitment].map((signal) => fieldFromHex(signal, 'commitment'));
      return verifyGroth16(publicModel.verificationKey, inferenceProof, signals);
    }) !== undefined
  );
}

function signalsOf(wire: AuditSegment, statement: RunningStatement, { order, enclave }: SegmentContext): SettlementSignals {
  const { provider } = enclave.keyset;
  return {
    enclaveRoot: BigInt(wire.settlement?.enclaveRoot ?? '0x0'),
    orderId: order.orderId,
    laneOld: wire.fromHead === null ? 0n : statement.fromHead,
    laneNew: statement.toHead,
    receiptsRoot: statement.receiptsRoot,
    payee: packPayee({ provider, validAtUnix: wire.settlement?.validAtUnix ?? 0, laneIndex: wire.laneIndex }),
    total: statement.total,
    domain: order.opening.domain,
  };
}

function verifyProof(
  wire: AuditSegment,
  field: string,
  signals: SettlementSignals | undefined,
  context: SegmentContext,
): boolean {
  const { keys, ledger } = context;
  const id = `${field}.proof`;
  if (wire.settlement === undefined || signals === undefined) {
    ledger.unknown(id, 'the segment is not settled in this bundle');
    return false;
  }
  const { proof } = wire.settlement;
  const binds = [
    ...['proof', 'enclaveRoot', 'validAtUnix'].map((name) => `${field}.settlement.${name}`),
    ...ORDER_FIELDS,
    `${field}.laneIndex`,
    `${field}.fromHead`,
  ];
  return (
    ledger.check({ id, field: `${field}.settlement.proof`, binds }, () => {
      if (keys === undefined) refute('the bundle has no verification key of the settlement family', 'STUN_PROOF_FAMILY');
      if (wire.jobs.length > keys.maxJobs) refute('the segment is longer than one proof can show');
      const places = (signalCountOf(keys.key) - SETTLEMENT_SIGNALS.length) / 2;
      return verifyGroth16(keys.key, proof, signalListWithPairs(signals, pairsOf(wire), places));
    }) !== undefined
  );
}

/** What a circuit that publishes commitments publishes of these jobs. */
function pairsOf({ jobs }: AuditSegment): PublishedPair[] {
  return publishedPairsOf(
    jobs.map(({ inputCommitment, receipt }) => ({
      inputCommitment: fieldFromHex(inputCommitment, 'inputCommitment'),
      outputCommitment: fieldFromHex(receipt.outputCommitment, 'outputCommitment'),
      price: BigInt(receipt.price),
    })),
  );
}

const escrowInterface = new Interface(artifacts.OrderEscrow.abi);

/** The call that settles a segment at the level of its order. */
function callOf(
  wire: AuditSegment,
  proof: WireProof,
  signals: SettlementSignals,
  { place: { funder }, terms: { assurance } }: OpenedOrder,
): string {
  if (assurance === ASSURANCE.attested) {
    return escrowInterface.encodeFunctionData('settle', [...settleArguments(funder, proofToChain(proof), signals)]);
  }
  const batch = { proof: proofToChain(proof), signals, pairs: pairsOf(wire) };
  if (assurance === ASSURANCE.challengeable) {
    return escrowInterface.encodeFunctionData('settleChallengeable', [...settlePublishedArguments(funder, batch)]);
  }
  const paid = wire.jobs.filter(({ receipt }) => BigInt(receipt.price) > 0n);
  const answers = paid.flatMap(({ inferenceProof }) => (inferenceProof === undefined ? [] : [proofToChain(inferenceProof)]));
  return escrowInterface.encodeFunctionData('settleProven', [...settleProvenArguments(funder, batch, answers)]);
}

function verifyTransaction(
  wire: AuditSegment,
  field: string,
  signals: SettlementSignals | undefined,
  { order, enclave, ledger }: SegmentContext,
): Hex | undefined {
  const { settlement } = wire;
  if (settlement === undefined || signals === undefined) return undefined;
  const at = `${field}.settlement.transaction`;
  const signed = ledger.check({ id: at, field: at, binds: [at, `${field}.settlement`] }, () => {
    const transaction = readTransaction(settlement.transaction);
    const { place } = order;
    if (transaction.to !== place.escrow || transaction.chainId !== place.chainId) refute('it is for another escrow or chain');
    if (transaction.data !== callOf(wire, settlement.proof, signals, order))
      refute('it settles something else than the proof of this segment');
    return transaction;
  });
  if (signed === undefined) return undefined;
  if (signed.sender !== enclave.keyset.provider) {
    ledger.unknown(`${at}.sender`, 'not the provider itself; whether it is its operator only the chain knows');
  }
  return signed.hash;
}
