/** The migration runner: forward only, each migration in the order of its number, all in one transaction, each by its hash. */
import { createHash } from 'node:crypto';
import { CompiledQuery, sql, type Kysely } from 'kysely';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Migration } from './migrations/migration.ts';
import { migrations } from './migrations/index.ts';
import type { Tables } from './schema.ts';

function hashOf(migration: Migration): string {
  return createHash('sha256').update(migration.statements.join(';\n')).digest('hex');
}

/**
 * Brings a database to this release.
 * @returns how many migrations were applied now
 * @throws `STUN_DATABASE_SCHEMA` when the database carries a migration that this release does not have, or has changed
 */
export async function migrate(db: Kysely<Tables>, all: readonly Migration[] = migrations): Promise<number> {
  return db.transaction().execute(async (trx) => {
    // One migrating process at a time; the lock ends with the transaction. The number is the project's own.
    await sql`select pg_advisory_xact_lock(5783214001)`.execute(trx);
    await sql`create table if not exists stun_migration (number int primary key, name text not null, sha256 text not null,
      applied_at_ms int8 not null)`.execute(trx);
    const applied = await trx.selectFrom('stun_migration').selectAll().orderBy('number').execute();
    for (const row of applied) {
      const known = all.find((migration) => migration.number === row.number);
      if (known === undefined || hashOf(known) !== row.sha256) {
        throw new StunError(
          'STUN_DATABASE_SCHEMA',
          `the database carries migration ${row.number} in another form than this release`,
        );
      }
    }
    const pending = all.slice(applied.length);
    for (const migration of pending) {
      for (const statement of migration.statements) await trx.executeQuery(CompiledQuery.raw(statement));
      await trx
        .insertInto('stun_migration')
        .values({ number: migration.number, name: migration.name, sha256: hashOf(migration), applied_at_ms: Date.now() })
        .execute();
    }
    return pending.length;
  });
}
