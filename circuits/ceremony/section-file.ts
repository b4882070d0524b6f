/**
 * Strict reader of the sectioned container that snarkjs uses for powers of tau ("ptau") and proving keys ("zkey"), version 1.
 *
 * Magic (4 bytes), version u32, section count u32, then per section type u32, length u64, data; integers little-endian.
 * A file must hold each expected section exactly once, nothing else, and end with its last section.
 */
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';

const VERSION = 1;
const FILE_HEAD_BYTES = 12;
const SECTION_HEAD_BYTES = 12;
const HASH_CHUNK_BYTES = 2 ** 22;

/** What a kind of file must be. */
export interface SectionFormat {
  readonly magic: 'ptau' | 'zkey';
  /** Types of the sections, each exactly once, in any order. */
  readonly sections: readonly number[];
  /** Code of every refusal of the file's structure. */
  readonly refusal: ErrorCode;
}

/** Where a section's data lies; bytes from the start of the file. */
export interface SectionPlace {
  readonly offset: number;
  readonly length: number;
}

/** An open file with its sections located. The caller closes it. */
export class SectionFile {
  readonly path: string;
  readonly format: SectionFormat;
  readonly sizeBytes: number;
  readonly #file: FileHandle;
  readonly #places = new Map<number, SectionPlace>();

  private constructor(path: string, format: SectionFormat, file: FileHandle, sizeBytes: number) {
    this.path = path;
    this.format = format;
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  /**
   * Opens a file and locates its sections; reads no data.
   * @param admit - looks at the file before its structure does, through the handle that is read afterwards; what it throws closes the file
   * @throws `STUN_FILE` when it cannot be read; the format's refusal when its structure is another
   */
  static async open(
    path: string,
    format: SectionFormat,
    admit: (file: SectionFile) => Promise<void> = async () => {},
  ): Promise<SectionFile> {
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (cause) {
      throw new StunError('STUN_FILE', `${path} cannot be read`, { cause });
    }
    const opened = new SectionFile(path, format, file, (await file.stat()).size);
    try {
      await admit(opened);
      await opened.#locate();
    } catch (thrown) {
      await file.close();
      throw thrown;
    }
    return opened;
  }

  /** Refuses the file. */
  refuse(reason: string): never {
    throw new StunError(this.format.refusal, `${this.path}: ${reason}`);
  }

  async #locate(): Promise<void> {
    const { magic, sections } = this.format;
    const head = await this.readAt(0, FILE_HEAD_BYTES);
    if (head.toString('latin1', 0, 4) !== magic) this.refuse(`expected a ${magic} file`);
    if (head.readUInt32LE(4) !== VERSION) this.refuse(`expected version ${VERSION}, got ${head.readUInt32LE(4)}`);
    const count = head.readUInt32LE(8);
    if (count !== sections.length) this.refuse(`expected ${sections.length} sections, got ${count}`);
    let offset = FILE_HEAD_BYTES;
    for (let i = 0; i < count; i++) {
      const entry = await this.readAt(offset, SECTION_HEAD_BYTES);
      const type = entry.readUInt32LE(0);
      const length = Number(entry.readBigUInt64LE(4));
      offset += SECTION_HEAD_BYTES;
      if (!sections.includes(type)) this.refuse(`section ${type} does not belong here`);
      if (this.#places.has(type)) this.refuse(`section ${type} stands there twice`);
      if (offset + length > this.sizeBytes) this.refuse(`section ${type} is longer than the file`);
      this.#places.set(type, { offset, length });
      offset += length;
    }
    if (offset !== this.sizeBytes) this.refuse('bytes follow the last section');
  }

  /** Where a section of the format lies. */
  place(type: number): SectionPlace {
    return this.#places.get(type) ?? this.refuse(`section ${type} is missing`);
  }

  /** Checks a section's length in bytes. */
  expectLength(type: number, length: number): void {
    const actual = this.place(type).length;
    if (actual !== length) this.refuse(`section ${type} must be ${length} bytes long, not ${actual}`);
  }

  /** Bytes of the file wherever they lie. */
  async readAt(position: number, length: number): Promise<Buffer<ArrayBuffer>> {
    if (position + length > this.sizeBytes) this.refuse(`the file ends before byte ${position + length}`);
    const data = Buffer.alloc(length);
    for (let done = 0; done < length;) {
      const { bytesRead } = await this.#file.read(data, done, length - done, position + done);
      if (bytesRead === 0) this.refuse('the file became shorter while it was read');
      done += bytesRead;
    }
    return data;
  }

  /** Bytes of a section, all of them or a part. */
  async read(type: number, start = 0, length = this.place(type).length - start): Promise<Buffer<ArrayBuffer>> {
    const place = this.place(type);
    if (start + length > place.length) this.refuse(`section ${type} ends before byte ${start + length}`);
    return this.readAt(place.offset + start, length);
  }

  /**
   * A digest of the open file, lower-case hex: of what is read, even when another file has taken its name.
   * @param share - told how far it has come, 0..1
   */
  async digest(algorithm: 'sha256' | 'blake2b512', share: (share: number) => void = () => {}): Promise<string> {
    const hash = createHash(algorithm);
    for (let at = 0; at < this.sizeBytes; at += HASH_CHUNK_BYTES) {
      const length = Math.min(HASH_CHUNK_BYTES, this.sizeBytes - at);
      hash.update(await this.readAt(at, length));
      share((at + length) / this.sizeBytes);
    }
    return hash.digest('hex');
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
