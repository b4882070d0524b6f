/** The bundle of attestation for browsers: it can be made, imports nothing, and is small. The count is its size after gzip. */
import { bundle, bundleProblems } from '../browser/bundle.ts';
import type { Gate } from './gate.ts';

export const browser: Gate = {
  name: 'browser',
  run: async () => {
    const made = await bundle('attestation/index.ts');
    return { count: made.gzipBytes, unit: 'bytes of gzip', problems: bundleProblems(made) };
  },
};
