/** Groth16 verification keys: reading them out of a proving key, their JSON form for snarkjs, their hash and their family. */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bigIntToBytes, concatBytes, fromHex, toHex, utf8, type Hex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { readField } from './r1cs.ts';
import { BASE_FIELD_ORDER, G1_BYTES, parseZkeyHeader, readZkeySections, type ZkeyHeader } from './zkey-format.ts';

/** Affine point of G1, decimal strings, third coordinate "1". */
export type G1Json = readonly [string, string, string];
/** Affine point of G2, coordinates [c0, c1], third coordinate ["1", "0"]. */
export type G2Json = readonly [readonly [string, string], readonly [string, string], readonly [string, string]];

/** The verification key in the form that snarkjs' `groth16.verify` takes. */
export interface VerificationKey {
  readonly protocol: 'groth16';
  readonly curve: 'bn128';
  readonly nPublic: number;
  readonly vk_alpha_1: G1Json;
  readonly vk_beta_2: G2Json;
  readonly vk_gamma_2: G2Json;
  readonly vk_delta_2: G2Json;
  readonly IC: readonly G1Json[];
}

/** 2^-256 mod q: undoes the Montgomery form of the file. */
const MONTGOMERY_INVERSE = inverseMod(1n << 256n, BASE_FIELD_ORDER);

/** 1/value mod a prime, by Fermat. */
function inverseMod(value: bigint, prime: bigint): bigint {
  let result = 1n;
  let square = value % prime;
  for (let e = prime - 2n; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * square) % prime;
    square = (square * square) % prime;
  }
  return result;
}

/** Coordinates of a point in the file, decimal. */
function coordinates(point: Uint8Array): string[] {
  const view = new DataView(point.buffer, point.byteOffset, point.byteLength);
  return Array.from({ length: point.length / 32 }, (_, i) =>
    String((readField(view, 32 * i) * MONTGOMERY_INVERSE) % BASE_FIELD_ORDER),
  );
}

function g1Json(point: Uint8Array): G1Json {
  const [x, y] = coordinates(point) as [string, string];
  return [x, y, '1'];
}

function g2Json(point: Uint8Array): G2Json {
  const [x0, x1, y0, y1] = coordinates(point) as [string, string, string, string];
  return [
    [x0, x1],
    [y0, y1],
    ['1', '0'],
  ];
}

/** Whether two points of G2 are the same. */
function sameG2(a: G2Json, b: G2Json): boolean {
  return a.flat().join() === b.flat().join();
}

/**
 * Refuses a key that anybody can forge for: before the first phase-2 contribution gamma equals delta, and then
 * A = alpha, B = beta, C = -vk_x verifies for every statement.
 * @returns the key
 * @throws `STUN_CIRCUIT_FORGEABLE_KEY`
 */
export function assertNotForgeable(key: VerificationKey): VerificationKey {
  if (sameG2(key.vk_gamma_2, key.vk_delta_2)) {
    throw new StunError('STUN_CIRCUIT_FORGEABLE_KEY', 'gamma and delta of a verification key must differ');
  }
  return key;
}

/** The verification key that a proving key's header and its IC section hold. Checks neither points nor ceremony. */
export function verificationKeyOf(header: ZkeyHeader, ic: Uint8Array): VerificationKey {
  const points = Array.from({ length: ic.length / G1_BYTES }, (_, i) => ic.subarray(i * G1_BYTES, (i + 1) * G1_BYTES));
  return {
    protocol: 'groth16',
    curve: 'bn128',
    nPublic: header.publicCount,
    vk_alpha_1: g1Json(header.alpha1),
    vk_beta_2: g2Json(header.beta2),
    vk_gamma_2: g2Json(header.gamma2),
    vk_delta_2: g2Json(header.delta2),
    IC: points.map((point) => g1Json(point)),
  };
}

/** Reads the verification key of a proving key. Checks neither points nor ceremony. */
export async function readVerificationKey(zkeyPath: string): Promise<VerificationKey> {
  const sections = await readZkeySections(zkeyPath, [2, 3]);
  const headerSection = sections.get(2);
  const ic = sections.get(3);
  if (headerSection === undefined || ic === undefined)
    throw new StunError('STUN_FILE', `${zkeyPath} must have header and IC sections`);
  return verificationKeyOf(parseZkeyHeader(headerSection), ic);
}

function word(decimal: string): Uint8Array {
  return bigIntToBytes(BigInt(decimal), 32, 'coordinate');
}

/** The words of a G1 point: x, y. */
export function g1Words([x, y]: G1Json): readonly string[] {
  return [x, y];
}

/** The words of a G2 point as Solidity's precompile takes them: x.c1, x.c0, y.c1, y.c0. */
export function g2Words([x, y]: G2Json): readonly string[] {
  return [x[1], x[0], y[1], y[0]];
}

/** The fixed encoding of docs/protocol.md section 3: alpha1, beta2, gamma2, delta2, IC as 32-byte big-endian words. */
export function verificationKeyBytes(key: VerificationKey): Uint8Array {
  const words = [
    ...g1Words(key.vk_alpha_1),
    ...g2Words(key.vk_beta_2),
    ...g2Words(key.vk_gamma_2),
    ...g2Words(key.vk_delta_2),
    ...key.IC.flatMap(g1Words),
  ];
  return concatBytes(...words.map(word));
}

/** vkHash: sha256 over the fixed encoding. */
export function vkHashOf(key: VerificationKey): Hex {
  return toHex(sha256(verificationKeyBytes(key)));
}

/** Family of a settlement verifier: keccak256(abi.encode("stun/family/settlement/v1", N, vkHash)). */
export function settlementFamilyOf(n: number, vkHash: Hex): Hex {
  const name = utf8('stun/family/settlement/v1');
  const padded = new Uint8Array(Math.ceil(name.length / 32) * 32);
  padded.set(name);
  // abi.encode of (string, uint256, bytes32): the string's offset, the two words, then its length and bytes.
  const encoded = concatBytes(word('96'), word(String(n)), fromHex(vkHash, 32, 'vkHash'), word(String(name.length)), padded);
  return toHex(keccak_256(encoded));
}
