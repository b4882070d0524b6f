/**
 * A directory that behaves like configfs-tsm: attributes appear with mkdir, every write raises `generation`, the report is made from
 * the newest inblob, and rmdir takes the entry away with its attributes. The files are real; the kernel's part is played here.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { TsmFiles } from '#worker/issuer/tsm.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as the kernel says`), { code });
}

export interface TsmDouble {
  readonly directory: string;
  readonly files: TsmFiles;
  /** Operations in order, by entry-less name. */
  readonly operations: string[];
  /** Entries that exist now. */
  readonly entries: Set<string>;
  /** Before an attribute is read: another writer can come here. */
  beforeRead: (attribute: string, entry: string) => Promise<void>;
  /** Codes that the next reads of outblob fail with, one each. */
  readonly outblobErrors: string[];
  /** Codes that the next calls of mkdir fail with. */
  readonly mkdirErrors: string[];
  provider: string;
  /** What the platform reports over 64 bytes. */
  report: (reportData: Uint8Array) => Uint8Array;
  /** undefined when the kernel has no such attribute. */
  auxblob: Uint8Array | undefined;
  /** Writes like any process with the rights to. */
  readonly writeInblob: (entry: string, data: Uint8Array) => Promise<void>;
}

/** The report of the double: a magic word and the 64 bytes it was asked for. */
export function reportOver(reportData: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from('QUOTE'), reportData]);
}

export async function createTsmDouble(): Promise<TsmDouble> {
  const directory = await mkdtemp(join(tmpdir(), 'stun-tsm-'));
  const generations = new Map<string, number>();
  const writeInblob = async (entry: string, data: Uint8Array): Promise<void> => {
    if (data.length === 0 || data.length > 64) throw systemError('EINVAL');
    const generation = (generations.get(entry) ?? 0) + 1;
    generations.set(entry, generation);
    await writeFile(join(entry, 'inblob'), data);
    await writeFile(join(entry, 'generation'), `${generation}\n`);
    await writeFile(join(entry, 'outblob'), double.report(data));
  };
  const double: TsmDouble = {
    directory,
    operations: [],
    entries: new Set(),
    beforeRead: () => Promise.resolve(),
    outblobErrors: [],
    mkdirErrors: [],
    provider: 'tdx_guest',
    report: reportOver,
    auxblob: new Uint8Array(),
    writeInblob,
    files: {
      mkdir: async (path) => {
        double.operations.push('mkdir');
        const code = double.mkdirErrors.shift();
        if (code !== undefined) throw systemError(code);
        await mkdir(path);
        double.entries.add(path);
        await writeFile(join(path, 'generation'), '0\n');
        await writeFile(join(path, 'provider'), `${double.provider}\n`);
        if (double.auxblob !== undefined) await writeFile(join(path, 'auxblob'), double.auxblob);
      },
      rmdir: async (path) => {
        double.operations.push('rmdir');
        double.entries.delete(path);
        await rm(path, { recursive: true });
      },
      write: async (path, data) => {
        double.operations.push(`write ${basename(path)}`);
        if (basename(path) !== 'inblob') throw systemError('EACCES');
        await writeInblob(dirname(path), data);
      },
      read: async (path) => {
        const attribute = basename(path);
        double.operations.push(`read ${attribute}`);
        await double.beforeRead(attribute, dirname(path));
        const code = attribute === 'outblob' ? double.outblobErrors.shift() : undefined;
        if (code !== undefined) throw systemError(code);
        return readFile(path);
      },
    },
  };
  return double;
}
