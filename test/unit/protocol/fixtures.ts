/** A valid order, lane and segment, made fresh for each test. Everything is real: keys, signatures, trees. */
import {
  enclaveLeafOf,
  encodeKeyset,
  generateEddsaKeyPair,
  generateSealingKeyPair,
  laneGenesisOf,
  opaqueModelIdOfDigests,
  orderDomainOf,
  orderIdOf,
  outputBlindingOf,
  parseKeyset,
  payloadCommitment,
  policyIdOf,
  randomField,
  receiptHashOf,
  demandHeadOf,
  signDemand,
  signEip712,
  signStatement,
  signerIdOf,
  statementOver,
  utf8,
  type EddsaKeyPair,
  type EnclaveLeaf,
  type JobHeader,
  type ReceiptRecord,
  type JobStatus,
  type Keyset,
  type OpenedOrder,
  type OrderOpening,
  type OrderPlace,
  type PayableInput,
  type Receipt,
  type SettlementBundle,
  type SealingKeyPair,
  type Terms,
} from '#protocol/index.ts';
import { secp256k1 } from '@noble/curves/secp256k1.js';

export const PROVIDER = '0x00000000000000000000000000000000000000a1';
export const FUNDER = '0x00000000000000000000000000000000000000f1';
export const ESCROW = '0x00000000000000000000000000000000000000e5';
export const NOW = 1_800_000_000;

/** An enclave with its keys. */
export interface TestEnclave {
  readonly receiptKey: EddsaKeyPair;
  readonly sealing: SealingKeyPair;
  readonly secpSecret: Uint8Array;
  readonly keysetBytes: Uint8Array;
  readonly keyset: Keyset;
  readonly signerId: bigint;
  readonly leaf: EnclaveLeaf;
}

export async function makeEnclave(policyId: bigint, provider = PROVIDER): Promise<TestEnclave> {
  const receiptKey = generateEddsaKeyPair();
  const sealing = await generateSealingKeyPair();
  const secpSecret = secp256k1.utils.randomSecretKey();
  const expiresAtUnix = NOW + 7 * 86400;
  const keysetBytes = encodeKeyset({
    chainId: 31337n,
    registry: '0x00000000000000000000000000000000000000b5',
    provider: provider as `0x${string}`,
    hpkePublicKey: sealing.publicKey,
    receiptKey: receiptKey.publicKey,
    secpPublicKey: secp256k1.getPublicKey(secpSecret, false).subarray(1),
    runtimeDigest: new Uint8Array(32).fill(7),
    expiresAtUnix,
  });
  const signerId = signerIdOf(receiptKey.publicKey);
  const leaf: EnclaveLeaf = { signerId, policyId, provider, hardwareIdHash: randomField(), expiresAtUnix };
  return { receiptKey, sealing, secpSecret, keysetBytes, keyset: parseKeyset(keysetBytes), signerId, leaf };
}

/** An opened order with its customer key. */
export interface TestOrder extends OpenedOrder {
  readonly demandKey: EddsaKeyPair;
}

export function makeOrder(
  change: { terms?: Partial<Terms>; place?: Partial<OrderPlace>; demandKey?: EddsaKeyPair } = {},
): TestOrder {
  const demandKey = change.demandKey ?? generateEddsaKeyPair();
  const place: OrderPlace = {
    chainId: 31337n,
    escrow: ESCROW,
    funder: FUNDER,
    token: '0x0000000000000000000000000000000000000000',
    ...change.place,
  };
  const terms: Terms = {
    assurance: 0,
    publicModelId: 0n,
    settlementFamily: `0x${'5f'.repeat(32)}`,
    inferenceFamily: `0x${'00'.repeat(32)}`,
    segmentLength: 16,
    feeBps: 100,
    priceScale: 10n ** 9n,
    challengeWindowSeconds: 0,
    answerPeriodSeconds: 0,
    bond: 0n,
    slash: 0n,
    challenger: '0x0000000000000000000000000000000000000000',
    ...change.terms,
  };
  const opening: OrderOpening = {
    domain: orderDomainOf(place, terms),
    demandKey: demandKey.publicKey,
    modelId: opaqueModelIdOfDigests(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)),
    policyId: policyIdOf(utf8('{"version":1}')),
    salt: randomField(),
  };
  return { place, terms, opening, orderId: orderIdOf(opening), demandKey };
}

/** The header of job k that continues `previousHead`. */
export function makeHeader(
  order: TestOrder,
  enclave: TestEnclave,
  change: {
    k?: number;
    previousHead?: bigint;
    maxPrice?: bigint;
    laneIndex?: number;
    payload?: Uint8Array;
    signer?: EddsaKeyPair;
  } = {},
): JobHeader {
  const laneIndex = change.laneIndex ?? 0;
  const lane = { orderId: order.orderId, provider: enclave.leaf.provider, laneIndex };
  const previousHead = change.previousHead ?? laneGenesisOf(lane);
  const inputCommitment = payloadCommitment(change.payload ?? utf8('payload'), randomField());
  const demand = { inputCommitment, maxPrice: change.maxPrice ?? 1000n, signerId: enclave.signerId };
  const head = demandHeadOf(previousHead, demand);
  return {
    funder: order.place.funder,
    ...lane,
    demandKey: order.demandKey.publicKey,
    k: change.k ?? 1,
    previousHead,
    ...demand,
    signature: signDemand(change.signer ?? order.demandKey, head),
  };
}

export function makePayableInput(order: TestOrder, enclave: TestEnclave, header: JobHeader): PayableInput {
  return {
    order: {
      place: order.place,
      terms: order.terms,
      domain: order.opening.domain,
      deadlineUnix: NOW + 3600,
      budgetLeft: 10n ** 15n,
      familyOpen: true,
      inferenceFamilyOpen: true,
      stakeAvailable: 0n,
    },
    lane: { k: 0, head: laneGenesisOf(header), signerId: undefined },
    header,
    opening: order.opening,
    leaf: { leaf: enclave.leaf, treeLeaf: enclaveLeafOf(enclave.leaf), retired: false },
    reserved: 0n,
    unsettledSegments: 1,
    offer: { provider: enclave.leaf.provider, modelId: order.opening.modelId, price: 700n },
    nowUnix: NOW,
  };
}

/** A settled-ready bundle of `count` jobs; statuses cycle through served, failed and void unless given. */
export function makeBundle(
  order: TestOrder,
  enclave: TestEnclave,
  count: number,
  change: {
    firstK?: number;
    fromHead?: bigint;
    laneIndex?: number;
    statuses?: readonly JobStatus[];
    maxPrice?: bigint;
    price?: bigint;
  } = {},
): SettlementBundle {
  const laneIndex = change.laneIndex ?? 0;
  const lane = { orderId: order.orderId, provider: enclave.leaf.provider, laneIndex };
  const fromHead = change.fromHead ?? laneGenesisOf(lane);
  const statuses = change.statuses ?? (['served', 'served', 'failed', 'served', 'void'] as const);
  let head = fromHead;
  const jobs = Array.from({ length: count }, (_, i) => {
    const demand = {
      inputCommitment: payloadCommitment(utf8(`input ${i}`), randomField()),
      maxPrice: change.maxPrice ?? 1000n + BigInt(i),
      signerId: enclave.signerId,
    };
    head = demandHeadOf(head, demand);
    const status = statuses[i % statuses.length]!;
    const receipt: Receipt = {
      demandHead: head,
      outputCommitment: payloadCommitment(utf8(`output ${i}`), outputBlindingOf(7n, head)),
      price: status === 'served' ? (change.price ?? 700n) : 0n,
      deliveryDigest: randomField(),
      status,
      startedAtUnix: NOW + i,
      finishedAtUnix: NOW + i + 1,
    };
    return { demand, receipt };
  });
  const statement = statementOver(
    fromHead,
    order.opening.modelId,
    jobs.map((job) => job.receipt),
  );
  return {
    order,
    ...lane,
    firstK: change.firstK ?? 1,
    keysetBytes: enclave.keysetBytes,
    keyset: enclave.keyset,
    leaf: enclave.leaf,
    jobs,
    demandSignature: signDemand(order.demandKey, head),
    statement,
    statementSignature: signStatement(enclave.receiptKey, statement),
  };
}

/** A signed record of one receipt that begins a segment. @param header - of its demand */
export function recordOf(
  enclave: TestEnclave,
  header: Pick<JobHeader, 'previousHead'>,
  modelId: bigint,
  receipt: Receipt,
): ReceiptRecord {
  const statement = statementOver(header.previousHead, modelId, [receipt]);
  return {
    receipt,
    receiptSignature: signReceipt(enclave, receipt),
    statement,
    statementSignature: signStatement(enclave.receiptKey, statement),
  };
}

/** The EIP-712 signature of the enclave over a receipt. */
export function signReceipt(enclave: TestEnclave, receipt: Receipt): string {
  return signEip712(
    enclave.secpSecret,
    'Receipt',
    { chainId: 31337n, verifyingContract: ESCROW },
    { receipt: receiptHashOf(receipt) },
  );
}
