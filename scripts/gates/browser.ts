/** The bundle of attestation for browsers: it can be made, imports nothing, and is small. The count is its size after gzip. */
import { bundleAttestation } from '../browser/bundle.ts';
import type { Gate } from './gate.ts';

export const browser: Gate = {
  name: 'browser',
  run: async () => {
    const { gzipBytes, problems } = await bundleAttestation();
    return { count: gzipBytes, unit: 'bytes of gzip', problems };
  },
};
