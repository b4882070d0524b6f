/** Writes a model circuit as circom's binary constraint file and its witness as snarkjs' binary witness file. */
import { FIELD_ORDER } from '#protocol/field.ts';
import { container, emptyWitnessFile, FIELD_BYTES, putField } from '../../build/section-container.ts';
import type { Linear } from './linear.ts';
import type { ConstraintSystem } from './system.ts';

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
  const { file, values: data } = emptyWitnessFile(values.length);
  const view = new DataView(data.buffer, data.byteOffset);
  for (const [wire, value] of values.entries()) putField(view, wire * FIELD_BYTES, value);
  return file;
}
