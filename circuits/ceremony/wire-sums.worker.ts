/** A thread that does the task of its `workerData`: it posts how far it has come, then the points. */
import { parentPort, workerData } from 'node:worker_threads';
import { buildBn128 } from 'ffjavascript';
import { sumsHere, type SumTask } from './wire-sums.ts';

const points = await sumsHere(await buildBn128(true), workerData as SumTask, (share) => parentPort!.postMessage(share));
parentPort!.postMessage(points, [points.buffer as ArrayBuffer]);
