/** The part of circomlibjs 0.1.7 that STUN uses. */
declare module 'circomlibjs' {
  /** Field elements are Montgomery byte arrays inside the library; F converts. */
  export interface WasmField {
    e(value: bigint | number | string): Uint8Array;
    toObject(element: Uint8Array): bigint;
  }
  export interface Poseidon {
    (inputs: readonly bigint[], initialState?: bigint, outputs?: number): Uint8Array;
    readonly F: WasmField;
  }
  export function buildPoseidon(): Promise<Poseidon>;
  export interface EddsaSignature {
    readonly R8: [Uint8Array, Uint8Array];
    readonly S: bigint;
  }
  export interface Eddsa {
    readonly F: WasmField;
    prv2pub(privateKey: Uint8Array): [Uint8Array, Uint8Array];
    signPoseidon(privateKey: Uint8Array, message: Uint8Array): EddsaSignature;
    verifyPoseidon(message: Uint8Array, signature: EddsaSignature, publicKey: [Uint8Array, Uint8Array]): boolean;
  }
  export function buildEddsa(): Promise<Eddsa>;
  export const poseidonContract: {
    createCode(inputs: number): string;
    generateABI(inputs: number): readonly object[];
  };
}
