/** The part of ffjavascript 0.3.1 that STUN uses: the BN254 curve in WebAssembly. */
declare module 'ffjavascript' {
  /** A point or field element in the library's internal form (Montgomery, little-endian). */
  export type Element = Uint8Array;

  export interface WasmGroup {
    /** Generator, Jacobian. */
    readonly g: Element;
    readonly F: { readonly n8: number };
    timesFr(point: Element, scalar: Element): Element;
    /** @param scalar - little-endian, of any length, not in Montgomery form */
    timesScalar(point: Element, scalar: Uint8Array): Element;
    toAffine(point: Element): Element;
    neg(point: Element): Element;
    eq(a: Element, b: Element): boolean;
    isZero(point: Element): boolean;
    /** Whether a point is on the curve; says nothing about its subgroup. */
    isValid(point: Element): boolean;
    /** A point of the group that nobody knows a logarithm of. */
    fromRng(rng: ChaCha): Element;
    /** Big-endian coordinates, not in Montgomery form. */
    toUncompressed(point: Element): Uint8Array;
    batchLEMtoU(points: Uint8Array): Promise<Uint8Array>;
    /** Sum of scalar times affine point. @param scalars - little-endian, all of one length, as many as points */
    multiExpAffine(points: Uint8Array, scalars: Uint8Array): Promise<Element>;
    /** Affine coordinates as decimal-ready integers; G2 coordinates are [c0, c1]. */
    toObject(point: Element): readonly (bigint | readonly bigint[])[];
  }

  export interface WasmScalarField {
    e(value: bigint | number): Element;
    readonly one: Element;
    inv(element: Element): Element;
    fromRng(rng: ChaCha): Element;
    /** Primitive 2^i-th roots of unity. */
    readonly w: readonly Element[];
    toObject(element: Element): bigint;
  }

  export interface WasmMemory {
    /** Replaced by every growth: take views anew. */
    readonly buffer: ArrayBuffer;
    /** @param pages - of 64 KiB, to add */
    grow(pages: number): number;
  }

  export interface WasmInstance {
    /** Calls by name: every function takes and returns 32-bit integers (pointers, counts). */
    readonly exports: Readonly<Record<string, (...args: number[]) => number>>;
  }

  export interface Bn128 {
    readonly name: string;
    readonly q: bigint;
    readonly r: bigint;
    readonly G1: WasmGroup;
    readonly G2: WasmGroup;
    readonly Fr: WasmScalarField;
    readonly tm: { readonly memory: WasmMemory; readonly u32: Uint32Array; readonly instance: WasmInstance };
    /** Whether the product of the pairings of (G1, G2) pairs is 1. */
    pairingEq(...points: readonly Element[]): Promise<boolean>;
    terminate(): Promise<void>;
  }

  /** The generator of pseudo-random numbers of the library. */
  export class ChaCha {
    /** @param seed - eight 32-bit words */
    constructor(seed: readonly number[]);
  }

  /** @param singleThread - true: no worker threads are started and nothing has to be terminated */
  export function buildBn128(singleThread: boolean): Promise<Bn128>;
}
