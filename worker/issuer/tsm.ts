/**
 * Reports from Linux configfs-tsm, the one interface for TDX and SEV-SNP.
 * Source: Linux Documentation/ABI/testing/configfs-tsm-report (6.7, extended since): an entry is made with mkdir; every write to it
 * raises `generation`; a generation that changed between the first and the last read means that another writer came between.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StunError } from '#protocol/index.ts';

/** The four operations on the directory; the kernel behind them does the work. */
export interface TsmFiles {
  readonly mkdir: (path: string) => Promise<unknown>;
  readonly rmdir: (path: string) => Promise<unknown>;
  readonly read: (path: string) => Promise<Uint8Array>;
  readonly write: (path: string, data: Uint8Array) => Promise<unknown>;
}

const nodeFiles: TsmFiles = {
  mkdir: (path) => mkdir(path),
  rmdir: (path) => rmdir(path),
  read: (path) => readFile(path),
  // Attributes exist already; opening one with O_CREAT is refused by some kernels.
  write: (path, data) => writeFile(path, data, { flag: 'r+' }),
};

export interface TsmOptions {
  /** The `tsm/report` directory. */
  readonly directory: string;
  readonly files?: TsmFiles;
  /** Tries before giving up; each waits twice as long as the one before, from 10 ms, at most a second. */
  readonly maxAttempts?: number;
  /** Waits between tries; replaced in tests. */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/** What the platform answered. */
export interface TsmReport {
  /** `tdx_guest`, `sev_guest` or another driver. */
  readonly provider: string;
  /** TDX quote or SNP report. */
  readonly outblob: Uint8Array;
  /** SNP: the certificate table of the host; may be empty. */
  readonly auxblob: Uint8Array;
}

const REPORT_DATA_BYTES = 64;
const retryable: ReadonlySet<string> = new Set(['EBUSY', 'EAGAIN', 'EWOULDBLOCK', 'EINTR', 'ETIMEDOUT']);

function errorCode(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : '';
}

/** One attempt; undefined when another writer came between and it must be made again. */
async function attempt(files: TsmFiles, entry: string, reportData: Uint8Array): Promise<TsmReport | undefined> {
  await files.write(join(entry, 'inblob'), reportData);
  const text = async (name: string): Promise<string> =>
    Buffer.from(await files.read(join(entry, name)))
      .toString('latin1')
      .trim();
  const before = await text('generation');
  const outblob = await files.read(join(entry, 'outblob'));
  const auxblob = await files.read(join(entry, 'auxblob')).catch((thrown: unknown) => {
    // Kernels without certificate table have no auxblob, or say so by an error.
    if (['ENOENT', 'EOPNOTSUPP', 'ENXIO', 'ENODATA'].includes(errorCode(thrown))) return new Uint8Array();
    throw thrown;
  });
  const provider = await text('provider');
  if ((await text('generation')) !== before || outblob.length === 0) return undefined;
  return { provider, outblob: new Uint8Array(outblob), auxblob: new Uint8Array(auxblob) };
}

/**
 * Gets a report over 64 bytes of report_data.
 * The entry is this call's own; still the generation is compared, since root can write to any entry.
 * @throws `STUN_TSM_UNAVAILABLE`, `STUN_TSM_BUSY`
 */
export async function readTsmReport(reportData: Uint8Array, options: TsmOptions): Promise<TsmReport> {
  if (reportData.length !== REPORT_DATA_BYTES) {
    throw new StunError('STUN_INPUT', `report_data has ${REPORT_DATA_BYTES} bytes, got ${reportData.length}`);
  }
  const { files = nodeFiles, maxAttempts = 10, wait = sleep } = options;
  const entry = join(options.directory, `stun-${process.pid}-${randomBytes(8).toString('hex')}`);
  let made = false;
  let last: unknown;
  try {
    for (let tries = 0; tries < maxAttempts; tries++) {
      if (tries > 0) await wait(Math.min(1000, 10 * 2 ** (tries - 1)));
      try {
        if (!made) await files.mkdir(entry);
        made = true;
        const report = await attempt(files, entry, reportData);
        if (report !== undefined) return report;
        last = undefined;
      } catch (thrown) {
        if (!retryable.has(errorCode(thrown))) {
          throw new StunError('STUN_TSM_UNAVAILABLE', `configfs-tsm refused with ${errorCode(thrown) || 'an unknown error'}`, {
            cause: thrown,
          });
        }
        last = thrown;
      }
    }
    const reason = last === undefined ? 'other writers kept coming between' : `it kept answering ${errorCode(last)}`;
    throw new StunError('STUN_TSM_BUSY', `no report after ${maxAttempts} attempts: ${reason}`);
  } finally {
    // An entry that cannot be removed costs the kernel a little memory; the report is good all the same.
    if (made) await files.rmdir(entry).catch(() => undefined);
  }
}

/**
 * As {@link readTsmReport}, from one kind of guest.
 * @throws `STUN_TSM_PROVIDER` when another driver answered, `STUN_TSM_UNAVAILABLE`, `STUN_TSM_BUSY`
 */
export async function reportOfProvider(
  provider: 'tdx_guest' | 'sev_guest',
  reportData: Uint8Array,
  options: TsmOptions,
): Promise<TsmReport> {
  const report = await readTsmReport(reportData, options);
  if (report.provider !== provider) {
    throw new StunError('STUN_TSM_PROVIDER', `a report of ${provider} was expected, got one of ${report.provider.slice(0, 32)}`);
  }
  return report;
}
