/** `tensorCommitment` of `protocol/commitments.ts` inside a model circuit. */
import type { TensorShape } from '#protocol/commitments.ts';
import { TAG } from '#protocol/tags.ts';
import { Linear } from '../linear.ts';
import type { ConstraintSystem } from '../system.ts';
import { poseidonOf } from './poseidon.ts';
import { fromBits, toBits } from './range.ts';

const WORD_BYTES = 31;
const WORDS_PER_STEP = 14;

/**
 * The commitment of elements that are proven, elsewhere, to be in [0, 256^bytesPerElement): packing does not check it, and an element
 * out of range would have a second opening.
 */
export function commitTensor(
  system: ConstraintSystem,
  shape: TensorShape,
  elements: readonly Linear[],
  blinding: Linear,
): Linear {
  const constant = (value: number | bigint): Linear => Linear.constant(BigInt(value));
  const words = packed(system, elements, shape.bytesPerElement);
  let state = poseidonOf(system, TAG.tensorFirst, [
    constant(shape.dtype),
    constant(shape.scale),
    constant(shape.dims.length),
    ...shape.dims.map(constant),
    blinding,
  ]);
  for (let i = 0; i < words.length; i += WORDS_PER_STEP) {
    const step = words.slice(i, i + WORDS_PER_STEP);
    while (step.length < WORDS_PER_STEP) step.push(Linear.zero);
    state = poseidonOf(system, TAG.tensorStep, [state, ...step]);
  }
  return state;
}

/** A run of whole bytes: part of an element, or all of it. */
interface Piece {
  readonly of: Linear;
  readonly bytes: number;
}

/**
 * Bytes laid end to end, big-endian, cut into words of 31, the last one filled up with zeros on the right. An element that lies across two
 * words is cut there, which takes its bits.
 */
function packed(system: ConstraintSystem, elements: readonly Linear[], bytesPerElement: number): Linear[] {
  const words: Piece[][] = [[]];
  let room = WORD_BYTES;
  for (const of of elements) {
    const pieces =
      room === 0 || bytesPerElement <= room ? [{ of, bytes: bytesPerElement }] : cut(system, of, bytesPerElement, room);
    for (const piece of pieces) {
      if (room === 0) {
        words.push([]);
        room = WORD_BYTES;
      }
      words.at(-1)!.push(piece);
      room -= piece.bytes;
    }
  }
  return words.map((pieces) => {
    let offset = WORD_BYTES;
    return Linear.combine(pieces.map(({ of, bytes }) => [1n << BigInt(8 * (offset -= bytes)), of] as const));
  });
}

/** The first `room` bytes of an element and the rest. */
function cut(system: ConstraintSystem, of: Linear, bytes: number, room: number): Piece[] {
  const bits = toBits(system, 'packing', of, 8 * bytes);
  const rest = bytes - room;
  return [
    { of: fromBits(bits.slice(8 * rest)), bytes: room },
    { of: fromBits(bits.slice(0, 8 * rest)), bytes: rest },
  ];
}
