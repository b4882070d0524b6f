/** The frame `u32 big-endian length ‖ JSON of that length ‖ bytes`, content type application/vnd.stun.frame. */
import { parseCappedJsonBytes } from '#attestation/json/capped-json.ts';
import { concatBytes, uintBytes, utf8 } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';

export const FRAME_CONTENT_TYPE = 'application/vnd.stun.frame';

/** A frame taken apart; `document` is parsed but not validated. */
export interface Frame {
  readonly document: unknown;
  readonly bytes: Uint8Array;
}

/** Joins a document and bytes. */
export function encodeFrame(document: unknown, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const json = utf8(JSON.stringify(document));
  return concatBytes(uintBytes(json.length, 4), json, bytes);
}

/** Takes a frame apart. @throws `STUN_FRAME`, `STUN_JSON_FORMAT` */
export function decodeFrame(frame: Uint8Array): Frame {
  if (frame.length < 4) throw new StunError('STUN_FRAME', `a frame has at least 4 bytes, got ${frame.length}`);
  const length = new DataView(frame.buffer, frame.byteOffset, 4).getUint32(0);
  if (length > frame.length - 4) {
    throw new StunError('STUN_FRAME', `the document should have ${length} bytes, the frame has ${frame.length - 4} left`);
  }
  return { document: parseCappedJsonBytes(frame.subarray(4, 4 + length)), bytes: frame.subarray(4 + length) };
}
