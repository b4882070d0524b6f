/**
 * Which plans the statements of an operation really ran with: the server explains every statement into its log while it runs, and
 * every row that a node of a plan looked at is counted.
 */
import { readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { StunError } from '#protocol/errors/stun-error.ts';

/** A node of a plan as PostgreSQL prints it; the names are its own. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly Schema?: string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** What the statements of an operation read. */
export interface RowsRead {
  /** Rows that all nodes together looked at. */
  readonly rows: number;
  /** Tables that were read from end to end, with how many rows were looked at. */
  readonly scans: readonly { readonly table: string; readonly rows: number }[];
  /** The statements with what each read. */
  readonly each: readonly { readonly rows: number; readonly statement: string }[];
}

async function reload(client: pg.Client, minDurationMs: number): Promise<void> {
  await client.query(`alter system set auto_explain.log_min_duration = ${minDurationMs}`);
  await client.query('select pg_reload_conf()');
  // Other sessions take the setting before their next statement, once the signal has reached them.
  await sleep(500);
}

/** Runs an operation with every statement explained. */
export async function explained(client: pg.Client, logPath: string, operation: () => Promise<unknown>): Promise<RowsRead> {
  await reload(client, 0);
  const from = statSync(logPath).size;
  await operation();
  await reload(client, -1);
  const text = readFileSync(logPath).subarray(from).toString('utf8');
  let rows = 0;
  const scans: { table: string; rows: number }[] = [];
  const each: { rows: number; statement: string }[] = [];
  for (const line of text.split('\n')) {
    const message = line === '' ? '' : ((JSON.parse(line) as { message?: string }).message ?? '');
    const at = message.indexOf('plan:\n');
    if (at < 0) continue;
    const plan = JSON.parse(message.slice(at + 6)) as { 'Query Text': string; Plan: PlanNode };
    const nodes = flatten(plan.Plan);
    // The queue's own statements run beside the operation; its tables are small.
    if (nodes.some((node) => node.Schema === 'stun_queue')) continue;
    const read = nodes.map(readBy).reduce((sum, one) => sum + one, 0);
    rows += read;
    each.push({ rows: read, statement: plan['Query Text'] });
    for (const node of nodes) {
      if (node['Node Type'] === 'Seq Scan') scans.push({ table: node['Relation Name'] ?? '', rows: readBy(node) });
    }
  }
  if (each.length === 0) throw new StunError('STUN_INTERNAL', 'the server explained no statement');
  return { rows, scans, each };
}

function flatten(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flatten)];
}

/** Rows that a node took from a table or an index. */
function readBy(node: PlanNode): number {
  if (!node['Node Type'].endsWith(' Scan') || (node['Relation Name'] ?? node['Index Name']) === undefined) return 0;
  const each = (node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  return each * (node['Actual Loops'] ?? 1);
}
