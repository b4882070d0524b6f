/** Wall time of `npm start` on a fresh clone: from nothing, with what it installs and the keys it makes, and the second time. */
import { freshClone, npmSeconds, removeClone } from './fresh/clone.ts';
import { summarise, type Figure } from './figure.ts';

/** Once each: a first run can only be repeated on another clone, and the download is part of it. */
export async function run(): Promise<Figure[]> {
  const folder = freshClone();
  try {
    const first = await npmSeconds(folder, 'start');
    const second = await npmSeconds(folder, 'start');
    return [
      summarise('npm start on a fresh clone, first run with npm ci and keys, wall', 's', [first]),
      summarise('npm start on a fresh clone, second run, wall (beside the first)', 's', [second], first),
    ];
  } finally {
    removeClone(folder);
  }
}
