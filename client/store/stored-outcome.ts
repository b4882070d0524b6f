/** How a job ended for this client: a verified receipt with the exact sealed result, or void. Written once. */
import { z } from 'zod';
import {
  isErrorCode,
  readDocument,
  receiptRecordFromWire,
  receiptRecordSchema,
  receiptRecordToWire,
  StunError,
  unixSeconds,
  type ErrorCode,
  type ReceiptRecord,
} from '#protocol/index.ts';
import { decodeFrame, encodeFrame } from '../frame.ts';

const schema = z.discriminatedUnion('kind', [
  z.strictObject({ version: z.literal(1), kind: z.literal('receipted'), record: receiptRecordSchema, seenAtUnix: unixSeconds }),
  z.strictObject({
    version: z.literal(1),
    kind: z.literal('void'),
    code: z.string(),
    reason: z.string(),
    seenAtUnix: unixSeconds,
  }),
]);

/** A receipt that was verified against what was sent and received. */
export interface ReceiptedOutcome {
  readonly kind: 'receipted';
  readonly record: ReceiptRecord;
  /** The exact bytes that the receipt's deliveryDigest covers. */
  readonly sealedResult: Uint8Array;
  readonly seenAtUnix: number;
}

/** No receipt will come. */
export interface VoidOutcome {
  readonly kind: 'void';
  readonly code: ErrorCode;
  readonly reason: string;
  readonly seenAtUnix: number;
}

export type StoredOutcome = ReceiptedOutcome | VoidOutcome;

/** The file's plaintext. */
export function encodeOutcome(outcome: StoredOutcome): Uint8Array<ArrayBuffer> {
  if (outcome.kind === 'void') return encodeFrame({ version: 1, ...outcome }, new Uint8Array(0));
  const { kind, seenAtUnix } = outcome;
  return encodeFrame({ version: 1, kind, record: receiptRecordToWire(outcome.record), seenAtUnix }, outcome.sealedResult);
}

/** Reads an outcome. @throws `STUN_STORE_DAMAGED` */
export function decodeOutcome(plain: Uint8Array, what: string): StoredOutcome {
  try {
    const { document, bytes } = decodeFrame(plain);
    const wire = readDocument(schema, document, 'stored outcome');
    if (wire.kind === 'void') {
      const code = isErrorCode(wire.code) ? wire.code : 'STUN_INTERNAL';
      return { kind: 'void', code, reason: wire.reason, seenAtUnix: wire.seenAtUnix };
    }
    return {
      kind: 'receipted',
      record: receiptRecordFromWire(wire.record),
      sealedResult: bytes,
      seenAtUnix: wire.seenAtUnix,
    };
  } catch (cause) {
    throw new StunError('STUN_STORE_DAMAGED', `${what} is no stored outcome`, { cause });
  }
}
