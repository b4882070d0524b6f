/**
 * A PostgreSQL server of its own for one measurement: made in a new directory, on a free port, removed afterwards. It syncs to disk as
 * PostgreSQL does by default. Its log carries plans when they are asked for, see plans.ts.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '#cli/stack/child.ts';
import { StunError } from '#protocol/errors/stun-error.ts';

/** Where Debian and Ubuntu put the server's programs. */
const DEBIAN = '/usr/lib/postgresql';

/** What differs from PostgreSQL's own defaults: memory, fewer checkpoints while the store is filled, the log. */
const settings = {
  listen_addresses: '127.0.0.1',
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  max_connections: '100',
  shared_preload_libraries: 'auto_explain',
  'auto_explain.log_format': 'json',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_timing': 'off',
  'auto_explain.log_verbose': 'on',
  logging_collector: 'on',
  log_destination: 'jsonlog',
  log_directory: 'plans',
  log_filename: 'server.log',
  log_rotation_age: '0',
  log_rotation_size: '0',
};

/** A running server with one empty database. */
export interface Cluster {
  readonly url: string;
  readonly version: string;
  /** The server's log, one JSON document a line. */
  readonly logPath: string;
  stop(): Promise<void>;
}

function programs(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(DEBIAN, version, 'bin')).find((folder) => existsSync(join(folder, 'initdb')));
}

/** Whether a server can be started here. */
export function hasServer(): boolean {
  return programs() !== undefined;
}

/** PostgreSQL refuses to run as root; the package makes an account for it. */
function serverAccount(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

/** Starts a server. @throws `STUN_INPUT` when PostgreSQL is not installed, `STUN_DATABASE` when it does not start */
export async function startCluster(): Promise<Cluster> {
  const folder = programs();
  if (folder === undefined) throw new StunError('STUN_INPUT', `expected PostgreSQL below ${DEBIAN} (Debian package postgresql)`);
  const account = serverAccount();
  const directory = mkdtempSync(join(tmpdir(), 'stun-postgres-'));
  const data = join(directory, 'data');
  const passwordFile = join(directory, 'password');
  const password = randomBytes(24).toString('hex');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  for (const path of [directory, passwordFile]) if (account.uid !== undefined) chownSync(path, account.uid, account.gid ?? 0);
  const made = spawnSync(
    join(folder, 'initdb'),
    ['-D', data, '-U', 'stun', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C'],
    { ...account, cwd: directory, encoding: 'utf8' },
  );
  if (made.status !== 0) throw new StunError('STUN_DATABASE', `initdb failed: ${made.stderr.trim().slice(-300)}`);
  const port = await freePort();
  const options = Object.entries({ ...settings, unix_socket_directories: directory, port: String(port) });
  const server = spawn(
    join(folder, 'postgres'),
    ['-D', data, ...options.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    {
      ...account,
      cwd: directory,
      stdio: 'ignore',
    },
  );
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const url = `postgres://stun:${password}@127.0.0.1:${port}/postgres`;
  const stop = async (): Promise<void> => {
    server.kill('SIGINT');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  for (let attempt = 0; ; attempt++) {
    try {
      const version = await withClient(url, async (client) => {
        const { rows } = await client.query<{ server_version: string }>('show server_version');
        return rows[0]?.server_version ?? '';
      });
      return { url, version, logPath: join(data, 'plans', 'server.json'), stop };
    } catch (cause) {
      if (attempt === 100 || server.exitCode !== null) {
        await stop();
        throw new StunError('STUN_DATABASE', 'the throw-away PostgreSQL server did not start', { cause });
      }
      await sleep(200);
    }
  }
}

/** Runs a body on a connection of its own. */
export async function withClient<T>(url: string, body: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await body(client);
  } finally {
    await client.end();
  }
}
