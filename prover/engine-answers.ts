/** What the engines compiled from prover/native/ answer, whatever they run on: statuses, proofs, and what they ask of a key's memory. */
import { bytesToBigInt, toHex, type Hex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { MadeProof } from './backend.ts';

/** Random bytes that one proof takes. */
export const RANDOMNESS_BYTES = 128;
const WORD_BYTES = 32;
/** Coordinates of a proof, in Solidity's order; public signals follow. */
const COORDINATES = 8;

/** The error of a status of prover/native/platform.hpp that is not 0. @param prover - what to call it */
export function errorOf(status: number, prover: string): StunError {
  switch (status) {
    case 1:
      return new StunError('STUN_PROVER_KEY', 'the proving key or the witness program is damaged, or is none over BN254');
    case 2:
      return new StunError('STUN_PROOF_WITNESS', 'the witness is damaged, or of another circuit than the proving key');
    case 3:
      return new StunError('STUN_PROVER_MEMORY', `the ${prover} prover needs more memory than it may use`);
    case 4:
      return new StunError('STUN_PROVER_ABORTED', 'the proof was stopped');
    default:
      return new StunError('STUN_INTERNAL', `the ${prover} prover answered with status ${status}`);
  }
}

/** Reads a proof. @param words - as prover/native/engine.hpp lays them out: 32 bytes each, big-endian */
export function madeProof(words: Uint8Array): MadeProof {
  const word = (i: number): Uint8Array => words.subarray(WORD_BYTES * i, WORD_BYTES * (i + 1));
  const pair = (i: number): [Hex, Hex] => [toHex(word(i)), toHex(word(i + 1))];
  const signals = Array.from({ length: words.length / WORD_BYTES - COORDINATES }, (_, i) => bytesToBigInt(word(COORDINATES + i)));
  return { a: pair(0), b: [pair(2), pair(4)], c: pair(6), signals };
}

/** The memory of a key that has a SharedArrayBuffer to itself and so must not change any more; undefined for every other. */
export function sharedMemoryOf(zkey: Uint8Array): SharedArrayBuffer | undefined {
  // Pages that are not isolated from other origins have no such memory.
  if (typeof SharedArrayBuffer === 'undefined' || !(zkey.buffer instanceof SharedArrayBuffer)) return undefined;
  return zkey.byteLength === zkey.buffer.byteLength ? zkey.buffer : undefined;
}
