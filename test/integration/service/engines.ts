/** The two stores that the service runs on. PostgreSQL needs `STUN_TEST_POSTGRES_URL`, an account there that may create databases. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { describeAbsent } from '#test/absent.ts';
import { copyMigratedStore } from './kept-store.ts';

/** A store of its own. */
export interface TestStore {
  /** The `database` setting. */
  readonly database: string;
  drop(): Promise<void>;
}

/** A kind of store. */
export interface Engine {
  readonly name: 'PGlite' | 'PostgreSQL';
  /** With nothing in it, not even tables. */
  create(): Promise<TestStore>;
  /** As a service left it that was started and had nothing to do; on PostgreSQL the first service makes it so. */
  createMigrated(): Promise<TestStore>;
}

const address = process.env['STUN_TEST_POSTGRES_URL'];

async function administer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: address });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

const pglite: Engine = {
  name: 'PGlite',
  create: async () => ({ database: 'memory', drop: async () => undefined }),
  async createMigrated() {
    const directory = mkdtempSync(join(tmpdir(), 'stun-store-'));
    return { database: await copyMigratedStore(directory), drop: async () => rmSync(directory, { recursive: true }) };
  },
};

async function createPostgres(): Promise<TestStore> {
  const name = `stun_test_${randomBytes(6).toString('hex')}`;
  await administer(`create database ${name}`);
  const url = new URL(address ?? '');
  url.pathname = `/${name}`;
  return { database: url.href, drop: () => administer(`drop database ${name} with (force)`) };
}

const postgres: Engine = { name: 'PostgreSQL', create: createPostgres, createMigrated: createPostgres };

/** All stores that can be tested here. */
export const engines: readonly Engine[] = address === undefined ? [pglite] : [pglite, postgres];

/** A store with the `describe` of tests that run on it. */
export interface TestedEngine extends Engine {
  readonly describe: ReturnType<typeof describeAbsent>;
}

/** The stores that tests are for, also one that is not here. To be called where mocha collects tests. */
export function testedEngines(): readonly TestedEngine[] {
  const onPostgres = address === undefined ? describeAbsent('the service on PostgreSQL', 'set STUN_TEST_POSTGRES_URL') : describe;
  return [
    { ...pglite, describe },
    { ...postgres, describe: onPostgres },
  ];
}
