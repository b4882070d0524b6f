/** All lanes of a client store: `lanes/<orderKey>/<provider>-<laneIndex>/`. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StunError, toHex } from '#protocol/index.ts';
import { isMissing, isTaken, makeFolder } from './atomic-file.ts';
import { LaneFiles, type JobPlace } from './lane-files.ts';
import type { LaneRecord } from './lane-record.ts';
import { OpenLane } from './lane.ts';
import { takeLock, type HeldLock } from './lock.ts';
import type { OrderRecord } from './order-record.ts';
import type { Vault } from './vault.ts';

/** The enclave a new lane is bound to. */
export type LaneEnclave = Omit<LaneRecord, 'orderKey' | 'laneIndex'>;

/**
 * How long the evidence of a lane must still stand for a job that is sent now: receipts verify as of the time at which the job began, and
 * it may wait in a queue.
 */
const EVIDENCE_LEFT_SECONDS = 3600;

/** A stored lane: its files and what it is bound to. */
export interface StoredLane {
  readonly files: LaneFiles;
  readonly record: LaneRecord;
}

/** Finds, makes and locks lanes. */
export class Lanes {
  readonly #vault: Vault;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  #orderFolder(orderKey: string): string {
    return join(this.#vault.folder, 'lanes', orderKey);
  }

  /** All lanes of an order, by provider and index. */
  async ofOrder(orderKey: string): Promise<StoredLane[]> {
    const folder = this.#orderFolder(orderKey);
    let names: string[];
    try {
      names = await readdir(folder);
    } catch (thrown) {
      if (isMissing(thrown)) return [];
      throw thrown;
    }
    const lanes: StoredLane[] = [];
    for (const name of names.sort()) {
      if (!/^0x[0-9a-f]{40}-\d{1,10}$/.test(name)) continue;
      const files = new LaneFiles(this.#vault, join(folder, name));
      const record = await files.record();
      if (record !== undefined) lanes.push({ files, record });
    }
    return lanes;
  }

  /**
   * A new lane on the first free index, locked. The caller has verified the enclave.
   * @throws `STUN_RANGE` when no index is left
   */
  async create(order: OrderRecord, enclave: LaneEnclave): Promise<OpenLane> {
    const folder = this.#orderFolder(order.orderKey);
    await makeFolder(folder);
    for (let laneIndex = order.laneIndexBase; laneIndex < 2 ** 32; laneIndex++) {
      const path = join(folder, `${enclave.provider}-${laneIndex}`);
      try {
        // Making the folder claims the index, also against other processes; a claimed index is never used again.
        await mkdir(path, { mode: 0o700 });
      } catch (thrown) {
        if (isTaken(thrown)) continue;
        throw thrown;
      }
      const lock = await takeLock(path, `lane ${laneIndex}`);
      const files = new LaneFiles(this.#vault, path);
      const record: LaneRecord = { ...enclave, orderKey: order.orderKey, laneIndex };
      await files.create(record);
      return OpenLane.resume({ order, record, files, lock });
    }
    throw new StunError('STUN_RANGE', 'the order has no free lane index left');
  }

  /**
   * A stored lane, locked.
   * @throws `STUN_LANE_LOCKED`, `STUN_INPUT` when there is no such lane
   */
  async open(order: OrderRecord, provider: string, laneIndex: number): Promise<OpenLane> {
    const path = join(this.#orderFolder(order.orderKey), `${provider}-${laneIndex}`);
    const files = new LaneFiles(this.#vault, path);
    const record = await files.record();
    if (record === undefined) throw new StunError('STUN_INPUT', `the store has no lane ${laneIndex} of ${provider}`);
    const lock: HeldLock = await takeLock(path, `lane ${laneIndex} of ${provider}`);
    try {
      return await OpenLane.resume({ order, record, files, lock });
    } catch (thrown) {
      await lock.release();
      throw thrown;
    }
  }

  /**
   * The open lane of an enclave that nobody uses, or a new one: what every submit works on. A lane whose evidence is about to end is left
   * alone where the enclave now shows other evidence.
   */
  async forEnclave(order: OrderRecord, enclave: LaneEnclave): Promise<OpenLane> {
    for (const { files, record } of await this.ofOrder(order.orderKey)) {
      if (record.keysetDigest !== enclave.keysetDigest || (await files.closure()) !== undefined) continue;
      const endsSoon = record.evidenceExpiresAtUnix < enclave.verifiedAtUnix + EVIDENCE_LEFT_SECONDS;
      if (endsSoon && record.evidenceText !== enclave.evidenceText) continue;
      try {
        return await this.open(order, record.provider, record.laneIndex);
      } catch (thrown) {
        if (!(thrown instanceof StunError) || thrown.code !== 'STUN_LANE_LOCKED') throw thrown;
      }
    }
    return this.create(order, enclave);
  }

  /** Where a job is stored. @throws `STUN_JOB_NOT_STORED` */
  async find(orderKeys: readonly string[], jobId: string): Promise<StoredLane & { readonly place: JobPlace }> {
    for (const orderKey of orderKeys) {
      for (const lane of await this.ofOrder(orderKey)) {
        const place = (await lane.files.jobs()).find((job) => job.jobId === jobId);
        if (place !== undefined) return { ...lane, place };
      }
    }
    throw new StunError('STUN_JOB_NOT_STORED', `the store has no job ${jobId}`);
  }
}

/** A lane index to start from when earlier ones are not known: far from 0 and with room above. */
export function freshLaneIndexBase(): number {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(4));
  return 2 ** 16 + (Number(BigInt(toHex(bytes))) % (2 ** 32 - 2 ** 17));
}
