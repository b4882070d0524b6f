/**
 * Fills a store with what a busy deployment holds, by INSERT ... SELECT: every table that grows, texts and bytes of the length that real
 * ones have. Ids are hashes, so that indexes are as scattered as real ones.
 */
import type pg from 'pg';

/** How much is filled in. */
export interface FillSize {
  readonly enclaves: number;
  /** Each with one lane. */
  readonly orders: number;
  readonly jobs: number;
}

/** Texts and bytes of one real job and enclave, of whose length all filled ones are. */
export interface Specimen {
  readonly evidence: string;
  readonly policy: string;
  readonly keyset: Uint8Array;
  readonly terms: string;
  readonly header: string;
  readonly record: string;
  readonly bundle: string;
  readonly envelope: Uint8Array;
  readonly sealed: Uint8Array;
}

/** Accounts that are customers. */
const CUSTOMERS = 20_000;
/** Models that the enclaves serve. */
const MODELS = 100;

const address = (kind: string, n: string): string => `('0x' || substr(md5('${kind}/' || (${n})), 1, 32) || '00000000')`;
const word = (kind: string, n: string): string => `('0x' || md5('${kind}/' || (${n})) || md5('${kind}2/' || (${n})))`;

/** Of a hundred lanes: whose jobs have all settled, are on their way to it, wait or run. */
const laneKind = (lane: string): string =>
  `(case when ${lane} % 100 < 95 then 'settled' when ${lane} % 100 = 95 then 'proven' when ${lane} % 100 = 96 then 'batched'
    when ${lane} % 100 = 97 then 'receipted' when ${lane} % 100 = 98 then 'queued' else 'leased' end)`;

/** The statements. One lane in five belongs to an order that has ended; one enclave in twenty is off the list. */
function statements(size: FillSize, specimen: Specimen, nowMs: number): [string, unknown[]][] {
  const { enclaves, orders, jobs } = size;
  const each = jobs / orders;
  const served = `${laneKind('l')} not in ('queued', 'leased')`;
  const isLast = `k = ${each}`;
  const state = `(case when ${served} or not ${isLast} then (case when ${served} then ${laneKind('l')} else 'receipted' end) else ${laneKind('l')} end)`;
  const hasRecord = `(${served} or not ${isLast})`;
  const inSegment = `${laneKind('l')} in ('settled', 'proven', 'batched')`;
  const jobId = (l: string, k: string): string => word('job', `${l} || '/' || ${k}`);
  const atMs = `(${nowMs} - 86400000 + (l::int8 * 86400000 / ${orders}))`;
  const lanes = `generate_series(0, ${orders - 1}) l`;
  const allJobs = `${lanes}, generate_series(1, ${each}) k`;
  const laneId = `substr(md5('lane/' || l) || md5('lane2/' || l), 1, 40)`;
  const segmentId = `md5('segment/' || l)`;
  const orderKey = word('order', 'l');
  const customer = address('customer', `l % ${CUSTOMERS}`);
  const provider = address('provider', `l % ${enclaves}`);
  const keyset = word('enclave', `l % ${enclaves}`);
  const deadline = `(case when l % 5 = 0 and l % 100 < 95 then ${Math.floor(nowMs / 1000)} - 3600 else ${Math.floor(nowMs / 1000)} + 604800 end)`;
  return [
    [
      `insert into enclave select ${word('enclave', 'e')}, ${address('provider', 'e')}, $1, ${word('signer', 'e')}, ${word('policy', 'e % 10')},
        $2, $3, ${word('evidence', 'e')}, false, 1, ${word('hardware', 'e')}, 0, ${Math.floor(nowMs / 1000)} + 2592000, e % 20 <> 1,
        ${nowMs} - e, null, ${nowMs}, ${Math.floor(nowMs / 1000)}, null, null from generate_series(0, ${enclaves - 1}) e`,
      [specimen.keyset, specimen.policy, specimen.evidence],
    ],
    [
      `insert into enclave_model select ${word('enclave', 'e')}, ${word('model', `e % ${MODELS}`)}, '700', 'credit', '{"version":1}',
        '[{"name":"x","dtype":"float32","dims":[1,4]}]', '[{"name":"y","dtype":"float32","dims":[1,1]}]'
        from generate_series(0, ${enclaves - 1}) e`,
      [],
    ],
    [
      `insert into orders select ${orderKey}, ${word('orderid', 'l')}, ${customer}, '31337', '0x${'ee'.repeat(20)}', '0x${'00'.repeat(20)}',
        $1, ${word('domain', 'l')}, ${deadline}, 86400, ${word('family', '0')}, '10', ${atMs}, ${each * 6 + 4} from ${lanes}`,
      [specimen.terms],
    ],
    [`insert into order_account select ${orderKey}, ${customer}, ${atMs} from ${lanes}`, []],
    [
      `insert into order_budget select ${orderKey}, ${provider}, '1000000000000000000', '1000000000000000000', false from ${lanes}`,
      [],
    ],
    [`insert into opening select ${orderKey}, ${keyset}, ${customer}, $1, ${atMs} from ${lanes}`, [specimen.envelope]],
    [
      `insert into lane select ${laneId}, ${orderKey}, ${provider}, 0, ${word('demand', 'l')} || substr(${word('demandy', 'l')}, 3), ${customer},
        ${keyset}, ${word('signer', `l % ${enclaves}`)}, ${jobId('l', String(each))}, ${each + 1},
        case when ${served} then ${each + 1} else ${each} end, case when ${laneKind('l')} = 'leased' then ${jobId('l', String(each))} end,
        case when ${served} and (l % 5 = 0 or l % ${enclaves} % 20 = 1) then 'closed' else 'open' end, null, ${atMs} from ${lanes}`,
      [],
    ],
    [
      `insert into job select ${jobId('l', 'k')}, ${laneId}, ${orderKey}, ${customer}, ${provider}, ${keyset}, k, $1, '1000', md5('envelope/' || l),
        ${specimen.envelope.length}, ${state}, case when ${hasRecord} then 'served' end, null, null, case when ${hasRecord} then '700' end,
        case when ${hasRecord} then $2 end, case when ${inSegment} then ${segmentId} end, case when ${inSegment} then k - 1 end,
        ${atMs} + k, ${atMs} + k, ${atMs} + k, case when ${hasRecord} then ${atMs} + k end, null, null, null,
        case when ${state} = 'settled' then ${atMs} + k end from ${allJobs}`,
      [specimen.header, specimen.record],
    ],
    [`insert into payload select ${jobId('l', 'k')}, $1, ${atMs} + k from ${allJobs}`, [specimen.envelope]],
    [`insert into result select ${jobId('l', 'k')}, $1, ${atMs} + k from ${allJobs} where ${hasRecord}`, [specimen.sealed]],
    [
      `insert into lease select md5('lease/' || l || '/' || k)::uuid::text, ${jobId('l', 'k')}, ${provider}, ${keyset},
        case when ${hasRecord} then 'completed' else 'active' end, ${nowMs} + 3600000, ${atMs} + k from ${allJobs}
        where ${hasRecord} or ${laneKind('l')} = 'leased'`,
      [],
    ],
    [
      `insert into event select ${orderKey}, (k - 1) * 6 + s, 'job', ${customer}, ${provider}, ${jobId('l', 'k')}, null,
        '{"jobId":"' || ${jobId('l', 'k')} || '","laneIndex":0,"k":' || k || ',"state":"receipted","outcome":"served","atUnixMs":1795247777000}',
        ${atMs} + k from ${allJobs}, generate_series(1, 6) s`,
      [],
    ],
    [
      `insert into segment select ${segmentId}, ${laneId}, ${orderKey}, ${provider}, 0, 1, ${each}, $1, md5('bundle/' || l),
        ${word('genesis', 'l')}, ${jobId('l', String(each))}, ${word('root', 'l')}, '${700 * each}', ${laneKind('l')}, 1,
        repeat(md5('proof/' || l), 60), ${Math.floor(nowMs / 1000)}, 0, null, null, null, ${word('transaction', 'l')}, l / 10, null, null, null,
        ${atMs}, ${atMs}, ${atMs}, null, null, ${nowMs} + 86400000 from ${lanes} where ${inSegment}`,
      [specimen.bundle],
    ],
    [
      `insert into chain_settlement select ${word('transaction', 'l')}, 0, l / 10, ${orderKey}, ${provider}, 0, ${word('genesis', 'l')},
        ${jobId('l', String(each))}, ${word('root', 'l')}, '${700 * each}', '1', '1', '0' from ${lanes} where ${laneKind('l')} = 'settled'`,
      [],
    ],
    [
      `insert into sender_intent select 'settle/' || ${segmentId} || '/0', 31337, '0x${'dd'.repeat(20)}', l, 4, true,
        repeat(md5('intent/' || l), 50) from ${lanes} where ${laneKind('l')} = 'settled'`,
      [],
    ],
    [
      `insert into credential select substr(md5('credential/' || a), 1, 24), 'session', ${address('provider', 'a')}, decode(md5('s/' || a), 'hex'), '',
        ${nowMs}, ${nowMs} + 86400000, null from generate_series(0, ${enclaves - 1}) a`,
      [],
    ],
    [
      `insert into idempotency select ${customer}, md5('idempotency/' || l), md5('request/' || l), ${atMs} + 60000 from ${lanes}`,
      [],
    ],
  ];
}

/**
 * Fills the store, then has the planner's statistics made.
 * @param progress - told of each table as it is filled
 * @returns what the filled store takes
 */
export async function fill(
  client: pg.Client,
  size: FillSize,
  specimen: Specimen,
  progress: (line: string) => void,
): Promise<StoreBytes> {
  // References hold by construction; checking each row of millions would double the time.
  await client.query(`set session_replication_role = replica`);
  await client.query(`set synchronous_commit = off`);
  for (const [statement, values] of statements(size, specimen, Date.now())) {
    const startedAt = performance.now();
    const { rowCount } = await client.query(statement, values);
    const table = /^insert into (\w+)/.exec(statement)?.[1] ?? '';
    progress(`${rowCount} rows of ${table} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  }
  await client.query('vacuum analyze');
  await client.query('checkpoint');
  return storeBytes(client);
}

/** Tables of which every job has its part, by whether their rows go at their retention time. */
const tables = {
  kept: ['job', 'lease', 'event', 'segment', 'chain_settlement', 'sender_intent'],
  passing: ['payload', 'result'],
  perEnclave: ['enclave', 'enclave_model'],
} as const;

/** Bytes that tables and their indexes take. */
export type StoreBytes = Readonly<Record<keyof typeof tables, number>>;

async function storeBytes(client: pg.Client): Promise<StoreBytes> {
  const sum = async (names: readonly string[]): Promise<number> => {
    const { rows } = await client.query<{ bytes: string }>(
      `select coalesce(sum(pg_total_relation_size(oid)), 0)::text as bytes from pg_class
        where relkind = 'r' and relnamespace = 'public'::regnamespace and relname = any($1)`,
      [names],
    );
    return Number(rows[0]?.bytes ?? 0);
  };
  return { kept: await sum(tables.kept), passing: await sum(tables.passing), perEnclave: await sum(tables.perEnclave) };
}
