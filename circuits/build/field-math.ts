/** BN254 scalar-field arithmetic on integers, for key generation: secrets here are the public development trapdoor. */
import { FIELD_ORDER } from '#protocol/field.ts';

/** A generator of the multiplicative group whose odd part gives the roots of unity that ffjavascript and snarkjs use. */
const NON_RESIDUE = 5n;
/** r - 1 = 2^28 · odd. */
const TWO_ADICITY = 28;

/** a mod r, in 0..r-1. */
export function reduce(value: bigint): bigint {
  const result = value % FIELD_ORDER;
  return result < 0n ? result + FIELD_ORDER : result;
}

/** base^exponent mod r. */
export function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = reduce(base);
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * square) % FIELD_ORDER;
    square = (square * square) % FIELD_ORDER;
  }
  return result;
}

/** 1/value mod r; value must not be 0. */
export function inverse(value: bigint): bigint {
  return power(value, FIELD_ORDER - 2n);
}

/** The primitive 2^exponent-th root of unity, exponent in 0..28. */
export function rootOfUnity(exponent: number): bigint {
  return power(NON_RESIDUE, (FIELD_ORDER - 1n) >> BigInt(exponent > TWO_ADICITY ? Number.NaN : exponent));
}

/** 1/v for every value, with one inversion; no value may be 0. */
export function batchInverse(values: readonly bigint[]): bigint[] {
  const prefix = new Array<bigint>(values.length);
  let product = 1n;
  for (let i = 0; i < values.length; i++) {
    prefix[i] = product;
    product = (product * values[i]!) % FIELD_ORDER;
  }
  let suffix = inverse(product);
  const result = new Array<bigint>(values.length);
  for (let i = values.length - 1; i >= 0; i--) {
    result[i] = (prefix[i]! * suffix) % FIELD_ORDER;
    suffix = (suffix * values[i]!) % FIELD_ORDER;
  }
  return result;
}

/**
 * Lagrange polynomials of the domain of 2^exponent elements, evaluated at a point outside it.
 * L_i(t) = w^i · (t^n - 1) / (n · (t - w^i)).
 * @param exponent - log2 of the domain size n
 * @param point - t
 * @param first - the first index wanted, 0 or 1
 * @param step - 1 for all, 2 for every second
 */
export function lagrangeAt(exponent: number, point: bigint, first: 0 | 1, step: 1 | 2): bigint[] {
  const size = 2 ** exponent;
  const root = rootOfUnity(exponent);
  const stride = step === 1 ? root : reduce(root * root);
  const count = size / step;
  const powers = new Array<bigint>(count);
  let w = first === 0 ? 1n : root;
  for (let i = 0; i < count; i++) {
    powers[i] = w;
    w = (w * stride) % FIELD_ORDER;
  }
  const factor = reduce((power(point, BigInt(size)) - 1n) * inverse(BigInt(size)));
  const inverses = batchInverse(powers.map((element) => reduce(point - element)));
  return powers.map((element, i) => (((element * factor) % FIELD_ORDER) * inverses[i]!) % FIELD_ORDER);
}
