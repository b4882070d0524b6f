/**
 * What the worker keeps outside the enclave, so that receipted work settles though the enclave dies: sealed results, receipts,
 * statements, demand signatures, openings. One transaction a job, flushed to disk before anything is released.
 * The file holds openings and prices in clear: it is the provider's own. No key and no input or output is in it.
 */
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import {
  fieldToHex,
  jobHeaderToWire,
  openingToWire,
  orderKeyOf,
  receiptRecordToWire,
  settlementBundleSchema,
  StunError,
  toHex,
  type Hex,
  type JobHeader,
  type JobHeaderWire,
  type OpeningWire,
  type ProofPoints,
  type ReceiptRecord,
  type ReceiptRecordWire,
  type SettlementBundleWire,
} from '#protocol/index.ts';
import type { EnclaveKeys } from './keys.ts';
import type { Lane } from './lane.ts';
import { restrictToOwner } from './store-file.ts';
import { COMPLETE, missingSchema, strandFrom } from './store-schema.ts';

/** A job as it is stored. */
export interface JobEntry {
  readonly lane: Lane;
  readonly header: JobHeader;
  readonly record: ReceiptRecord;
  readonly sealedResult: Uint8Array;
  /** The service's name of the lease, for releasing again after a crash. */
  readonly leaseId: string;
  readonly segmentFull: boolean;
  /** Whether the segment waits for an inference proof of this job. */
  readonly owesProof: boolean;
}

/** A job that is stored but, as far as is known, not released. */
export interface UnreleasedJob {
  readonly jobId: Hex;
  readonly leaseId: string;
  readonly record: ReceiptRecordWire;
  readonly sealedResult: Uint8Array;
}

/** A segment by its place. */
export interface StoredSegment {
  readonly id: number;
  readonly orderKey: Hex;
  readonly provider: Hex;
  readonly laneIndex: number;
  readonly firstK: number;
  readonly toHead: Hex;
}

type SqlRow = Record<string, SQLOutputValue>;
const text = (row: SqlRow, column: string): string => String(row[column]);

/** The store. Synchronous: when a call returns, what it wrote is on disk. */
export class WorkerStore {
  readonly #db: DatabaseSync;
  /** reservedOf by order, once it was asked for; kept by recordJob, dropped when something settles. */
  readonly #reserved = new Map<string, bigint>();
  #settledMarks = 0;

  /**
   * @param path - a file, which from now on only its owner may read, or `:memory:` in tests
   * @throws `STUN_WORKER_STORE`
   */
  constructor(path: string) {
    try {
      restrictToOwner(path);
      this.#db = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: 5000 });
      this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
      const missing = missingSchema(this.#db);
      if (missing !== '') this.#transaction(() => this.#db.exec(missing));
    } catch (cause) {
      if (cause instanceof StunError) throw cause;
      throw new StunError('STUN_WORKER_STORE', `the store ${path} cannot be opened`, { cause });
    }
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Stores everything about a finished job at once. @throws `STUN_WORKER_STORE` when it cannot: release nothing then */
  recordJob(entry: JobEntry, keys: Pick<EnclaveKeys, 'keysetBytes' | 'enclaveId'>): void {
    const { lane, header, record } = entry;
    const { firstK } = lane.segment;
    const head = fieldToHex(record.receipt.demandHead);
    const orderKey = orderKeyOf(header.funder, header.orderId);
    try {
      this.#transaction(() => {
        this.#db
          .prepare(
            `INSERT INTO segments (order_key, order_id, provider, lane_index, first_k, enclave_id, keyset, hardware_id_hash,
               leaf_expires_at, opening, to_head) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
          )
          .run(
            orderKey,
            fieldToHex(lane.id.orderId),
            lane.id.provider,
            lane.id.laneIndex,
            firstK,
            keys.enclaveId,
            toHex(keys.keysetBytes),
            fieldToHex(lane.leaf.hardwareIdHash),
            lane.leaf.expiresAtUnix,
            JSON.stringify(openingToWire(lane.order)),
            head,
          );
        const segment = this.#db
          .prepare(
            'SELECT id, enclave_id, closed FROM segments WHERE order_id = ? AND provider = ? AND lane_index = ? AND first_k = ?',
          )
          .get(fieldToHex(lane.id.orderId), lane.id.provider, lane.id.laneIndex, firstK);
        if (segment === undefined || segment['closed'] !== 0 || segment['enclave_id'] !== keys.enclaveId) {
          throw new StunError('STUN_WORKER_STORE', 'the segment is closed or belongs to another keyset');
        }
        this.#db
          .prepare(
            `INSERT INTO jobs (demand_head, segment_id, k, header, record, sealed_result, lease_id, owes_proof)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
          )
          .run(
            head,
            segment['id']!,
            header.k,
            JSON.stringify(jobHeaderToWire(header)),
            JSON.stringify(receiptRecordToWire(record)),
            entry.sealedResult,
            entry.leaseId,
            entry.owesProof ? 1 : 0,
          );
        this.#db
          .prepare('UPDATE segments SET to_head = ?, closed = ? WHERE id = ?')
          .run(head, entry.segmentFull ? 1 : 0, segment['id']!);
      });
      const reserved = this.#reserved.get(orderKey);
      if (reserved !== undefined) this.#reserved.set(orderKey, reserved + header.maxPrice);
    } catch (cause) {
      if (cause instanceof StunError) throw cause;
      throw new StunError('STUN_WORKER_STORE', 'the receipt could not be stored', { cause });
    }
  }

  /** Notes that the service has a job's result. */
  markReleased(jobId: string): void {
    this.#db.prepare('UPDATE jobs SET released = 1 WHERE demand_head = ?').run(jobId);
  }

  /** Jobs whose release is not known, oldest first. */
  unreleasedJobs(): readonly UnreleasedJob[] {
    const rows = this.#db
      .prepare('SELECT demand_head, lease_id, record, sealed_result FROM jobs WHERE released = 0 ORDER BY rowid')
      .all();
    return rows.map((row) => ({
      jobId: text(row, 'demand_head') as Hex,
      leaseId: text(row, 'lease_id'),
      record: JSON.parse(text(row, 'record')) as ReceiptRecordWire,
      sealedResult: new Uint8Array(row['sealed_result'] as Uint8Array),
    }));
  }

  /** The stored result of a demand that was answered before, so that a repeated lease gets the same bytes. */
  answeredJob(jobId: string): UnreleasedJob | undefined {
    const row = this.#db
      .prepare('SELECT demand_head, lease_id, record, sealed_result FROM jobs WHERE demand_head = ?')
      .get(jobId);
    if (row === undefined) return undefined;
    return {
      jobId: text(row, 'demand_head') as Hex,
      leaseId: text(row, 'lease_id'),
      record: JSON.parse(text(row, 'record')) as ReceiptRecordWire,
      sealedResult: new Uint8Array(row['sealed_result'] as Uint8Array),
    };
  }

  /** Whether anything of a lane is stored, by whatever keyset. */
  hasLane(orderId: bigint, provider: string, laneIndex: number): boolean {
    return (
      this.#db
        .prepare('SELECT 1 AS found FROM segments WHERE order_id = ? AND provider = ? AND lane_index = ? LIMIT 1')
        .get(fieldToHex(orderId), provider, laneIndex) !== undefined
    );
  }

  /** Closes the open segment of a lane, if there is one. */
  closeSegment(orderId: bigint, provider: string, laneIndex: number): void {
    this.#db
      .prepare('UPDATE segments SET closed = 1 WHERE order_id = ? AND provider = ? AND lane_index = ? AND closed = 0')
      .run(fieldToHex(orderId), provider, laneIndex);
  }

  /**
   * Closes what other keysets left open: their keys are gone, so nothing can be added. Jobs whose proof they owed are stranded with what
   * follows them. @returns how many were closed
   */
  closeAbandoned(enclaveId: string): number {
    return this.#transaction(() => {
      const owing = this.#db
        .prepare(
          `SELECT j.demand_head FROM jobs j JOIN segments s ON s.id = j.segment_id
           WHERE s.enclave_id <> ? AND j.owes_proof = 1 AND j.stranded = 0`,
        )
        .all(enclaveId);
      for (const row of owing) strandFrom(this.#db, text(row, 'demand_head'));
      return Number(
        this.#db.prepare('UPDATE segments SET closed = 1 WHERE closed = 0 AND enclave_id <> ?').run(enclaveId).changes,
      );
    });
  }

  /** Stores the inference proof of a job. @throws `STUN_WORKER_STORE` */
  recordProof(jobId: string, proof: ProofPoints): void {
    try {
      this.#db
        .prepare('UPDATE jobs SET inference_proof = ?, owes_proof = 0 WHERE demand_head = ?')
        .run(JSON.stringify(proof), jobId);
    } catch (cause) {
      throw new StunError('STUN_WORKER_STORE', 'the inference proof could not be stored', { cause });
    }
  }

  /** Gives a job up whose proof cannot be made, and what follows it on its lane; what is before it settles. @returns how many jobs */
  strandFrom(jobId: string): number {
    const stranded = this.#transaction(() => strandFrom(this.#db, jobId));
    this.#reserved.clear();
    return stranded;
  }

  #segments(where: string, ...values: readonly string[]): readonly StoredSegment[] {
    const rows = this.#db
      .prepare(`SELECT id, order_key, provider, lane_index, first_k, to_head FROM segments WHERE ${where} ORDER BY id`)
      .all(...values);
    return rows.map((row) => ({
      id: Number(row['id']),
      orderKey: text(row, 'order_key') as Hex,
      provider: text(row, 'provider') as Hex,
      laneIndex: Number(row['lane_index']),
      firstK: Number(row['first_k']),
      toHead: text(row, 'to_head') as Hex,
    }));
  }

  /** Closed segments that the service has not taken and that owe no proof. */
  unpushedSegments(): readonly StoredSegment[] {
    return this.#segments(`closed = 1 AND pushed = 0 AND ${COMPLETE}`);
  }

  /** Closed segments not known to be settled, those that owe no proof. */
  closedSegments(): readonly StoredSegment[] {
    return this.#segments(`closed = 1 AND settled = 0 AND ${COMPLETE}`);
  }

  /** Segments not known to be settled, of one order when given. */
  unsettledSegments(orderKey?: string): readonly StoredSegment[] {
    return orderKey === undefined ? this.#segments('settled = 0') : this.#segments('settled = 0 AND order_key = ?', orderKey);
  }

  /** Every stored segment. */
  segments(): readonly StoredSegment[] {
    return this.#segments('1 = 1');
  }

  markPushed(segmentId: number): void {
    this.#db.prepare('UPDATE segments SET pushed = 1 WHERE id = ?').run(segmentId);
  }

  /** A closed segment that was seen on chain. */
  markSettled(segmentId: number): void {
    this.#db.prepare('UPDATE segments SET settled = 1, closed = 1 WHERE id = ?').run(segmentId);
    this.#reserved.clear();
    this.#settledMarks += 1;
  }

  /** Grows with each segment that is marked as settled: what was reserved before and after are different sums. */
  get settledMarks(): number {
    return this.#settledMarks;
  }

  /** Sum of the maximum prices of an order's jobs that are receipted and not settled, price units. */
  reservedOf(orderKey: string): bigint {
    const known = this.#reserved.get(orderKey);
    if (known !== undefined) return known;
    const rows = this.#db
      .prepare(
        'SELECT j.header FROM jobs j JOIN segments s ON s.id = j.segment_id WHERE s.order_key = ? AND s.settled = 0 AND j.stranded = 0',
      )
      .all(orderKey);
    const sum = rows.reduce((total, row) => total + BigInt((JSON.parse(text(row, 'header')) as JobHeaderWire).maxPrice), 0n);
    this.#reserved.set(orderKey, sum);
    return sum;
  }

  /**
   * The settlement bundle of a segment, from this file alone. Its readers check it (settlementBundleFromWire).
   * @throws `STUN_WORKER_STORE` when there is no such segment
   */
  bundleOf(segmentId: number): SettlementBundleWire {
    const segment = this.#db.prepare('SELECT * FROM segments WHERE id = ?').get(segmentId);
    const jobs = this.#db
      .prepare('SELECT header, record, inference_proof FROM jobs WHERE segment_id = ? AND stranded = 0 ORDER BY k')
      .all(segmentId);
    const newest = jobs.at(-1);
    if (segment === undefined || newest === undefined) throw new StunError('STUN_WORKER_STORE', 'there is no such segment');
    const read = jobs.map((row) => ({
      header: JSON.parse(text(row, 'header')) as JobHeaderWire,
      record: JSON.parse(text(row, 'record')) as ReceiptRecordWire,
      proof: row['inference_proof'] === null ? undefined : (JSON.parse(text(row, 'inference_proof')) as ProofPoints),
    }));
    const last = read.at(-1)!;
    return settlementBundleSchema.parse({
      version: 1,
      opening: JSON.parse(text(segment, 'opening')) as OpeningWire,
      provider: text(segment, 'provider'),
      laneIndex: Number(segment['lane_index']),
      firstK: Number(segment['first_k']),
      keyset: text(segment, 'keyset'),
      hardwareIdHash: text(segment, 'hardware_id_hash'),
      leafExpiresAtUnix: Number(segment['leaf_expires_at']),
      jobs: read.map(({ header, record, proof }) => ({
        inputCommitment: header.inputCommitment,
        maxPrice: header.maxPrice,
        receipt: record.receipt,
        ...(proof === undefined ? {} : { inferenceProof: proof }),
      })),
      demandSignature: last.header.signature,
      statement: last.record.statement,
      statementSignature: last.record.statementSignature,
    } satisfies SettlementBundleWire);
  }

  close(): void {
    this.#db.close();
  }
}
