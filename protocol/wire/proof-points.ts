/** A Groth16 proof as it travels: the Solidity verifier's order of coordinates, each coordinate of `b` as (c1, c0). */
import { z } from 'zod';
import { bytes32Hex } from './scalars.ts';

const pairHex = z.tuple([bytes32Hex, bytes32Hex]);

/** Points A, B and C; whether they are on their curves is for a verification to say. */
export const proofPointsSchema = z.strictObject({ a: pairHex, b: z.tuple([pairHex, pairHex]), c: pairHex });
export type ProofPoints = z.infer<typeof proofPointsSchema>;
