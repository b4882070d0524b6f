/** What a caller of a witness program has to know of its file: which values it takes, and the names of the rules it may find broken. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { FIELD_ORDER } from '#protocol/field.ts';
import { FIELD_BYTES, putField, sectionsOf } from '../build/section-container.ts';
import type { CircuitSignals } from '../settlement-input.ts';
import type { ProgramInput } from './witness-program.ts';

export { emptyWitnessFile } from '../build/section-container.ts';

/** The outside of a program. */
export interface ProgramInterface {
  readonly wireCount: number;
  readonly inputs: readonly ProgramInput[];
  /** Signals of the constraint that each rule is. */
  readonly rules: readonly string[];
}

/**
 * Reads the outside of a program of our own compiler, whose hash was checked.
 * @throws `STUN_PROVER_KEY` when the bytes are no program
 */
export function programInterface(bytes: Uint8Array): ProgramInterface {
  const sections = sectionsOf(bytes, 'wprg', 1, 'STUN_PROVER_KEY');
  const [header, names] = [sections.get(1), sections.get(5)];
  if (header === undefined || names === undefined)
    throw new StunError('STUN_PROVER_KEY', 'the witness program has no header or no names');
  // A decoder takes no shared memory.
  const { inputs, rules } = JSON.parse(new TextDecoder().decode(names.slice())) as Pick<ProgramInterface, 'inputs' | 'rules'>;
  return { wireCount: new DataView(header.buffer, header.byteOffset).getUint32(0, true), inputs, rules };
}

/**
 * Values of named signals in the order of a program's inputs, 32 bytes each, little-endian.
 * @throws `STUN_CIRCUIT_INPUT` when signals are missing, unknown or of another length, `STUN_RANGE` for a value that is no field element
 */
export function inputBytes(inputs: readonly ProgramInput[], signals: CircuitSignals): Uint8Array<ArrayBuffer> {
  const known = new Set(inputs.map(({ name }) => name));
  // An array of no signals has no wires, so nothing but its lack of values tells it from an unknown name.
  const unknown = Object.entries(signals).find(([name, value]) => !known.has(name) && [value].flat().length > 0);
  if (unknown !== undefined) throw new StunError('STUN_CIRCUIT_INPUT', `signal ${unknown[0]} must have a place in the circuit`);
  const bytes = new Uint8Array(inputs.reduce((sum, { size }) => sum + size, 0) * FIELD_BYTES);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const { name, size } of inputs) {
    const values = Object.hasOwn(signals, name) ? [signals[name]!].flat() : [];
    if (values.length !== size)
      throw new StunError('STUN_CIRCUIT_INPUT', `signal ${name} must have ${size} values, got ${values.length}`);
    for (const value of values) {
      if (value < 0n || value >= FIELD_ORDER) throw new StunError('STUN_RANGE', `signal ${name} must be a field element below r`);
      putField(view, offset, value);
      offset += FIELD_BYTES;
    }
  }
  return bytes;
}
