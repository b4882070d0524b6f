/** What an auditor finds in the court: each challenge, bond, answer, refund and slash; and that a node which changes one of them is caught. */
import assert from 'node:assert/strict';
import {
  AuditLedger,
  auditCourt,
  type AuditCheck,
  type BatchOutcome,
  type ChallengeOutcome,
  type CourtAudit,
} from '#client/index.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import type { CourtContract } from '#chain/court.ts';
import type { Hex } from '#protocol/index.ts';
import { lyingOf } from './lying.ts';
import { answerTo, BOND, challengeableTerms, publishedBatch, registerModel, SLASH, type StageModel } from './published.ts';
import { DAY, HOUR, openOrder, registerEnclave, startStage, type Stage, type StageOrder } from './stage.ts';

type Terms = CourtAudit['terms'];
type View = Omit<CourtAudit, 'ledger'>;

/** The audit's own list of what it found. */
interface Audit {
  readonly outcomes: readonly BatchOutcome[];
  readonly refuted: readonly string[];
  readonly unknown: readonly string[];
}

describe('audit of a challengeable order', () => {
  let stage: Stage;
  let model: StageModel;
  let order: StageOrder;
  let terms: Terms;
  let view: View;
  const paidBatch = 0;
  const refundedBatch = 1;

  async function settle(laneIndex: number) {
    const published = await publishedBatch(stage, order, [true, false, true], { laneIndex });
    const { receipt } = await stage.as(stage.provider).escrow.settleChallengeable(stage.funder.address, published);
    return { published, batchId: stage.as(stage.owner).court.batchesIn(receipt)[0]!.batchId };
  }

  async function viewOf(): Promise<View> {
    const { escrow, court } = stage.as(stage.owner);
    const { orderKey } = order;
    const settlements = await escrow.settlements(0, { orderKey });
    const releases = await escrow.releases(0, orderKey);
    return {
      court,
      orderKey,
      funder: stage.funder.address.toLowerCase(),
      terms,
      settlements,
      releases,
      carried: [],
      fromBlock: 0,
    };
  }

  async function audit(of: View): Promise<Audit> {
    const ledger = new AuditLedger();
    const outcomes = await auditCourt({ ...of, ledger });
    const ids = (status: string) => ledger.list().filter((check) => check.status === status);
    for (const { code, reason } of ids('refuted')) assert.equal(code, 'STUN_CHAIN_DISAGREES', reason);
    return { outcomes, refuted: ids('refuted').map(({ id }) => id), unknown: ids('unknown').map(({ id }) => id) };
  }

  before(async () => {
    stage = await startStage();
    await registerEnclave(stage);
    model = await registerModel(stage);
    await stage.as(stage.provider).court.depositStake(NATIVE_TOKEN, 4n * SLASH);
    terms = challengeableTerms(stage, model, { challenger: stage.stranger.address.toLowerCase() });
    order = await openOrder(stage, { terms });
    const { court } = stage.as(stage.funder);
    const bond = { token: NATIVE_TOKEN, amount: BOND };
    const [honest, liar, quiet] = [await settle(0), await settle(1), await settle(2)];
    await court.challenge(honest.batchId, 0, honest.published.pairs, bond);
    await stage
      .as(stage.provider)
      .court.answer(honest.batchId, 0, honest.published.pairs, answerTo(model, honest.published.pairs[0]!));
    await stage.as(stage.stranger).court.challenge(liar.batchId, 2, liar.published.pairs, bond);
    await court.challenge(liar.batchId, 0, liar.published.pairs, bond);
    await stage.chain.increaseTime(DAY + HOUR);
    await court.refundUnanswered(liar.batchId, 2);
    await court.finalise(honest.batchId);
    await court.finalise(quiet.batchId);
    view = await viewOf();
  });
  after(() => stage.close());

  it('names the outcome of each batch, with who challenged, who answered by which proof, and what was lost', async () => {
    const { outcomes, refuted, unknown } = await audit(view);
    assert.deepEqual([refuted, unknown], [[], []]);
    assert.deepEqual(
      outcomes.map(({ state, amount, slash }) => [state, amount, slash]),
      [
        ['paid', 100n, 0n],
        ['refunded', 100n, SLASH],
        ['paid', 100n, 0n],
      ],
    );
    const [answered] = outcomes[paidBatch]!.challenges;
    const provider = stage.provider.address.toLowerCase();
    assert.deepEqual([answered!.index, answered!.bond, answered!.outcome, answered!.answeredBy], [0, BOND, 'answered', provider]);
    assert.match(answered!.answerProofHash!, /^0x[0-9a-f]{64}$/);
    assert.deepEqual(
      outcomes[refundedBatch]!.challenges.map(({ index, challenger, outcome }) => [index, challenger, outcome]),
      [
        [2, stage.stranger.address.toLowerCase(), 'returned'],
        [0, view.funder, 'returned'],
      ],
    );
  });

  it('says of a batch that is not final that nobody knows yet', async () => {
    const snapshot = await stage.chain.request('evm_snapshot');
    await settle(3);
    const { outcomes, refuted, unknown } = await audit(await viewOf());
    await stage.chain.request('evm_revert', [snapshot]);
    assert.deepEqual([refuted, unknown, outcomes[3]!.state], [[], ['chain.court[3].outcome'], 'pending']);
  });

  const lying = (name: keyof CourtContract, change: (answer: never) => unknown): View => ({
    ...view,
    court: lyingOf(view.court, name, change),
  });

  const paid = `chain.court[${paidBatch}]`;
  const refunded = `chain.court[${refundedBatch}]`;
  const first =
    <T>(change: Partial<T>) =>
    ([one, ...rest]: readonly T[]) =>
      one === undefined ? [] : [{ ...one, ...change }, ...rest];
  const none = () => [];
  const nobody: Hex = `0x${'11'.repeat(20)}`;
  const lies: readonly (readonly [says: string, lie: () => View, refuted: readonly string[]])[] = [
    ['leaves out a batch', () => lying('batchesRecorded', ([, ...rest]: readonly unknown[]) => rest), ['chain.court.batches']],
    ['changes what a batch is worth', () => lying('batchesRecorded', first({ amount: 99n })), ['chain.court.batches']],
    ['leaves out an answer', () => lying('answers', none), [paid]],
    ['leaves out who challenged', () => lying('challenges', none), [paid, refunded]],
    ['changes a bond', () => lying('challenges', first({ bond: BOND - 1n })), [paid, refunded]],
    ['changes who challenged', () => lying('challenges', first({ challenger: nobody })), [paid, refunded]],
    ['moves a challenge to a pair that was not paid', () => lying('challenges', first({ index: 1 })), [paid, refunded]],
    ['keeps a bond', () => lying('bondsReturned', none), [refunded]],
    ['gives a bond to another', () => lying('bondsReturned', first({ challenger: nobody })), [refunded]],
    ['leaves out a slash', () => lying('slashes', none), [refunded]],
    ['changes a slash', () => lying('slashes', first({ amount: SLASH + 1n })), [refunded]],
    ['leaves out a refund', () => lying('batchesRefunded', none), [refunded]],
    ['refunds for another challenge', () => lying('batchesRefunded', first({ index: 5 })), [refunded]],
    ['leaves out that batches were paid', () => lying('batchesPaid', none), [paid, 'chain.court[2]']],
  ];
  for (const [says, lie, refutes] of lies) {
    it(`catches a node that ${says}`, async () => {
      const found = (await audit(lie())).refuted.filter((id) => id !== 'chain.court.money');
      assert.deepEqual(found, refutes);
    });
  }

  it('catches an escrow that releases to the wrong side, too little, or nothing', async () => {
    const releases = view.releases;
    const changed = (change: object) => ({
      ...view,
      releases: releases.map((one, i) => (i === 1 ? { ...one, ...change } : one)),
    });
    for (const change of [{ toProvider: false }, { fee: 0n }, { amount: 1n }]) {
      assert.ok((await audit(changed(change))).refuted.includes(paid));
    }
    const nothing = (await audit({ ...view, releases: [] })).refuted;
    assert.deepEqual(nothing, [paid, refunded, 'chain.court[2]', 'chain.court.money']);
  });

  describe('and what a bundle carries of it', () => {
    let honest: readonly BatchOutcome[];
    before(async () => {
      honest = (await audit(view)).outcomes;
    });

    /** What the audit says of a record that is not quite the chain's. */
    async function record(batch: number, change: (outcome: BatchOutcome) => BatchOutcome): Promise<readonly unknown[]> {
      const ledger = new AuditLedger();
      ledger.unknown('segments[7].court.record', 'only the chain can say');
      await auditCourt({ ...view, ledger, carried: [{ field: 'segments[7].court', outcome: change(honest[batch]!) }] });
      const [{ status, field, code }, ...others] = ledger.list() as [AuditCheck, ...AuditCheck[]];
      assert.ok(others.every((check) => check.status === 'proven'));
      return [status, field?.replace('segments[7].court', ''), code];
    }
    const challenge =
      (i: number, change: Partial<ChallengeOutcome>) =>
      (outcome: BatchOutcome): BatchOutcome => ({
        ...outcome,
        challenges: outcome.challenges.map((one, j) => (i === j ? { ...one, ...change } : one)),
      });
    const word: Hex = `0x${'11'.repeat(32)}`;
    const pending = (ended: BatchOutcome): BatchOutcome => {
      const { endTransactionHash: _, unanswered: __, ...outcome } = ended;
      return { ...outcome, state: 'pending' };
    };
    const unanswered = (answered: ChallengeOutcome): ChallengeOutcome => {
      const { answerTransactionHash: _, answeredBy: __, answerProofHash: ___, ...one } = answered;
      return one;
    };
    const withoutAnswer = (outcome: BatchOutcome): BatchOutcome => ({
      ...outcome,
      challenges: outcome.challenges.map((one) => ({ ...unanswered(one), outcome: 'open' })),
    });

    it('agrees with what it carries', async () => {
      assert.deepEqual(await record(paidBatch, (outcome) => outcome), ['proven', undefined, undefined]);
      assert.deepEqual(await record(refundedBatch, (outcome) => outcome), ['proven', undefined, undefined]);
    });

    it('says of a record of a pending batch that the court has gone on', async () => {
      for (const older of [
        pending,
        (outcome: BatchOutcome) => withoutAnswer(pending(outcome)),
        (outcome: BatchOutcome) => ({ ...pending(outcome), challenges: [] }),
      ]) {
        assert.deepEqual(await record(paidBatch, older), ['unknown', undefined, undefined]);
      }
    });

    const lies: readonly (readonly [field: string, batch: number, change: (outcome: BatchOutcome) => BatchOutcome])[] = [
      ['', paidBatch, (outcome) => ({ ...outcome, batchId: word })],
      ['.amount', paidBatch, (outcome) => ({ ...outcome, amount: 99n })],
      ['.challenges', paidBatch, (outcome) => ({ ...outcome, challenges: [] })],
      ['.challenges', refundedBatch, (outcome) => ({ ...outcome, challenges: outcome.challenges.slice(0, 1) })],
      ['.challenges[1].index', refundedBatch, challenge(1, { index: 5 })],
      ['.challenges[0].index', paidBatch, challenge(0, { pair: { inputCommitment: 1n, outputCommitment: 2n } })],
      ['.challenges[0].challenger', paidBatch, challenge(0, { challenger: nobody })],
      ['.challenges[1].transaction', refundedBatch, challenge(1, { transactionHash: word })],
      ['.challenges[0].answer', paidBatch, withoutAnswer],
      ['.challenges[1].answer', refundedBatch, challenge(1, { outcome: 'answered', answerTransactionHash: word })],
      ['.challenges[0].answer.transaction', paidBatch, challenge(0, { answerTransactionHash: word })],
      ['.challenges[0].answer.inferenceProof', paidBatch, challenge(0, { answerProofHash: word })],
      ['.ended.outcome', refundedBatch, (outcome) => ({ ...outcome, state: 'paid' })],
      ['.ended.index', refundedBatch, (outcome) => ({ ...outcome, unanswered: 0 })],
      ['.ended.transaction', paidBatch, (outcome) => ({ ...outcome, endTransactionHash: word })],
      ['.challenges[0].transaction', paidBatch, (outcome) => pending(challenge(0, { transactionHash: word })(outcome))],
    ];
    for (const [field, batch, change] of lies) {
      it(`refutes a record that is not the chain's at court${field}, batch ${batch}`, async () => {
        assert.deepEqual(await record(batch, change), ['refuted', field, 'STUN_CHAIN_DISAGREES']);
      });
    }
  });
});
