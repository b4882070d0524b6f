/** Writes a model circuit as circom's binary constraint file and its witness as snarkjs' binary witness file. */
import { FIELD_ORDER } from '#protocol/field.ts';
import type { Linear } from './linear.ts';
import type { ConstraintSystem } from './system.ts';

const FIELD_BYTES = 32;

function putField(view: DataView, offset: number, value: bigint): void {
  for (let limb = 0; limb < 4; limb++) view.setBigUint64(offset + 8 * limb, BigInt.asUintN(64, value >> BigInt(64 * limb)), true);
}

/** magic, version, then sections as type, length, data; integers little-endian. */
function container(magic: string, version: number, sections: readonly (readonly [type: number, data: Uint8Array])[]): Uint8Array {
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

function headerSection(system: ConstraintSystem): Uint8Array {
  const data = new Uint8Array(4 + FIELD_BYTES + 4 * 4 + 8 + 4);
  const view = new DataView(data.buffer);
  view.setUint32(0, FIELD_BYTES, true);
  putField(view, 4, FIELD_ORDER);
  const { publicCount, inputCount } = system.layout;
  // Wires, public outputs, public inputs, private inputs; labels are the wires themselves.
  for (const [i, count] of [system.wireCount, publicCount, 0, inputCount].entries()) view.setUint32(36 + 4 * i, count, true);
  view.setBigUint64(52, BigInt(system.wireCount), true);
  view.setUint32(60, system.rows.length, true);
  return data;
}

function constraintSection(system: ConstraintSystem): Uint8Array {
  const parts = system.rows.flatMap(({ a, b, c }): Linear[] => [a, b, c]);
  const data = new Uint8Array(parts.reduce((sum, { terms }) => sum + 4 + terms.size * (4 + FIELD_BYTES), 0));
  const view = new DataView(data.buffer);
  let offset = 0;
  for (const { terms } of parts) {
    view.setUint32(offset, terms.size, true);
    offset += 4;
    for (const [wire, coefficient] of [...terms].toSorted(([a], [b]) => a - b)) {
      view.setUint32(offset, wire, true);
      putField(view, offset + 4, coefficient);
      offset += 4 + FIELD_BYTES;
    }
  }
  return data;
}

/** The `.r1cs` file, version 1: header, constraints, and a map of wires to labels that is the identity. */
export function r1csBytes(system: ConstraintSystem): Uint8Array {
  const labels = new Uint8Array(8 * system.wireCount);
  const view = new DataView(labels.buffer);
  for (let wire = 0; wire < system.wireCount; wire++) view.setBigUint64(8 * wire, BigInt(wire), true);
  return container('r1cs', 1, [
    [1, headerSection(system)],
    [2, constraintSection(system)],
    [3, labels],
  ]);
}

/** The `.wtns` file, version 2. @param values - one per wire, canonical */
export function witnessBytes(values: readonly bigint[]): Uint8Array {
  const header = new Uint8Array(4 + FIELD_BYTES + 4);
  const view = new DataView(header.buffer);
  view.setUint32(0, FIELD_BYTES, true);
  putField(view, 4, FIELD_ORDER);
  view.setUint32(4 + FIELD_BYTES, values.length, true);
  const data = new Uint8Array(values.length * FIELD_BYTES);
  const out = new DataView(data.buffer);
  for (const [wire, value] of values.entries()) putField(out, wire * FIELD_BYTES, value);
  return container('wtns', 2, [
    [1, header],
    [2, data],
  ]);
}
