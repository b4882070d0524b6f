/** What a bundle carries of the court: verified offline, field by field, and held against the chain. */
import assert from 'node:assert/strict';
import {
  AuditLedger,
  auditOffline,
  auditOnChain,
  type AuditBundle,
  type AuditCheck,
  type AuditedBundle,
  type ChainFindings,
} from '#client/index.ts';
import { courtAddressOf, courtCalls } from '#chain/court-calls.ts';
import type { AuditCourt, AuditTransaction } from '#client/audit/bundle.ts';
import { proofFromChain } from '#chain/proof-forms.ts';
import { verifyCourtRecord } from '#client/audit/verify-court-record.ts';
import type { Hex } from '#protocol/index.ts';
import { sampleCases } from '#test/depth.ts';
import { withOtherModel } from './forged-bundle.ts';
import { changed, isUnder, leavesOf, withChange, type JsonValue } from './document-leaves.ts';
import { challengeOrder, BOND, SLASH, type ChallengedOrder } from './challenged-order.ts';
import { startClientStage, type ClientStage } from './stage.ts';

describe('audit bundle of a challengeable order', function () {
  this.timeout(300_000);
  let stage: ClientStage;
  let made: ChallengedOrder;

  before(async () => {
    stage = await startClientStage();
    made = await challengeOrder(stage);
  });
  after(async () => {
    made?.client.close();
    await stage.close();
  });

  const trust = () => ({ roots: [stage.pki.root], attestors: stage.attestors, threshold: 2 });

  function offline(bundle: AuditBundle): { audited: AuditedBundle; ledger: AuditLedger } {
    const ledger = new AuditLedger();
    const audited = auditOffline(JSON.parse(JSON.stringify(bundle)), trust(), ledger);
    assert.ok(audited);
    return { audited, ledger };
  }

  async function onChain(
    bundle: AuditBundle,
  ): Promise<{ checks: readonly AuditCheck[]; findings: ChainFindings; audited: AuditedBundle }> {
    const { audited, ledger } = offline(bundle);
    const findings = await auditOnChain(audited, ledger, stage.chain.provider, 0);
    return { checks: ledger.list(), findings, audited };
  }

  const idsOf = (checks: readonly AuditCheck[], status: AuditCheck['status']): string[] =>
    checks.filter((check) => check.status === status).map(({ id }) => id);

  it('shows offline what became of each batch, with the sums of the terms, and what only the chain can say', () => {
    const { audited, ledger } = offline(made.bundle);
    const batches = audited.segments.map((segment) => segment!.court!);
    assert.deepEqual(
      batches.map(({ state, amount, slash, unanswered, challenges }) => [
        state,
        amount,
        slash,
        unanswered,
        challenges.map(({ index, challenger, bond, outcome, answeredBy }) => [index, challenger, bond, outcome, answeredBy]),
      ]),
      [
        ['paid', 7000n, 0n, undefined, [[0, stage.chain.accounts[4]!.address, BOND, 'answered', stage.provider]]],
        ['refunded', 7000n, SLASH, 0, [[0, stage.chain.accounts[8]!.address, BOND, 'returned', undefined]]],
        ['paid', 7000n, 0n, undefined, []],
        ['pending', 7000n, 0n, undefined, []],
      ],
    );
    assert.deepEqual(idsOf(ledger.list(), 'refuted'), []);
    const open = idsOf(ledger.list(), 'unknown').filter((id) => !id.endsWith('.inference'));
    const records = [0, 1, 2, 3].map((i) => `segments[${i}].court.record`);
    assert.deepEqual(open.toSorted(), ['order.publicModel.setup', ...records, 'segments[3].court.outcome'].toSorted());
    assert.ok(
      ledger
        .list()
        .some(({ id, status }) => id === 'segments[0].court.challenges[0].answer.inferenceProof' && status === 'proven'),
    );
  });

  it('says the same as the chain, word for word', async () => {
    const { checks, findings, audited } = await onChain(made.bundle);
    assert.deepEqual(idsOf(checks, 'refuted'), []);
    for (const [i, segment] of audited.segments.entries()) {
      assert.equal(checks.find(({ id }) => id === `segments[${i}].court.record`)?.status, 'proven');
      assert.deepEqual(segment!.court, findings.batches[i]);
    }
  });

  it('was true when it was exported, though the court has gone on since', async () => {
    const { checks } = await onChain(made.early);
    assert.deepEqual(idsOf(checks, 'refuted'), []);
    const records = checks.filter(({ id }) => id.endsWith('.court.record'));
    assert.deepEqual(
      records.map(({ status, reason }) => [status, reason?.slice(0, 21)]),
      [0, 1, 2].map(() => ['unknown', 'the court has gone on']),
    );
  });

  /** The checks of one segment's record alone, changed. */
  function checksOf(audited: AuditedBundle, i: number, court: unknown, without?: 'model'): readonly AuditCheck[] {
    const ledger = new AuditLedger();
    const { order, publicModel } = audited;
    const wire = { ...audited.bundle.segments[i]!, court } as AuditBundle['segments'][number];
    const { pairs } = made.published[i]!;
    const { signals } = audited.segments[i]!;
    const model = without === undefined ? publicModel : undefined;
    const batch = { order, provider: stage.provider, publicModel: model, signals: signals!, pairs, ledger };
    verifyCourtRecord(wire, `segments[${i}]`, batch, ledger);
    return ledger.list();
  }

  it('is refuted at a field that names the change, for every field beside the record, the model too', () => {
    const document = JSON.parse(JSON.stringify(made.bundle)) as JsonValue;
    const all = leavesOf(document).filter(({ path }) => !/^segments\[\d+\]\.court\b/.test(path));
    assert.ok(all.filter(({ path }) => path.startsWith('order.publicModel.')).length >= 3);
    const astray: string[] = [];
    const leaves = sampleCases(all, 6);
    for (const { path, keys } of leaves) {
      const ledger = new AuditLedger();
      auditOffline(
        withChange(document, keys, (leaf) => changed(leaf as string | number | boolean | null, path)),
        trust(),
        ledger,
      );
      const first = ledger.list().find(({ status }) => status === 'refuted');
      if (first === undefined || !isUnder(path, [first.field ?? '', ...first.binds]))
        astray.push(`${path} -> ${first === undefined ? 'holds' : `${first.id}: ${first.reason ?? ''}`}`);
    }
    console.log(`      changed ${leaves.length} of ${all.length} fields one at a time`);
    assert.deepEqual(astray, []);
  });

  it('is refuted at the model though its ids were made anew, with the opening transaction and without', () => {
    const forged = withOtherModel(made.bundle);
    const { openTransaction, ...order } = forged.order;
    assert.ok(openTransaction);
    for (const bundle of [forged, { ...forged, order }]) {
      const first = offline(bundle)
        .ledger.list()
        .find(({ status }) => status === 'refuted');
      assert.ok(first?.binds.includes('order.publicModel'), `${first?.id}: ${first?.binds.join()}`);
    }
  });

  it('is refuted at a field that names the change, for every field of the record', () => {
    const { audited } = offline(made.bundle);
    const astray: string[] = [];
    let fields = 0;
    for (const [i, { court }] of audited.bundle.segments.entries()) {
      for (const { path, keys } of leavesOf(court as JsonValue)) {
        const place = `segments[${i}].court.${path}`;
        const lie = withChange(court as JsonValue, keys, (leaf) =>
          path === 'ended.outcome' ? (leaf === 'paid' ? 'refunded' : 'paid') : changed(leaf as string | number, path),
        );
        const first = checksOf(audited, i, lie).find(({ status }) => status === 'refuted');
        if (first === undefined || !isUnder(place, [first.field!, ...first.binds]))
          astray.push(`${place}: ${first?.reason ?? 'holds'}`);
        fields += 1;
      }
    }
    assert.ok(fields > 25, `${fields} fields`);
    assert.deepEqual(astray, []);
  });

  describe('whose signatures and calls are made anew', () => {
    type Court = AuditCourt;
    /** Account that signs. */
    const [FUNDER, PROVIDER, STRANGER] = [4, 5, 9];
    let audited: AuditedBundle;
    let court: Hex;
    before(() => {
      ({ audited } = offline(made.bundle));
      court = courtAddressOf(made.order.place.escrow);
    });

    async function sign(
      account: number,
      data: string,
      change: { to?: string; value?: bigint; chainId?: bigint } = {},
    ): Promise<AuditTransaction> {
      const wallet = stage.chain.wallet(account);
      const rest = {
        to: court,
        value: 0n,
        chainId: 31337n,
        nonce: 7,
        gasLimit: 500_000n,
        gasPrice: 10n ** 9n,
        type: 0,
        ...change,
      };
      return { sender: wallet.address.toLowerCase(), raw: await wallet.signTransaction({ ...rest, data }) };
    }

    const recordOf = (i: number): Court => structuredClone(made.bundle.segments[i]!.court!);
    const batchIdOfSegment = (i: number) => audited.segments[i]!.court!.batchId;
    const pairsOf = (i: number) => made.published[i]!.pairs;
    const challengeOf = (i: number, index = 0) => courtCalls.challenge(batchIdOfSegment(i), index, pairsOf(i));

    /** The record with another transaction in place of its first challenge's. */
    const challengedBy =
      (account: number, call: () => string, change: { value: bigint; chainId?: bigint }) =>
      async (record: Court): Promise<Court> => {
        const transaction = await sign(account, call(), change);
        return { ...record, challenges: [{ ...record.challenges[0]!, transaction }] };
      };

    /** What the lie is refuted with, and where. */
    const at = (i: number, path: string, code = 'STUN_AUDIT_REFUTED') => [`segments[${i}].court.${path}`, code];
    const lies: readonly (readonly [
      says: string,
      segment: number,
      expected: [path: string, code?: string],
      lie: (record: Court) => Promise<Court>,
    ])[] = [
      [
        'a challenge by a stranger',
        0,
        ['challenges[0].challenger'],
        async (record) => {
          const transaction = await sign(STRANGER, challengeOf(0), { value: BOND });
          return { ...record, challenges: [{ ...record.challenges[0]!, challenger: transaction.sender, transaction }] };
        },
      ],
      [
        'a challenge that a stranger signed for the funder',
        0,
        ['challenges[0].transaction'],
        challengedBy(STRANGER, () => challengeOf(0), { value: BOND }),
      ],
      [
        'another bond than that of the terms',
        0,
        ['challenges[0].transaction'],
        challengedBy(FUNDER, () => challengeOf(0), { value: BOND - 1n }),
      ],
      [
        'a challenge on another chain',
        0,
        ['challenges[0].transaction'],
        challengedBy(FUNDER, () => challengeOf(0), { value: BOND, chainId: 1n }),
      ],
      [
        'the challenge of another batch',
        0,
        ['challenges[0].transaction'],
        challengedBy(FUNDER, () => challengeOf(1), { value: BOND }),
      ],
      [
        'a challenge of a pair that was not paid',
        3,
        ['challenges[0].index'],
        async (record) => {
          const transaction = await sign(FUNDER, challengeOf(3, 1), { value: BOND });
          return { ...record, challenges: [{ index: 1, challenger: made.order.place.funder, transaction }] };
        },
      ],
      [
        'two challenges of one pair',
        1,
        ['challenges[1].index'],
        async (record) => ({
          ...record,
          challenges: [record.challenges[0]!, record.challenges[0]!],
        }),
      ],
      [
        'the proof of another pair',
        0,
        ['challenges[0].answer.inferenceProof', 'STUN_PROOF_INVALID'],
        async (record) => {
          const other = pairsOf(1)[0]!;
          const proof = made.model.key.prove(other.inputCommitment, other.outputCommitment);
          const transaction = await sign(PROVIDER, courtCalls.answer(batchIdOfSegment(0), 0, pairsOf(0), proof));
          return {
            ...record,
            challenges: [{ ...record.challenges[0]!, answer: { inferenceProof: proofFromChain(proof), transaction } }],
          };
        },
      ],
      [
        'another proof than the answer showed',
        0,
        ['challenges[0].answer.transaction'],
        async (record) => {
          const { inputCommitment, outputCommitment } = pairsOf(0)[0]!;
          const inferenceProof = proofFromChain(made.model.key.prove(inputCommitment, outputCommitment));
          return {
            ...record,
            challenges: [{ ...record.challenges[0]!, answer: { ...record.challenges[0]!.answer!, inferenceProof } }],
          };
        },
      ],
      [
        'an answer whose proof is left out',
        0,
        ['challenges[0].answer.transaction'],
        async (record) => {
          const { transaction } = record.challenges[0]!.answer!;
          return { ...record, challenges: [{ ...record.challenges[0]!, answer: { transaction } }] };
        },
      ],
      [
        'a refund of an answered challenge',
        0,
        ['ended.index'],
        async (record) => {
          const transaction = await sign(FUNDER, courtCalls.refundUnanswered(batchIdOfSegment(0), 0));
          return { ...record, ended: { outcome: 'refunded', index: 0, transaction } };
        },
      ],
      [
        'a refund without a challenge',
        2,
        ['ended.index'],
        async (record) => {
          const transaction = await sign(FUNDER, courtCalls.refundUnanswered(batchIdOfSegment(2), 0));
          return { ...record, ended: { outcome: 'refunded', index: 0, transaction } };
        },
      ],
      [
        'an end that ended another batch',
        0,
        ['ended.transaction'],
        async (record) => {
          const transaction = await sign(PROVIDER, courtCalls.finalise(batchIdOfSegment(2)));
          return { ...record, ended: { outcome: 'paid', transaction } };
        },
      ],
      ['more than the jobs cost', 0, ['amount'], async (record) => ({ ...record, amount: '7001' })],
      ['nothing at stake', 0, ['amount'], async (record) => ({ ...record, amount: '0' })],
    ];
    for (const [says, i, [path, code], lie] of lies) {
      it(`is refuted when it shows ${says}`, async () => {
        const [first] = checksOf(audited, i, await lie(recordOf(i))).filter(({ status }) => status === 'refuted');
        assert.deepEqual([first?.field, first?.code], at(i, path, code));
      });
    }

    it('is refuted when the bundle does not hold the model that an answer was proven for', () => {
      const [first] = checksOf(audited, 0, recordOf(0), 'model').filter(({ status }) => status === 'refuted');
      assert.deepEqual([first?.field, first?.code], at(0, 'challenges[0].answer.inferenceProof', 'STUN_PROOF_FAMILY'));
    });

    it('is refuted for a segment that is not settled', () => {
      const { settlement: _, ...segment } = made.bundle.segments[2]!;
      const { ledger } = offline({ ...made.bundle, segments: [segment] });
      const refuted = ledger.list().filter(({ status }) => status === 'refuted');
      assert.deepEqual(
        refuted.map(({ field, code }) => [field, code]),
        [['segments[0].court', 'STUN_AUDIT_REFUTED']],
      );
    });

    it('leaves open what is missing, what went through another contract, and what a short budget explains', () => {
      const reasonOf = (i: number, record: Court | undefined, id = '.record'): string | undefined => {
        const checks = checksOf(audited, i, record);
        assert.deepEqual(idsOf(checks, 'refuted'), []);
        return checks.find((check) => check.id === `segments[${i}].court${id}`)?.reason;
      };
      assert.match(reasonOf(0, undefined, '')!, /does not hold what the court decided/);
      assert.match(reasonOf(0, { ...recordOf(0), amount: '6999' })!, /the budget was short of 1$/);
      const [challenge] = recordOf(0).challenges;
      assert.match(
        reasonOf(0, { ...recordOf(0), challenges: [{ ...challenge!, answer: undefined }] })!,
        /verifier of inferences was withdrawn/,
      );
    });

    it('is refuted by the chain when it was made up of calls that nobody sent', async () => {
      const elsewhere = { to: `0x${'77'.repeat(20)}` };
      const [challenge] = recordOf(0).challenges;
      const answer = { transaction: await sign(STRANGER, '0x', elsewhere) };
      const indirect = { ...recordOf(0), challenges: [{ ...challenge!, answer }] };
      const finalise = await sign(STRANGER, courtCalls.finalise(batchIdOfSegment(2)));
      const again = { ...recordOf(2), ended: { outcome: 'paid' as const, transaction: finalise } };
      const lie = structuredClone(made.bundle);
      lie.segments[0]!.court = indirect;
      lie.segments[2]!.court = again;
      const { ledger } = offline(lie);
      assert.deepEqual(idsOf(ledger.list(), 'refuted'), []);
      const open = ledger.list().find(({ id }) => id === 'segments[0].court.record')?.reason;
      assert.match(
        open!,
        /that a proof answered for pair 0, which the bundle does not hold; what .*answer.transaction asked of the court/,
      );
      const { checks } = await onChain(lie);
      const refuted = checks.filter(({ status }) => status === 'refuted');
      assert.deepEqual(
        refuted.map(({ id, field, code }) => [id, field, code]),
        [
          ['segments[0].court.record', 'segments[0].court.challenges[0].answer.transaction', 'STUN_CHAIN_DISAGREES'],
          ['segments[2].court.record', 'segments[2].court.ended.transaction', 'STUN_CHAIN_DISAGREES'],
        ],
      );
    });
  });
});
