/** Orders, lanes and demands: their hashes as docs/protocol.md section 2 has them, and the borders of what they take. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  demandHeadOf,
  FIELD_ORDER,
  generateEddsaKeyPair,
  laneGenesisOf,
  orderIdOf,
  signDemand,
  TAG,
  verifyDemand,
  type Demand,
  type LaneId,
  type OrderOpening,
} from '#protocol/index.ts';
import { throwsCode } from '../assert-code.ts';
import { referencePoseidon, type TaggedHash } from './reference-hashes.ts';

const last = FIELD_ORDER - 1n;
const customer = generateEddsaKeyPair();
const opening: OrderOpening = {
  domain: 2n ** 248n - 1n,
  demandKey: customer.publicKey,
  modelId: last,
  policyId: 3n,
  salt: last,
};
const lane: LaneId = { orderId: last, provider: `0x${'f'.repeat(40)}`, laneIndex: 2 ** 32 - 1 };
const demand: Demand = { inputCommitment: last, maxPrice: 2n ** 63n - 1n, signerId: last };

describe('tags', () => {
  it('are the numbers of the table, each given once', () => {
    const section = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8').split('## 2. Tags')[1] ?? '';
    const table = section.split('\n\n')[1] ?? '';
    const listed = [...table.matchAll(/^\| +(\d+) \|/gm)].map((row) => BigInt(row[1]!));
    assert.ok(listed.length > 0);
    assert.deepEqual(Object.values(TAG), listed);
    assert.equal(new Set(listed).size, listed.length);
  });
});

describe('orders, lanes and demands', () => {
  let hash: TaggedHash;
  before(async () => {
    hash = await referencePoseidon();
  });

  it('are hashes of all that they say, at the greatest that each part can be', () => {
    const { x, y } = customer.publicKey;
    assert.equal(orderIdOf(opening), hash(1n, [2n ** 248n - 1n, x, y, last, 3n, last]));
    assert.equal(laneGenesisOf(lane), hash(9n, [last, 2n ** 160n - 1n, 2n ** 32n - 1n]));
    assert.equal(demandHeadOf(4n, demand), hash(10n, [4n, last, 2n ** 63n - 1n, last]));
  });

  it('are signed by the head alone', () => {
    const signature = signDemand(customer, 5n);
    assert.equal(verifyDemand(customer.publicKey, 5n, signature), 5n);
    throwsCode(() => verifyDemand(customer.publicKey, 6n, signature), 'STUN_SIGNATURE');
  });

  for (const [what, call] of [
    ['a domain of 2^248', () => orderIdOf({ ...opening, domain: 2n ** 248n })],
    ['a model of r', () => orderIdOf({ ...opening, modelId: FIELD_ORDER })],
    ['a policy of r', () => orderIdOf({ ...opening, policyId: FIELD_ORDER })],
    ['a salt of r', () => orderIdOf({ ...opening, salt: FIELD_ORDER })],
    ['an order of r', () => laneGenesisOf({ ...lane, orderId: FIELD_ORDER })],
    ['lane 2^32', () => laneGenesisOf({ ...lane, laneIndex: 2 ** 32 })],
    ['lane -1', () => laneGenesisOf({ ...lane, laneIndex: -1 })],
    ['a head of r', () => demandHeadOf(FIELD_ORDER, demand)],
    ['an input of r', () => demandHeadOf(4n, { ...demand, inputCommitment: FIELD_ORDER })],
    ['a maximum price of 2^63', () => demandHeadOf(4n, { ...demand, maxPrice: 2n ** 63n })],
    ['a signer of r', () => demandHeadOf(4n, { ...demand, signerId: FIELD_ORDER })],
  ] as const) {
    it(`refuse ${what}`, () => throwsCode(call, 'STUN_RANGE'));
  }
});
