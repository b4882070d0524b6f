/** Wall time of `npm test` on a fresh clone, with what it installs, and the second time. */
import { freshClone, npmSeconds, removeClone } from './fresh/clone.ts';
import { summarise, type Figure } from './figure.ts';

/** Once each; a quarter of an hour and more. */
export async function run(): Promise<Figure[]> {
  const folder = freshClone();
  try {
    const first = await npmSeconds(folder, 'test');
    const second = await npmSeconds(folder, 'test');
    return [
      summarise('npm test on a fresh clone, first run with npm ci, wall', 's', [first]),
      summarise('npm test on a fresh clone, second run, wall (beside the first)', 's', [second], first),
    ];
  } finally {
    removeClone(folder);
  }
}
