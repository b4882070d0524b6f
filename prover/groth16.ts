/**
 * Groth16 over BN254 by snarkjs, single-threaded: one prover per core gives more than one prover on all cores, and no thread
 * starts threads of its own.
 */
import { buildBn128, type Bn128 } from 'ffjavascript';
import { groth16 } from 'snarkjs';
import { bigIntToBytes, toHex, type Hex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { SettlementProof } from './interface.ts';

/** Proof points as the Solidity verifier takes them: 32-byte coordinates, those of `b` as (c1, c0). */
export type ProofPoints = Pick<SettlementProof, 'a' | 'b' | 'c'>;

/** A made proof with the public signals that its witness has; not verified yet. */
export type MadeProof = ProofPoints & { readonly signals: readonly bigint[] };

/** Where snarkjs looks for a curve before it builds a multi-threaded one. */
const curveHolder = globalThis as { curve_bn128?: Bn128 | null };

let singleThreaded: Promise<Bn128> | undefined;

/** Makes snarkjs use one single-threaded curve in this thread from now on. */
async function useSingleThreadedCurve(): Promise<void> {
  singleThreaded ??= buildBn128(true);
  curveHolder.curve_bn128 = await singleThreaded;
}

function coordinate(value: unknown): Hex {
  return toHex(bigIntToBytes(BigInt(value as string), 32, 'coordinate'));
}

function pair(values: readonly unknown[]): [Hex, Hex] {
  return [coordinate(values[0]), coordinate(values[1])];
}

/**
 * Makes a proof.
 * @param zkey - proving key, the bytes of a `zkey` file
 * @param witness - the bytes of a `wtns` file of the same circuit
 * @throws `STUN_PROOF_WITNESS` when key and witness are not of one circuit
 */
export async function proveGroth16(zkey: Uint8Array, witness: Uint8Array): Promise<MadeProof> {
  await useSingleThreadedCurve();
  let made: Awaited<ReturnType<typeof groth16.prove>>;
  try {
    made = await groth16.prove(zkey, witness);
  } catch (cause) {
    if (cause instanceof Error && cause.message.startsWith('Invalid witness length')) {
      throw new StunError('STUN_PROOF_WITNESS', 'the witness is of another circuit than the proving key', { cause });
    }
    throw cause;
  }
  const { pi_a, pi_b, pi_c } = made.proof;
  const twisted = (point: readonly unknown[] | undefined): [Hex, Hex] => pair((point ?? []).slice(0, 2).reverse());
  return {
    a: pair(pi_a),
    b: [twisted(pi_b[0]), twisted(pi_b[1])],
    c: pair(pi_c),
    signals: made.publicSignals.map((signal) => BigInt(signal)),
  };
}
