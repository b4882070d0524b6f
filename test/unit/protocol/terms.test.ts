/** Terms, domain and keys of an order as ethers encodes them, and the signals of a settlement in their order. docs/protocol.md section 3. */
import assert from 'node:assert/strict';
import { AbiCoder, keccak256, toUtf8Bytes } from 'ethers';
import {
  ASSURANCE,
  assuranceNameOf,
  encodeTerms,
  feeOf,
  orderDomainOf,
  orderKeyOf,
  packPayee,
  pairsOfSignals,
  publicSignalNames,
  publishedPairsOf,
  SETTLEMENT_SIGNALS,
  signalList,
  signalListWithPairs,
  toHex,
  unpackPayee,
  type OrderPlace,
  type SettlementSignals,
  type Terms,
} from '#protocol/index.ts';
import { throwsCode } from '../assert-code.ts';

const address = (digits: string): string => `0x${digits.repeat(20)}`;
const PLACE: OrderPlace = { chainId: 2n ** 256n - 1n, escrow: address('e5'), funder: address('f1'), token: address('70') };
/** Every field another, and as great as its type allows where that has no other limit. */
const TERMS: Terms = {
  assurance: 255,
  publicModelId: 2n ** 256n - 2n,
  settlementFamily: `0x${'5f'.repeat(32)}`,
  inferenceFamily: `0x${'1f'.repeat(32)}`,
  segmentLength: 2 ** 32 - 1,
  feeBps: 65_535,
  priceScale: 2n ** 128n - 1n,
  challengeWindowSeconds: 2 ** 40 - 1,
  answerPeriodSeconds: 2 ** 40 - 2,
  bond: 2n ** 128n - 2n,
  slash: 2n ** 128n - 3n,
  challenger: address('c1'),
};
const TYPE = 'tuple(uint8,uint256,bytes32,bytes32,uint32,uint16,uint128,uint40,uint40,uint128,uint128,address)';
const coder = AbiCoder.defaultAbiCoder();

describe('terms of an order', () => {
  it('are encoded as the contract does, up to the greatest values', () => {
    assert.equal(toHex(encodeTerms(TERMS)), coder.encode([TYPE], [Object.values(TERMS)]));
  });

  it('give with its place the domain, and funder and id the key', () => {
    const encoded = coder.encode(
      ['bytes32', 'uint256', 'address', 'address', 'address', TYPE],
      [keccak256(toUtf8Bytes('stun/order/v1')), ...Object.values(PLACE), Object.values(TERMS)],
    );
    assert.equal(orderDomainOf(PLACE, TERMS), BigInt(keccak256(encoded).slice(0, -2)));
    assert.equal(orderKeyOf(PLACE.funder, 5n), keccak256(coder.encode(['address', 'uint256'], [PLACE.funder, 5n])));
  });

  const widths: Partial<Record<keyof Terms, number>> = {
    assurance: 8,
    publicModelId: 256,
    segmentLength: 32,
    feeBps: 16,
    priceScale: 128,
    challengeWindowSeconds: 40,
    answerPeriodSeconds: 40,
    bond: 128,
    slash: 128,
  };
  for (const [field, bits] of Object.entries(widths)) {
    it(`refuse a ${field} of 2^${bits} or below 0 with STUN_RANGE`, () => {
      const isBigInt = typeof TERMS[field as keyof Terms] === 'bigint';
      for (const value of [2n ** BigInt(bits), -1n]) {
        throwsCode(() => encodeTerms({ ...TERMS, [field]: isBigInt ? value : Number(value) }), 'STUN_RANGE');
      }
    });
  }

  it('refuse families and addresses of another length with STUN_INPUT', () => {
    for (const field of ['settlementFamily', 'inferenceFamily', 'challenger'] as const) {
      throwsCode(() => encodeTerms({ ...TERMS, [field]: TERMS[field].slice(0, -2) }), 'STUN_INPUT');
    }
  });

  it('have a level with a name, or none', () => {
    assert.deepEqual([0, 1, 2, 3].map(assuranceNameOf), ['attested', 'challengeable', 'proven', undefined]);
    assert.deepEqual(ASSURANCE, { attested: 0, challengeable: 1, proven: 2 });
  });

  it('give the provider what rounding leaves of a fee', () => {
    assert.deepEqual(
      [feeOf(10_000n, 1), feeOf(9_999n, 1), feeOf(199n, 100), feeOf(200n, 100), feeOf(7n, 10_000)],
      [1n, 0n, 1n, 2n, 7n],
    );
  });
});

describe('the payee signal', () => {
  it('has provider, time and lane in 160, 40 and 32 bits', () => {
    const payee = { provider: address('ff'), validAtUnix: 2 ** 40 - 1, laneIndex: 2 ** 32 - 1 };
    assert.equal(packPayee(payee), 2n ** 232n - 1n);
    assert.deepEqual(unpackPayee(2n ** 232n - 1n), payee);
    assert.equal(packPayee({ provider: address('00'), validAtUnix: 1, laneIndex: 2 }), 2n ** 160n + 2n ** 201n);
    assert.deepEqual(unpackPayee(5n), { provider: `0x${'0'.repeat(39)}5`, validAtUnix: 0, laneIndex: 0 });
  });

  it('takes no part that does not fit', () => {
    const payee = { provider: address('ff'), validAtUnix: 0, laneIndex: 0 };
    for (const wrong of [{ validAtUnix: 2 ** 40 }, { validAtUnix: -1 }, { laneIndex: 2 ** 32 }]) {
      throwsCode(() => packPayee({ ...payee, ...wrong }), 'STUN_RANGE');
    }
    throwsCode(() => unpackPayee(2n ** 232n), 'STUN_RANGE');
    throwsCode(() => unpackPayee(-1n), 'STUN_RANGE');
  });
});

describe('the signals of a settlement', () => {
  const names = ['enclaveRoot', 'orderId', 'laneOld', 'laneNew', 'receiptsRoot', 'payee', 'total', 'domain'];
  const signals = Object.fromEntries(names.map((name, i) => [name, BigInt(i + 1)]).reverse()) as SettlementSignals;
  const list = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];
  const pair = (inputCommitment: bigint, outputCommitment: bigint) => ({ inputCommitment, outputCommitment });

  it('have the documented order', () => {
    assert.deepEqual(SETTLEMENT_SIGNALS, names);
    assert.deepEqual(signalList(signals), list);
    assert.deepEqual(publicSignalNames(0), names);
    const published = ['publishedInput[0]', 'publishedInput[1]', 'publishedOutput[0]', 'publishedOutput[1]'];
    assert.deepEqual(publicSignalNames(2), [...names, ...published]);
  });

  it('publish the commitments of jobs that are paid, and 0 for the others', () => {
    const jobs = [
      { ...pair(11n, 21n), price: 5n },
      { ...pair(12n, 22n), price: 0n },
    ];
    assert.deepEqual(publishedPairsOf(jobs), [pair(11n, 21n), pair(0n, 0n)]);
  });

  it('go on with the published inputs and then the outputs, by place', () => {
    const pairs = [pair(11n, 21n), pair(12n, 22n)];
    assert.deepEqual(signalListWithPairs(signals, pairs, 2), [...list, 11n, 12n, 21n, 22n]);
    assert.deepEqual(signalListWithPairs(signals, pairs, 3), [...list, 11n, 12n, 0n, 21n, 22n, 0n]);
    assert.deepEqual(signalListWithPairs(signals, [], 0), list);
  });

  it('give the pairs back', () => {
    assert.deepEqual(pairsOfSignals([...list, 11n, 12n, 13n, 21n, 22n, 23n]), [pair(11n, 21n), pair(12n, 22n), pair(13n, 23n)]);
    assert.deepEqual(pairsOfSignals(list), []);
  });
});
