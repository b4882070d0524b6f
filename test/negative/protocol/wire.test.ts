/** Documents with one thing wrong: forms and borders of the wire, and what a header or a segment must agree with. */
import assert from 'node:assert/strict';
import type { z } from 'zod';
import {
  addressHex,
  asHex,
  assertBundle,
  bytes32Hex,
  bytesHex,
  canonicalJson,
  decimal,
  decodeOpening,
  encodeOpening,
  FIELD_ORDER,
  fieldHex,
  inferenceProofsOf,
  jobHeaderFromWire,
  jobHeaderToWire,
  openedOrderFromWire,
  openingToWire,
  readDocument,
  receiptSchema,
  settlementBundleSchema,
  settlementBundleToWire,
  signDemand,
  headOfHeader,
  StunError,
  statementSchema,
  unixSeconds,
  verifyJobHeader,
  type JobHeader,
  type SettlementBundle,
} from '#protocol/index.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import { FUNDER, makeBundle, makeEnclave, makeHeader, makeOrder, type TestEnclave } from '#test/unit/protocol/fixtures.ts';

const order = makeOrder({ terms: { segmentLength: 4 } });
let enclave: TestEnclave;
/** For the suites that need one. */
const makeOneEnclave = async (): Promise<void> => {
  enclave ??= await makeEnclave(order.opening.policyId);
};

describe('scalars of the wire', () => {
  const forms: readonly [what: string, z.ZodType, taken: readonly unknown[], refused: readonly unknown[]][] = [
    ['32 bytes', bytes32Hex, [`0x${'0a'.repeat(32)}`], [`0x${'0A'.repeat(32)}`, `0x${'0a'.repeat(31)}`, `0x${'0a'.repeat(33)}`]],
    ['a field element', fieldHex, [`0x${'f'.repeat(64)}`], [`0x${'f'.repeat(63)}`, 'f'.repeat(64), ` 0x${'f'.repeat(64)}`, 1]],
    ['bytes', bytesHex, ['0x', '0x00ff'], ['', '0x0', '0xFF', '0x00\n']],
    ['an address', addressHex, [`0x${'b'.repeat(40)}`], [`0x${'B'.repeat(40)}`, `0x${'b'.repeat(39)}`, `0x${'b'.repeat(41)}`]],
    ['an amount', decimal, ['0', '10', '9'.repeat(78)], ['', '00', '01', '-1', '1.0', '+1', '0x1', '9'.repeat(79), 1]],
    ['a time', unixSeconds, [0, 2 ** 40 - 1], [-1, 2 ** 40, 0.5, '1']],
  ];
  for (const [what, schema, taken, refused] of forms) {
    it(`are ${what} in one form`, () => {
      for (const value of taken) assert.equal(readDocument(schema, value, what), value);
      for (const value of refused) throwsCode(() => readDocument(schema, value, what), 'STUN_INPUT');
    });
  }

  it('are named by their place when they are refused, and never quoted', () => {
    const document = { ...openingToWire(order), salt: 'secret', place: null };
    const refusedWith = (call: () => unknown): StunError => {
      try {
        call();
      } catch (error) {
        if (error instanceof StunError) return error;
      }
      return assert.fail('no error with a code');
    };
    const named = refusedWith(() => openedOrderFromWire(document));
    assert.deepEqual(named.details, { fields: ['place', 'salt'] });
    assert.doesNotMatch(named.message, /secret/);
    assert.deepEqual(refusedWith(() => openedOrderFromWire(null)).details, { fields: ['(whole document)'] });
  });

  it('are 0x at least where they are taken for hex', () => throwsCode(() => asHex('12'), 'STUN_INPUT'));

  it('are nothing that JSON writes in two ways', () => {
    for (const value of [0.5, NaN, 2 ** 53, 1n, undefined, { a: undefined }, [() => 1], Symbol.iterator]) {
      throwsCode(() => canonicalJson(value), 'STUN_INPUT');
    }
  });
});

describe('openings', () => {
  const text = Buffer.from(encodeOpening(order)).toString('latin1');
  for (const [what, code, bytes] of [
    ['what is no JSON', 'STUN_INPUT', text.slice(1)],
    ['another version', 'STUN_INPUT', text.replace('"version":1', '"version":2')],
    // The salt that counts is the second, so that nothing but the decoding of the bytes can refuse the first.
    ['bytes that are no UTF-8', 'STUN_INPUT', text.replace('"salt":', '"salt":"\xff","salt":')],
    ['a level of 3', 'STUN_INPUT', text.replace('"assurance":0', '"assurance":3')],
    ['a segment of no jobs', 'STUN_INPUT', text.replace('"segmentLength":4', '"segmentLength":0')],
    ['a segment of 257 jobs', 'STUN_INPUT', text.replace('"segmentLength":4', '"segmentLength":257')],
    ['a fee above the whole', 'STUN_INPUT', text.replace('"feeBps":100', '"feeBps":10001')],
    ['a slash of 2^128', 'STUN_RANGE', text.replace('"slash":"0"', `"slash":"${2n ** 128n}"`)],
    ['a salt of r', 'STUN_RANGE', text.replace(/"salt":"[^"]*"/, `"salt":"0x${FIELD_ORDER.toString(16)}"`)],
  ] as const) {
    it(`refuse ${what} with ${code}`, () => throwsCode(() => decodeOpening(Buffer.from(bytes, 'latin1')), code));
  }
  it('say of what is no JSON that it is none, and not that fields are missing', () =>
    assert.throws(() => decodeOpening(Buffer.from('{')), { code: 'STUN_INPUT', message: /not JSON/, details: {} }));
});

describe('headers of jobs', () => {
  let header: JobHeader;
  before(makeOneEnclave);
  before(() => {
    header = makeHeader(order, enclave);
  });

  for (const [what, code, change] of [
    ['lane 2^32', 'STUN_INPUT', { laneIndex: 2 ** 32 }],
    ['lane -1', 'STUN_INPUT', { laneIndex: -1 }],
    ['job 0', 'STUN_INPUT', { k: 0 }],
    ...[0n, 2n ** 63n, 2n ** 64n, 2n ** 64n + 1n].map(
      (price) => [`a maximum price of ${price}`, 'STUN_PRICE_CAP', { maxPrice: price.toString() }] as const,
    ),
    ['a signer of r', 'STUN_RANGE', { signerId: `0x${FIELD_ORDER.toString(16)}` }],
    ['another version', 'STUN_INPUT', { version: 2 }],
    ['a field too many', 'STUN_INPUT', { extra: 1 }],
  ] as const) {
    it(`refuse ${what} with ${code}`, () => throwsCode(() => jobHeaderFromWire({ ...jobHeaderToWire(header), ...change }), code));
  }

  it('refuse a first demand that does not continue the genesis of its lane, however well it is signed', () => {
    const elsewhere = { ...header, previousHead: 5n };
    const signed = { ...elsewhere, signature: signDemand(order.demandKey, headOfHeader(elsewhere)) };
    throwsCode(() => verifyJobHeader(signed), 'STUN_LANE_HEAD');
  });
  it('refuse the signature of another demand', () =>
    throwsCode(() => verifyJobHeader({ ...header, maxPrice: header.maxPrice + 1n }), 'STUN_SIGNATURE'));
});

describe('settlement bundles made in memory', () => {
  before(makeOneEnclave);
  it('refuse a keyset of another provider than the lane', () => {
    const elsewhere = { ...enclave, leaf: { ...enclave.leaf, provider: FUNDER } };
    throwsCode(() => assertBundle(makeBundle(order, elsewhere, 1)), 'STUN_SEGMENT');
  });
  it('refuse one job more than the order allows', () => {
    assertBundle(makeBundle(order, enclave, 4));
    throwsCode(() => assertBundle(makeBundle(order, enclave, 5)), 'STUN_SEGMENT');
  });
  it('refuse a first segment that starts elsewhere than its lane, which a later one may', () => {
    const bundle = makeBundle(order, enclave, 1, { fromHead: 5n });
    assertBundle({ ...bundle, firstK: 2 });
    throwsCode(() => assertBundle(bundle), 'STUN_SEGMENT');
  });
  it('refuse a price of one above the maximum, and take the maximum', () => {
    assertBundle(makeBundle(order, enclave, 1, { price: 700n, maxPrice: 700n }));
    throwsCode(() => assertBundle(makeBundle(order, enclave, 1, { price: 701n, maxPrice: 700n })), 'STUN_PRICE_CAP');
  });
  it('refuse to give the proofs of a paid job that has none', () => {
    const bundle: SettlementBundle = makeBundle(order, enclave, 1);
    throwsCode(() => inferenceProofsOf(bundle), 'STUN_SEGMENT_PROOF');
  });
});

describe('borders of settlement bundles', () => {
  before(makeOneEnclave);
  const borders: readonly [what: string, ErrorCode, taken: object, refused: object][] = [
    ['lane', 'STUN_INPUT', { laneIndex: 2 ** 32 - 1 }, { laneIndex: 2 ** 32 }],
    ['first job', 'STUN_INPUT', { firstK: 1 }, { firstK: 0 }],
    ['expiry', 'STUN_INPUT', { leafExpiresAtUnix: 2 ** 40 - 1 }, { leafExpiresAtUnix: 2 ** 40 }],
  ];
  for (const [what, code, taken, refused] of borders) {
    it(`hold for the ${what}`, () => {
      const wire = settlementBundleToWire(makeBundle(order, enclave, 1));
      assert.deepEqual(readDocument(settlementBundleSchema, { ...wire, ...taken }, what), { ...wire, ...taken });
      throwsCode(() => readDocument(settlementBundleSchema, { ...wire, ...refused }, what), code);
    });
  }
  it('hold for jobs, statements and the state of a job', () => {
    const wire = settlementBundleToWire(makeBundle(order, enclave, 1));
    const jobs = (count: number) => ({ ...wire, jobs: Array.from({ length: count }, () => wire.jobs[0]) });
    for (const count of [1, 256]) assert.ok(readDocument(settlementBundleSchema, jobs(count), 'bundle'));
    for (const count of [0, 257]) throwsCode(() => readDocument(settlementBundleSchema, jobs(count), 'bundle'), 'STUN_INPUT');
    for (const count of [0, 257])
      throwsCode(() => readDocument(statementSchema, { ...wire.statement, count }, 'statement'), 'STUN_INPUT');
    throwsCode(() => readDocument(receiptSchema, { ...wire.jobs[0]!.receipt, status: 'paid' }, 'receipt'), 'STUN_INPUT');
  });
});
