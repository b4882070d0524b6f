/** What a look at the court does about each answer, against a court that stands as the test says; with a real one in test/e2e/levels.test.ts. */
import assert from 'node:assert/strict';
import {
  ASSURANCE,
  commitIntegers,
  encodeTensors,
  outputBlindingOf,
  publicModelFromWire,
  StunError,
  toHex,
  type Hex,
  type PublishedPair,
  type Receipt,
} from '#protocol/index.ts';
import type { CourtBatch, CourtChallenge } from '#chain/court.ts';
import type { BatchRecorded, PairsPublished } from '#chain/court-events.ts';
import { lookAfterCourt, type CourtLook, type CourtSide, type LookOptions } from '#client/court-watch.ts';
import type { OpenLane } from '#client/store/lane.ts';
import type { OrderRecord } from '#client/store/order-record.ts';
import type { ClientStore } from '#client/store/store.ts';
import type { StoredJob } from '#client/store/stored-job.ts';
import { rejectsCode } from '../assert-code.ts';
import { makeEnclave, NOW, PROVIDER, recordOf, type TestEnclave } from '../protocol/fixtures.ts';
import { compiledFixture, integerInput } from '../worker/compiled-fixture.ts';
import { laneEnclaveOf, makeOrderRecord, removeFolders, temporaryStore } from './store-fixtures.ts';

const place: BatchRecorded['place'] = { blockNumber: 1, transactionHash: `0x${'11'.repeat(32)}`, logIndex: 0 };
const mined: { transactionHash: Hex; gasUsed: bigint } = { transactionHash: `0x${'22'.repeat(32)}`, gasUsed: 70_000n };
const ANSWERABLE_UNTIL = NOW + 3600;
const answers = (found: Partial<CourtLook['answers']>) => ({ agrees: 0, differs: 0, withheld: 0, unknown: 0, ...found });

describe('a look at the challenge court', function () {
  this.timeout(120_000);
  let fixture: Awaited<ReturnType<typeof compiledFixture>>;
  let store: ClientStore;
  let order: OrderRecord;
  let lane: OpenLane;
  let enclave: TestEnclave;
  let jobs: StoredJob[];
  beforeEach(async () => {
    fixture = await compiledFixture();
    ({ store } = await temporaryStore());
    const publicModel = publicModelFromWire({
      manifest: new TextDecoder().decode(fixture.manifest),
      verificationKey: toHex(fixture.verificationKeyBytes),
      ceremonyHash: toHex(fixture.ceremonyHash),
    });
    const { terms } = makeOrderRecord();
    order = makeOrderRecord({ publicModel, terms: { ...terms, assurance: ASSURANCE.challengeable, bond: 5n } });
    await store.orders.create(order);
    enclave = await makeEnclave(order.opening.policyId);
    lane = await store.lanes.forEnclave(order, laneEnclaveOf(enclave));
    jobs = [];
    for (const input of INPUTS) {
      const payload = encodeTensors([integerInput(fixture, input)]);
      jobs.push(await lane.demand({ payload, maxPrice: 900n }));
    }
  });
  afterEach(async () => {
    await lane.close();
    await removeFolders();
  });

  const INPUTS = [
    [5, 6, 7, 8],
    [1, 2, 3, 4],
  ];

  /** The commitment that a job settles under: honest, or of another value. */
  function committed(i: number, lies: boolean): bigint {
    const output = fixture.run(INPUTS[i]!).map((value, j) => (lies && j === 0 ? value + 1 : value));
    return commitIntegers(fixture.model.output, output, outputBlindingOf(order.outputSeed, jobs[i]!.head));
  }

  /** The pairs as honest answers settle, but for those at `lies`. */
  function pairs(lies: readonly number[] = []): PublishedPair[] {
    const paid = jobs.map(({ header }, i) => ({
      inputCommitment: header.inputCommitment,
      outputCommitment: committed(i, lies.includes(i)),
    }));
    return [...paid, { inputCommitment: 0n, outputCommitment: 0n }];
  }

  /** Puts the checked result of a job into the store. */
  async function openResult(i: number, outputCommitment: bigint): Promise<void> {
    const { head, header, jobId } = jobs[i]!;
    const times = { startedAtUnix: NOW, finishedAtUnix: NOW + 1 };
    const receipt: Receipt = { demandHead: head, outputCommitment, price: 7n, deliveryDigest: 3n, status: 'served', ...times };
    const record = recordOf(enclave, header, order.opening.modelId, receipt);
    await lane.files.addOutcome(jobId, { kind: 'receipted', record, sealedResult: new Uint8Array(9), seenAtUnix: NOW });
  }

  interface Standing {
    readonly pairs: readonly PublishedPair[];
    readonly state?: CourtBatch['state'];
    readonly challenge?: CourtChallenge['state'];
    readonly nowUnix?: number;
    readonly refuses?: StunError;
    readonly laneIndex?: number;
    /** Jobs whose results cannot be had. */
    readonly withheld?: readonly number[];
  }

  /** Looks at a court with one batch. @returns what was found, and what was sent */
  async function look(standing: Standing, change: Partial<LookOptions> = {}): Promise<{ found: CourtLook; sent: unknown[] }> {
    const sent: unknown[] = [];
    const send = async (...what: unknown[]) => {
      if (standing.refuses !== undefined) throw standing.refuses;
      sent.push(what);
      return { ...mined, blockNumber: 2, receipt: undefined as never };
    };
    const { orderKey } = order;
    const batchId: Hex = `0x${'33'.repeat(32)}`;
    const { laneIndex } = lane.record;
    const batch: BatchRecorded = {
      batchId,
      orderKey,
      provider: PROVIDER,
      laneIndex: standing.laneIndex ?? laneIndex,
      laneNew: jobs.at(-1)!.head,
      amount: 7n,
      place,
    };
    const client: CourtSide = {
      store,
      provider: { getBlock: () => Promise.resolve({ number: 9, timestamp: standing.nowUnix ?? NOW }) },
      signer: () => ({ getAddress: () => Promise.resolve('0x01') }),
      contracts: {
        deployment: { deployBlock: 0 },
        court: {
          batchesRecorded: () => Promise.resolve([batch]),
          pairsPublished: () => Promise.resolve([{ pairs: standing.pairs } as PairsPublished]),
          batch: () => Promise.resolve({ state: standing.state ?? 'pending' } as CourtBatch),
          challengeOf: () => Promise.resolve({ state: standing.challenge ?? 'none' } as CourtChallenge),
          answerableUntilUnix: () => Promise.resolve(ANSWERABLE_UNTIL),
          allow: async () => undefined,
          challenge: (_id, index, _pairs, bond) => send('challenge', index, bond.amount),
          refundUnanswered: (_id, index) => send('refund', index),
        },
      },
    };
    const open = async (jobId: Hex): Promise<void> => {
      const i = jobs.findIndex((job) => job.jobId === jobId);
      if (standing.withheld?.includes(i) === true) throw new StunError('STUN_JOB_PENDING', 'withheld');
      await openResult(i, standing.pairs[i]!.outputCommitment);
    };
    const options = { settled: new Set<Hex>(), challengeWithheld: false, open, ...change };
    const found = await lookAfterCourt(client, order, { modelId: fixture.model.modelId, run: fixture.run }, options);
    return { found, sent };
  }

  it('leaves a batch of honest answers alone', async () => {
    const { found, sent } = await look({ pairs: pairs() });
    assert.deepEqual(found, { batches: 1, pending: 1, answers: answers({ agrees: 2 }), steps: [] });
    assert.deepEqual(sent, []);
  });

  it('challenges the one answer that is not the model’s, with the bond of the terms', async () => {
    const { found, sent } = await look({ pairs: pairs([1]) });
    assert.deepEqual(sent, [['challenge', 1, 5n]]);
    assert.deepEqual(found.answers, answers({ agrees: 1, differs: 1 }));
    assert.deepEqual(
      found.steps.map(({ kind, index, jobId, gasUsed }) => [kind, index, jobId, gasUsed]),
      [['challenged', 1, jobs[1]!.jobId, 70_000n]],
    );
  });

  it('waits while a challenge can be answered, and has the batch refunded a second later', async () => {
    const open = { pairs: pairs([0]), challenge: 'open' } as const;
    assert.deepEqual((await look({ ...open, nowUnix: ANSWERABLE_UNTIL })).sent, []);
    const { found, sent } = await look({ ...open, nowUnix: ANSWERABLE_UNTIL + 1 });
    assert.deepEqual([sent, found.steps[0]?.kind], [[['refund', 0]], 'refunded']);
  });

  it('says that it came too late, once', async () => {
    const settled = new Set<Hex>();
    const { found, sent } = await look({ pairs: pairs([0]), state: 'paid' }, { settled });
    assert.deepEqual([sent, found.pending, found.steps.map(({ code }) => code)], [[], 0, ['STUN_CHALLENGE_WINDOW']]);
    assert.equal((await look({ pairs: pairs([0]), state: 'paid' }, { settled })).found.batches, 0);
  });

  it('asks nothing of a batch that was refunded', async () => {
    const { found, sent } = await look({ pairs: pairs([0]), state: 'refunded' });
    assert.deepEqual([sent, found.answers, found.steps], [[], answers({ agrees: 1, differs: 1 }), []]);
  });

  it('says that a proof contradicts the model, for then the model or its key is broken', async () => {
    const { found, sent } = await look({ pairs: pairs([0]), challenge: 'answered' });
    assert.deepEqual([sent, found.steps.map(({ code }) => code)], [[], ['STUN_ANSWER_DISAGREES']]);
  });

  it('goes on after a challenge that fails', async () => {
    const refuses = new StunError('STUN_CHALLENGE_BOND', 'too poor');
    const { found } = await look({ pairs: pairs([0, 1]), refuses });
    assert.deepEqual(
      found.steps.map(({ kind, index, code }) => [kind, index, code]),
      [
        ['failed', 0, 'STUN_CHALLENGE_BOND'],
        ['failed', 1, 'STUN_CHALLENGE_BOND'],
      ],
    );
  });

  it('does not challenge what cannot be opened, unless it is told to: it may be a right answer under another blinding', async () => {
    const withheld = { pairs: pairs([1]), withheld: [1] };
    const left = await look(withheld);
    assert.deepEqual([left.sent, left.found.answers], [[], answers({ agrees: 1, withheld: 1 })]);
    assert.deepEqual(
      left.found.steps.map(({ kind, index, code }) => [kind, index, code]),
      [['failed', 1, 'STUN_ANSWER_WITHHELD']],
    );
    const told = await look(withheld, { challengeWithheld: true });
    assert.deepEqual([told.sent, told.found.steps[0]?.kind], [[['challenge', 1, 5n]], 'challenged']);
    const proven = await look({ ...withheld, challenge: 'answered' }, { challengeWithheld: true });
    assert.deepEqual([proven.sent, proven.found.steps], [[], []]);
  });

  it('takes an opened result of something else than was settled for none', async () => {
    await openResult(1, committed(1, false));
    const { found, sent } = await look({ pairs: pairs([1]), withheld: [1] });
    assert.deepEqual([sent, found.answers], [[], answers({ agrees: 1, withheld: 1 })]);
  });

  it('counts what it cannot know: a lane or a job that the store does not hold', async () => {
    const elsewhere = await look({ pairs: pairs([0]), laneIndex: 77 });
    assert.deepEqual([elsewhere.found.answers, elsewhere.sent], [answers({ unknown: 2 }), []]);
    const [first] = pairs();
    const other = await look({ pairs: [first!, { inputCommitment: 1n, outputCommitment: 2n }] });
    assert.deepEqual([other.found.answers, other.sent], [answers({ agrees: 1, unknown: 1 }), []]);
  });

  it('takes no other model, and no order without a court', async () => {
    const client = {} as CourtSide;
    const { model, run } = fixture;
    const options: LookOptions = { settled: new Set(), challengeWithheld: false, open: () => Promise.resolve() };
    const other = { modelId: model.modelId + 1n, run };
    await rejectsCode(lookAfterCourt(client, order, other, options), 'STUN_MODEL_MISMATCH');
    const proven = { ...order, terms: { ...order.terms, assurance: ASSURANCE.proven } };
    await rejectsCode(lookAfterCourt(client, proven, { modelId: model.modelId, run }, options), 'STUN_ORDER_TERMS');
  });
});
