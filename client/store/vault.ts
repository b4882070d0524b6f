/**
 * Encryption of the client's files: AES-256-GCM under keys that come from a passphrase.
 *
 * `vault.json` holds a random master key, sealed under scrypt(passphrase); each file has a key of its own, HKDF(master, its name),
 * so a file that is copied to another name does not open. Nothing here hides names, sizes and times of files, and nothing here
 * notices that a whole folder was put back to an older state: that is why lanes are never restored (docs/customer.md).
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scrypt } from 'node:crypto';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { concatBytes, fromHex, toHex, utf8 } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { bytesHex, readDocument } from '#protocol/wire/scalars.ts';
import { createFile, makeFolder, readFileIfThere, replaceFile } from './atomic-file.ts';

const MAGIC = utf8('STUNVLT1');
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** scrypt's cost: RFC 7914 parameters, about 128·N·r bytes of memory for each attempt. */
export interface ScryptCost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}
/** 128 MiB and some tenths of a second for each guess of the passphrase. */
export const defaultScryptCost: ScryptCost = { n: 2 ** 17, r: 8, p: 1 };

const vaultSchema = z.strictObject({
  version: z.literal(1),
  scrypt: z.strictObject({
    n: z
      .int()
      .min(2)
      .max(2 ** 22),
    r: z.int().min(1).max(32),
    p: z.int().min(1).max(16),
    salt: bytesHex,
  }),
  sealedMasterKey: bytesHex,
});

function derive(passphrase: string, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array> {
  const options = { N: cost.n, r: cost.r, p: cost.p, maxmem: 256 * cost.n * cost.r + 2 ** 20 };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), salt, 32, options, (error, key) => {
      if (error) reject(error);
      else resolve(new Uint8Array(key));
    });
  });
}

function seal(key: Uint8Array, name: string, plain: Uint8Array): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(NONCE_LENGTH);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(concatBytes(MAGIC, utf8(name)));
  return concatBytes(MAGIC, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag());
}

function open(key: Uint8Array, name: string, sealed: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const start = MAGIC.length + NONCE_LENGTH;
  if (sealed.length < start + TAG_LENGTH || MAGIC.some((byte, i) => sealed[i] !== byte)) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(MAGIC.length, start))
    .setAAD(concatBytes(MAGIC, utf8(name)))
    .setAuthTag(sealed.subarray(sealed.length - TAG_LENGTH));
  try {
    return concatBytes(decipher.update(sealed.subarray(start, sealed.length - TAG_LENGTH)), decipher.final());
  } catch {
    return undefined;
  }
}

/** Seals bytes under a passphrase alone, for a file that leaves the vault (a backup). */
export async function sealUnderPassphrase(
  passphrase: string,
  name: string,
  plain: Uint8Array,
  cost: ScryptCost,
): Promise<string> {
  requirePassphrase(passphrase);
  const salt = new Uint8Array(randomBytes(32));
  const sealed = seal(await derive(passphrase, salt, cost), name, plain);
  return JSON.stringify({ version: 1, scrypt: { ...cost, salt: toHex(salt) }, sealedMasterKey: toHex(sealed) });
}

/** Reverse of sealUnderPassphrase. @throws `STUN_STORE_PASSPHRASE` when it does not open, `STUN_STORE_DAMAGED` on the form */
export async function openUnderPassphrase(passphrase: string, name: string, text: string): Promise<Uint8Array<ArrayBuffer>> {
  requirePassphrase(passphrase);
  let document: z.infer<typeof vaultSchema>;
  try {
    document = readDocument(vaultSchema, JSON.parse(text), name);
  } catch (cause) {
    throw new StunError('STUN_STORE_DAMAGED', `${name} is not a sealed document`, { cause });
  }
  const key = await derive(passphrase, fromHex(document.scrypt.salt), document.scrypt);
  const plain = open(key, name, fromHex(document.sealedMasterKey));
  if (plain === undefined) throw new StunError('STUN_STORE_PASSPHRASE', `${name} does not open with this passphrase`);
  return plain;
}

function requirePassphrase(passphrase: string): void {
  if (passphrase.length < 8) throw new StunError('STUN_STORE_PASSPHRASE', 'the passphrase must have at least 8 characters');
}

/** An opened store: seals and opens files below its folder. */
export class Vault {
  readonly folder: string;
  readonly #master: Uint8Array;

  private constructor(folder: string, master: Uint8Array) {
    this.folder = folder;
    this.#master = master;
  }

  /**
   * Opens the vault of a folder, or makes one when the folder has none.
   * @param cost - scrypt's cost for a new vault; an old one keeps its own
   * @throws `STUN_STORE_PASSPHRASE`, `STUN_STORE_DAMAGED`
   */
  static async open(folder: string, passphrase: string, cost: ScryptCost = defaultScryptCost): Promise<Vault> {
    requirePassphrase(passphrase);
    await makeFolder(folder);
    const path = join(folder, 'vault.json');
    if ((await readFileIfThere(path)) === undefined) {
      const master = new Uint8Array(randomBytes(32));
      // When two processes start at once, the one that comes second reads what the first wrote.
      await createFile(path, utf8(await sealUnderPassphrase(passphrase, 'vault', master, cost)));
    }
    const bytes = await readFileIfThere(path);
    if (bytes === undefined) throw new StunError('STUN_STORE_DAMAGED', 'vault.json has gone');
    return new Vault(folder, await openUnderPassphrase(passphrase, 'vault', new TextDecoder().decode(bytes)));
  }

  #keyOf(name: string): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#master, new Uint8Array(0), utf8(`stun/client-file/v1/${name}`), 32));
  }

  #nameOf(path: string): string {
    return relative(this.folder, path).replaceAll('\\', '/');
  }

  /** Writes or replaces a sealed file, durable when it returns. @param path - below the vault's folder */
  async write(path: string, plain: Uint8Array): Promise<void> {
    const name = this.#nameOf(path);
    await replaceFile(path, seal(this.#keyOf(name), name, plain));
  }

  /** Writes a sealed file that must not be there yet. @returns false when it was there */
  async create(path: string, plain: Uint8Array): Promise<boolean> {
    const name = this.#nameOf(path);
    return createFile(path, seal(this.#keyOf(name), name, plain));
  }

  /** Opens a file; undefined when it is not there. @throws `STUN_STORE_DAMAGED` when it was changed, or belongs elsewhere */
  async read(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const sealed = await readFileIfThere(path);
    if (sealed === undefined) return undefined;
    const name = this.#nameOf(path);
    const plain = open(this.#keyOf(name), name, sealed);
    if (plain === undefined) throw new StunError('STUN_STORE_DAMAGED', `${name} does not open: it was changed or moved`);
    return plain;
  }

  /** The same for JSON documents. */
  async readJson(path: string): Promise<unknown> {
    const plain = await this.read(path);
    return plain === undefined ? undefined : JSON.parse(new TextDecoder().decode(plain));
  }

  async writeJson(path: string, document: unknown): Promise<void> {
    await this.write(path, utf8(JSON.stringify(document)));
  }

  async createJson(path: string, document: unknown): Promise<boolean> {
    return this.create(path, utf8(JSON.stringify(document)));
  }
}
