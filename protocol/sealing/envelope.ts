/**
 * The envelope around every ciphertext: framing, padding, and the associated data that fixes order and end of the chunks.
 * docs/protocol.md section 6. Knows no keys: those are in hpke.ts (requests, openings) and result.ts.
 */
import { bigIntToBytes, bytesToBigInt, concatBytes, uintBytes, utf8 } from '../bytes.ts';
import { StunError } from '../errors/stun-error.ts';

/** What an envelope carries. */
export const ENVELOPE_KIND = { request: 1, result: 2, opening: 3 } as const;
/** Name of a kind. */
export type EnvelopeKind = keyof typeof ENVELOPE_KIND;

const MAGIC = utf8('STUNENV1');
const CHUNK_LENGTH = 1 << 20;
/** Bytes that AES-GCM adds to a chunk. */
const TAG_LENGTH = 16;
/** Lengths of a single chunk that is shorter than the others; above them whole chunks. */
const BUCKETS = [1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18];

/** Seals or opens one chunk with its associated data. */
export type ChunkCipher = (chunk: Uint8Array, associatedData: Uint8Array, index: number) => Promise<Uint8Array>;

/** Length of the padded plaintext for `length` bytes of data (the 4-byte length included). */
export function paddedLength(length: number): number {
  const needed = length + 4;
  return BUCKETS.find((bucket) => bucket >= needed) ?? Math.ceil(needed / CHUNK_LENGTH) * CHUNK_LENGTH;
}

function associatedData(kind: EnvelopeKind, index: number, final: boolean): Uint8Array {
  return concatBytes(MAGIC, uintBytes(ENVELOPE_KIND[kind], 1), uintBytes(index, 4), uintBytes(final ? 1 : 0, 1));
}

/**
 * Pads, chunks and seals data.
 * @param head - the public part that the receiver needs to derive its key
 */
export async function sealEnvelope(
  kind: EnvelopeKind,
  head: Uint8Array,
  data: Uint8Array,
  cipher: ChunkCipher,
): Promise<Uint8Array<ArrayBuffer>> {
  const padded = new Uint8Array(paddedLength(data.length));
  padded.set(uintBytes(data.length, 4));
  padded.set(data, 4);
  const parts: Uint8Array[] = [MAGIC, uintBytes(ENVELOPE_KIND[kind], 1), uintBytes(head.length, 2), head];
  const chunks = Math.ceil(padded.length / CHUNK_LENGTH);
  for (let i = 0; i < chunks; i++) {
    const chunk = padded.subarray(i * CHUNK_LENGTH, (i + 1) * CHUNK_LENGTH);
    const sealed = await cipher(chunk, associatedData(kind, i, i === chunks - 1), i);
    parts.push(uintBytes(sealed.length, 4), sealed);
  }
  padded.fill(0);
  return concatBytes(...parts);
}

/** An envelope taken apart, nothing opened yet. */
export interface EnvelopeParts {
  readonly head: Uint8Array;
  readonly chunks: readonly Uint8Array[];
}

/**
 * Takes an envelope apart; exact consumption, no trailing bytes.
 * @throws `STUN_ENVELOPE_LAYOUT`
 */
export function parseEnvelope(kind: EnvelopeKind, headLength: number, envelope: Uint8Array): EnvelopeParts {
  const fail = (reason: string): never => {
    throw new StunError('STUN_ENVELOPE_LAYOUT', `${kind} envelope: ${reason}`);
  };
  const start = 11 + headLength;
  if (envelope.length <= start) fail(`more than ${start} bytes were expected, got ${envelope.length}`);
  if (MAGIC.some((byte, i) => envelope[i] !== byte)) fail('it must start with STUNENV1');
  if (envelope[8] !== ENVELOPE_KIND[kind]) fail(`kind ${ENVELOPE_KIND[kind]} was expected, got ${envelope[8]}`);
  if (bytesToBigInt(envelope.subarray(9, 11)) !== BigInt(headLength)) fail(`a head of ${headLength} bytes was expected`);
  const chunks: Uint8Array[] = [];
  let offset = start;
  while (offset < envelope.length) {
    const length = Number(bytesToBigInt(envelope.subarray(offset, offset + 4)));
    const end = offset + 4 + length;
    if (end > envelope.length) fail('it is truncated');
    if (length <= TAG_LENGTH || length > CHUNK_LENGTH + TAG_LENGTH) fail(`chunk ${chunks.length} has an impossible length`);
    // Only the last chunk may be short: of tiny ones, a body within its limit would hold millions, and each costs memory and time.
    if (end < envelope.length && length !== CHUNK_LENGTH + TAG_LENGTH) fail(`chunk ${chunks.length} is short and not the last`);
    chunks.push(envelope.subarray(offset + 4, end));
    offset = end;
  }
  return { head: envelope.subarray(11, start), chunks };
}

/**
 * Opens the chunks in order, the last one as final, and strips the padding.
 * @throws `STUN_ENVELOPE_OPEN` when a chunk does not open, `STUN_ENVELOPE_LAYOUT` when the padding is not ours
 */
export async function openEnvelope(
  kind: EnvelopeKind,
  parts: EnvelopeParts,
  cipher: ChunkCipher,
): Promise<Uint8Array<ArrayBuffer>> {
  const opened: Uint8Array[] = [];
  for (const [i, chunk] of parts.chunks.entries()) {
    try {
      opened.push(await cipher(chunk, associatedData(kind, i, i === parts.chunks.length - 1), i));
    } catch (cause) {
      throw new StunError('STUN_ENVELOPE_OPEN', `chunk ${i} of the ${kind} envelope does not open`, { cause });
    }
  }
  const padded = concatBytes(...opened);
  const length = Number(bytesToBigInt(padded.subarray(0, 4)));
  if (paddedLength(length) !== padded.length || padded.subarray(4 + length).some((byte) => byte !== 0)) {
    throw new StunError('STUN_ENVELOPE_LAYOUT', `the padding of the ${kind} envelope is not the one of its length`);
  }
  return padded.slice(4, 4 + length);
}

/** The AES-GCM nonce of chunk i for a key that is used for one envelope only. */
export function counterNonce(index: number): Uint8Array<ArrayBuffer> {
  return bigIntToBytes(BigInt(index), 12);
}
