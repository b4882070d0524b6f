/**
 * A worker that lies: it adds one to the first element of each output of a compiled model before it commits to it and signs. For showing, on the
 * development chain and simulated hardware alone, what becomes of a liar; `stun worker` has no way to do this.
 */
import { loadWorkerConfig } from '#worker/config.ts';
import { runWorker } from '#worker/main.ts';
import { inferenceProver } from '../commands/processes.ts';
import { stoppingSignal } from '../stopping.ts';

/** The payload ends with the output's elements, int32 little-endian. */
function addOne(payload: Uint8Array): Uint8Array {
  const changed = payload.slice();
  const view = new DataView(changed.buffer);
  view.setInt32(changed.length - 4, view.getInt32(changed.length - 4, true) + 1, true);
  return changed;
}

await runWorker(loadWorkerConfig(process.env), {
  signal: stoppingSignal(),
  createInferenceProver: inferenceProver,
  alterOutput: addOne,
});
