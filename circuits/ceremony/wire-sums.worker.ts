/** A thread that sums for every wire. */
import { workerData } from 'node:worker_threads';
import { buildBn128 } from 'ffjavascript';
import { answerFromThread } from './thread-tasks.ts';
import { sumsHere, type SumTask } from './wire-sums.ts';

const curve = await buildBn128(true);
await answerFromThread((share) => sumsHere(curve, workerData as SumTask, share));
