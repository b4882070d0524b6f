/** A customer's order over a compiled model: its demands commit to tensors, and a worker's receipts over them are checked likewise. */
import assert from 'node:assert/strict';
import {
  commitIntegers,
  encodeTensors,
  fieldToHex,
  jobHeaderToWire,
  orderIdOf,
  orderKeyOf,
  policyIdOf,
  publicModelFromWire,
  publicModelToWire,
  receiptRecordFromWire,
  toHex,
  utf8,
  type PublicModel,
} from '#protocol/index.ts';
import { canonicalPolicyJson, defaultPolicy } from '#attestation/index.ts';
import { checkResult } from '#client/receipt-check.ts';
import { orderRecordFromWire, orderRecordToWire, type OrderRecord } from '#client/store/order-record.ts';
import { readCompiledModel } from '#worker/model/compiled.ts';
import { ModelRunner } from '#worker/model/runner.ts';
import { rejectsCode, throwsCode } from '../assert-code.ts';
import { NOW } from '../protocol/fixtures.ts';
import { compiledFixture, integerInput } from '../worker/compiled-fixture.ts';
import { makeWorld, type World } from '../worker/fixtures.ts';
import { CPU, LIMITS } from '../worker/onnx-models.ts';
import { makeOrderRecord, removeFolders, temporaryStore } from './store-fixtures.ts';

type Fixture = Awaited<ReturnType<typeof compiledFixture>>;

function publicModelOf(folder: Fixture): PublicModel {
  return publicModelFromWire({
    manifest: new TextDecoder().decode(folder.manifest),
    verificationKey: toHex(folder.verificationKeyBytes),
    ceremonyHash: toHex(folder.ceremonyHash),
  });
}

describe('client order over a compiled model', function () {
  this.timeout(300_000);
  let folder: Fixture;
  let runner: ModelRunner;
  let world: World;
  before(async () => {
    folder = await compiledFixture();
    runner = await ModelRunner.start(await readCompiledModel(folder.directory), CPU, LIMITS);
    world = await makeWorld(runner, {});
  });
  after(async () => {
    world.close();
    runner.close();
    await removeFolders();
  });

  function recordOver(publicModel: PublicModel): OrderRecord {
    const { order } = world;
    return { ...makeOrderRecord(), ...order, orderKey: orderKeyOf(order.place.funder, order.orderId), publicModel };
  }

  async function openLane(order: OrderRecord) {
    const { store } = await temporaryStore();
    await store.orders.create(order);
    const { keys, leaf } = world.enclave;
    return store.lanes.forEnclave(order, {
      provider: leaf.provider,
      keysetBytes: keys.keysetBytes,
      keyset: keys.keyset,
      keysetDigest: keys.enclaveId,
      signerId: keys.signerId,
      evidenceText: '{}',
      hardwareIdHash: leaf.hardwareIdHash,
      leafExpiresAtUnix: leaf.expiresAtUnix,
      simulated: true,
      verifiedAtUnix: NOW,
      evidenceExpiresAtUnix: NOW + 86_400,
    });
  }

  it('commits to the integers, takes the worker at its receipt, and no other output', async () => {
    const order = recordOver(publicModelOf(folder));
    const lane = await openLane(order);
    const payload = encodeTensors([integerInput(folder, [5, 6, 7, 8])]);
    const job = await lane.demand({ payload, maxPrice: 1000n });
    assert.equal(job.header.inputCommitment, commitIntegers(folder.model.input, [5, 6, 7, 8], job.inputBlinding));
    const [place] = await lane.files.jobs();
    assert.deepEqual(await lane.files.job(place!), job, 'the stored demand opens by the same rule');
    const outcome = await world.serve({ wire: jobHeaderToWire(job.header), envelope: job.envelope });
    assert.ok(outcome.kind === 'receipted');
    const record = receiptRecordFromWire(outcome.record);
    const context = {
      order,
      keyset: world.enclave.keys.keyset,
      job,
      heads: [job.header.previousHead, job.head],
      earlier: new Map(),
    };
    const checked = await checkResult(record, outcome.sealedResult, context);
    assert.equal(checked.status, 'served');
    const other = await compiledFixture(-0.3);
    const scaled = publicModelOf(other);
    const output = { ...scaled.model.output, shape: { ...scaled.model.output.shape, scale: 255 } };
    const wrong = { ...order, publicModel: { ...scaled, model: { ...scaled.model, output } } };
    await rejectsCode(checkResult(record, outcome.sealedResult, { ...context, order: wrong }), 'STUN_RECEIPT_MISMATCH');
    await lane.close();
  });

  it('sends nothing that the model does not take', async () => {
    const lane = await openLane(recordOver(publicModelOf(folder)));
    const payload = encodeTensors([{ ...integerInput(folder, [1, 2, 3, 4]), dims: [4] }]);
    await rejectsCode(lane.demand({ payload, maxPrice: 1000n }), 'STUN_MODEL_INPUT_SHAPE');
    const renamed = encodeTensors([{ ...integerInput(folder, [1, 2, 3, 4]), name: 'other' }]);
    await rejectsCode(lane.demand({ payload: renamed, maxPrice: 1000n }), 'STUN_MODEL_INPUT_NAME');
    const wide = encodeTensors([{ ...integerInput(folder, [1, 2, 3, 4, 0, 0, 0, 0]), dtype: 'uint16' }]);
    await rejectsCode(lane.demand({ payload: wide, maxPrice: 1000n }), 'STUN_MODEL_INPUT_DTYPE');
    const given = publicModelOf(folder);
    const tight = { ...given, model: { ...given.model, inputMaxima: [0, 0, 0, 0] } };
    const tightLane = await openLane(recordOver(tight));
    const inRange = encodeTensors([integerInput(folder, [1, 2, 3, 4])]);
    await rejectsCode(tightLane.demand({ payload: inRange, maxPrice: 1000n }), 'STUN_MODEL_INPUT_RANGE');
    await tightLane.close();
    assert.deepEqual(await lane.files.jobs(), []);
    await lane.close();
  });

  it('keeps what verifies proofs, and no other model for it', async () => {
    const publicModel = publicModelOf(folder);
    const policyText = canonicalPolicyJson(defaultPolicy);
    const opening = { ...world.order.opening, policyId: policyIdOf(utf8(policyText)) };
    const order = { ...recordOver(publicModel), opening, orderId: orderIdOf(opening), policyText };
    const wire = orderRecordToWire(order);
    assert.equal(orderRecordFromWire(wire).publicModel?.model.modelId, folder.model.modelId);
    const other = publicModelToWire(publicModelOf(await compiledFixture(-0.3)));
    throwsCode(() => orderRecordFromWire({ ...wire, publicModel: other }), 'STUN_STORE_DAMAGED');
    throwsCode(
      () => publicModelFromWire({ ...publicModelToWire(publicModel), verificationKey: other.verificationKey }),
      'STUN_MODEL_MANIFEST',
    );
    const renamed = publicModel.manifest.replace('"tiny"', '"tony"');
    const { model } = publicModelFromWire({ ...publicModelToWire(publicModel), manifest: renamed });
    assert.notEqual(fieldToHex(model.modelId), fieldToHex(folder.model.modelId), 'another manifest is another model');
  });
});
