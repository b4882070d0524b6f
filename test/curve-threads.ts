/**
 * A root hook of mocha: ends the worker threads that snarkjs starts for whoever asks it for a curve, and keeps in a global. A test that
 * verifies with snarkjs itself would otherwise keep its process alive for ever. Every curve that was ever put there is ended: two that ask
 * at once make one each, and a copy of the library, or a single-threaded curve, takes the place of an earlier one.
 */
interface SharedCurve {
  terminate: () => Promise<void>;
}

const made = new Set<SharedCurve>();
let current: SharedCurve | null = null;

Object.defineProperty(globalThis, 'curve_bn128', {
  get: () => current,
  set: (curve: SharedCurve | null) => {
    current = curve;
    if (curve !== null) made.add(curve);
  },
});

export const mochaHooks = {
  async afterAll(): Promise<void> {
    await Promise.all([...made].map((curve) => curve.terminate()));
  },
};
