/** Settlements through the sender, on the real contracts; the verifier accepts any proof, since proofs are not the point here. */
import assert from 'node:assert/strict';
import { contractsOf } from '#chain/deployment.ts';
import { MemorySenderStore } from '#chain/sender/memory-store.ts';
import { TransactionSender } from '#chain/sender/sender.ts';
import { settlementIsDone, settlementSubmission } from '#chain/sender/settlement.ts';
import type { Intent } from '#chain/sender/intent.ts';
import type { SettlementSignals } from '#protocol/index.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import {
  NO_PROOF,
  openOrder,
  registerEnclave,
  restoreEachTest,
  signalsFor,
  startStage,
  type Stage,
  type StageOrder,
} from '#test/contracts/stage.ts';

describe('sender: settlements', function () {
  this.timeout(60_000);
  let stage: Stage;
  let order: StageOrder;
  let store: MemorySenderStore;
  let sender: TransactionSender;

  before(async () => {
    stage = await startStage();
    await registerEnclave(stage);
    order = await openOrder(stage);
  });
  restoreEachTest(() => stage);
  beforeEach(async () => {
    const { escrow } = contractsOf(stage.deployment, stage.chain.provider);
    store = new MemorySenderStore(60_000);
    sender = await TransactionSender.open({
      chainId: stage.chain.chainId,
      signer: stage.provider,
      store,
      rpc: (method, params) => stage.chain.provider.send(method, params),
      isDone: settlementIsDone(escrow, stage.deployment.deployBlock),
      policy: { confirmations: 2, replaceAfterMs: 30_000, maxFeePerGasWei: 10n ** 12n },
      pollIntervalMs: 10,
      maxBackoffMs: 100,
      requestTimeoutMs: 5_000,
    });
  });
  after(() => stage.close());

  async function submit(signals: SettlementSignals): Promise<string> {
    const submission = settlementSubmission(stage.as(stage.provider).escrow, stage.funder.address, {
      assurance: 0,
      proof: NO_PROOF,
      signals,
      pairs: [],
      answers: [],
    });
    return (await sender.submit(submission)).key;
  }

  async function finish(key: string): Promise<Intent> {
    for (let i = 0; i < 5; i++) {
      await sender.pass();
      await stage.chain.request('evm_mine');
    }
    const intent = await store.load(key);
    assert.ok(intent);
    return intent;
  }

  const remaining = async (): Promise<bigint> =>
    (await stage.as(stage.owner).escrow.budget(order.orderKey, stage.provider.address)).remaining;

  it('settles consecutive segments of a lane that were submitted together', async () => {
    const first = await signalsFor(stage, order);
    const second = await signalsFor(stage, order, { laneOld: first.laneNew });
    const keys = [await submit(first), await submit(second)];
    for (const key of keys) assert.equal((await finish(key)).outcome?.by, 'transaction');
    assert.equal(await remaining(), 800n);
  });

  it('sees that an operator settled the segment, also when the lane has gone on since', async () => {
    const first = await signalsFor(stage, order);
    const second = await signalsFor(stage, order, { laneOld: first.laneNew });
    const { escrow } = stage.as(stage.provider);
    await escrow.settle(stage.funder.address, NO_PROOF, first);
    await escrow.settle(stage.funder.address, NO_PROOF, second);
    for (const signals of [first, second]) {
      const { outcome, attempts } = await finish(await submit(signals));
      assert.deepEqual([outcome?.by, attempts.length], ['already-done', 0]);
    }
    assert.equal(await remaining(), 800n);
  });

  it('settles once when a proof is made again while the first one is under way', async () => {
    const signals = await signalsFor(stage, order);
    const again = { ...(await signalsFor(stage, order)), laneNew: signals.laneNew, receiptsRoot: signals.receiptsRoot };
    const older = await submit({ ...signals, payee: signals.payee - (1n << 160n) });
    const newer = await submit(again);
    assert.notEqual(older, newer);
    assert.equal((await finish(older)).outcome?.by, 'transaction');
    assert.equal((await finish(newer)).outcome?.by, 'already-done');
    assert.equal(await remaining(), 900n);
  });

  it('fails a settlement that the escrow refuses with its code', async () => {
    const stale = await signalsFor(stage, order, { validAtUnix: 1_000_000 });
    assert.equal((await finish(await submit(stale))).failure?.code, 'STUN_SETTLE_STALE');
    const elsewhere = await signalsFor(stage, order, { laneOld: 5n });
    assert.equal((await finish(await submit(elsewhere))).failure?.code, 'STUN_SETTLE_LANE_MOVED');
    assert.equal(await remaining(), 1000n);
  });

  it('refuses to judge an intent that is no settlement', async () => {
    const call = { to: stage.deployment.escrow, data: '0x' as const, value: 0n };
    await sender.submit({ key: 'other', call, context: '{}' });
    await rejectsCode(sender.pass(), 'STUN_INPUT');
    assert.equal((await store.load('other'))?.state, 'intended');
  });
});
