/** The frame of requests that carry a document and bytes: `length u32 ‖ JSON ‖ bytes`, as in docs/api/openapi (stun.frame). */
import { bytesToBigInt, concatBytes, uintBytes, utf8 } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';

/** A frame taken apart. */
export interface Frame {
  readonly document: unknown;
  readonly bytes: Uint8Array;
}

/** Joins a document and bytes. The document is written as JSON.stringify writes it. */
export function encodeFrame(document: unknown, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const json = utf8(JSON.stringify(document));
  return concatBytes(uintBytes(json.length, 4), json, bytes);
}

/** Takes a frame apart. @throws `STUN_INPUT` */
export function decodeFrame(frame: Uint8Array): Frame {
  const length = frame.length < 4 ? -1 : Number(bytesToBigInt(frame.subarray(0, 4)));
  if (length < 0 || length > frame.length - 4) throw new StunError('STUN_INPUT', 'a frame is truncated');
  try {
    const document: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(frame.subarray(4, 4 + length)));
    return { document, bytes: frame.slice(4 + length) };
  } catch (cause) {
    throw new StunError('STUN_INPUT', 'the document of a frame is not JSON', { cause });
  }
}
