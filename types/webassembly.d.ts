/** The part of WebAssembly's JavaScript API that STUN uses and the type package of Node leaves out. */
declare namespace WebAssembly {
  /** Compiled code without state; opaque. */
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>;
  }
  type Imports = Readonly<Record<string, Readonly<Record<string, (...args: number[]) => number | void>>>>;
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  const Module: new (bytes: Uint8Array<ArrayBuffer>) => Module;
  const Instance: new (module: Module, imports: Imports) => Instance;
  function compile(bytes: Uint8Array): Promise<Module>;
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean;
  function instantiate(module: Module, imports: Imports): Promise<Instance>;
}
