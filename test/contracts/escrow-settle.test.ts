/** OrderEscrow: settlement, everything but the proof itself. Properties S1 to S12 of PROPERTIES.md. */
import assert from 'node:assert/strict';
import type { Wallet } from 'ethers';
import fc from 'fast-check';
import { NATIVE_TOKEN } from '#chain/token.ts';
import type { SettlementSignals } from '#protocol/index.ts';
import { feeOf, FIELD_ORDER, packPayee, randomField, SETTLEMENT_SIGNALS, signalList } from '#protocol/index.ts';
import { sampleSeed } from '#test/depth.ts';
import {
  DAY,
  HOUR,
  NO_PROOF,
  openOrder,
  refuses,
  registerEnclave,
  restoreEachTest,
  signalsFor,
  startStage,
  termsFor,
  type Stage,
  type StageEnclave,
  type StageOrder,
} from './stage.ts';

describe('contracts: OrderEscrow, settlement', () => {
  let stage: Stage;
  let opened: StageOrder;
  /** Tests that want other terms replace it. */
  let order: StageOrder;
  let enclave: StageEnclave;
  before(async () => {
    stage = await startStage();
    enclave = await registerEnclave(stage);
    opened = await openOrder(stage);
  });
  beforeEach(() => {
    order = opened;
  });
  after(() => stage.close());
  restoreEachTest(() => stage);

  const escrow = (wallet: Wallet = stage.provider) => stage.as(wallet).escrow;
  const settleWith = (signals: SettlementSignals, by: Wallet = stage.provider, funder = stage.funder.address) =>
    escrow(by).settle(funder, NO_PROOF, signals);
  const settle = async (change: Parameters<typeof signalsFor>[2] = {}, by: Wallet = stage.provider) =>
    settleWith(await signalsFor(stage, order, change), by);
  const warpTo = async (unix: number) => {
    await stage.chain.request('evm_setNextBlockTimestamp', [unix]);
    await stage.chain.request('evm_mine');
  };
  const credit = (account: string) => escrow().credit(NATIVE_TOKEN, account);
  const provider = () => stage.provider.address.toLowerCase();

  it('moves the lane, credits the provider less the fee fixed at open, and says so in one event', async () => {
    const signals = await signalsFor(stage, order, { laneIndex: 9, total: 155n });
    const { event } = await settleWith(signals);
    // 155 units at scale 1, fee 1 % rounded down.
    assert.deepEqual([event.credited, event.fee, event.shortfall, event.total], [154n, 1n, 0n, 155n]);
    assert.deepEqual([event.laneOld, event.laneNew, event.laneIndex], [0n, signals.laneNew, 9]);
    assert.equal(event.receiptsRoot, signals.receiptsRoot);
    assert.equal(await escrow().lane(order.orderKey, provider(), 9), signals.laneNew);
    assert.equal(await escrow().lane(order.orderKey, provider(), 0), 0n);
    assert.equal(await credit(provider()), 154n);
    assert.equal(await credit(stage.feeAccount), 1n);
    assert.deepEqual(await escrow().budget(order.orderKey, provider()), { remaining: 845n, funded: 1000n });
  });

  it('shares the budget between lanes and continues each lane from its own head', async () => {
    const first = await settle({ laneIndex: 0, total: 300n });
    await settle({ laneIndex: 1, total: 300n });
    await settle({ laneIndex: 0, laneOld: first.event.laneNew, total: 300n });
    assert.equal((await escrow().budget(order.orderKey, provider())).remaining, 100n);
  });

  it('pays what is left when a batch exceeds the budget, and names the shortfall', async () => {
    const { event } = await settle({ total: 1500n });
    assert.deepEqual([event.credited, event.fee, event.shortfall], [990n, 10n, 500n]);
    const next = await settle({ laneOld: event.laneNew, total: 7n });
    assert.deepEqual([next.event.credited, next.event.fee, next.event.shortfall], [0n, 0n, 7n]);
  });

  it('scales prices to token units, and rounds the fee down', async () => {
    order = await openOrder(stage, { terms: termsFor(stage, { priceScale: 3n }) });
    const { event } = await settle({ total: 33n });
    assert.deepEqual([event.credited, event.fee], [99n, 0n]);
    const second = await settle({ laneOld: event.laneNew, total: 67n });
    assert.deepEqual([second.event.credited, second.event.fee], [199n, 2n]);
  });

  it('credits what the protocol’s fee leaves of any batch', async () => {
    const [feeBps, priceScale, amount] = [499, 7n, 10n ** 21n];
    await escrow(stage.owner).access.send('setFee', [feeBps, stage.feeAccount]);
    const terms = termsFor(stage, { feeBps, priceScale });
    order = await openOrder(stage, { terms, budgets: [{ provider: provider(), amount }] });
    const signals = await signalsFor(stage, order);
    const batch = fc.bigInt({ min: 0n, max: 2n ** 68n }).map((total) => ({ ...signals, total }));
    await fc.assert(
      fc.asyncProperty(batch, async (changed) => {
        const owed = changed.total * priceScale;
        const paid = owed < amount ? owed : amount;
        const credited = await escrow().simulateSettle(provider(), stage.funder.address, NO_PROOF, changed);
        assert.equal(credited, paid - feeOf(paid, feeBps));
      }),
      { seed: sampleSeed(), numRuns: 20 },
    );
  });

  it('keeps the fee of an open order when the owner changes it', async () => {
    await escrow(stage.owner).access.send('setFee', [500, stage.feeAccount]);
    const { event } = await settle({ total: 100n });
    assert.equal(event.fee, 1n);
  });

  it('does not overflow with the largest total and scale', async () => {
    order = await openOrder(stage, { terms: termsFor(stage, { priceScale: (1n << 128n) - 1n }) });
    const { event } = await settle({ total: (1n << 80n) - 1n });
    assert.equal(event.credited + event.fee, 1000n);
    await refuses(settle({ laneOld: event.laneNew, total: 1n << 80n }), 'TotalTooLarge');
  });

  it('moves a lane for a batch of no money', async () => {
    const { event } = await settle({ total: 0n });
    assert.deepEqual([event.credited, event.fee, event.shortfall], [0n, 0n, 0n]);
  });

  describe('refuses signals', () => {
    for (const name of SETTLEMENT_SIGNALS) {
      it(`with ${name} + r, an alias of the same statement`, async () => {
        const signals = await signalsFor(stage, order);
        await refuses(settleWith({ ...signals, [name]: signals[name] + FIELD_ORDER }), 'SignalNotCanonical');
      });
    }

    it('whose payee has a bit too many', async () => {
      const signals = await signalsFor(stage, order);
      await refuses(settleWith({ ...signals, payee: signals.payee + (1n << 232n) }), 'PayeeMalformed');
    });

    it('of an order that is not there, or is another funder’s', async () => {
      await refuses(settle({ orderId: randomField() }), 'OrderUnknown');
      await refuses(settleWith(await signalsFor(stage, order), stage.provider, stage.stranger.address), 'OrderUnknown');
    });

    it('of another domain', async () => {
      await refuses(settle({ domain: order.domain ^ 1n }), 'DomainMismatch');
    });

    it('for a provider without a budget in the order', async () => {
      const strange = { ...stage, provider: stage.stranger };
      await registerEnclave(strange);
      await refuses(settleWith(await signalsFor(strange, order), stage.stranger), 'ProviderNotInOrder');
    });
  });

  describe('the lane', () => {
    it('never moves twice by the same statement', async () => {
      const signals = await signalsFor(stage, order);
      await settleWith(signals);
      await refuses(settleWith(signals), 'LaneMoved');
    });

    it('starts at 0 only once', async () => {
      await settle();
      await refuses(settle(), 'LaneMoved');
    });

    it('does not move from a head it is not at', async () => {
      await refuses(settle({ laneOld: randomField() }), 'LaneMoved');
    });

    it('never goes to 0, nor stays', async () => {
      await refuses(settle({ laneNew: 0n }), 'LaneNotAdvanced');
      const { event } = await settle();
      await refuses(settle({ laneOld: event.laneNew, laneNew: event.laneNew }), 'LaneNotAdvanced');
    });

    it('of one order is not the lane of another', async () => {
      const { event } = await settle();
      order = await openOrder(stage);
      await refuses(settle({ laneOld: event.laneNew }), 'LaneMoved');
    });
  });

  describe('the caller', () => {
    it('is the provider: nobody profits from a copied proof', async () => {
      for (const wallet of [stage.stranger, stage.funder, stage.owner, stage.guardian]) {
        await refuses(settle({}, wallet), 'NotProviderOrOperator');
      }
    });

    it('can be an operator of the provider, who receives nothing', async () => {
      await escrow().setOperator(stage.stranger.address, true);
      await settle({}, stage.stranger);
      assert.equal(await credit(stage.stranger.address), 0n);
      assert.equal(await credit(provider()), 99n);
      await escrow().setOperator(stage.stranger.address, false);
      await refuses(settle({ laneIndex: 1 }, stage.stranger), 'NotProviderOrOperator');
    });

    it('is no operator of another provider', async () => {
      await escrow(stage.owner).setOperator(stage.stranger.address, true);
      await refuses(settle({}, stage.stranger), 'NotProviderOrOperator');
      await refuses(escrow().setOperator(NATIVE_TOKEN, true), 'AddressZero');
    });
  });

  describe('the time of the statement', () => {
    it('is not after the block', async () => {
      const now = await stage.chain.nowUnix();
      await stage.chain.request('evm_setNextBlockTimestamp', [now + 10]);
      await refuses(settle({ validAtUnix: now + 11 + HOUR }), 'ValidAtInFuture');
    });

    it('is at most an hour before the block, to the second', async () => {
      const validAtUnix = await stage.chain.nowUnix();
      const inTime = await signalsFor(stage, order, { validAtUnix });
      const late = await signalsFor(stage, order, { validAtUnix, laneIndex: 1 });
      await stage.chain.request('evm_setNextBlockTimestamp', [validAtUnix + HOUR]);
      await settleWith(inTime);
      await refuses(settleWith(late), 'ValidAtStale');
    });

    it('can be older by the time the family was frozen since, and no more', async () => {
      const validAtUnix = await stage.chain.nowUnix();
      const signals = await signalsFor(stage, order, { validAtUnix });
      const { router } = stage.as(stage.guardian);
      await router.freeze(stage.family, 2 * HOUR);
      const frozenAt = await stage.chain.nowUnix();
      await refuses(settleWith(signals), 'FamilyIsFrozen');
      await warpTo(validAtUnix + 3 * HOUR);
      await settleWith({ ...signals, payee: packPayee({ provider: provider(), validAtUnix: frozenAt, laneIndex: 3 }) });
      await warpTo(validAtUnix + 3 * HOUR + 60);
      await refuses(settleWith(signals), 'ValidAtStale');
    });
  });

  describe('the root', () => {
    it('may be one superseded within the hour, even though its successor is current', async () => {
      const signals = await signalsFor(stage, order);
      await registerEnclave(stage);
      await settleWith(signals);
    });

    it('is refused when superseded for longer', async () => {
      const old = await stage.as(stage.owner).registry.rootOf(provider());
      await registerEnclave(stage);
      await stage.chain.increaseTime(HOUR + 1);
      await refuses(settle({ enclaveRoot: old }), 'RootNotLive');
      await settle();
    });

    it('lives longer by the time the family was frozen since it was superseded', async () => {
      const old = await stage.as(stage.owner).registry.rootOf(provider());
      await registerEnclave(stage);
      const { router } = stage.as(stage.guardian);
      await router.freeze(stage.family, 5 * HOUR);
      await stage.chain.increaseTime(5 * HOUR + 1800);
      await settle({ enclaveRoot: old });
      await stage.chain.increaseTime(1900);
      await refuses(settle({ enclaveRoot: old, laneIndex: 1 }), 'RootNotLive');
    });

    it('dies when any enclave of the provider is revoked, frozen time or not', async () => {
      const old = await stage.as(stage.owner).registry.rootOf(provider());
      await stage.as(stage.provider).registry.revoke(enclave.keysetDigest);
      await refuses(settle({ enclaveRoot: old }), 'RootNotLive');
    });

    it('stays live when its enclave is retired: served work is payable', async () => {
      await stage.as(stage.provider).registry.retire(enclave.keysetDigest);
      await settle();
    });

    it('of another provider, or of nobody, is refused', async () => {
      const strange = { ...stage, provider: stage.stranger };
      await registerEnclave(strange);
      const theirs = await stage.as(stage.owner).registry.rootOf(stage.stranger.address);
      await refuses(settle({ enclaveRoot: theirs }), 'RootNotLive');
      await refuses(settle({ enclaveRoot: randomField() }), 'RootNotLive');
      await refuses(settle({ enclaveRoot: 0n }), 'RootNotLive');
    });
  });

  describe('the deadline', () => {
    it('leaves the grace for settling, to the second', async () => {
      const end = order.request.deadlineUnix + DAY;
      await warpTo(end - 5);
      const signals = await signalsFor(stage, order);
      await stage.chain.request('evm_setNextBlockTimestamp', [end]);
      await settleWith(signals);
      const late = await signalsFor(stage, order, { laneOld: signals.laneNew });
      await refuses(settleWith(late), 'OrderClosed');
    });

    it('moves by every freeze since the order opened', async () => {
      const end = order.request.deadlineUnix + DAY;
      const { router } = stage.as(stage.guardian);
      await router.freeze(stage.family, HOUR);
      await warpTo(end + HOUR - 60);
      assert.equal(await escrow().settleableUntilUnix(order.orderKey, provider()), end + HOUR);
      await settle();
      await warpTo(end + HOUR + 1);
      await refuses(settle({ laneIndex: 1 }), 'OrderClosed');
    });

    it('comes early by requestClose, with the grace unchanged', async () => {
      await escrow(stage.funder).requestClose(order.orderId);
      const closedAt = await stage.chain.nowUnix();
      assert.equal((await escrow().order(stage.funder.address, order.orderId)).deadlineUnix, closedAt);
      await warpTo(closedAt + DAY - 5);
      await settle();
      await warpTo(closedAt + DAY + 1);
      await refuses(settle({ laneIndex: 1 }), 'OrderClosed');
    });

    it('is never moved later by requestClose', async () => {
      await warpTo(order.request.deadlineUnix + 100);
      await escrow(stage.funder).requestClose(order.orderId);
      const stored = await escrow().order(stage.funder.address, order.orderId);
      assert.equal(stored.deadlineUnix, order.request.deadlineUnix);
      await refuses(escrow(stage.stranger).requestClose(order.orderId), 'OrderUnknown');
    });
  });

  it('refuses when the verifier says no, and changes nothing', async () => {
    await stage.verifier.send('setAccepts', [false]);
    await refuses(settle(), 'ProofInvalid');
    assert.equal(await escrow().lane(order.orderKey, provider(), 0), 0n);
  });

  it('refuses a tombstoned family', async () => {
    await stage.as(stage.owner).router.tombstone(stage.family);
    await refuses(settle(), 'FamilyIsTombstoned');
  });

  it('simulates with the error that sending would give', async () => {
    const signals = await signalsFor(stage, order);
    assert.equal(await escrow().simulateSettle(provider(), stage.funder.address, NO_PROOF, signals), 99n);
    await refuses(
      escrow().simulateSettle(stage.stranger.address, stage.funder.address, NO_PROOF, signals),
      'NotProviderOrOperator',
    );
    assert.equal(signalList(signals).length, 8);
  });
});
