/**
 * A process that receipts jobs into a store as fast as it can until it is killed: the enclave and the customer in one. It writes one
 * line for every result that it released, that is after the store had it.
 */
import { fieldToHex, receiptRecordFromWire } from '#protocol/index.ts';
import type { Offer } from '#worker/enclave.ts';
import { makeWorld } from '../../unit/worker/fixtures.ts';

const [storePath] = process.argv.slice(2);
if (storePath === undefined) throw new RangeError('usage: receipting-process STORE');

// The model is beside the point here: an echo in place of onnxruntime makes more transactions a second.
const runner: Offer['runner'] = {
  file: { modelPath: '', modelSha256: '0x', modelId: 7n, manifest: {} as never },
  run: (tensors) => Promise.resolve(tensors),
};
const world = await makeWorld(runner, { storePath, terms: { segmentLength: 5 } });
for (;;) {
  const outcome = await world.serve(await world.customer.next());
  if (outcome.kind !== 'receipted') throw new Error(`unexpected ${outcome.code}`);
  const { receipt } = receiptRecordFromWire(outcome.record);
  process.stdout.write(`${fieldToHex(receipt.demandHead)}\n`);
}
