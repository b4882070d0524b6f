import assert from 'node:assert/strict';
import {
  payable,
  demandHeadOf,
  enclaveLeafOf,
  FIELD_ORDER,
  generateEddsaKeyPair,
  orderIdOf,
  randomField,
  signDemand,
  SUBGROUP_ORDER,
  type PayableInput,
  type JobHeader,
} from '#protocol/index.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import {
  FUNDER,
  makeEnclave,
  makeHeader,
  makeOrder,
  makePayableInput,
  NOW,
  type TestEnclave,
  type TestOrder,
} from '#test/unit/protocol/fixtures.ts';

describe('payable', () => {
  let order: TestOrder;
  let enclave: TestEnclave;
  let header: JobHeader;
  let good: PayableInput;

  before(async () => {
    order = makeOrder();
    enclave = await makeEnclave(order.opening.policyId);
    header = makeHeader(order, enclave);
    good = makePayableInput(order, enclave, header);
  });

  it('accepts a job that will be paid and returns its head, price and reservation', () => {
    const job = payable(good);
    assert.equal(job.head, demandHeadOf(header.previousHead, header));
    assert.equal(job.price, 700n);
    assert.equal(job.reservedAfter, 1000n);
  });

  it('accepts the second job of a lane', () => {
    const head = payable(good).head;
    const second = makeHeader(order, enclave, { k: 2, previousHead: head });
    const job = payable({ ...good, header: second, lane: { k: 1, head, signerId: enclave.signerId }, reserved: 1000n });
    assert.equal(job.reservedAfter, 2000n);
  });

  it('accepts a maximum that is just the price', () => {
    assert.equal(payable({ ...good, offer: { ...good.offer, price: header.maxPrice } }).price, header.maxPrice);
  });

  it('accepts a budget that is covered to the last unit', () => {
    assert.equal(payable({ ...good, order: { ...good.order, budgetLeft: 1000n * 10n ** 9n } }).price, 700n);
  });

  const signed = (change: Partial<JobHeader>, signer = order.demandKey): JobHeader => {
    const changed = { ...header, ...change };
    return { ...changed, signature: signDemand(signer, demandHeadOf(changed.previousHead, changed)) };
  };

  const cases: readonly [string, ErrorCode, () => PayableInput][] = [
    [
      'a domain on chain that is another',
      'STUN_ORDER_DOMAIN',
      () => ({ ...good, order: { ...good.order, domain: good.order.domain + 1n } }),
    ],
    [
      'terms that are not those of the domain',
      'STUN_ORDER_DOMAIN',
      () => ({ ...good, order: { ...good.order, terms: { ...order.terms, feeBps: 101 } } }),
    ],
    [
      'an opening with another salt',
      'STUN_ORDER_OPENING',
      () => ({ ...good, opening: { ...order.opening, salt: randomField() } }),
    ],
    [
      'a header with another funder',
      'STUN_ORDER_OPENING',
      () => ({ ...good, header: { ...header, funder: FUNDER.replace('f1', 'f2') } }),
    ],
    ['an order at its deadline', 'STUN_ORDER_CLOSED', () => ({ ...good, nowUnix: good.order.deadlineUnix })],
    ['a family that is frozen', 'STUN_ORDER_TERMS', () => ({ ...good, order: { ...good.order, familyOpen: false } })],
    [
      'an inference family that is frozen',
      'STUN_ORDER_TERMS',
      () => ({ ...good, order: { ...good.order, inferenceFamilyOpen: false } }),
    ],
    ['a model that is not served', 'STUN_MODEL_MISMATCH', () => ({ ...good, offer: { ...good.offer, modelId: 5n } })],
    ['another provider', 'STUN_DEMAND_PROVIDER', () => ({ ...good, header: signed({ provider: FUNDER }) })],
    ['another enclave', 'STUN_DEMAND_ENCLAVE', () => ({ ...good, header: signed({ signerId: randomField() }) })],
    ['a lane of another enclave', 'STUN_DEMAND_ENCLAVE', () => ({ ...good, lane: { ...good.lane, signerId: randomField() } })],
    ['a job out of order', 'STUN_LANE_INDEX', () => ({ ...good, header: { ...header, k: 2 } })],
    [
      'a replayed job',
      'STUN_LANE_INDEX',
      () => ({ ...good, lane: { k: 1, head: payable(good).head, signerId: enclave.signerId } }),
    ],
    ['an unknown head', 'STUN_LANE_HEAD', () => ({ ...good, header: signed({ previousHead: randomField() }) })],
    [
      'a second job that does not continue the first',
      'STUN_LANE_HEAD',
      () => ({
        ...good,
        header: signed({ k: 2, previousHead: randomField() }),
        lane: { k: 1, head: payable(good).head, signerId: enclave.signerId },
      }),
    ],
    [
      'a demand by another key under the same header key',
      'STUN_SIGNATURE',
      () => ({ ...good, header: signed({}, generateEddsaKeyPair()) }),
    ],
    ['a changed input commitment', 'STUN_SIGNATURE', () => ({ ...good, header: { ...header, inputCommitment: randomField() } })],
    [
      'a key that is not the one of the order',
      'STUN_ORDER_OPENING',
      () => {
        const stranger = generateEddsaKeyPair();
        return { ...good, header: signed({ demandKey: stranger.publicKey }, stranger) };
      },
    ],
    [
      'the negated key of the order, which has its y',
      'STUN_ORDER_OPENING',
      () => {
        const { publicKey, secret } = order.demandKey;
        const negated = { secret: SUBGROUP_ORDER - secret, publicKey: { x: FIELD_ORDER - publicKey.x, y: publicKey.y } };
        return { ...good, header: signed({ demandKey: negated.publicKey }, negated) };
      },
    ],
    [
      'a lane index that the signature does not cover',
      'STUN_LANE_HEAD',
      () => ({ ...good, header: { ...header, laneIndex: 1 } }),
    ],
    [
      'a leaf with another policy',
      'STUN_POLICY_MISMATCH',
      () => ({ ...good, leaf: { ...good.leaf, leaf: { ...enclave.leaf, policyId: 1n } } }),
    ],
    [
      'a leaf of another provider',
      'STUN_ENCLAVE_NOT_LIVE',
      () => {
        const leaf = { ...enclave.leaf, provider: FUNDER };
        return { ...good, leaf: { leaf, treeLeaf: enclaveLeafOf(leaf), retired: false } };
      },
    ],
    ['a retired leaf', 'STUN_ENCLAVE_NOT_LIVE', () => ({ ...good, leaf: { ...good.leaf, retired: true } })],
    ['a revoked leaf', 'STUN_ENCLAVE_NOT_LIVE', () => ({ ...good, leaf: { ...good.leaf, treeLeaf: 0n } })],
    [
      'a leaf that expires within a day',
      'STUN_ENCLAVE_EXPIRES_SOON',
      () => ({
        ...good,
        nowUnix: enclave.leaf.expiresAtUnix - 86399,
        order: { ...good.order, deadlineUnix: enclave.leaf.expiresAtUnix },
      }),
    ],
    ['a maximum below the price', 'STUN_PRICE_CAP', () => ({ ...good, offer: { ...good.offer, price: 1001n } })],
    [
      'a maximum of zero',
      'STUN_PRICE_CAP',
      () => ({ ...good, header: signed({ maxPrice: 0n }), offer: { ...good.offer, price: 0n } }),
    ],
    ['a budget one unit short', 'STUN_BUDGET', () => ({ ...good, order: { ...good.order, budgetLeft: 1000n * 10n ** 9n - 1n } })],
    ['a budget that earlier maxima have reserved', 'STUN_BUDGET', () => ({ ...good, reserved: 10n ** 6n })],
  ];
  for (const [what, code, make] of cases) {
    it(`refuses ${what} with ${code}`, () => throwsCode(() => payable(make()), code));
  }

  it('accepts a leaf that expires in exactly a day', () => {
    const nowUnix = enclave.leaf.expiresAtUnix - 86400;
    assert.equal(payable({ ...good, nowUnix, order: { ...good.order, deadlineUnix: nowUnix + 1 } }).price, 700n);
  });

  it('refuses an order above attested whose public model is another', () => {
    const above = makeOrder({ terms: { assurance: 2, publicModelId: 9n } });
    const input = makePayableInput(above, enclave, makeHeader(above, enclave));
    throwsCode(() => payable(input), 'STUN_MODEL_MISMATCH');
  });

  it('wants a slash for each unsettled segment of a challengeable order covered to the last unit, and asks no stake of the others', () => {
    const modelId = makeOrder().opening.modelId;
    for (const [assurance, slash, unsettledSegments, refused] of [
      [1, 50n, 1, false],
      [1, 51n, 1, true],
      [1, 25n, 2, false],
      [1, 26n, 2, true],
      [1, 51n, 0, true],
      [2, 51n, 2, false],
    ] as const) {
      const above = makeOrder({ terms: { assurance, publicModelId: modelId, slash } });
      const opened = { ...above, opening: { ...above.opening, modelId } };
      const orderId = orderIdOf(opened.opening);
      const input = makePayableInput({ ...opened, orderId }, enclave, makeHeader({ ...opened, orderId }, enclave));
      const staked = { ...input, unsettledSegments, order: { ...input.order, stakeAvailable: 50n } };
      if (refused) throwsCode(() => payable(staked), 'STUN_STAKE_TOO_LOW');
      else assert.equal(payable(staked).price, 700n);
    }
  });

  it('refuses a price scale of 0, which would pay nothing', () => {
    const free = makeOrder({ terms: { priceScale: 0n } });
    throwsCode(() => payable(makePayableInput(free, enclave, makeHeader(free, enclave))), 'STUN_ORDER_TERMS');
  });

  it('uses the time it is given and no clock', () => assert.equal(good.nowUnix, NOW));
});
