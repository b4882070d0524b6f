/** The part of the WebAssembly JavaScript interface that STUN uses; Node has it, its type package does not. */
declare namespace WebAssembly {
  type ImportValue = (...args: number[]) => number | void;
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, ImportValue>>);
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}
