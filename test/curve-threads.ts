/**
 * A root hook of mocha: ends the worker threads that snarkjs starts once in a process, for whoever first asks it for a curve, and keeps in
 * a global. A test that verifies with snarkjs itself would otherwise keep its process alive for ever.
 */
interface SharedCurve {
  terminate: () => Promise<void>;
}

export const mochaHooks = {
  async afterAll(): Promise<void> {
    await (globalThis as { curve_bn128?: SharedCurve | null }).curve_bn128?.terminate();
  },
};
