/** Proven orders: one inference proof for each paid job, in the call that settles. Properties V1 to V6 of PROPERTIES.md. */
import assert from 'node:assert/strict';
import { settleProvenArguments, type ProofPoints, type PublishedSettlement } from '#chain/escrow.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import { FIELD_ORDER, randomField, type Hex } from '#protocol/index.ts';
import {
  answersTo,
  answerTo,
  BOND,
  challengeableTerms,
  provenTerms,
  publishedBatch,
  registerModel,
  SLASH,
  type StageModel,
} from './published.ts';
import {
  addProvenFamily,
  DAY,
  HOUR,
  NO_PROOF,
  openOrder,
  refuses,
  registerEnclave,
  restoreEachTest,
  signSuccession,
  signalsFor,
  startStage,
  termsFor,
  type Stage,
  type StageOrder,
} from './stage.ts';

describe('contracts: proven orders', () => {
  let stage: Stage;
  let model: StageModel;
  let order: StageOrder;
  before(async () => {
    stage = await startStage();
    await registerEnclave(stage);
    model = await registerModel(stage);
    order = await openOrder(stage, { terms: provenTerms(stage, model) });
  });
  after(() => stage.close());
  restoreEachTest(() => stage);

  const escrow = () => stage.as(stage.provider).escrow;
  const settle = (batch: PublishedSettlement, answers: readonly ProofPoints[], by = stage.provider) =>
    stage.as(by).escrow.settleProven(stage.funder.address, batch, answers);

  it('pays for jobs whose every answer is proven, and publishes their pairs', async () => {
    const batch = await publishedBatch(stage, order, [true, false, true]);
    const { event, receipt } = await settle(batch, answersTo(model, batch));
    assert.deepEqual([event.total, event.credited, event.fee], [100n, 99n, 1n]);
    assert.equal(await escrow().credit(NATIVE_TOKEN, stage.provider.address), 99n);
    const published = (await stage.as(stage.owner).court.pairsPublished(0, { laneNew: batch.signals.laneNew }))[0]!;
    assert.deepEqual(published.pairs.slice(0, 3), batch.pairs);
    assert.deepEqual(new Set(published.pairs.slice(3).map((pair) => pair.inputCommitment)), new Set([0n]));
    assert.equal(published.place.transactionHash, receipt.hash);
  });

  it('pays sixteen jobs in one transaction, below the cap of 2^24 gas', async () => {
    const batch = await publishedBatch(
      stage,
      order,
      Array.from({ length: 16 }, () => true),
    );
    const { gasUsed } = await settle(batch, answersTo(model, batch));
    assert.ok(gasUsed < 5_000_000n, `${gasUsed} gas`);
  });

  it('moves a lane for a batch without a paid job', async () => {
    const batch = await publishedBatch(stage, order, [false], { total: 0n });
    await settle(batch, []);
    assert.equal(await escrow().lane(order.orderKey, stage.provider.address, 0), batch.signals.laneNew);
  });

  describe('refuses', () => {
    let batch: PublishedSettlement;
    let answers: ProofPoints[];
    beforeEach(async () => {
      batch = await publishedBatch(stage, order, [true, false, true]);
      answers = answersTo(model, batch);
    });

    it('a proof too few, and one too many', async () => {
      await refuses(settle(batch, answers.slice(0, 1)), 'AnswerCountMismatch');
      await refuses(settle(batch, [...answers, answers[0]!]), 'AnswerCountMismatch');
    });

    it('proofs in another order', async () => {
      await refuses(settle(batch, answers.toReversed()), 'InferenceProofInvalid');
    });

    it('a proof for another input, another output, or with both exchanged', async () => {
      const { inputCommitment, outputCommitment } = batch.pairs[0]!;
      for (const pair of [
        { inputCommitment: randomField(), outputCommitment },
        { inputCommitment, outputCommitment: randomField() },
        { inputCommitment: outputCommitment, outputCommitment: inputCommitment },
      ]) {
        await refuses(settle(batch, answers.with(0, answerTo(model, pair))), 'InferenceProofInvalid');
      }
    });

    it('a proof of another model', async () => {
      const other = await registerModel(stage);
      await refuses(settle(batch, answers.with(1, answerTo(other, batch.pairs[2]!))), 'InferenceProofInvalid');
    });

    it('a pair that is half zero, which no answer can have', async () => {
      const half = { ...batch.pairs[0]!, outputCommitment: 0n };
      await refuses(settle({ ...batch, pairs: batch.pairs.with(0, half) }, answers), 'InferenceProofInvalid');
    });

    it('any of the forty signals as an alias', async () => {
      const [funder, proof, signals, proofs] = settleProvenArguments(stage.funder.address, batch, answers);
      const list = signals as readonly bigint[];
      assert.equal(list.length, 40);
      for (const [index, signal] of list.entries()) {
        const args = [funder, proof, list.with(index, signal + FIELD_ORDER), proofs];
        await refuses(escrow().access.simulate('settleProven', args, stage.provider.address), 'SignalNotCanonical');
      }
    });

    it('a settlement proof that the verifier refuses', async () => {
      await stage.provenVerifier.send('setAccepts', [false]);
      await refuses(settle(batch, answers), 'ProofInvalid');
    });

    it('a stranger', async () => {
      await refuses(settle(batch, answers, stage.stranger), 'NotProviderOrOperator');
    });

    it('the settlement of another level', async () => {
      const { signals } = batch;
      await refuses(escrow().settle(stage.funder.address, NO_PROOF, signals), 'AssuranceMismatch');
      await refuses(escrow().settleChallengeable(stage.funder.address, batch), 'AssuranceMismatch');
      const attested = await openOrder(stage, { terms: termsFor(stage) });
      const other = { ...batch, signals: await signalsFor(stage, attested) };
      await refuses(settle(other, answers), 'AssuranceMismatch');
    });
  });

  it('does not settle while the inference family is frozen, and stretches every clock by the freeze', async () => {
    const guardian = stage.as(stage.guardian).router;
    const { family } = stage.deployment.inference;
    const batch = await publishedBatch(stage, order, [true]);
    const answers = answersTo(model, batch);
    await guardian.freeze(family, 5 * DAY);
    await refuses(settle(batch, answers), 'FamilyIsFrozen');
    await stage.chain.increaseTime(4 * DAY);
    await refuses(stage.as(stage.funder).escrow.refund(order.orderId, [stage.provider.address]), 'OrderNotRefundable');
    await guardian.unfreeze(family);
    // The statement is four days old, the deadline and grace of two days have passed: the freeze makes up for both.
    const { event } = await settle(batch, answers);
    assert.equal(event.credited, 99n);
    // A freeze after the end opens nothing again, and holds the refund while it lasts.
    await stage.chain.increaseTime(2 * DAY);
    await guardian.freeze(family, DAY);
    await refuses(stage.as(stage.funder).escrow.refund(order.orderId, [stage.provider.address]), 'FamilyIsFrozen');
    await stage.chain.increaseTime(DAY);
    await stage.as(stage.funder).escrow.refund(order.orderId, [stage.provider.address]);
    assert.equal(await escrow().credit(NATIVE_TOKEN, stage.funder.address), 900n);
  });

  it('has no successor family that proves less', async () => {
    await stage.as(stage.owner).router.tombstone(stage.provenFamily);
    const call = escrow().succeedFamily(stage.funder.address, order.orderId, stage.provider.address, stage.family, '0x', '0x');
    await refuses(call, 'AssuranceUnavailable');
  });

  describe('a successor of a tombstoned settlement family', () => {
    let successor: Hex;
    beforeEach(async () => {
      successor = (await addProvenFamily(stage.owner, stage.as(stage.owner))).family;
      await stage.as(stage.owner).router.tombstone(stage.provenFamily);
    });
    const succeed = async ({ orderKey, orderId }: StageOrder, oldFamily = stage.provenFamily) => {
      const succession = { orderKey, oldFamily, newFamily: successor };
      const [byFunder, byProvider] = [stage.funder, stage.provider].map((party) => signSuccession(stage, party, succession));
      const { address } = stage.provider;
      await stage
        .as(stage.stranger)
        .escrow.succeedFamily(stage.funder.address, orderId, address, successor, byFunder!, byProvider!);
    };

    it('settles an open proven order from the head where its lane stood, still with a proof for each answer', async () => {
      const batch = await publishedBatch(stage, order, [true]);
      await refuses(settle(batch, answersTo(model, batch)), 'FamilyIsTombstoned');
      await succeed(order);
      await refuses(settle(batch, []), 'AnswerCountMismatch');
      await settle(batch, answersTo(model, batch));
      const next = await publishedBatch(stage, order, [true], { laneOld: batch.signals.laneNew });
      assert.equal((await settle(next, answersTo(model, next))).event.credited, 99n);
      await stage.as(stage.owner).router.tombstone(successor);
      await refuses(settle(await publishedBatch(stage, order, [true], { laneIndex: 1 }), []), 'FamilyIsTombstoned');
    });

    it('lets the court go on with a pending batch, and records more of the order', async () => {
      const { court } = stage.as(stage.provider);
      await court.depositStake(NATIVE_TOKEN, 2n * SLASH);
      const lasting = await addProvenFamily(stage.owner, stage.as(stage.owner));
      const terms = challengeableTerms(stage, model, { settlementFamily: lasting.family });
      const own = await openOrder(stage, { terms });
      const record = async (batch: PublishedSettlement) => {
        const { receipt } = await escrow().settleChallengeable(stage.funder.address, batch);
        return court.batchesIn(receipt)[0]!.batchId;
      };
      const batch = await publishedBatch(stage, own, [true]);
      const batchId = await record(batch);
      await stage.as(stage.owner).router.tombstone(lasting.family);
      await stage.as(stage.funder).court.challenge(batchId, 0, batch.pairs, { token: NATIVE_TOKEN, amount: BOND });
      await court.answer(batchId, 0, batch.pairs, answerTo(model, batch.pairs[0]!));
      const next = await publishedBatch(stage, own, [true], { laneOld: batch.signals.laneNew });
      await refuses(record(next), 'FamilyIsTombstoned');
      await succeed(own, lasting.family);
      const nextId = await record(next);
      await stage.chain.increaseTime(HOUR + 1);
      for (const id of [batchId, nextId]) await court.finalise(id);
      assert.equal(await escrow().credit(NATIVE_TOKEN, stage.provider.address), 198n);
    });
  });

  it('gives the rest back after the grace when the inference family is tombstoned', async () => {
    await stage.as(stage.owner).router.tombstone(stage.deployment.inference.family);
    const batch = await publishedBatch(stage, order, [true]);
    await refuses(settle(batch, answersTo(model, batch)), 'FamilyIsTombstoned');
    await stage.chain.increaseTime(2 * DAY + 1);
    await stage.as(stage.funder).escrow.refund(order.orderId, [stage.provider.address]);
    assert.equal(await escrow().credit(NATIVE_TOKEN, stage.funder.address), 1000n);
  });

  describe('open', () => {
    const open = (change: Parameters<typeof provenTerms>[2]) => openOrder(stage, { terms: provenTerms(stage, model, change) });

    it('refuses a model that is not registered', async () => {
      await refuses(open({ publicModelId: model.modelId + 1n }), 'ModelUnknown');
    });

    it('refuses families of another kind or level', async () => {
      const { family } = stage.deployment.inference;
      await refuses(open({ settlementFamily: stage.family }), 'AssuranceUnavailable');
      await refuses(open({ settlementFamily: family }), 'FamilyKindMismatch');
      await refuses(open({ inferenceFamily: stage.provenFamily }), 'FamilyKindMismatch');
      await refuses(open({ inferenceFamily: `0x${'12'.repeat(32)}` }), 'FamilyUnknown');
      await refuses(open({ assurance: 3 }), 'AssuranceUnavailable');
      await refuses(
        openOrder(stage, { terms: termsFor(stage, { settlementFamily: stage.provenFamily }) }),
        'AssuranceUnavailable',
      );
    });

    it('refuses an inference family that is frozen or tombstoned', async () => {
      const { family } = stage.deployment.inference;
      await stage.as(stage.guardian).router.freeze(family, DAY);
      await refuses(open({}), 'FamilyIsFrozen');
      await stage.as(stage.owner).router.tombstone(family);
      await refuses(open({}), 'FamilyIsTombstoned');
    });

    const unused = { challengeWindowSeconds: 1, answerPeriodSeconds: 1, bond: 1n, slash: 1n, challenger: `0x${'01'.repeat(20)}` };
    for (const [name, value] of Object.entries(unused)) {
      it(`refuses ${name}, which a proven order does not use`, async () => {
        await refuses(open({ [name]: value }), 'ChallengeTermUnused');
      });
    }
  });
});
