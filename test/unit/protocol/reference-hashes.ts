/** The hashes of docs/protocol.md as others make them: circomlibjs' Poseidon and Node's SHA-256. Tags are given as the numbers of its table. */
import { createHash } from 'node:crypto';
import { buildPoseidon } from 'circomlibjs';

/** Poseidon of the inputs with the tag as element 0 of the state. */
export type TaggedHash = (tag: bigint, inputs: readonly bigint[]) => bigint;

export async function referencePoseidon(): Promise<TaggedHash> {
  const reference = await buildPoseidon();
  return (tag, inputs) => reference.F.toObject(reference(inputs, tag));
}

export function sha256Of(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** The two integers of 128 bits in 32 bytes. */
export function halvesOf(digest: Uint8Array): readonly [bigint, bigint] {
  const hex = Buffer.from(digest).toString('hex');
  return [BigInt(`0x${hex.slice(0, 32)}`), BigInt(`0x${hex.slice(32)}`)];
}
