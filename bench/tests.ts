/** Wall time of `npm test` on a fresh clone, with what it installs, and the second time; a quarter of an hour and more. */
import { firstAndSecondRun } from './fresh/clone.ts';
import type { Figure } from './figure.ts';

/** See `firstAndSecondRun`. */
export function run(): Promise<Figure[]> {
  return firstAndSecondRun('test', 'npm ci');
}
