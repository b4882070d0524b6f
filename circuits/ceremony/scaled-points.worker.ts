/** A thread that scales points by a secret. */
import { workerData } from 'node:worker_threads';
import { buildBn128 } from 'ffjavascript';
import { scaledHere, wipe, type ScaleTask } from './scaled-points.ts';
import { answerFromThread } from './thread-tasks.ts';

const curve = await buildBn128(true);
await answerFromThread(async (share) => {
  try {
    return await scaledHere(curve, workerData as ScaleTask, share);
  } finally {
    wipe(curve);
  }
});
