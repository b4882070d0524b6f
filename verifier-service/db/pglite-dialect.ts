/**
 * Kysely on PGlite. PGlite is one connection, so a statement of one caller must never fall into the open transaction of another:
 * every use of it, the queue's included, holds the one lock of this file. (Kysely's own PGlite driver does not take one.)
 */
import type { PGlite } from '@electric-sql/pglite';
import {
  CompiledQuery,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
} from 'kysely';

/** First come, first served. */
export class Lock {
  #tail: Promise<void> = Promise.resolve();

  /** Waits for the lock. @returns what gives it back */
  async take(): Promise<() => void> {
    const before = this.#tail;
    let release: () => void = () => undefined;
    this.#tail = new Promise((resolve) => (release = resolve));
    await before;
    return release;
  }

  /** Runs `body` alone. */
  async run<T>(body: () => Promise<T>): Promise<T> {
    const release = await this.take();
    try {
      return await body();
    } finally {
      release();
    }
  }
}

class PgliteConnection implements DatabaseConnection {
  readonly #pglite: PGlite;

  constructor(pglite: PGlite) {
    this.#pglite = pglite;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const result = await this.#pglite.query<R>(query.sql, [...query.parameters]);
    return { numAffectedRows: BigInt(result.affectedRows ?? 0), rows: result.rows };
  }

  // eslint-disable-next-line require-yield -- the interface demands a generator
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new TypeError('PGlite gives whole results');
  }
}

class LockedDriver implements Driver {
  readonly #pglite: PGlite;
  readonly #lock: Lock;
  #release: () => void = () => undefined;

  constructor(pglite: PGlite, lock: Lock) {
    this.#pglite = pglite;
    this.#lock = lock;
  }

  async init(): Promise<void> {
    await this.#pglite.waitReady;
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    this.#release = await this.#lock.take();
    return new PgliteConnection(this.#pglite);
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async releaseConnection(): Promise<void> {
    this.#release();
  }

  async destroy(): Promise<void> {
    await this.#pglite.close();
  }
}

/** The dialect over an open PGlite and the lock that all its users share. */
export class PgliteDialect implements Dialect {
  readonly #pglite: PGlite;
  readonly #lock: Lock;

  constructor(pglite: PGlite, lock: Lock) {
    this.#pglite = pglite;
    this.#lock = lock;
  }

  createDriver(): Driver {
    return new LockedDriver(this.#pglite, this.#lock);
  }

  createQueryCompiler(): QueryCompiler {
    return new PostgresQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new PostgresAdapter();
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- the type that Kysely's interface names
  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new PostgresIntrospector(db);
  }
}
