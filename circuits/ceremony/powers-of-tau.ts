/**
 * Powers of tau: phase 1 of a ceremony, made by others. A file is trusted for its BLAKE2b-512 digest alone, which must stand in a table of
 * published digests (powers-of-tau.json names their origin); where the file came from does not matter.
 *
 * Format: snarkjs 0.7.6, prepared for phase 2 (`powersoftau prepare phase2`). Sections: 1 header, 2 tau in G1, 3 tau in G2, 4 alpha·tau,
 * 5 beta·tau, 6 beta in G2, 7 contributions, 12 to 15 the Lagrange bases of every domain for tau in G1 and G2, alpha and beta.
 * The points are not checked one by one: the digest is of a file that was, in public, and that everybody else uses.
 */
import { z } from 'zod';
import { StunError } from '#protocol/errors/stun-error.ts';
import { readDocument } from '#protocol/wire/scalars.ts';
import { readField } from '../build/r1cs.ts';
import { BASE_FIELD_ORDER, G1_BYTES, G2_BYTES } from '../build/zkey-format.ts';
import published from './powers-of-tau.json' with { type: 'json' };
import { SectionFile, type SectionFormat } from './section-file.ts';

/** Largest power of any file. */
const MOST_POWER = 28;

/** One file of a table of digests. */
export interface PublishedPowers {
  /** log2 of the most rows of a circuit, public ones included; 1..28. */
  readonly power: number;
  readonly file: string;
  readonly bytes: number;
  /** Of the whole file, 64 bytes, lower-case hex. */
  readonly blake2b512: string;
}

/** Digests that people have published and compared: the table that everything outside a rehearsal uses. */
export const PUBLISHED_POWERS: readonly PublishedPowers[] = published.files;

const tableSchema = z.array(
  z.strictObject({
    power: z.int().min(1).max(MOST_POWER),
    file: z.string().min(1),
    bytes: z.int().positive(),
    blake2b512: z.string().regex(/^[0-9a-f]{128}$/),
  }),
);

/** Reads a table of digests, for rehearsals. @throws `STUN_INPUT` */
export function parsePowersTable(document: unknown): readonly PublishedPowers[] {
  return readDocument(tableSchema, document, 'table of digests');
}

/** A powers-of-tau file whose digest stands in the table, open. The caller closes `sections`. */
export interface VerifiedPowers {
  readonly entry: PublishedPowers;
  readonly sections: SectionFile;
}

/** Told how far a longer step has come: 0..1. */
export type Share = (share: number) => void;

const PTAU: SectionFormat = {
  magic: 'ptau',
  sections: [1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15],
  refusal: 'STUN_CEREMONY_PTAU_FORMAT',
};
const HEADER_BYTES = 4 + 32 + 4 + 4;

/**
 * The row of a table that an open file has by its size and then by its digest.
 * @throws `STUN_CEREMONY_PTAU_SIZE`, `STUN_CEREMONY_PTAU_DIGEST`
 */
async function entryOf(file: SectionFile, table: readonly PublishedPowers[], share: Share): Promise<PublishedPowers> {
  const { path, sizeBytes } = file;
  const rows = table.filter((row) => row.bytes === sizeBytes);
  if (rows.length === 0)
    throw new StunError('STUN_CEREMONY_PTAU_SIZE', `${path} has ${sizeBytes} bytes, which no published file has`);
  const digest = await file.digest('blake2b512', share);
  const entry = rows.find((row) => row.blake2b512 === digest);
  if (entry !== undefined) return entry;
  throw new StunError(
    'STUN_CEREMONY_PTAU_DIGEST',
    `${path} has the BLAKE2b-512 digest ${digest.slice(0, 32)}…, which is not published`,
  );
}

async function checkStructure(sections: SectionFile, power: number): Promise<void> {
  sections.expectLength(1, HEADER_BYTES);
  const header = await sections.read(1);
  const order = readField(new DataView(header.buffer, header.byteOffset, header.length), 4);
  if (header.readUInt32LE(0) !== 32 || order !== BASE_FIELD_ORDER) sections.refuse('expected powers of tau over BN254');
  const actual = header.readUInt32LE(36);
  if (actual !== power || power < 1 || power > MOST_POWER) sections.refuse(`expected power ${power}, got ${actual}`);
  const size = 2 ** power;
  sections.expectLength(2, (2 * size - 1) * G1_BYTES);
  sections.expectLength(3, size * G2_BYTES);
  sections.expectLength(4, size * G1_BYTES);
  sections.expectLength(5, size * G1_BYTES);
  sections.expectLength(6, G2_BYTES);
  sections.expectLength(12, (4 * size - 1) * G1_BYTES);
  sections.expectLength(13, (2 * size - 1) * G2_BYTES);
  sections.expectLength(14, (2 * size - 1) * G1_BYTES);
  sections.expectLength(15, (2 * size - 1) * G1_BYTES);
  if ((await sections.read(7, 0, 4)).readUInt32LE(0) === 0) sections.refuse('nobody contributed to these powers of tau');
}

/**
 * Opens a powers-of-tau file once and checks its size, its digest and its structure, in this order: what was hashed is what is read, whatever
 * takes the file's name meanwhile. Somebody who writes into the file itself is not noticed.
 * @param leastPower - log2 of the domain of the circuit it is for
 * @param table - digests to accept: {@link PUBLISHED_POWERS} but for rehearsals and tests
 * @throws `STUN_FILE`, `STUN_CEREMONY_PTAU_SIZE`, `STUN_CEREMONY_PTAU_DIGEST`, `STUN_CEREMONY_PTAU_FORMAT`, `STUN_CEREMONY_PTAU_POWER`
 */
export async function openPowersOfTau(
  path: string,
  leastPower: number,
  table: readonly PublishedPowers[],
  share: Share = () => {},
): Promise<VerifiedPowers> {
  let entry!: PublishedPowers;
  const sections = await SectionFile.open(path, PTAU, async (file) => {
    entry = await entryOf(file, table, share);
  });
  try {
    await checkStructure(sections, entry.power);
    if (entry.power < leastPower) {
      throw new StunError('STUN_CEREMONY_PTAU_POWER', `${path} has power ${entry.power}, the circuit needs ${leastPower}`);
    }
  } catch (thrown) {
    await sections.close();
    throw thrown;
  }
  return { entry, sections };
}

/** The Lagrange basis of the domain of 2^exponent elements out of section 12 to 15, affine points in Montgomery form. */
export function lagrangeBasis(
  powers: VerifiedPowers,
  section: 12 | 13 | 14 | 15,
  exponent: number,
): Promise<Buffer<ArrayBuffer>> {
  const pointBytes = section === 13 ? G2_BYTES : G1_BYTES;
  const size = 2 ** exponent;
  return powers.sections.read(section, (size - 1) * pointBytes, size * pointBytes);
}
