/**
 * What is left of a trusted-setup ceremony: the transcript that names everything which went into a proving key, and the list of verification
 * keys that a deployment accepts, each with the hash of its transcript. docs/ceremony.md.
 *
 * A transcript is a function of circuit, powers of tau and key: `stun ceremony verify` makes it again, byte for byte. Reading one proves nothing
 * by itself; what counts is that its hash stands in an allow-list, put there by somebody who verified it.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import { toHex, utf8, type Hex } from './bytes.ts';
import { StunError } from './errors/stun-error.ts';
import { bytes32Hex, readDocument } from './wire/scalars.ts';

const hash32 = z.string().regex(/^[0-9a-f]{64}$/);
const hash64 = z.string().regex(/^[0-9a-f]{128}$/);
const count = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);

const beaconSchema = z.strictObject({
  /** What nobody could know beforehand, 1..255 bytes of hex. */
  value: z.string().regex(/^(?:[0-9a-f]{2}){1,255}$/),
  /** log2 of the SHA-256 iterations. */
  iterationsExponent: z.int().min(10).max(32),
});

const transcriptSchema = z.strictObject({
  format: z.literal('stun/ceremony-transcript/v1'),
  circuit: z.strictObject({ r1csSha256: hash32, constraints: count, wires: count, publicSignals: count, domainSize: count }),
  powersOfTau: z.strictObject({ power: z.int().min(1).max(28), blake2b512: hash64 }),
  /** BLAKE2b-512 over the key as phase 2 started it, as snarkjs prints it. */
  circuitHash: hash64,
  contributions: z.array(z.strictObject({ name: z.string().max(255), hash: hash64, beacon: beaconSchema.nullable() })),
  key: z.strictObject({ zkeySha256: hash32, vkHash: bytes32Hex }),
});

/** A transcript; hashes without prefix are plain hex, as `sha256sum` and `b2sum` print them. */
export type CeremonyTranscript = Readonly<z.infer<typeof transcriptSchema>>;

/** Contributions that a finished ceremony has at least, besides the beacon. */
export const LEAST_CONTRIBUTIONS = 2;

/** The one text of a transcript. */
export function transcriptText(transcript: CeremonyTranscript): string {
  return `${JSON.stringify(transcript, null, 2)}\n`;
}

/** SHA-256 of a transcript's text: the `ceremonyHash` of the router and of allow-lists. */
export function transcriptHashOf(text: string): Hex {
  return toHex(sha256(utf8(text)));
}

/**
 * Refuses a ceremony that is not finished: too few contributions, no beacon, a beacon anywhere but at the end.
 * @returns the transcript
 * @throws `STUN_CEREMONY_INCOMPLETE`
 */
export function assertFinished(transcript: CeremonyTranscript): CeremonyTranscript {
  const beacons = transcript.contributions.map((one) => one.beacon !== null);
  const people = beacons.filter((isBeacon) => !isBeacon).length;
  if (people < LEAST_CONTRIBUTIONS) {
    throw new StunError('STUN_CEREMONY_INCOMPLETE', `expected at least ${LEAST_CONTRIBUTIONS} contributions, got ${people}`);
  }
  if (beacons.indexOf(true) !== beacons.length - 1) {
    throw new StunError('STUN_CEREMONY_INCOMPLETE', 'expected exactly one beacon, at the end');
  }
  return transcript;
}

/**
 * Reads a transcript: the text must be exactly what {@link transcriptText} makes, and the ceremony finished.
 * Does not verify anything that the transcript says.
 * @throws `STUN_CEREMONY_TRANSCRIPT`, `STUN_CEREMONY_INCOMPLETE`
 */
export function parseTranscript(text: string): CeremonyTranscript {
  let transcript: CeremonyTranscript;
  try {
    transcript = readDocument(transcriptSchema, JSON.parse(text), 'transcript');
  } catch (cause) {
    const reason = cause instanceof StunError ? cause.message : 'a transcript must be JSON';
    throw new StunError('STUN_CEREMONY_TRANSCRIPT', reason, { cause });
  }
  if (transcriptText(transcript) !== text) {
    throw new StunError('STUN_CEREMONY_TRANSCRIPT', 'a transcript must be written as `stun ceremony finalise` writes it');
  }
  return assertFinished(transcript);
}

const allowedKeysSchema = z.array(z.strictObject({ vkHash: bytes32Hex, transcriptHash: bytes32Hex }));

/** A verification key that a deployment accepts, with the hash of the transcript that was verified. */
export type AllowedKey = Readonly<z.infer<typeof allowedKeysSchema>[number]>;

/** Reads an allow-list. @throws `STUN_INPUT` */
export function parseAllowedKeys(document: unknown): readonly AllowedKey[] {
  return readDocument(allowedKeysSchema, document, 'list of allowed keys');
}

/** What {@link assertAllowed} found. */
export interface AllowedCeremony {
  readonly transcript: CeremonyTranscript;
  readonly transcriptHash: Hex;
}

/**
 * Accepts a verification key only with the transcript that the allow-list names for it.
 * @param vkHash - of the verifier that is to be used, docs/protocol.md section 3
 * @param text - the transcript's file; undefined when there is none
 * @throws `STUN_CEREMONY_NOT_ALLOWED` for a key that is not on the list or comes without a transcript; `STUN_CEREMONY_TRANSCRIPT` for a
 *   transcript that is not the listed one or malformed; `STUN_CEREMONY_CIRCUIT` for the listed transcript of another key
 */
export function assertAllowed(allowed: readonly AllowedKey[], vkHash: string, text: string | undefined): AllowedCeremony {
  const entries = allowed.filter((entry) => entry.vkHash === vkHash);
  if (entries.length !== 1)
    throw new StunError('STUN_CEREMONY_NOT_ALLOWED', `the key ${vkHash} is not on the list of allowed keys`);
  if (text === undefined) throw new StunError('STUN_CEREMONY_NOT_ALLOWED', `the key ${vkHash} comes without a transcript`);
  const transcript = parseTranscript(text);
  if (transcript.key.vkHash !== vkHash) {
    throw new StunError('STUN_CEREMONY_CIRCUIT', `the transcript is of the key ${transcript.key.vkHash}, not of ${vkHash}`);
  }
  const transcriptHash = transcriptHashOf(text);
  if (entries[0]!.transcriptHash !== transcriptHash) {
    throw new StunError(
      'STUN_CEREMONY_TRANSCRIPT',
      `the transcript has the hash ${transcriptHash}, the list says ${entries[0]!.transcriptHash}`,
    );
  }
  return { transcript, transcriptHash };
}
