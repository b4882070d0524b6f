/**
 * Opens the store: PostgreSQL through pg, or PGlite in a directory or in memory. The same SQL and migrations run on both, and both
 * read int8 as a number. PGlite never fsyncs: it survives the death of the process, not of the machine.
 */
import { PGlite } from '@electric-sql/pglite';
import { CompiledQuery, Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import { fromPglite, type Db as QueueDb } from 'pg-boss';
import { StunError } from '#protocol/errors/stun-error.ts';
import { migrate } from './migrate.ts';
import { Lock, PgliteDialect } from './pglite-dialect.ts';
import { lockDirectory } from './pglite-lock.ts';
import type { Tables } from './schema.ts';

/** Where the store is. */
export type DatabaseTarget =
  | { readonly kind: 'postgres'; readonly url: string; readonly maxConnections: number; readonly schema?: string }
  | { readonly kind: 'pglite'; readonly directory: string }
  | { readonly kind: 'memory' };

/** An open transaction. */
export type Trx = Transaction<Tables>;

/** An open, migrated store. */
export interface Database {
  readonly kind: DatabaseTarget['kind'];
  readonly sql: Kysely<Tables>;
  /** What the queue runs its statements on. */
  readonly queueDb: QueueDb;
  /** Runs a body in one transaction; what it throws rolls all of it back. */
  transaction<T>(body: (trx: Trx) => Promise<T>): Promise<T>;
  /** @throws `STUN_DATABASE` when the store does not answer */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const INT8_OID = 20;

/** int8 as a number: counts, sequence numbers and times here never pass 2^53. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new StunError('STUN_INTERNAL', 'an int8 of the database is beyond 2^53');
  return value;
}

/** The queue's statements inside an open transaction, so that a job and its task are stored together or not at all. */
export function queueDbOf(trx: Trx): QueueDb {
  return {
    async executeSql(text, values = []) {
      const result = await trx.executeQuery(CompiledQuery.raw(text, values));
      return { rows: result.rows };
    },
  };
}

/** Opens and migrates. @throws `STUN_DATABASE`, `STUN_DATABASE_LOCKED`, `STUN_DATABASE_SCHEMA` */
export async function openDatabase(target: DatabaseTarget): Promise<Database> {
  const database = target.kind === 'postgres' ? openPostgres(target) : await openPglite(target);
  try {
    await migrate(database.sql);
    return database;
  } catch (thrown) {
    await database.close();
    throw thrown instanceof StunError
      ? thrown
      : new StunError('STUN_DATABASE', 'the database could not be opened', { cause: thrown });
  }
}

function openPostgres(target: Extract<DatabaseTarget, { kind: 'postgres' }>): Database {
  const types: pg.CustomTypesConfig = {
    getTypeParser: (oid, format) => (oid === INT8_OID ? parseInt8 : pg.types.getTypeParser(oid, format)),
  };
  const pool = new pg.Pool({
    connectionString: target.url,
    max: target.maxConnections,
    types,
    application_name: 'stun',
    ...(target.schema === undefined ? {} : { options: `-c search_path=${target.schema}` }),
  });
  // An idle connection that breaks is replaced by the pool; the statement that meets a broken one fails with a code.
  pool.on('error', () => undefined);
  // The pool listens to idle connections only: one that breaks inside a transaction would otherwise end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const queueDb: QueueDb = {
    async executeSql(text, values) {
      const result: unknown = await pool.query(text, values as unknown[]);
      // Several statements give a list of results; the queue takes the list as node-postgres gives it.
      return result as { rows: unknown[] };
    },
  };
  return databaseOf('postgres', new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }), queueDb, () => undefined);
}

async function openPglite(target: Extract<DatabaseTarget, { kind: 'pglite' | 'memory' }>): Promise<Database> {
  const unlock = target.kind === 'pglite' ? lockDirectory(target.directory) : () => undefined;
  try {
    const parsers = { [INT8_OID]: parseInt8 };
    const dataDir = target.kind === 'pglite' ? `${target.directory}/data` : 'memory://';
    const pglite = await PGlite.create({ dataDir, parsers });
    const lock = new Lock();
    const inner = fromPglite(pglite);
    const queueDb: QueueDb = { executeSql: (text, values) => lock.run(() => inner.executeSql(text, values)) };
    return databaseOf(target.kind, new Kysely<Tables>({ dialect: new PgliteDialect(pglite, lock) }), queueDb, unlock);
  } catch (thrown) {
    unlock();
    throw thrown;
  }
}

function databaseOf(kind: DatabaseTarget['kind'], sql: Kysely<Tables>, queueDb: QueueDb, unlock: () => void): Database {
  return {
    kind,
    sql,
    queueDb,
    transaction: (body) => sql.transaction().execute(body),
    async ping() {
      try {
        await sql.executeQuery(CompiledQuery.raw('select 1'));
      } catch (thrown) {
        throw new StunError('STUN_DATABASE', 'the database did not answer', { cause: thrown });
      }
    },
    async close() {
      await sql.destroy();
      unlock();
    },
  };
}
