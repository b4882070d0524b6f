/** The two forms of a proof: words of a bundle, arguments of a call. */
import type { ProofPoints as WireProof } from '#protocol/wire/proof-points.ts';
import type { ProofPoints } from './escrow.ts';

/** A proof of a bundle as the contracts take it. */
export function proofToChain({ a, b, c }: WireProof): ProofPoints {
  const pair = ([x, y]: readonly [string, string]): readonly [bigint, bigint] => [BigInt(x), BigInt(y)];
  return { a: pair(a), b: [pair(b[0]), pair(b[1])], c: pair(c) };
}

/** A proof of a call as a bundle holds it. */
export function proofFromChain({ a, b, c }: ProofPoints): WireProof {
  const word = (value: bigint | string): string => `0x${BigInt(value).toString(16).padStart(64, '0')}`;
  const pair = ([x, y]: ProofPoints['a']): [string, string] => [word(x), word(y)];
  return { a: pair(a), b: [pair(b[0]), pair(b[1])], c: pair(c) };
}
