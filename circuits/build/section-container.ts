/** The container of circom's and snarkjs' binary files, and the witness file ("wtns", version 2), written in one piece. */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { FIELD_ORDER } from '#protocol/field.ts';

/** Width of a field element in these files. */
export const FIELD_BYTES = 32;

/** Writes a field element, little-endian. */
export function putField(view: DataView, offset: number, value: bigint): void {
  for (let limb = 0; limb < 4; limb++) view.setBigUint64(offset + 8 * limb, BigInt.asUintN(64, value >> BigInt(64 * limb)), true);
}

/** magic, version, then sections as type, length, data; integers little-endian. */
export function container(
  magic: string,
  version: number,
  sections: readonly (readonly [type: number, data: Uint8Array])[],
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + sections.reduce((sum, [, data]) => sum + 12 + data.length, 0));
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 4; i++) bytes[i] = magic.charCodeAt(i);
  view.setUint32(4, version, true);
  view.setUint32(8, sections.length, true);
  let offset = 12;
  for (const [type, data] of sections) {
    view.setUint32(offset, type, true);
    view.setBigUint64(offset + 4, BigInt(data.length), true);
    bytes.set(data, offset + 12);
    offset += 12 + data.length;
  }
  return bytes;
}

/** A witness file whose values are yet to be written: `values` are its last bytes, 32 for each wire, all 0. */
export function emptyWitnessFile(wireCount: number): { file: Uint8Array<ArrayBuffer>; values: Uint8Array<ArrayBuffer> } {
  const header = new Uint8Array(4 + FIELD_BYTES + 4);
  const view = new DataView(header.buffer);
  view.setUint32(0, FIELD_BYTES, true);
  putField(view, 4, FIELD_ORDER);
  view.setUint32(4 + FIELD_BYTES, wireCount, true);
  const file = container('wtns', 2, [
    [1, header],
    [2, new Uint8Array(wireCount * FIELD_BYTES)],
  ]);
  return { file, values: file.subarray(file.length - wireCount * FIELD_BYTES) };
}

/**
 * The sections of a container by type; of several of one type the last.
 * @param code - what a malformed container is refused with
 */
export function sectionsOf(bytes: Uint8Array, magic: string, version: number, code: ErrorCode): Map<number, Uint8Array> {
  const refuse = (reason: string): never => {
    throw new StunError(code, reason);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || Buffer.from(bytes.subarray(0, 4)).toString('latin1') !== magic)
    refuse(`expected the magic "${magic}"`);
  if (view.getUint32(4, true) !== version) refuse(`expected format version ${version}, got ${view.getUint32(4, true)}`);
  const sections = new Map<number, Uint8Array>();
  let offset = 12;
  for (let i = view.getUint32(8, true); i > 0; i--) {
    if (offset + 12 > bytes.length) refuse('the file ends inside a section header');
    const type = view.getUint32(offset, true);
    const length = Number(view.getBigUint64(offset + 4, true));
    if (offset + 12 + length > bytes.length) refuse(`section ${type} is longer than the file`);
    sections.set(type, bytes.subarray(offset + 12, offset + 12 + length));
    offset += 12 + length;
  }
  return sections;
}
