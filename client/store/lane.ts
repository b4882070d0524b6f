/**
 * A lane that this process may extend: it holds the lane's lock, computes every head itself from the last stored demand, and stores
 * each demand before anybody else sees it. docs/design.md section 5.
 */
import {
  assertInputRange,
  demandHeadOf,
  encodeRequestData,
  fieldToHex,
  fromHex,
  inputCommitmentOf,
  laneGenesisOf,
  outputBlindingOf,
  randomField,
  sealRequest,
  signDemand,
  StunError,
  tensorIntegers,
  verifyJobHeader,
  type JobHeader,
} from '#protocol/index.ts';
import type { LaneFiles } from './lane-files.ts';
import type { LaneRecord } from './lane-record.ts';
import type { HeldLock } from './lock.ts';
import type { OrderRecord } from './order-record.ts';
import type { StoredJob } from './stored-job.ts';

/** A payload to be run. */
export interface Demanded {
  /** Encoded tensors (protocol/tensor-payload.ts). */
  readonly payload: Uint8Array;
  /** Price units. */
  readonly maxPrice: bigint;
  /** The job of an ended lane that this one stands in for. */
  readonly replaces?: string;
}

/** A lane open for new demands. */
export class OpenLane {
  readonly order: OrderRecord;
  readonly record: LaneRecord;
  readonly files: LaneFiles;
  readonly #lock: HeldLock;
  #k: number;
  #head: bigint;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    parts: { order: OrderRecord; record: LaneRecord; files: LaneFiles; lock: HeldLock },
    k: number,
    head: bigint,
  ) {
    this.order = parts.order;
    this.record = parts.record;
    this.files = parts.files;
    this.#lock = parts.lock;
    this.#k = k;
    this.#head = head;
  }

  /**
   * Takes a lane up where its files end. The caller holds the lock.
   * @throws `STUN_STORE_DAMAGED`, `STUN_LANE_FORK`, `STUN_SIGNATURE` when the newest stored demand is not one of this lane
   */
  static async resume(parts: { order: OrderRecord; record: LaneRecord; files: LaneFiles; lock: HeldLock }): Promise<OpenLane> {
    const { order, record, files } = parts;
    const lane = { orderId: order.orderId, provider: record.provider, laneIndex: record.laneIndex };
    const last = (await files.jobs()).at(-1);
    if (last === undefined) return new OpenLane(parts, 0, laneGenesisOf(lane));
    const { header } = await files.job(last);
    const head = verifyJobHeader(header);
    if (header.orderId !== lane.orderId || header.provider !== lane.provider || header.laneIndex !== lane.laneIndex) {
      throw new StunError('STUN_STORE_DAMAGED', `demand ${last.k} belongs to another lane`);
    }
    return new OpenLane(parts, last.k, head);
  }

  /** Number of the newest demand, 0 for none. */
  get k(): number {
    return this.#k;
  }

  /** Newest head, the genesis when k is 0. */
  get head(): bigint {
    return this.#head;
  }

  /**
   * Commits to, signs, seals and stores the next demand; one at a time. When it returns, the demand is on disk and must be sent.
   * @throws `STUN_LANE_FORK`, `STUN_RANGE`, `STUN_MODEL_INPUT_*` for a payload that a compiled model does not take, and the closure's own code when the lane has ended
   */
  demand(wanted: Demanded): Promise<StoredJob> {
    const made = this.#turn.then(() => this.#demand(wanted));
    this.#turn = made.catch(() => undefined);
    return made;
  }

  async #demand({ payload, maxPrice, replaces }: Demanded): Promise<StoredJob> {
    const closure = await this.files.closure();
    if (closure !== undefined) throw new StunError(closure.code, `the lane has ended: ${closure.reason}`);
    const { order, record } = this;
    const inputBlinding = randomField();
    const model = order.publicModel?.model;
    const inputTensor = model?.input;
    if (model !== undefined) assertInputRange(model.inputMaxima, tensorIntegers(model.input, payload));
    const inputCommitment = inputCommitmentOf(inputTensor, payload, inputBlinding);
    const demand = { inputCommitment, maxPrice, signerId: record.signerId };
    const head = demandHeadOf(this.#head, demand);
    const header: JobHeader = {
      funder: order.place.funder,
      orderId: order.orderId,
      demandKey: order.demandKey.publicKey,
      provider: record.provider,
      laneIndex: record.laneIndex,
      k: this.#k + 1,
      previousHead: this.#head,
      ...demand,
      signature: signDemand(order.demandKey, head),
    };
    const binding = {
      orderId: order.orderId,
      provider: record.provider,
      keysetDigest: fromHex(record.keysetDigest),
      demandHead: head,
    };
    const data = encodeRequestData({ inputBlinding, outputBlinding: outputBlindingOf(order.outputSeed, head), payload });
    const { envelope, resultSecret } = await sealRequest(record.keyset.hpkePublicKey, binding, data);
    const job: StoredJob = {
      header,
      head,
      jobId: fieldToHex(head),
      envelope,
      payload,
      inputBlinding,
      inputTensor,
      resultSecret,
      createdAtUnix: Math.floor(Date.now() / 1000),
      replaces,
    };
    await this.files.addJob(job);
    this.#k = header.k;
    this.#head = head;
    return job;
  }

  /** Lets another process use the lane. */
  async close(): Promise<void> {
    await this.#turn;
    await this.#lock.release();
  }
}
