/**
 * The backend of last resort and the reference for the others: snarkjs, single-threaded. One prover per core gives more than one
 * prover on all cores, and no thread starts threads of its own.
 */
import { buildBn128, type Bn128 } from 'ffjavascript';
import { groth16 } from 'snarkjs';
import { bigIntToBytes, toHex, type Hex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Groth16Backend, KeyMemory, MadeProof } from './backend.ts';

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

async function prove(zkey: Uint8Array, witness: Uint8Array): Promise<MadeProof> {
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

/**
 * Measured, not known: snarkjs copies the lists of a key, and what it drops stays until it is collected. Resident memory grew by 120 MB in
 * proofs with a key of 16 MB, by 590 MB with one of 170 MB.
 */
const [LEAST_BYTES, TIMES_THE_KEY] = [160 * 2 ** 20, 4];

function measure(zkey: Uint8Array): KeyMemory {
  return { keyBytes: 0, proofBytes: () => LEAST_BYTES + TIMES_THE_KEY * zkey.length };
}

/** Needs nothing but JavaScript. */
export const snarkjsBackend: Groth16Backend = {
  name: 'snarkjs',
  engine: 'wasmcurves, one thread',
  mostThreads: 1,
  leavesGarbage: true,
  measure,
  prove,
};
