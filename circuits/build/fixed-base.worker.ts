/** A thread that multiplies the scalars of its `workerData` by a generator and posts the points. */
import { parentPort, workerData } from 'node:worker_threads';
import { buildBn128 } from 'ffjavascript';
import { FixedBase } from './fixed-base.ts';

const { group, scalars } = workerData as { readonly group: 'g1' | 'g2'; readonly scalars: readonly bigint[] };
const points = new FixedBase(await buildBn128(true), group, scalars.length).multiply(scalars);
parentPort!.postMessage(points, [points.buffer as ArrayBuffer]);
