/** Documents as docs/protocol.md has them on the wire, written by hand. */
import assert from 'node:assert/strict';
import {
  asHex,
  canonicalJson,
  decodeOpening,
  eddsaFromWire,
  eddsaToWire,
  encodeOpening,
  FIELD_ORDER,
  inferenceProofsOf,
  jobHeaderFromWire,
  jobHeaderToWire,
  laneOldOf,
  pointFromWire,
  settlementBundleFromWire,
  settlementBundleToWire,
  verifyJobHeader,
  headOfHeader,
  type ProofPoints,
  type SettlementBundle,
} from '#protocol/index.ts';
import { ESCROW, FUNDER, makeBundle, makeEnclave, makeHeader, makeOrder, PROVIDER, type TestEnclave } from './fixtures.ts';

const digits = (value: bigint): string => `0x${value.toString(16).padStart(64, '0')}`;
const word = digits(1n) as `0x${string}`;

describe('canonical JSON', () => {
  it('has sorted keys, no blanks, and integers up to 2^53 - 1', () => {
    const value = { b: [1, null, true, 'ü"'], a: { d: {}, c: [] }, '': Number.MAX_SAFE_INTEGER, B: -0, 9: -7, 10: false };
    assert.equal(
      canonicalJson(value),
      '{"":9007199254740991,"10":false,"9":-7,"B":0,"a":{"c":[],"d":{}},"b":[1,null,true,"ü\\""]}',
    );
  });
  it('sorts keys by UTF-16 units and not by code points', () => {
    // The surrogates of U+1F600 are below U+FB33: the example of RFC 8785, section 3.2.3.
    assert.equal(canonicalJson({ '\u{fb33}': 1, '\u{1f600}': 2, '\u{20ac}': 3 }), '{"\u{20ac}":3,"\u{1f600}":2,"\u{fb33}":1}');
  });
});

describe('scalars on the wire', () => {
  it('are hex of 64 digits, x before y, R8 before S', () => {
    const signature = { r8: { x: 1n, y: FIELD_ORDER - 1n }, s: 0xabcn };
    const wire = { r8: { x: digits(1n), y: digits(FIELD_ORDER - 1n) }, s: digits(0xabcn) };
    assert.deepEqual(eddsaToWire(signature), wire);
    assert.deepEqual(eddsaFromWire(wire), signature);
    assert.deepEqual(pointFromWire(wire.r8), signature.r8);
    assert.equal(asHex('0x12'), '0x12');
  });
});

describe('orders and jobs on the wire', () => {
  const order = makeOrder({ terms: { segmentLength: 256, feeBps: 10_000, assurance: 2, bond: 2n ** 128n - 1n } });
  const { opening } = order;
  let enclave: TestEnclave;
  before(async () => {
    enclave = await makeEnclave(opening.policyId);
  });

  it('an opening is canonical JSON of place, terms and what the order id hides', () => {
    const zero = `0x${'0'.repeat(40)}`;
    const text =
      `{"demandKey":{"x":"${digits(opening.demandKey.x)}","y":"${digits(opening.demandKey.y)}"},` +
      `"modelId":"${digits(opening.modelId)}",` +
      `"place":{"chainId":"31337","escrow":"${ESCROW}","funder":"${FUNDER}","token":"${zero}"},` +
      `"policyId":"${digits(opening.policyId)}","salt":"${digits(opening.salt)}",` +
      `"terms":{"answerPeriodSeconds":0,"assurance":2,"bond":"${2n ** 128n - 1n}","challengeWindowSeconds":0,"challenger":"${zero}",` +
      `"feeBps":10000,"inferenceFamily":"${digits(0n)}","priceScale":"1000000000","publicModelId":"${digits(0n)}",` +
      `"segmentLength":256,"settlementFamily":"0x${'5f'.repeat(32)}","slash":"0"},"version":1}`;
    assert.equal(Buffer.from(encodeOpening(order)).toString(), text);
    const { demandKey, ...rest } = order;
    assert.deepEqual(decodeOpening(Buffer.from(text)), rest);
    assert.deepEqual(demandKey.publicKey, opening.demandKey);
  });

  it('a header has every field under its own name, and proves its demand', () => {
    const header = makeHeader(order, enclave, { laneIndex: 2 ** 32 - 1, maxPrice: 2n ** 63n - 1n });
    const wire = {
      version: 1,
      funder: FUNDER,
      orderId: digits(order.orderId),
      demandKey: { x: digits(opening.demandKey.x), y: digits(opening.demandKey.y) },
      provider: PROVIDER,
      laneIndex: 4_294_967_295,
      k: 1,
      previousHead: digits(header.previousHead),
      inputCommitment: digits(header.inputCommitment),
      maxPrice: '9223372036854775807',
      signerId: digits(enclave.signerId),
      signature: {
        r8: { x: digits(header.signature.r8.x), y: digits(header.signature.r8.y) },
        s: digits(header.signature.s),
      },
    };
    assert.deepEqual(jobHeaderToWire(header), wire);
    assert.deepEqual(jobHeaderFromWire(wire), header);
    assert.equal(verifyJobHeader(header), headOfHeader(header));
  });

  it('a later demand continues any head', () => {
    const second = makeHeader(order, enclave, { k: 2, previousHead: 5n });
    assert.equal(verifyJobHeader(second), headOfHeader(second));
  });
});

describe('a settlement bundle', () => {
  const proof: ProofPoints = {
    a: [word, word],
    b: [
      [word, word],
      [word, word],
    ],
    c: [word, word],
  };
  let bundle: SettlementBundle;
  before(async () => {
    const order = makeOrder({ terms: { segmentLength: 3 } });
    const enclave = await makeEnclave(order.opening.policyId);
    // As many jobs as the order allows, the first two at the highest price that their demands allow.
    bundle = makeBundle(order, enclave, 3, { laneIndex: 2 ** 32 - 1, maxPrice: 700n, price: 700n });
  });

  it('starts its lane from nothing, and a later segment from the head before it', () => {
    assert.equal(laneOldOf(bundle), 0n);
    assert.equal(laneOldOf({ ...bundle, firstK: 2 }), bundle.statement.fromHead);
  });

  it('keeps the inference proofs that it has, and wants one for each paid job', () => {
    const proven = { ...bundle, jobs: bundle.jobs.map((job, i) => (i < 2 ? { ...job, inferenceProof: proof } : job)) };
    const wire = settlementBundleToWire(proven);
    assert.deepEqual(
      wire.jobs.map((job) => 'inferenceProof' in job),
      [true, true, false],
    );
    const read = settlementBundleFromWire(JSON.parse(JSON.stringify(wire)));
    assert.deepEqual(inferenceProofsOf(read), [proof, proof, undefined]);
    assert.deepEqual(
      read.jobs.map((job) => 'inferenceProof' in job),
      [true, true, false],
    );
    assert.deepEqual(settlementBundleToWire(read), wire);
  });
});
