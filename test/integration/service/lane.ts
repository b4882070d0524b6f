/** A customer's lane and a worker that serves it: headers, envelopes, receipts and bundles made by protocol/ with real keys. */
import {
  decodeRequestData,
  demandHeadOf,
  deliveryDigestOf,
  encodeRequestData,
  encodeResultData,
  encodeOpening,
  fieldToHex,
  jobHeaderToWire,
  keysetDigestOf,
  laneGenesisOf,
  openRequest,
  payloadCommitment,
  randomField,
  receiptHashOf,
  receiptRecordToWire,
  sealOpening,
  sealRequest,
  sealResult,
  settlementBundleToWire,
  signDemand,
  signEip712,
  signStatement,
  statementOver,
  utf8,
  type EddsaKeyPair,
  type EddsaSignature,
  type JobHeader,
  type JobHeaderWire,
  type JobStatus,
  type Receipt,
  type ReceiptRecordWire,
  type SegmentJob,
  type SettlementBundleWire,
} from '#protocol/index.ts';
import { PRICE, type WorldEnclave, type WorldOrder } from './world.ts';

/** A demand that is ready to be sent. */
export interface MadeJob {
  readonly jobId: string;
  readonly header: JobHeader;
  readonly wire: JobHeaderWire;
  readonly envelope: Uint8Array;
  readonly resultSecret: Uint8Array;
}

/** What a worker hands over. */
export interface MadeResult {
  readonly record: ReceiptRecordWire;
  readonly sealed: Uint8Array;
}

/** One lane of an order to one enclave. */
export class TestLane {
  readonly order: WorldOrder;
  readonly enclave: WorldEnclave;
  readonly laneIndex: number;
  readonly #demandKey: EddsaKeyPair;
  #head: bigint;
  #k = 0;
  #newestSignature: EddsaSignature | undefined;
  /** The worker's side: the open segment. */
  #segment: SegmentJob[] = [];
  #segmentFrom: bigint;
  #firstK = 1;

  constructor(order: WorldOrder, enclave: WorldEnclave, laneIndex = 0, demandKey: EddsaKeyPair = order.demandKey) {
    this.order = order;
    this.enclave = enclave;
    this.laneIndex = laneIndex;
    this.#demandKey = demandKey;
    this.#head = laneGenesisOf({ orderId: order.orderId, provider: enclave.leaf.provider, laneIndex });
    this.#segmentFrom = this.#head;
  }

  /** The next demand. `change` breaks one thing of its header before it is signed. */
  async next(change: Partial<JobHeader> = {}, payload: Uint8Array = utf8(`row ${this.#k + 1}`)): Promise<MadeJob> {
    const job = await this.peek(change, payload);
    this.#head = demandHeadOf(this.#head, job.header);
    this.#k++;
    this.#newestSignature = job.header.signature;
    return job;
  }

  /** The same without moving the lane. */
  async peek(change: Partial<JobHeader> = {}, payload: Uint8Array = utf8('row')): Promise<MadeJob> {
    const blinding = randomField();
    const unsigned = {
      funder: this.order.place.funder,
      orderId: this.order.orderId,
      demandKey: this.#demandKey.publicKey,
      provider: this.enclave.leaf.provider,
      laneIndex: this.laneIndex,
      k: this.#k + 1,
      previousHead: this.#head,
      inputCommitment: payloadCommitment(payload, blinding),
      maxPrice: 1000n,
      signerId: this.enclave.signerId,
      ...change,
    };
    const head = demandHeadOf(unsigned.previousHead, unsigned);
    const header: JobHeader = { ...unsigned, signature: change.signature ?? signDemand(this.#demandKey, head) };
    const binding = {
      orderId: this.order.orderId,
      provider: this.enclave.leaf.provider,
      keysetDigest: keysetDigestOf(this.enclave.keysetBytes),
      demandHead: head,
    };
    const data = encodeRequestData({ inputBlinding: blinding, outputBlinding: randomField(), payload });
    const { envelope, resultSecret } = await sealRequest(this.enclave.keyset.hpkePublicKey, binding, data);
    return { jobId: fieldToHex(head), header, wire: jobHeaderToWire(header), envelope, resultSecret };
  }

  /** The sealed opening of the order for the enclave. */
  opening(): Promise<Uint8Array> {
    const binding = {
      orderId: this.order.orderId,
      provider: this.enclave.leaf.provider,
      keysetDigest: keysetDigestOf(this.enclave.keysetBytes),
    };
    return sealOpening(this.enclave.keyset.hpkePublicKey, binding, encodeOpening(this.order));
  }

  /** Serves a leased job inside the "enclave": opens it, answers, signs receipt and running statement. */
  async serve(
    header: JobHeader,
    envelope: Uint8Array,
    status: JobStatus = 'served',
    change: Partial<Receipt> = {},
  ): Promise<MadeResult> {
    const head = demandHeadOf(header.previousHead, header);
    const binding = {
      orderId: this.order.orderId,
      provider: this.enclave.leaf.provider,
      keysetDigest: keysetDigestOf(this.enclave.keysetBytes),
      demandHead: head,
    };
    const opened = await openRequest(this.enclave.sealing, binding, envelope);
    const { outputBlinding, payload } = decodeRequestData(opened.data);
    const output = utf8(`answer to ${new TextDecoder().decode(payload)}`);
    const sealed = await sealResult(opened.resultSecret, head, encodeResultData({ outputBlinding, payload: output }));
    const now = Math.floor(Date.now() / 1000);
    const receipt: Receipt = {
      demandHead: head,
      outputCommitment: payloadCommitment(output, outputBlinding),
      price: status === 'served' ? PRICE : 0n,
      deliveryDigest: deliveryDigestOf(sealed),
      status,
      startedAtUnix: now,
      finishedAtUnix: now,
      ...change,
    };
    const { inputCommitment, maxPrice, signerId } = header;
    this.#segment.push({ demand: { inputCommitment, maxPrice, signerId }, receipt });
    const statement = statementOver(
      this.#segmentFrom,
      this.order.opening.modelId,
      this.#segment.map((job) => job.receipt),
    );
    const record = receiptRecordToWire({
      receipt,
      receiptSignature: signEip712(
        this.enclave.secpSecret,
        'Receipt',
        { chainId: this.order.place.chainId, verifyingContract: this.order.place.escrow },
        { receipt: receiptHashOf(receipt) },
      ),
      statement,
      statementSignature: signStatement(this.enclave.receiptKey, statement),
    });
    return { record, sealed };
  }

  /** Closes the open segment and gives its bundle. */
  closeSegment(): SettlementBundleWire {
    const jobs = this.#segment;
    const receipts = jobs.map((job) => job.receipt);
    const statement = statementOver(this.#segmentFrom, this.order.opening.modelId, receipts);
    const bundle = settlementBundleToWire({
      order: this.order,
      provider: this.enclave.leaf.provider,
      laneIndex: this.laneIndex,
      firstK: this.#firstK,
      keysetBytes: this.enclave.keysetBytes,
      keyset: this.enclave.keyset,
      leaf: this.enclave.leaf,
      jobs,
      demandSignature: signDemand(this.#demandKey, statement.toHead),
      statement,
      statementSignature: signStatement(this.enclave.receiptKey, statement),
    });
    this.#firstK += jobs.length;
    this.#segmentFrom = statement.toHead;
    this.#segment = [];
    return bundle;
  }

  /** The customer's newest signature, which covers the whole lane. */
  get newestSignature(): EddsaSignature | undefined {
    return this.#newestSignature;
  }
}
