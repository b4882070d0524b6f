/**
 * payable() beside circuit and contract: a lane of jobs that payable accepts from the chain's own view is proven with the
 * shipping circuit and paid in full; and whatever stops the chain from paying stops payable before.
 */
import assert from 'node:assert/strict';
import { publishedBatch, challengeableTerms, registerModel } from '#test/contracts/published.ts';
import { familyForJobs } from '#chain/deployment.ts';
import { proveBundle } from '#prover/prove-bundle.ts';
import {
  demandHeadOf,
  fieldToHex,
  generateEddsaKeyPair,
  laneGenesisOf,
  orderDomainOf,
  orderIdOf,
  payable,
  payloadCommitment,
  parseKeyset,
  randomField,
  SETTLEMENT_SIGNALS,
  settlementBundleToWire,
  signDemand,
  signStatement,
  statementOver,
  utf8,
  type EddsaKeyPair,
  type JobHeader,
  type LaneView,
  type OpenedOrder,
  type OrderOpening,
  type PayableInput,
  type Receipt,
  type SegmentJob,
  type SettlementBundle,
  type SettlementSignals,
  type Terms,
} from '#protocol/index.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';
import {
  DAY,
  openOrder,
  placeOf,
  registerEnclave,
  restoreEachTest,
  startStage,
  termsFor,
  type Stage,
  type StageEnclave,
  type StageOrder,
} from '#test/contracts/stage.ts';

const PRICE = 7n;
const MAX_PRICE = 9n;
const JOBS = 5;
const BUDGET = 1000n;
const TOKEN = '0x0000000000000000000000000000000000000000';

describe('payable beside circuit and contract', function () {
  this.timeout(300_000);
  let stage: Stage;
  let enclave: StageEnclave;
  let order: OpenedOrder;
  let demandKey: EddsaKeyPair;
  let provider: string;
  let orderKey: string;

  before(async () => {
    stage = await startStage();
    provider = stage.provider.address.toLowerCase();
    enclave = await registerEnclave(stage);
    demandKey = generateEddsaKeyPair();
    const terms = termsFor(stage, { settlementFamily: familyForJobs(stage.deployment, 16).family, segmentLength: JOBS });
    await open(terms, randomField());
  });
  after(() => stage.close());
  restoreEachTest(() => stage);

  /** Opens the order that the test is about. */
  async function open(terms: Terms, modelId: bigint): Promise<StageOrder> {
    const place = placeOf(stage, TOKEN);
    const opening: OrderOpening = {
      domain: orderDomainOf(place, terms),
      demandKey: demandKey.publicKey,
      modelId,
      policyId: enclave.registration.policyId,
      salt: randomField(),
    };
    order = { place, terms, opening, orderId: orderIdOf(opening) };
    const opened = await openOrder(stage, { orderId: order.orderId, terms, budgets: [{ provider, amount: BUDGET }] });
    orderKey = opened.orderKey;
    return opened;
  }

  function header(lane: LaneView): JobHeader {
    const demand = { inputCommitment: randomField(), maxPrice: MAX_PRICE, signerId: enclave.signerId };
    return {
      funder: order.place.funder,
      orderId: order.orderId,
      demandKey: demandKey.publicKey,
      provider,
      laneIndex: 0,
      k: lane.k + 1,
      previousHead: lane.head,
      ...demand,
      signature: signDemand(demandKey, demandHeadOf(lane.head, demand)),
    };
  }

  /** What payable sees, read from the chain as a provider's node gives it. */
  async function input(lane: LaneView, reserved: bigint, unsettledSegments = 1): Promise<PayableInput> {
    const { court, escrow, registry, router } = stage.as(stage.provider);
    const { assurance, inferenceFamily } = order.terms;
    const stored = await escrow.order(order.place.funder, order.orderId);
    const leaf = await registry.leaf(enclave.keysetDigest, enclave.registration.policyId).catch(() => undefined);
    return {
      order: {
        place: order.place,
        terms: order.terms,
        domain: stored.domain,
        deadlineUnix: stored.deadlineUnix,
        budgetLeft: (await escrow.budget(orderKey, provider)).remaining,
        familyOpen: await router.isFamilyOpen(await escrow.familyFor(orderKey, provider)),
        inferenceFamilyOpen: assurance === 0 || (await router.isFamilyOpen(inferenceFamily)),
        stakeAvailable: assurance === 1 ? await court.availableStake(TOKEN, provider) : 0n,
      },
      lane,
      header: header(lane),
      opening: order.opening,
      leaf: leaf ?? {
        leaf: {
          signerId: enclave.signerId,
          policyId: enclave.registration.policyId,
          provider,
          hardwareIdHash: enclave.registration.hardwareIdHash,
          expiresAtUnix: enclave.registration.expiresAtUnix,
        },
        treeLeaf: 0n,
        retired: false,
      },
      reserved,
      unsettledSegments,
      offer: { provider, modelId: order.opening.modelId, price: PRICE },
      nowUnix: await stage.chain.nowUnix(),
    };
  }

  const genesis = (): LaneView => ({
    k: 0,
    head: laneGenesisOf({ orderId: order.orderId, provider, laneIndex: 0 }),
    signerId: undefined,
  });

  it('pays in full what payable accepted, job by job, and moves the lane to its last head', async () => {
    let lane = genesis();
    let reserved = 0n;
    let signature = signDemand(demandKey, 0n);
    const jobs: SegmentJob[] = [];
    for (let k = 1; k <= JOBS; k++) {
      const job = await input(lane, reserved);
      const accepted = payable(job);
      const receipt: Receipt = {
        demandHead: accepted.head,
        outputCommitment: payloadCommitment(utf8(`output ${k}`), randomField()),
        price: accepted.price,
        deliveryDigest: randomField(),
        status: 'served',
        startedAtUnix: job.nowUnix,
        finishedAtUnix: job.nowUnix + 1,
      };
      jobs.push({ demand: job.header, receipt });
      signature = job.header.signature;
      reserved = accepted.reservedAfter;
      lane = { k, head: accepted.head, signerId: enclave.signerId };
    }
    const statement = statementOver(
      genesis().head,
      order.opening.modelId,
      jobs.map((job) => job.receipt),
    );
    const { registry, escrow } = stage.as(stage.provider);
    const { leaf, index } = await registry.leaf(enclave.keysetDigest, enclave.registration.policyId);
    const bundle: SettlementBundle = {
      order,
      provider,
      laneIndex: 0,
      firstK: 1,
      keysetBytes: enclave.registration.keyset,
      keyset: parseKeyset(enclave.registration.keyset),
      leaf,
      jobs,
      demandSignature: signature,
      statement,
      statementSignature: signStatement(enclave.receiptKey, statement),
    };
    const { path, root } = await registry.pathOf(provider, index);
    const proof = await proveBundle(
      {
        bundle: settlementBundleToWire(bundle),
        enclavePath: { root: fieldToHex(root), index, siblings: path.siblings.map((sibling) => fieldToHex(sibling)) },
        validAtUnix: await stage.chain.nowUnix(),
      },
      { circuits: ['settlement-16'], taskTimeoutMs: 240_000, memoryLimitMb: 2048, backend: 'auto' },
    );
    const signals = Object.fromEntries(
      SETTLEMENT_SIGNALS.map((name, i) => [name, BigInt(proof.signals[i]!)]),
    ) as SettlementSignals;
    const pair = ([x, y]: readonly [string, string]): [bigint, bigint] => [BigInt(x), BigInt(y)];
    const solidityProof = { a: pair(proof.a), b: [pair(proof.b[0]), pair(proof.b[1])] as const, c: pair(proof.c) };
    const { event } = await escrow.settle(order.place.funder, solidityProof, signals);
    assert.equal(event.total, PRICE * BigInt(JOBS));
    assert.equal(event.shortfall, 0n);
    assert.equal(event.credited + event.fee, PRICE * BigInt(JOBS));
    assert.equal(await escrow.lane(orderKey, provider, 0), lane.head);
  });

  const stops: readonly [string, Parameters<typeof throwsCode>[1], () => Promise<unknown>][] = [
    ['a revoked enclave', 'STUN_ENCLAVE_NOT_LIVE', () => stage.as(stage.provider).registry.revoke(enclave.keysetDigest)],
    ['a retired enclave', 'STUN_ENCLAVE_NOT_LIVE', () => stage.as(stage.provider).registry.retire(enclave.keysetDigest)],
    ['a tombstoned family', 'STUN_ORDER_TERMS', () => stage.as(stage.owner).router.tombstone(order.terms.settlementFamily)],
    ['a frozen family', 'STUN_ORDER_TERMS', () => stage.as(stage.guardian).router.freeze(order.terms.settlementFamily, DAY)],
    ['a closed order', 'STUN_ORDER_CLOSED', () => stage.as(stage.funder).escrow.requestClose(order.orderId)],
    ['an order past its deadline', 'STUN_ORDER_CLOSED', () => stage.chain.increaseTime(DAY)],
  ];
  for (const [what, code, stop] of stops) {
    it(`accepts before and refuses after ${what}`, async () => {
      assert.equal(payable(await input(genesis(), 0n)).price, PRICE);
      await stop();
      const after = await input(genesis(), 0n);
      throwsCode(() => payable(after), code);
    });
  }

  it('accepts exactly as many unsettled jobs as the budget pays at their maxima', async () => {
    const affordable = BUDGET / MAX_PRICE;
    const reserved = (affordable - 1n) * MAX_PRICE;
    assert.equal(payable(await input(genesis(), reserved)).reservedAfter, affordable * MAX_PRICE);
    const over = await input(genesis(), reserved + MAX_PRICE);
    throwsCode(() => payable(over), 'STUN_BUDGET');
  });

  describe('of a challengeable order', () => {
    let opened: StageOrder;
    let slash: bigint;
    const attested = () => ({ order, orderKey });
    let kept: ReturnType<typeof attested>;
    beforeEach(async () => {
      kept = attested();
      const model = await registerModel(stage);
      const terms = challengeableTerms(stage, model);
      slash = terms.slash;
      opened = await open(terms, model.modelId);
    });
    afterEach(() => {
      ({ order, orderKey } = kept);
    });
    const settle = async (laneIndex = 0) => {
      const batch = await publishedBatch(stage, opened, [true], { laneIndex });
      return stage.as(stage.provider).escrow.settleChallengeable(order.place.funder, batch);
    };

    it('accepts exactly when the unreserved stake covers the slash, as the escrow does', async () => {
      const { court } = stage.as(stage.provider);
      await court.depositStake(TOKEN, slash - 1n);
      const under = await input(genesis(), 0n);
      throwsCode(() => payable(under), 'STUN_STAKE_TOO_LOW');
      await rejectsCode(settle(), 'STUN_STAKE_TOO_LOW');
      await court.depositStake(TOKEN, 1n);
      assert.equal(payable(await input(genesis(), 0n)).price, PRICE);
      await settle();
      const reserved = await input(genesis(), 0n);
      throwsCode(() => payable(reserved), 'STUN_STAKE_TOO_LOW');
    });

    it('accepts as many unsettled segments as the stake lets the escrow settle before any is final', async () => {
      const { court } = stage.as(stage.provider);
      await court.depositStake(TOKEN, 3n * slash - 1n);
      assert.equal(payable(await input(genesis(), 0n, 2)).price, PRICE);
      const third = await input(genesis(), 0n, 3);
      throwsCode(() => payable(third), 'STUN_STAKE_TOO_LOW');
      for (const laneIndex of [0, 1]) await settle(laneIndex);
      await rejectsCode(settle(2), 'STUN_STAKE_TOO_LOW');
    });

    for (const [what, stop] of [
      ['a frozen', () => stage.as(stage.guardian).router.freeze(order.terms.inferenceFamily, DAY)],
      ['a tombstoned', () => stage.as(stage.owner).router.tombstone(order.terms.inferenceFamily)],
    ] as const) {
      it(`refuses after ${what} inference family`, async () => {
        await stage.as(stage.provider).court.depositStake(TOKEN, slash);
        assert.equal(payable(await input(genesis(), 0n)).price, PRICE);
        await stop();
        const after = await input(genesis(), 0n);
        throwsCode(() => payable(after), 'STUN_ORDER_TERMS');
      });
    }
  });
});
