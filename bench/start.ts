/** Wall time of `npm start` on a fresh clone: from nothing, with what it installs and the keys it makes, and the second time. */
import { firstAndSecondRun } from './fresh/clone.ts';
import type { Figure } from './figure.ts';

/** See `firstAndSecondRun`. */
export function run(): Promise<Figure[]> {
  return firstAndSecondRun('start', 'npm ci and keys');
}
