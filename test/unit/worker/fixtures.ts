/**
 * An enclave with real keys, a real store and a real model, a customer beside it, and a chain view that says what the test says.
 */
import {
  concatBytes,
  decodeResultData,
  demandHeadOf,
  enclaveLeafOf,
  encodeOpening,
  encodeRequestData,
  encodeTensors,
  inputCommitmentOf,
  jobHeaderToWire,
  laneGenesisOf,
  openResult,
  orderIdOf,
  outputBlindingOf,
  randomField,
  sealOpening,
  sealRequest,
  signDemand,
  type CommittedTensor,
  type EddsaKeyPair,
  type EnclaveLeaf,
  type JobHeader,
  type JobHeaderWire,
  type LeafView,
  type NamedTensor,
  type OrderPlace,
  type OrderView,
  type ResultData,
  type Terms,
} from '#protocol/index.ts';
import type { InferenceProver } from '#prover/interface.ts';
import type { ChainView } from '#worker/chain-view.ts';
import type { Enclave, Offer } from '#worker/enclave.ts';
import { processJob, type JobOutcome, type LeasedJob } from '#worker/job.ts';
import { InferenceProofs } from '#worker/inference-proofs.ts';
import { createWorkerMetrics, type WorkerMetrics } from '#worker/metrics.ts';
import { createEnclaveKeys, type EnclaveKeys } from '#worker/keys.ts';
import { createWorkerLog } from '#worker/log.ts';
import { WorkerStore } from '#worker/store.ts';
import { ESCROW, makeOrder, NOW, PROVIDER, type TestOrder } from '../protocol/fixtures.ts';

export const PRICE = 700n;
export const REGISTRY = '0x00000000000000000000000000000000000000b5';

/** A vector of float32. */
export function vector(values: readonly number[], name = 'x'): NamedTensor {
  return { name, dtype: 'float32', dims: [values.length], data: new Uint8Array(Float32Array.from(values).buffer) };
}

/** What the chain answers; tests change it. */
export interface ChainState {
  order: Partial<OrderView>;
  leaf: Partial<LeafView>;
  laneHeads: Map<string, bigint>;
  blockUnix: number;
}

/** One demand as the customer keeps it. */
export interface SentJob {
  readonly header: JobHeader;
  readonly head: bigint;
  readonly wire: JobHeaderWire;
  readonly envelope: Uint8Array;
  readonly resultSecret: Uint8Array;
  readonly inputBlinding: bigint;
  readonly outputBlinding: bigint;
}

/** What may differ from a good job. Each changes one thing. */
export interface JobChange {
  readonly tensors?: readonly NamedTensor[];
  /** Sealed and committed bytes, instead of the tensors'. */
  readonly payload?: Uint8Array;
  /** Sealed bytes that are not those committed to. */
  readonly sealedPayload?: Uint8Array;
  /** Bytes sealed in place of blindings and payload. */
  readonly requestData?: Uint8Array;
  readonly inputCommitment?: bigint;
  readonly maxPrice?: bigint;
  readonly laneIndex?: number;
  readonly k?: number;
  readonly previousHead?: bigint;
  readonly provider?: string;
  readonly signerId?: bigint;
  readonly signer?: EddsaKeyPair;
  /** Sealed to this enclave, with its signerId in the demand or not. */
  readonly sealedTo?: EnclaveKeys;
  /** Info of the envelope is made for this head. */
  readonly sealedHead?: bigint;
}

/** The customer's side of one order and enclave. */
export class Customer {
  readonly order: TestOrder;
  readonly keys: EnclaveKeys;
  readonly provider: string;
  /** Of a compiled model. */
  readonly input: CommittedTensor | undefined;
  readonly #heads = new Map<number, { k: number; head: bigint }>();

  constructor(order: TestOrder, keys: EnclaveKeys, provider: string = PROVIDER, input?: CommittedTensor) {
    this.input = input;
    this.order = order;
    this.keys = keys;
    this.provider = provider;
  }

  /** Makes the next job of a lane. */
  async next(change: JobChange = {}): Promise<SentJob> {
    const laneIndex = change.laneIndex ?? 0;
    const lane = { orderId: this.order.orderId, provider: change.provider ?? this.provider, laneIndex };
    const before = this.#heads.get(laneIndex) ?? { k: 0, head: laneGenesisOf(lane) };
    const inputBlinding = randomField();
    const payload = change.payload ?? encodeTensors(change.tensors ?? [vector([1, 2, 3])]);
    const demand = {
      inputCommitment: change.inputCommitment ?? inputCommitmentOf(this.input, payload, inputBlinding),
      maxPrice: change.maxPrice ?? 1000n,
      signerId: change.signerId ?? this.keys.signerId,
    };
    const previousHead = change.previousHead ?? before.head;
    const head = demandHeadOf(previousHead, demand);
    const k = change.k ?? before.k + 1;
    const outputBlinding = outputBlindingOf(7n, head);
    const header: JobHeader = {
      funder: this.order.place.funder,
      ...lane,
      demandKey: this.order.demandKey.publicKey,
      k,
      previousHead,
      ...demand,
      signature: signDemand(change.signer ?? this.order.demandKey, head),
    };
    const keys = change.sealedTo ?? this.keys;
    const data =
      change.requestData ?? encodeRequestData({ inputBlinding, outputBlinding, payload: change.sealedPayload ?? payload });
    const { envelope, resultSecret } = await sealRequest(
      keys.keyset.hpkePublicKey,
      {
        orderId: this.order.orderId,
        provider: this.provider,
        keysetDigest: keys.keysetDigest,
        demandHead: change.sealedHead ?? head,
      },
      data,
    );
    this.#heads.set(laneIndex, { k, head });
    return { header, head, wire: jobHeaderToWire(header), envelope, resultSecret, inputBlinding, outputBlinding };
  }

  /** The sealed opening for the enclave. */
  opening(order: TestOrder = this.order, keys = this.keys): Promise<Uint8Array> {
    const binding = { orderId: this.order.orderId, provider: this.provider, keysetDigest: keys.keysetDigest };
    return sealOpening(keys.keyset.hpkePublicKey, binding, encodeOpening(order));
  }

  /** Opens a result as the client does. */
  async openResult(sent: SentJob, sealedResult: Uint8Array): Promise<ResultData> {
    return decodeResultData(await openResult(sent.resultSecret, sent.head, sealedResult));
  }
}

/** A request of three chunks or more with its first two in each other's place. */
export function reordered(envelope: Uint8Array): Uint8Array<ArrayBuffer> {
  // Magic, kind and key encapsulation; then chunks of 1 MiB with their length and tag.
  const start = 11 + 1120;
  const chunk = 4 + (1 << 20) + 16;
  const [second, third] = [start + chunk, start + 2 * chunk];
  const part = (from: number, to?: number): Uint8Array => envelope.slice(from, to);
  return concatBytes(part(0, start), part(second, third), part(start, second), part(third));
}

/** Everything a test of one enclave needs. */
export interface World {
  readonly order: TestOrder;
  readonly customer: Customer;
  readonly enclave: Enclave;
  readonly metrics: WorkerMetrics;
  readonly chain: ChainState;
  /** Leases a job to the enclave. */
  readonly serve: (sent: Pick<SentJob, 'wire' | 'envelope'>, change?: Partial<LeasedJob>) => Promise<JobOutcome>;
  readonly close: () => void;
}

export async function makeKeys(chainId = 31337n): Promise<EnclaveKeys> {
  return createEnclaveKeys({
    chainId,
    registry: REGISTRY,
    provider: PROVIDER,
    runtimeDigest: new Uint8Array(32).fill(7),
    expiresAtUnix: NOW + 7 * 86400,
  });
}

/** An order over a model. */
export function orderOver(modelId: bigint, change: { terms?: Partial<Terms>; place?: Partial<OrderPlace> } = {}): TestOrder {
  const order = makeOrder(change);
  const opening = { ...order.opening, modelId };
  return { ...order, opening, orderId: orderIdOf(opening) };
}

function viewOf(state: ChainState, leaf: EnclaveLeaf): ChainView {
  return {
    order: (order) =>
      Promise.resolve({
        place: order.place,
        terms: order.terms,
        domain: order.opening.domain,
        deadlineUnix: NOW + 3600,
        budgetLeft: 10n ** 15n,
        familyOpen: true,
        inferenceFamilyOpen: true,
        stakeAvailable: 0n,
        ...state.order,
      }),
    leaf: () => Promise.resolve({ leaf, treeLeaf: enclaveLeafOf(leaf), retired: false, ...state.leaf }),
    laneHead: (_, __, laneIndex) => Promise.resolve(state.laneHeads.get(String(laneIndex)) ?? 0n),
    newestBlock: () => Promise.resolve({ hash: `0x${'ab'.repeat(32)}`, timestampUnix: state.blockUnix }),
  };
}

export async function makeWorld(
  runner: Offer['runner'],
  change: {
    terms?: Partial<Terms>;
    storePath?: string;
    place?: Partial<OrderPlace>;
    keys?: EnclaveKeys;
    prover?: InferenceProver;
    alterOutput?: (payload: Uint8Array) => Uint8Array;
  } = {},
): Promise<World> {
  const order = orderOver(runner.file.modelId, change);
  const store = new WorkerStore(change.storePath ?? ':memory:');
  const metrics = createWorkerMetrics();
  const keys = change.keys ?? (await makeKeys());
  const leaf: EnclaveLeaf = {
    signerId: keys.signerId,
    policyId: order.opening.policyId,
    provider: PROVIDER,
    hardwareIdHash: randomField(),
    expiresAtUnix: keys.keyset.expiresAtUnix,
  };
  const chain: ChainState = { order: {}, leaf: {}, laneHeads: new Map(), blockUnix: NOW };
  const enclave: Enclave = {
    chainId: 31337n,
    escrow: ESCROW,
    keys,
    leaf,
    offers: new Map([[runner.file.modelId, { runner, price: PRICE }]]),
    store,
    ...(change.prover && { proofs: new InferenceProofs(change.prover, store, createWorkerLog('silent'), metrics, 8) }),
    ...(change.alterOutput && { alterOutput: change.alterOutput }),
    chain: viewOf(chain, leaf),
    lanes: new Map(),
    openings: new Map(),
    running: new Map(),
    nowUnix: () => NOW,
  };
  const customer = new Customer(order, keys, PROVIDER, runner.file.compiled?.model.input);
  return {
    order,
    customer,
    enclave,
    metrics,
    chain,
    serve: (sent, leased = {}) =>
      processJob(enclave, {
        leaseId: 'lease',
        header: sent.wire,
        payload: () => Promise.resolve(sent.envelope),
        opening: () => customer.opening(),
        ...leased,
      }),
    close: () => enclave.store.close(),
  };
}
