/** Tables of the worker's store, and what happens in them when a proof cannot be made. */
import type { DatabaseSync } from 'node:sqlite';
import { StunError } from '#protocol/index.ts';

/** By the version that it leads from. */
const migrations = [
  `
CREATE TABLE segments (
  id INTEGER PRIMARY KEY,
  order_key TEXT NOT NULL,
  order_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  lane_index INTEGER NOT NULL,
  first_k INTEGER NOT NULL,
  enclave_id TEXT NOT NULL,
  keyset TEXT NOT NULL,
  hardware_id_hash TEXT NOT NULL,
  leaf_expires_at INTEGER NOT NULL,
  opening TEXT NOT NULL,
  to_head TEXT NOT NULL,
  closed INTEGER NOT NULL DEFAULT 0,
  pushed INTEGER NOT NULL DEFAULT 0,
  settled INTEGER NOT NULL DEFAULT 0,
  UNIQUE (order_id, provider, lane_index, first_k)
) STRICT;
CREATE TABLE jobs (
  demand_head TEXT PRIMARY KEY,
  segment_id INTEGER NOT NULL REFERENCES segments (id),
  k INTEGER NOT NULL,
  header TEXT NOT NULL,
  record TEXT NOT NULL,
  sealed_result BLOB NOT NULL,
  lease_id TEXT NOT NULL,
  released INTEGER NOT NULL DEFAULT 0,
  UNIQUE (segment_id, k)
) STRICT;
`,
  // A stranded job was receipted and can never settle: a proof before it or of it cannot be made any more.
  `
ALTER TABLE jobs ADD COLUMN owes_proof INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN inference_proof TEXT;
ALTER TABLE jobs ADD COLUMN stranded INTEGER NOT NULL DEFAULT 0;
`,
];

/** Of a segment: every proof of it is stored. */
export const COMPLETE = 'NOT EXISTS (SELECT 1 FROM jobs j WHERE j.segment_id = segments.id AND j.owes_proof = 1)';

/** What brings a file to the newest version; empty when it has it. @throws `STUN_WORKER_STORE` for a version of the future */
export function missingSchema(db: DatabaseSync): string {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > migrations.length) {
    throw new StunError('STUN_WORKER_STORE', `schema version ${migrations.length} was expected, the file has ${version}`);
  }
  if (version === migrations.length) return '';
  return `${migrations.slice(version).join('')} PRAGMA user_version = ${migrations.length};`;
}

/**
 * Gives a job up whose proof cannot be made, and what follows it on its lane, for a lane settles in order. What is before it settles: its
 * segment ends there, closed. Call it in a transaction. @returns how many jobs were given up
 */
export function strandFrom(db: DatabaseSync, jobId: string): number {
  const place = db
    .prepare(
      `SELECT s.order_id, s.provider, s.lane_index, j.k FROM jobs j JOIN segments s ON s.id = j.segment_id
       WHERE j.demand_head = ?`,
    )
    .get(jobId);
  if (place === undefined) throw new StunError('STUN_WORKER_STORE', 'there is no such job');
  const lane = [place['order_id']!, place['provider']!, place['lane_index']!];
  const ofLane = 'SELECT id FROM segments WHERE order_id = ? AND provider = ? AND lane_index = ?';
  const { changes } = db
    .prepare(`UPDATE jobs SET stranded = 1, owes_proof = 0 WHERE stranded = 0 AND k >= ? AND segment_id IN (${ofLane})`)
    .run(place['k']!, ...lane);
  const settles = 'SELECT demand_head FROM jobs j WHERE j.segment_id = segments.id AND stranded = 0 ORDER BY k DESC LIMIT 1';
  const cut = 'EXISTS (SELECT 1 FROM jobs j WHERE j.segment_id = segments.id AND stranded = 1)';
  db.prepare(
    `UPDATE segments SET closed = 1, to_head = (${settles}) WHERE id IN (${ofLane}) AND ${cut} AND EXISTS (${settles})`,
  ).run(...lane);
  // One without any job that settles is over.
  db.prepare(
    `UPDATE segments SET closed = 1, pushed = 1, settled = 1 WHERE id IN (${ofLane}) AND ${cut} AND NOT EXISTS (${settles})`,
  ).run(...lane);
  return Number(changes);
}
