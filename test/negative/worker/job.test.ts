/** Jobs that a worker refuses or fails. Each differs from a good job in one thing and gets one code. */
import assert from 'node:assert/strict';
import {
  decodeErrorPayload,
  encodeTensors,
  generateEddsaKeyPair,
  opaqueModelIdOfDigests,
  payloadCommitment,
  randomField,
  receiptHashOf,
  receiptRecordFromWire,
  statementOver,
  StunError,
  utf8,
  type ErrorCode,
  type JobHeaderWire,
  type Receipt,
} from '#protocol/index.ts';
import type { LeasedJob } from '#worker/job.ts';
import type { ModelRunner } from '#worker/model/runner.ts';
import { checkResult } from '#client/receipt-check.ts';
import { rejectsCode } from '../../unit/assert-code.ts';
import { NOW } from '../../unit/protocol/fixtures.ts';
import {
  Customer,
  makeKeys,
  makeWorld,
  orderOver,
  reordered,
  vector,
  type JobChange,
  type World,
} from '../../unit/worker/fixtures.ts';
import { doubling, runnerOf } from '../../unit/worker/onnx-models.ts';

describe('worker refusals', () => {
  let runner: ModelRunner;
  let world: World;
  before(async () => {
    runner = await runnerOf(doubling());
  });
  beforeEach(async () => {
    world = await makeWorld(runner);
  });
  afterEach(() => world.close());
  after(() => runner.close());

  async function declines(
    code: ErrorCode,
    change: JobChange = {},
    leased: Partial<LeasedJob> = {},
    wire: (header: JobHeaderWire) => unknown = (header) => header,
  ): Promise<void> {
    const sent = await world.customer.next(change);
    const outcome = await world.serve(sent, { header: wire(sent.wire), ...leased });
    assert.equal(outcome.kind, 'declined', outcome.kind === 'receipted' ? `a receipt with ${outcome.code}` : '');
    assert.equal(outcome.kind === 'declined' && outcome.code, code, outcome.kind === 'declined' ? outcome.reason : '');
    assert.equal(world.enclave.store.segments().length, 0, 'nothing may be stored');
    assert.equal(world.enclave.running.size, 0, 'no reservation may stay');
  }

  async function fails(code: ErrorCode, change: JobChange): Promise<void> {
    const sent = await world.customer.next(change);
    const outcome = await world.serve(sent);
    assert.ok(outcome.kind === 'receipted', outcome.kind === 'declined' ? outcome.code : '');
    const { receipt } = receiptRecordFromWire(outcome.record);
    assert.deepEqual([outcome.code, receipt.status, receipt.price], [code, 'failed', 0n]);
    const { payload } = await world.customer.openResult(sent, outcome.sealedResult);
    assert.equal(decodeErrorPayload(payload), code);
  }

  async function envelopeOf(change: (envelope: Uint8Array) => Uint8Array): Promise<Uint8Array> {
    return change((await world.customer.next({ laneIndex: 9 })).envelope.slice());
  }

  describe('of ciphertext', () => {
    it('refuses a truncated envelope', async () => {
      const envelope = await envelopeOf((bytes) => bytes.slice(0, -1));
      await declines('STUN_ENVELOPE_LAYOUT', {}, { payload: () => Promise.resolve(envelope) });
    });

    it('refuses an envelope with a flipped bit', async () => {
      const sent = await world.customer.next();
      sent.envelope[sent.envelope.length - 1]! ^= 1;
      const outcome = await world.serve(sent);
      assert.ok(outcome.kind === 'declined' && outcome.code === 'STUN_ENVELOPE_OPEN');
    });

    it('refuses reordered chunks', async () => {
      const sent = await world.customer.next({ payload: new Uint8Array(2 << 20) });
      const outcome = await world.serve({ ...sent, envelope: reordered(sent.envelope) });
      assert.ok(outcome.kind === 'declined' && outcome.code === 'STUN_ENVELOPE_OPEN');
    });

    it('refuses the envelope of another demand', async () => {
      const other = await world.customer.next({ laneIndex: 4 });
      await declines('STUN_ENVELOPE_OPEN', {}, { payload: () => Promise.resolve(other.envelope) });
    });

    it('refuses an envelope that is sealed to another enclave', async () => {
      await declines('STUN_ENVELOPE_OPEN', { sealedTo: await makeKeys() });
    });

    it('refuses request data without room for the blindings', async () => {
      await declines('STUN_ENVELOPE_LAYOUT', { requestData: new Uint8Array(63) });
    });

    it('refuses a blinding that is no field element', async () => {
      await declines('STUN_RANGE', { requestData: new Uint8Array(100).fill(255) });
    });
  });

  describe('of demands', () => {
    it('refuses a demand signed by another key', () => declines('STUN_SIGNATURE', { signer: generateEddsaKeyPair() }));

    it('refuses a demand key of small order', async () => {
      const small = { x: `0x${'00'.repeat(32)}`, y: `0x${'00'.repeat(31)}01` };
      await declines('STUN_ORDER_OPENING', {}, {}, (header) => ({ ...header, demandKey: small }));
    });

    it('refuses an opening with a demand key of small order', async () => {
      const forged = { ...world.order, opening: { ...world.order.opening, demandKey: { x: 0n, y: 1n } } };
      await declines('STUN_KEY_SMALL_ORDER', {}, { opening: () => world.customer.opening(forged) });
    });

    it('refuses a demand for another provider', () =>
      declines('STUN_DEMAND_PROVIDER', { provider: '0x00000000000000000000000000000000000000a2' }));

    it('refuses a demand that names another enclave', () => declines('STUN_DEMAND_ENCLAVE', { signerId: randomField() }));

    it('refuses a job that is out of order', () => declines('STUN_LANE_INDEX', { k: 2 }));

    it('refuses a first job on an unknown head', () => declines('STUN_LANE_HEAD', { previousHead: 5n }));

    it('refuses a later job on an unknown head', async () => {
      await world.serve(await world.customer.next());
      const sent = await world.customer.next({ previousHead: 5n });
      const outcome = await world.serve(sent);
      assert.ok(outcome.kind === 'declined' && outcome.code === 'STUN_LANE_HEAD');
    });

    it('refuses a replayed demand with other bytes than it answered', async () => {
      const first = await world.customer.next();
      await world.serve(first);
      const forged = await world.customer.next({ k: 1, previousHead: first.header.previousHead });
      const outcome = await world.serve(forged);
      assert.ok(outcome.kind === 'declined' && outcome.code === 'STUN_LANE_INDEX');
    });

    it('refuses the lane of an enclave that is gone', async () => {
      await world.serve(await world.customer.next());
      const keys = await makeKeys();
      const successor = { ...world.enclave, keys, lanes: new Map(), leaf: { ...world.enclave.leaf, signerId: keys.signerId } };
      const before = world.serve;
      Object.assign(world.enclave, successor);
      const outcome = await before(await world.customer.next({ k: 1, previousHead: 5n }), {
        opening: () => world.customer.opening(world.order, keys),
      });
      assert.ok(outcome.kind === 'declined' && outcome.code === 'STUN_DEMAND_ENCLAVE', JSON.stringify(outcome));
    });

    it('refuses a new lane on an index that the chain has settled', async () => {
      world.chain.laneHeads.set('0', 5n);
      await declines('STUN_LANE_HEAD');
    });

    it('refuses a maximum price below the price', () => declines('STUN_PRICE_CAP', { maxPrice: 699n }));

    for (const price of [2n ** 63n, 2n ** 64n, 2n ** 64n + 1n]) {
      it(`refuses a maximum price of ${price}`, () =>
        declines('STUN_PRICE_CAP', {}, {}, (header) => ({ ...header, maxPrice: price.toString() })));
    }

    it('refuses a malformed header', () => declines('STUN_INPUT', {}, {}, (header) => ({ ...header, k: undefined })));
  });

  describe('of orders', () => {
    it('refuses a model that is not served', async () => {
      const other = orderOver(opaqueModelIdOfDigests(new Uint8Array(32).fill(3), new Uint8Array(32)));
      const customer = new Customer(other, world.enclave.keys);
      const outcome = await world.serve(await customer.next(), { opening: () => customer.opening() });
      assert.ok(outcome.kind === 'declined' && outcome.code === 'STUN_MODEL_MISMATCH', JSON.stringify(outcome));
    });

    it('refuses an order without an opening', () =>
      declines('STUN_ORDER_OPENING', {}, { opening: () => Promise.resolve(undefined) }));

    it('refuses the opening of another order', async () => {
      const other = orderOver(world.order.opening.modelId);
      await declines('STUN_ORDER_OPENING', {}, { opening: () => world.customer.opening(other) });
    });

    it('refuses an opening sealed to another enclave', async () => {
      const keys = await makeKeys();
      await declines('STUN_ENVELOPE_OPEN', {}, { opening: () => world.customer.opening(world.order, keys) });
    });

    it('refuses an order of another escrow', async () => {
      world.close();
      world = await makeWorld(runner, { place: { escrow: '0x00000000000000000000000000000000000000e6' } });
      await declines('STUN_ORDER_DOMAIN');
    });

    it('refuses an order whose domain on chain is another', async () => {
      world.chain.order = { domain: 1n };
      await declines('STUN_ORDER_DOMAIN');
    });

    it('refuses an expired order by the clock of the chain', async () => {
      world.chain.blockUnix = NOW + 3600;
      await declines('STUN_ORDER_CLOSED');
    });

    it('refuses an order whose family is frozen', async () => {
      world.chain.order = { familyOpen: false };
      await declines('STUN_ORDER_TERMS');
    });

    it('refuses an empty budget', async () => {
      world.chain.order = { budgetLeft: 0n };
      await declines('STUN_BUDGET');
    });

    it('refuses when its own leaf is revoked', async () => {
      world.chain.leaf = { treeLeaf: 0n };
      await declines('STUN_ENCLAVE_NOT_LIVE');
    });

    it('refuses when its own leaf is retired', async () => {
      world.chain.leaf = { retired: true };
      await declines('STUN_ENCLAVE_NOT_LIVE');
    });

    it('refuses when its own leaf ends within a day', async () => {
      world.chain.blockUnix = NOW + 7 * 86400 - 86399;
      world.chain.order = { deadlineUnix: NOW + 30 * 86400 };
      await declines('STUN_ENCLAVE_EXPIRES_SOON');
    });
  });

  describe('of inputs, with a receipt at price 0', () => {
    it('fails an input that is not the one committed to', () =>
      fails('STUN_INPUT_COMMITMENT', { sealedPayload: encodeTensors([vector([9])]) }));

    it('fails an input that is no tensor payload', () => fails('STUN_TENSOR_LAYOUT', { payload: utf8('hello') }));

    it('fails a string tensor', () => {
      const payload = encodeTensors([{ name: 'x', dtype: 'uint8', dims: [1], data: Uint8Array.of(1) }]);
      payload[8 + 4 + 2 + 1] = 8;
      return fails('STUN_TENSOR_STRING', { payload });
    });

    it('fails NaN', () => fails('STUN_MODEL_INPUT_NOT_FINITE', { tensors: [vector([1, Number.NaN])] }));

    it('fails an infinity', () => fails('STUN_MODEL_INPUT_NOT_FINITE', { tensors: [vector([1, -Infinity])] }));

    it('fails a tensor of another name', () => fails('STUN_MODEL_INPUT_NAME', { tensors: [vector([1], 'z')] }));

    it('fails a tensor too many', () => fails('STUN_MODEL_INPUT_NAME', { tensors: [vector([1]), vector([1], 'z')] }));

    it('fails another element type', () =>
      fails('STUN_MODEL_INPUT_DTYPE', { tensors: [{ name: 'x', dtype: 'float64', dims: [1], data: new Uint8Array(8) }] }));

    it('fails another rank', () =>
      fails('STUN_MODEL_INPUT_SHAPE', { tensors: [{ name: 'x', dtype: 'float32', dims: [1, 1], data: new Uint8Array(4) }] }));
  });

  it('lets a customer catch a worker that lies about the commitment of its output', async () => {
    const sent = await world.customer.next();
    const outcome = await world.serve(sent);
    assert.ok(outcome.kind === 'receipted');
    const honest = receiptRecordFromWire(outcome.record);
    const { order, keys } = world.customer;
    const context = {
      order: { opening: order.opening, terms: order.terms, place: order.place, outputSeed: 7n },
      keyset: keys.keyset,
      job: { head: sent.head, header: sent.header, resultSecret: sent.resultSecret },
      heads: [sent.header.previousHead, sent.head],
      earlier: new Map<number, Receipt>(),
    };
    assert.equal((await checkResult(honest, outcome.sealedResult, context)).status, 'served');
    const receipt = { ...honest.receipt, outputCommitment: payloadCommitment(utf8('another output'), sent.outputBlinding) };
    const statement = statementOver(sent.header.previousHead, order.opening.modelId, [receipt]);
    const lie = {
      receipt,
      receiptSignature: keys.signReceipt(world.enclave.escrow, receiptHashOf(receipt)),
      statement,
      statementSignature: keys.signStatement(statement),
    };
    await rejectsCode(checkResult(lie, outcome.sealedResult, context), 'STUN_RECEIPT_MISMATCH');
    await checkResult(lie, outcome.sealedResult, context).catch((error: unknown) => {
      assert.ok(error instanceof StunError && error.details['field'] === 'outputCommitment');
    });
  });
});
