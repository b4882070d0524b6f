/** The part of WebAssembly's JavaScript API that STUN uses and the type package of Node leaves out. */
declare namespace WebAssembly {
  /** Compiled code without state; opaque. */
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(
    module: Module,
    imports: Readonly<Record<string, Readonly<Record<string, (...args: number[]) => void>>>>,
  ): Promise<Instance>;
}
