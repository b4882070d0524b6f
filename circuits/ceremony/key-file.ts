/** Proving keys under ceremony: opening them strictly, writing them whole or not at all. */
import { FIELD_ORDER } from '#protocol/field.ts';
import { readField } from '../build/r1cs.ts';
import { BASE_FIELD_ORDER, G1_BYTES, G2_BYTES, parseZkeyHeader, ZkeyWriter, type ZkeyHeader } from '../build/zkey-format.ts';
import { contributionSection, parseContributions, type ContributionRecord } from './contribution-record.ts';
import { SectionFile, type SectionFormat } from './section-file.ts';
import { writeOnce } from './write-once.ts';

/** The sections that hold the key itself: IC, coefficients, A, B in G1, B in G2, C, H. */
export const KEY_SECTIONS = [3, 4, 5, 6, 7, 8, 9] as const;
/** Type of such a section. */
export type KeySection = (typeof KEY_SECTIONS)[number];

/** Section 8 (C) and 9 (H) are what a contribution changes. */
export const DELTA_SECTIONS = [8, 9] as const;

const ZKEY: SectionFormat = { magic: 'zkey', sections: [1, 2, ...KEY_SECTIONS, 10], refusal: 'STUN_CEREMONY_KEY_FORMAT' };
const GROTH16 = 1;
const HEADER_BYTES = 72 + 12 + 3 * G1_BYTES + 3 * G2_BYTES;
const COEFFICIENT_BYTES = 44;
const MOST_DOMAIN = 2 ** 28;

/** A proving key of Groth16 over BN254, open; points and proofs are not checked. The caller closes `sections`. */
export interface OpenKey {
  readonly sections: SectionFile;
  readonly header: ZkeyHeader;
  readonly record: ContributionRecord;
}

async function parseKey(sections: SectionFile): Promise<OpenKey> {
  sections.expectLength(1, 4);
  if ((await sections.read(1)).readUInt32LE(0) !== GROTH16) sections.refuse('expected a Groth16 key');
  sections.expectLength(2, HEADER_BYTES);
  const section = await sections.read(2);
  const view = new DataView(section.buffer, section.byteOffset, section.length);
  const isBn254 = [0, 36].every((at) => section.readUInt32LE(at) === 32) && readField(view, 4) === BASE_FIELD_ORDER;
  if (!isBn254 || readField(view, 40) !== FIELD_ORDER) sections.refuse('expected a key over BN254');
  const header = parseZkeyHeader(section);
  const { domainSize, publicCount, wireCount } = header;
  if (domainSize > MOST_DOMAIN || !Number.isInteger(Math.log2(domainSize))) sections.refuse(`a domain of ${domainSize} is none`);
  if (publicCount + 1 > wireCount) sections.refuse('more public wires than wires');
  const points = { 3: publicCount + 1, 5: wireCount, 6: wireCount, 8: wireCount - publicCount - 1, 9: domainSize };
  for (const [type, count] of Object.entries(points)) sections.expectLength(Number(type), count * G1_BYTES);
  sections.expectLength(7, wireCount * G2_BYTES);
  sections.expectLength(4, 4 + COEFFICIENT_BYTES * (await sections.read(4, 0, 4)).readUInt32LE(0));
  const record = parseContributions(await sections.read(10), (reason) => sections.refuse(reason));
  return { sections, header, record };
}

/** Opens a proving key. @throws `STUN_FILE`; `STUN_CEREMONY_KEY_FORMAT` when it is no whole Groth16 key over BN254 */
export async function openKey(path: string): Promise<OpenKey> {
  const sections = await SectionFile.open(path, ZKEY);
  try {
    return await parseKey(sections);
  } catch (thrown) {
    await sections.close();
    throw thrown;
  }
}

/** What {@link writeKey} writes. */
export interface KeyContent {
  readonly header: ZkeyHeader;
  readonly record: ContributionRecord;
  /** The bytes of a section; called once for each, in order. */
  readonly section: (type: KeySection) => Promise<Uint8Array>;
}

/** Writes a proving key that is not there yet. @throws `STUN_FILE`, and what `section` throws */
export async function writeKey(path: string, content: KeyContent): Promise<void> {
  await writeOnce(path, async (partial) => {
    const file = await ZkeyWriter.create(partial);
    try {
      await file.header(content.header);
      for (const type of KEY_SECTIONS) await file.section(type, await content.section(type));
      await file.section(10, contributionSection(content.record));
    } finally {
      await file.close();
    }
  });
}
