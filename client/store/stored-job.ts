/**
 * One demand as it is stored before it is sent: header, exact ciphertext, the secrets that open and check its result, and the payload.
 * The file is written once and never changed.
 */
import { z } from 'zod';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  bytes32Hex,
  bytesToBigInt,
  committedTensorSchema,
  concatBytes,
  equalBytes,
  fieldFromHex,
  fieldHex,
  fieldToHex,
  fromHex,
  headOfHeader,
  inputCommitmentOf,
  jobHeaderFromWire,
  jobHeaderSchema,
  jobHeaderToWire,
  readDocument,
  StunError,
  toHex,
  uintBytes,
  unixSeconds,
  type CommittedTensor,
  type Hex,
  type JobHeader,
} from '#protocol/index.ts';
import { decodeFrame, encodeFrame } from '../frame.ts';

const schema = z.strictObject({
  version: z.literal(1),
  header: jobHeaderSchema,
  resultSecret: bytes32Hex,
  inputBlinding: fieldHex,
  /** Of a compiled model: the demand commits to its integers, not to the bytes. */
  inputTensor: committedTensorSchema.optional(),
  payloadSha256: bytes32Hex,
  createdAtUnix: unixSeconds,
  /** The job this one stands in for, after its lane ended. */
  replaces: fieldHex.optional(),
});

/** A stored demand. */
export interface StoredJob {
  readonly header: JobHeader;
  /** D_k. */
  readonly head: bigint;
  /** D_k as `0x` hex: the job's name everywhere. */
  readonly jobId: Hex;
  /** The sealed request, byte for byte as it is sent. */
  readonly envelope: Uint8Array;
  /** The committed bytes. */
  readonly payload: Uint8Array;
  readonly inputBlinding: bigint;
  /** Set when the demand commits to the integers of this tensor, not to the bytes. */
  readonly inputTensor: CommittedTensor | undefined;
  /** 32 bytes. */
  readonly resultSecret: Uint8Array;
  readonly createdAtUnix: number;
  readonly replaces: string | undefined;
}

/** The file's plaintext. */
export function encodeStoredJob(job: Omit<StoredJob, 'head' | 'jobId'>): Uint8Array<ArrayBuffer> {
  const document: z.infer<typeof schema> = {
    version: 1,
    header: jobHeaderToWire(job.header),
    resultSecret: toHex(job.resultSecret),
    inputBlinding: fieldToHex(job.inputBlinding),
    ...(job.inputTensor && { inputTensor: job.inputTensor }),
    payloadSha256: toHex(sha256(job.payload)),
    createdAtUnix: job.createdAtUnix,
    ...(job.replaces === undefined ? {} : { replaces: job.replaces }),
  };
  return encodeFrame(document, concatBytes(uintBytes(job.envelope.length, 4), job.envelope, job.payload));
}

/**
 * Reads a stored demand and checks that payload, digest and commitment belong together.
 * Does not check the demand's signature: the file is authenticated by the vault.
 * @throws `STUN_STORE_DAMAGED`
 */
export function decodeStoredJob(plain: Uint8Array, what: string): StoredJob {
  try {
    const { document, bytes } = decodeFrame(plain);
    const wire = readDocument(schema, document, 'stored job');
    const header = jobHeaderFromWire(wire.header);
    const envelopeEnd = 4 + Number(bytesToBigInt(bytes.subarray(0, 4)));
    const payload = bytes.slice(envelopeEnd);
    const inputBlinding = fieldFromHex(wire.inputBlinding, 'inputBlinding');
    if (bytes.length < envelopeEnd || !equalBytes(sha256(payload), fromHex(wire.payloadSha256))) {
      throw new StunError('STUN_STORE_DAMAGED', 'the payload has another digest');
    }
    if (inputCommitmentOf(wire.inputTensor, payload, inputBlinding) !== header.inputCommitment) {
      throw new StunError('STUN_STORE_DAMAGED', 'the payload has another commitment');
    }
    const head = headOfHeader(header);
    return {
      header,
      head,
      jobId: fieldToHex(head),
      envelope: bytes.slice(4, envelopeEnd),
      payload,
      inputBlinding,
      inputTensor: wire.inputTensor,
      resultSecret: fromHex(wire.resultSecret, 32, 'resultSecret'),
      createdAtUnix: wire.createdAtUnix,
      replaces: wire.replaces,
    };
  } catch (cause) {
    throw new StunError('STUN_STORE_DAMAGED', `${what} is no stored job`, { cause });
  }
}
