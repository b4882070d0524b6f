/** Challengeable orders: batches, challenges, answers, refunds, the clocks. Properties C1 to C10 of PROPERTIES.md. */
import assert from 'node:assert/strict';
import type { Wallet } from 'ethers';
import { batchIdOf } from '#chain/court.ts';
import type { PublishedSettlement } from '#chain/escrow.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import { randomField, type Hex, type Terms } from '#protocol/index.ts';
import { answerTo, BOND, challengeableTerms, publishedBatch, registerModel, SLASH, type StageModel } from './published.ts';
import {
  DAY,
  HOUR,
  openOrder,
  refuses,
  registerEnclave,
  restoreEachTest,
  startStage,
  type Stage,
  type StageOrder,
} from './stage.ts';

/** Of a batch of 100 at 1 %. */
const [PAID, FEE] = [99n, 1n];

describe('contracts: ChallengeCourt', () => {
  let stage: Stage;
  let model: StageModel;
  let order: StageOrder;
  let batch: PublishedSettlement;
  let batchId: Hex;
  const challenger = (): Wallet => stage.chain.wallet(7);

  async function settle(of: StageOrder, lane: { readonly laneIndex?: number } = {}) {
    const published = await publishedBatch(stage, of, [true, false, true, true], lane);
    const { event, receipt } = await stage.as(stage.provider).escrow.settleChallengeable(stage.funder.address, published);
    const [recorded] = stage.as(stage.owner).court.batchesIn(receipt);
    return { published, event, recorded };
  }

  before(async () => {
    stage = await startStage();
    await registerEnclave(stage);
    model = await registerModel(stage);
    await stage.as(stage.provider).court.depositStake(NATIVE_TOKEN, 2n * SLASH);
    const terms = challengeableTerms(stage, model, { challenger: challenger().address.toLowerCase() });
    order = await openOrder(stage, { terms });
    const settled = await settle(order);
    batch = settled.published;
    batchId = settled.recorded!.batchId;
  });
  after(() => stage.close());
  restoreEachTest(() => stage);

  const court = (by: Wallet = stage.funder) => stage.as(by).court;
  const bond = (amount = BOND) => ({ token: NATIVE_TOKEN, amount });
  const challenge = (index = 0, by: Wallet = stage.funder, amount = BOND) =>
    court(by).challenge(batchId, index, batch.pairs, bond(amount));
  const answer = (index = 0, by: Wallet = stage.stranger, pair = batch.pairs[index]!) =>
    court(by).answer(batchId, index, batch.pairs, answerTo(model, pair));
  const pass = (seconds: number) => stage.chain.increaseTime(seconds);
  const inEscrow = (account: string) => stage.as(stage.owner).escrow.credit(NATIVE_TOKEN, account);
  const inCourt = (account: string) => court().credit(NATIVE_TOKEN, account);
  const stake = () => court().stake(NATIVE_TOKEN, stage.provider.address);
  const freeze = (seconds: number) => stage.as(stage.guardian).router.freeze(stage.deployment.inference.family, seconds);
  const tombstone = () => stage.as(stage.owner).router.tombstone(stage.deployment.inference.family);

  it('holds the money of a batch, publishes its pairs and reserves the stake', async () => {
    assert.equal(
      batchId,
      batchIdOf({ orderKey: order.orderKey, provider: stage.provider.address, laneIndex: 0, laneNew: batch.signals.laneNew }),
    );
    const recorded = await court().batch(batchId);
    assert.deepEqual([recorded.state, recorded.amount, recorded.openChallenges], ['pending', 100n, 0]);
    assert.equal(await inEscrow(stage.provider.address), 0n);
    assert.equal((await stage.as(stage.owner).escrow.budget(order.orderKey, stage.provider.address)).remaining, 900n);
    assert.deepEqual(await stake(), { total: 2n * SLASH, reserved: SLASH, unbonding: 0n, unbondsAtUnix: 0 });
    const [published] = await court().pairsPublished(0, { orderKey: order.orderKey });
    assert.deepEqual(published!.pairs.slice(0, 4), batch.pairs);
    assert.equal(await court().windowClosesAtUnix(batchId), recorded.settledAtUnix + HOUR);
  });

  it('pays the provider after the window, to the second, when nobody challenged', async () => {
    const closesAt = await court().windowClosesAtUnix(batchId);
    await stage.chain.request('evm_setNextBlockTimestamp', [closesAt]);
    await stage.chain.request('evm_mine');
    await refuses(court(stage.stranger).access.simulate('finalise', [batchId], stage.stranger.address), 'ChallengeWindowOpen');
    await court(stage.stranger).finalise(batchId);
    assert.deepEqual([await inEscrow(stage.provider.address), await inEscrow(stage.feeAccount)], [PAID, FEE]);
    assert.deepEqual((await stake()).reserved, 0n);
    assert.equal((await court().batch(batchId)).state, 'paid');
    const [released] = await stage.as(stage.owner).escrow.releases(0, order.orderKey);
    assert.deepEqual([released!.amount, released!.fee, released!.toProvider], [100n, FEE, true]);
    assert.equal((await court().batchesPaid(0, batchId)).length, 1);
    await refuses(court().finalise(batchId), 'BatchNotPending');
    await refuses(challenge(), 'BatchNotPending');
    await refuses(answer(), 'BatchNotPending');
    await refuses(court().refundUnanswered(batchId, 0), 'BatchNotPending');
  });

  it('gives the bond of an answered challenge to the provider, whoever answered, and then pays', async () => {
    await challenge();
    const [challenged] = await court().challenges(0, batchId);
    assert.deepEqual([challenged!.index, challenged!.bond], [0, BOND]);
    await answer();
    assert.equal(await inCourt(stage.provider.address), BOND);
    assert.equal(await inCourt(stage.stranger.address), 0n);
    assert.equal((await court().challengeOf(batchId, 0)).state, 'answered');
    assert.equal((await court().answers(0, batchId))[0]!.by, stage.stranger.address.toLowerCase());
    await refuses(challenge(), 'ChallengeExists');
    await refuses(answer(), 'ChallengeNotOpen');
    await pass(HOUR);
    await court().finalise(batchId);
    assert.equal(await inEscrow(stage.provider.address), PAID);
    await court(stage.provider).withdraw(NATIVE_TOKEN);
    assert.equal(await inCourt(stage.provider.address), 0n);
  });

  it('refunds the whole batch and slashes when a challenge is not answered in time', async () => {
    await challenge(0, challenger());
    await challenge(2);
    await challenge(3);
    await answer(3);
    await pass(DAY);
    await refuses(answer(0), 'AnswerPeriodOver');
    await refuses(court().finalise(batchId), 'ChallengesOpen');
    await court(stage.stranger).refundUnanswered(batchId, 0);
    assert.deepEqual([await inEscrow(stage.funder.address), await inEscrow(stage.provider.address)], [100n, 0n]);
    assert.equal(await inEscrow(stage.feeAccount), 0n);
    // Half of the slash, rounded down, to the challenger; the rest to the funder, whose own open challenge has its bond back.
    assert.equal(await inCourt(challenger().address), BOND + SLASH / 2n);
    assert.equal(await inCourt(stage.funder.address), BOND + SLASH - SLASH / 2n);
    assert.equal(await inCourt(stage.provider.address), BOND);
    assert.deepEqual(await stake(), { total: SLASH, reserved: 0n, unbonding: 0n, unbondsAtUnix: 0 });
    const [refunded] = await court().batchesRefunded(0, batchId);
    assert.deepEqual([refunded!.amount, refunded!.slash, refunded!.index], [100n, SLASH, 0]);
    assert.equal((await court().challengeOf(batchId, 2)).state, 'closed');
    await refuses(court().refundUnanswered(batchId, 2), 'BatchNotPending');
  });

  it('never refunds before the answer period has passed, nor without a challenge', async () => {
    await refuses(court().refundUnanswered(batchId, 0), 'ChallengeNotOpen');
    await challenge();
    await pass(DAY - 10);
    await refuses(court().refundUnanswered(batchId, 0), 'AnswerPeriodRunning');
    await answer();
    await pass(DAY);
    await refuses(court().refundUnanswered(batchId, 0), 'ChallengeNotOpen');
  });

  it('keeps pending money out of the refund of the order', async () => {
    await pass(2 * DAY + 1);
    await stage.as(stage.funder).escrow.refund(order.orderId, [stage.provider.address]);
    assert.equal(await inEscrow(stage.funder.address), 900n);
    await court().finalise(batchId);
    assert.equal(await inEscrow(stage.provider.address), PAID);
  });

  describe('refuses a challenge', () => {
    it('after the window', async () => {
      await pass(HOUR + 1);
      await refuses(challenge(), 'ChallengeWindowClosed');
    });

    it('by anybody but the funder and the named challenger', async () => {
      await refuses(challenge(0, stage.stranger), 'NotChallenger');
      await refuses(challenge(0, stage.provider), 'NotChallenger');
    });

    it('with a bond too small, or too large', async () => {
      await refuses(challenge(0, stage.funder, BOND - 1n), 'BondMismatch');
      await refuses(challenge(0, stage.funder, BOND + 1n), 'BondMismatch');
    });

    it('of a pair that was not paid, or is not there', async () => {
      await refuses(challenge(1), 'PairNotPaid');
      await refuses(challenge(15), 'PairNotPaid');
      await refuses(challenge(16), 'PairNotPaid');
    });

    it('with other pairs than those published', async () => {
      const other = batch.pairs.with(0, { inputCommitment: randomField(), outputCommitment: randomField() });
      await refuses(court().challenge(batchId, 0, other, bond()), 'PairsMismatch');
      await refuses(court().challenge(batchId, 0, batch.pairs.toReversed(), bond()), 'PairsMismatch');
    });

    it('of a batch that is not there', async () => {
      await refuses(court().challenge(`0x${'ab'.repeat(32)}`, 0, batch.pairs, bond()), 'BatchNotPending');
    });
  });

  describe('refuses an answer', () => {
    beforeEach(() => challenge());

    it('that nobody asked for', async () => {
      await refuses(answer(2), 'ChallengeNotOpen');
    });

    it('for another pair of the batch, another input or another output', async () => {
      await refuses(answer(0, stage.provider, batch.pairs[2]), 'InferenceProofInvalid');
      const [pair] = batch.pairs;
      for (const name of ['inputCommitment', 'outputCommitment'] as const) {
        await refuses(answer(0, stage.provider, { ...pair!, [name]: randomField() }), 'InferenceProofInvalid');
      }
    });

    it('under the key of another model', async () => {
      const other = await registerModel(stage);
      const proof = answerTo(other, batch.pairs[0]!);
      await refuses(court(stage.provider).answer(batchId, 0, batch.pairs, proof), 'InferenceProofInvalid');
    });

    it('with pairs that are not the batch’s', async () => {
      const pairs = batch.pairs.with(0, batch.pairs[2]!);
      await refuses(court(stage.provider).answer(batchId, 0, pairs, answerTo(model, pairs[0]!)), 'PairsMismatch');
    });
  });

  describe('with a frozen inference family', () => {
    it('stops window, challenges, answers and refunds, and stretches both clocks', async () => {
      await challenge();
      await freeze(3 * DAY);
      await pass(2 * DAY);
      await refuses(challenge(2), 'FamilyIsFrozen');
      await refuses(answer(), 'FamilyIsFrozen');
      await refuses(court().refundUnanswered(batchId, 0), 'FamilyIsFrozen');
      await pass(DAY);
      // The freeze has lapsed; window and answer period go on where they stood.
      await challenge(2);
      await answer(0);
      await answer(2);
      await refuses(court().finalise(batchId), 'ChallengeWindowOpen');
      await pass(HOUR);
      await court().finalise(batchId);
    });

    it('opens no window again that had passed', async () => {
      await pass(HOUR + 10);
      await freeze(DAY);
      await pass(HOUR);
      await court().finalise(batchId);
      assert.equal(await inEscrow(stage.provider.address), PAID);
    });

    it('lets no answer period end during the freeze', async () => {
      await challenge();
      await pass(DAY - 100);
      await freeze(DAY);
      await pass(DAY);
      await refuses(court().refundUnanswered(batchId, 0), 'AnswerPeriodRunning');
      await answer();
    });
  });

  it('is not stopped by a freeze of the settlement family', async () => {
    await stage.as(stage.guardian).router.freeze(stage.provenFamily, 5 * DAY);
    await challenge();
    await pass(DAY + 1);
    await court().refundUnanswered(batchId, 0);
    assert.equal(await inEscrow(stage.funder.address), 100n);
  });

  it('returns open bonds and pays the provider when the inference family is tombstoned', async () => {
    await challenge(0, challenger());
    await tombstone();
    await refuses(answer(), 'FamilyIsTombstoned');
    await refuses(challenge(2), 'FamilyIsTombstoned');
    await pass(2 * DAY);
    await refuses(court().refundUnanswered(batchId, 0), 'FamilyIsTombstoned');
    await court().finalise(batchId);
    assert.equal(await inCourt(challenger().address), BOND);
    assert.equal(await inEscrow(stage.provider.address), PAID);
    assert.equal((await stake()).reserved, 0n);
  });

  it('refuses a settlement that the unreserved stake does not back, and takes it when earlier batches are final', async () => {
    await settle(order, { laneIndex: 1 });
    await refuses(settle(order, { laneIndex: 2 }), 'StakeTooLow');
    await pass(HOUR + 1);
    await court().finalise(batchId);
    await settle(order, { laneIndex: 2 });
  });

  it('settles a batch that pays nothing without stake or window', async () => {
    const published = await publishedBatch(stage, order, [false], { laneIndex: 5, total: 0n });
    const { receipt } = await stage.as(stage.provider).escrow.settleChallengeable(stage.funder.address, published);
    assert.equal(court().batchesIn(receipt).length, 0);
    assert.equal((await stake()).reserved, SLASH);
  });

  it('takes bonds, stakes and slashes in the token of the order', async () => {
    const { token, escrow } = stage.deployment;
    assert.notEqual(escrow, stage.deployment.court);
    await stage.as(stage.funder).token.transfer(stage.provider.address, SLASH);
    await stage.as(stage.provider).token.approve(stage.deployment.court, SLASH);
    await court(stage.provider).depositStake(token, SLASH);
    await stage.as(stage.funder).token.approve(escrow, 1000n);
    const terms = challengeableTerms(stage, model);
    const own = await openOrder(stage, { terms, token });
    const { published, recorded } = await settle(own);
    const call = () => court().challenge(recorded!.batchId, 0, published.pairs, { token, amount: BOND });
    await refuses(call(), 'ERC20InsufficientAllowance');
    await stage.as(stage.funder).token.approve(stage.deployment.court, BOND);
    await call();
    await pass(DAY + 1);
    await court().refundUnanswered(recorded!.batchId, 0);
    // The funder challenged itself, so the whole slash is its own.
    assert.equal(await court().credit(token, stage.funder.address), BOND + SLASH);
    await court().withdraw(token);
    assert.equal(await stage.as(stage.owner).token.balanceOf(stage.deployment.court), 0n);
  });

  describe('open', () => {
    const open = (change: Partial<Terms>) => openOrder(stage, { terms: challengeableTerms(stage, model, change) });
    const bounds: readonly [string, number | bigint][] = [
      ['challengeWindowSeconds', HOUR - 1],
      ['challengeWindowSeconds', 30 * DAY + 1],
      ['answerPeriodSeconds', DAY - 1],
      ['answerPeriodSeconds', 30 * DAY + 1],
      ['bond', 0n],
      ['bond', 1n << 96n],
      ['slash', 0n],
      ['slash', 1n << 96n],
    ];
    for (const [name, value] of bounds) {
      it(`refuses ${name} ${value}`, async () => {
        await refuses(open({ [name]: value }), 'ChallengeTermInvalid');
      });
    }
  });
});
