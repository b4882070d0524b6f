/**
 * The files of one lane: `lane.sealed`, for each demand `NNNNNN-<jobId>.job`, for each end `<jobId>.outcome`, and `closed.sealed` when
 * no job may follow. Reading and ending jobs need no lock; adding demands does (see lane.ts).
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isErrorCode, readDocument, StunError, utf8, type ErrorCode, type Hex } from '#protocol/index.ts';
import { laneRecordFromWire, laneRecordToWire, type LaneRecord } from './lane-record.ts';
import { decodeStoredJob, encodeStoredJob, type StoredJob } from './stored-job.ts';
import { decodeOutcome, encodeOutcome, type StoredOutcome } from './stored-outcome.ts';
import type { Vault } from './vault.ts';

const closedSchema = z.strictObject({ version: z.literal(1), code: z.string(), reason: z.string() });

/** Why a lane takes no more jobs. */
export interface LaneClosure {
  readonly code: ErrorCode;
  readonly reason: string;
}

/** A demand's place without opening its file. */
export interface JobPlace {
  readonly k: number;
  readonly jobId: Hex;
}

/** Reads and writes the files of a lane. */
export class LaneFiles {
  readonly folder: string;
  readonly #vault: Vault;

  constructor(vault: Vault, folder: string) {
    this.#vault = vault;
    this.folder = folder;
  }

  #jobPath({ k, jobId }: JobPlace): string {
    return join(this.folder, `${String(k).padStart(6, '0')}-${jobId}.job`);
  }

  /** Writes what the lane is bound to. @throws `STUN_STORE_CONFLICT` when the lane exists */
  async create(record: LaneRecord): Promise<void> {
    if (!(await this.#vault.createJson(join(this.folder, 'lane.sealed'), laneRecordToWire(record)))) {
      throw new StunError('STUN_STORE_CONFLICT', `lane ${record.laneIndex} is stored already`);
    }
  }

  /** What the lane is bound to; undefined when a process died between making the folder and writing this. */
  async record(): Promise<LaneRecord | undefined> {
    const document = await this.#vault.readJson(join(this.folder, 'lane.sealed'));
    return document === undefined ? undefined : laneRecordFromWire(document);
  }

  /**
   * The demands of the lane by number.
   * @throws `STUN_STORE_DAMAGED` when a number is missing, `STUN_LANE_FORK` when one is there twice
   */
  async jobs(): Promise<readonly JobPlace[]> {
    const places = (await readdir(this.folder)).flatMap((name): JobPlace[] => {
      const match = /^(\d{6,10})-(0x[0-9a-f]{64})\.job$/.exec(name);
      return match?.[1] === undefined || match[2] === undefined ? [] : [{ k: Number(match[1]), jobId: match[2] as Hex }];
    });
    places.sort((a, b) => a.k - b.k);
    for (const [i, { k }] of places.entries()) {
      if (places[i + 1]?.k === k) throw new StunError('STUN_LANE_FORK', `the lane has two demands with number ${k}`);
      if (k !== i + 1) throw new StunError('STUN_STORE_DAMAGED', `demand ${i + 1} of the lane is missing`);
    }
    return places;
  }

  /** A demand. @throws `STUN_JOB_NOT_STORED`, `STUN_STORE_DAMAGED` */
  async job(place: JobPlace): Promise<StoredJob> {
    const plain = await this.#vault.read(this.#jobPath(place));
    if (plain === undefined) throw new StunError('STUN_JOB_NOT_STORED', `the lane has no job ${place.jobId}`);
    const job = decodeStoredJob(plain, `job ${place.k}`);
    if (job.jobId !== place.jobId || job.header.k !== place.k) {
      throw new StunError('STUN_STORE_DAMAGED', `the file of job ${place.k} holds another demand`);
    }
    return job;
  }

  /** Stores a demand for good. @throws `STUN_LANE_FORK` when its number is taken */
  async addJob(job: StoredJob): Promise<void> {
    const place = { k: job.header.k, jobId: job.jobId };
    const taken = (await this.jobs()).at(-1)?.k ?? 0;
    if (place.k !== taken + 1 || !(await this.#vault.create(this.#jobPath(place), encodeStoredJob(job)))) {
      throw new StunError('STUN_LANE_FORK', `demand ${taken + 1} of the lane was expected, got ${place.k}`);
    }
  }

  /** How a job ended; undefined while it is open. */
  async outcome(jobId: string): Promise<StoredOutcome | undefined> {
    const plain = await this.#vault.read(join(this.folder, `${jobId}.outcome`));
    return plain === undefined ? undefined : decodeOutcome(plain, `outcome of ${jobId}`);
  }

  /** Stores how a job ended. The first outcome stands; a second one is not written. @returns the one that stands */
  async addOutcome(jobId: string, outcome: StoredOutcome): Promise<StoredOutcome> {
    await this.#vault.create(join(this.folder, `${jobId}.outcome`), encodeOutcome(outcome));
    return (await this.outcome(jobId)) ?? outcome;
  }

  /** Why no job may follow; undefined while the lane is open. */
  async closure(): Promise<LaneClosure | undefined> {
    const document = await this.#vault.readJson(join(this.folder, 'closed.sealed'));
    if (document === undefined) return undefined;
    const { code, reason } = readDocument(closedSchema, document, 'lane closure');
    return { code: isErrorCode(code) ? code : 'STUN_INTERNAL', reason };
  }

  /** Ends the lane for new jobs, for good. */
  async close({ code, reason }: LaneClosure): Promise<void> {
    await this.#vault.create(join(this.folder, 'closed.sealed'), utf8(JSON.stringify({ version: 1, code, reason })));
  }
}
