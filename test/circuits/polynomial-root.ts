/** A root of a polynomial over BN254's scalar field: what an attacker solves who may choose two slopes. */
import { FIELD_ORDER } from '#protocol/field.ts';
import { inverse, reduce } from '#circuits/build/field-math.ts';

/** Coefficients, the constant first, none 0 at the end. */
export type Polynomial = readonly bigint[];

function trimmed(coefficients: bigint[]): Polynomial {
  while (coefficients.at(-1) === 0n) coefficients.pop();
  return coefficients;
}

/** a + factor·b. */
export function plus(a: Polynomial, b: Polynomial, factor = 1n): Polynomial {
  return trimmed(Array.from({ length: Math.max(a.length, b.length) }, (_, i) => reduce((a[i] ?? 0n) + factor * (b[i] ?? 0n))));
}

/** a·b. */
export function times(a: Polynomial, b: Polynomial): Polynomial {
  const product = new Array<bigint>(Math.max(a.length + b.length - 1, 0)).fill(0n);
  for (const [i, x] of a.entries()) for (const [j, y] of b.entries()) product[i + j] = reduce(product[i + j]! + x * y);
  return trimmed(product);
}

/** a mod b. */
function remainder(a: Polynomial, b: Polynomial): Polynomial {
  const scale = inverse(b.at(-1)!);
  let rest = a;
  while (rest.length >= b.length) {
    const lifted = [...new Array<bigint>(rest.length - b.length).fill(0n), ...b];
    rest = plus(rest, lifted, -rest.at(-1)! * scale);
  }
  return rest;
}

function commonDivisor(a: Polynomial, b: Polynomial): Polynomial {
  return b.length === 0 ? a : commonDivisor(b, remainder(a, b));
}

function powerModulo(base: Polynomial, exponent: bigint, modulus: Polynomial): Polynomial {
  let result: Polynomial = [1n];
  for (const bit of exponent.toString(2)) {
    result = remainder(times(result, result), modulus);
    if (bit === '1') result = remainder(times(result, base), modulus);
  }
  return result;
}

/**
 * A root, or undefined when there is none.
 * @param polynomial - of degree 2 or more
 */
export function rootOf(polynomial: Polynomial): bigint | undefined {
  let found = commonDivisor(polynomial, plus(powerModulo([0n, 1n], FIELD_ORDER, polynomial), [0n, 1n], -1n));
  for (let shift = 1n; found.length > 2; shift++) {
    const half = powerModulo([shift, 1n], (FIELD_ORDER - 1n) / 2n, found);
    const part = commonDivisor(found, plus(half, [1n], -1n));
    if (part.length > 1 && part.length < found.length) found = part;
  }
  return found.length === 2 ? reduce(-found[0]! * inverse(found[1]!)) : undefined;
}
