/** Receipts and running statements as the tables of docs/protocol.md section 2 say. */
import assert from 'node:assert/strict';
import {
  assertStatementCovers,
  FIELD_ORDER,
  generateEddsaKeyPair,
  packMeta,
  receiptHashOf,
  receiptsRootOf,
  signStatement,
  statementHashOf,
  statementOver,
  verifyStatement,
  type Receipt,
  type RunningStatement,
} from '#protocol/index.ts';
import { throwsCode } from '../assert-code.ts';
import { referencePoseidon, type TaggedHash } from './reference-hashes.ts';

const LAST_TIME = 2 ** 34 - 1;
const served: Receipt = {
  demandHead: 1n,
  outputCommitment: 2n,
  price: 2n ** 63n - 1n,
  deliveryDigest: 3n,
  status: 'served',
  startedAtUnix: 5,
  finishedAtUnix: LAST_TIME,
};
const failed: Receipt = { ...served, demandHead: 9n, price: 0n, status: 'failed' };
const statement: RunningStatement = {
  fromHead: 1n,
  toHead: 2n,
  modelId: 3n,
  total: 2n ** 72n - 1n,
  count: 65_535,
  receiptsRoot: 4n,
};

describe('receipts', () => {
  let hash: TaggedHash;
  before(async () => {
    hash = await referencePoseidon();
  });

  it('pack status and times into one number', () => {
    const times = { startedAtUnix: 5, finishedAtUnix: 7 };
    const rest = 5n * 2n ** 8n + 7n * 2n ** 48n;
    assert.equal(packMeta({ status: 'served', ...times }), 1n + rest);
    assert.equal(packMeta({ status: 'failed', ...times }), 2n + rest);
    assert.equal(packMeta({ status: 'void', ...times }), 3n + rest);
  });

  it('are hashed with their price up to 2^63 - 1 and times up to 2^34 - 1', () => {
    const meta = 1n + 5n * 2n ** 8n + (2n ** 34n - 1n) * 2n ** 48n;
    assert.equal(receiptHashOf(served), hash(11n, [1n, 2n, 2n ** 63n - 1n, 3n, meta]));
    assert.equal(receiptHashOf(failed), hash(11n, [9n, 2n, 0n, 3n, meta + 1n]));
  });

  const outOfRange: readonly (readonly [string, Receipt])[] = [
    ['a price of 2^63', { ...served, price: 2n ** 63n }],
    ['a price below 0', { ...served, price: -1n }],
    ['a failed job that costs 1', { ...failed, price: 1n }],
    ['a void job that costs 1', { ...failed, status: 'void', price: 1n }],
    ['a start of 2^34', { ...served, startedAtUnix: LAST_TIME + 1 }],
    ['a finish of 2^34', { ...served, finishedAtUnix: LAST_TIME + 1 }],
    ['a demand head of r', { ...served, demandHead: FIELD_ORDER }],
    ['an output commitment of r', { ...served, outputCommitment: FIELD_ORDER }],
    ['a delivery digest of r', { ...served, deliveryDigest: FIELD_ORDER }],
  ];
  for (const [what, receipt] of outOfRange) {
    it(`refuse ${what} with STUN_RANGE`, () => throwsCode(() => receiptHashOf(receipt), 'STUN_RANGE'));
  }
});

describe('running statements', () => {
  let hash: TaggedHash;
  before(async () => {
    hash = await referencePoseidon();
  });

  it('are hashed with a total up to 2^72 - 1 and a count up to 65,535', () => {
    assert.equal(statementHashOf(statement), hash(13n, [1n, 2n, 3n, 2n ** 72n - 1n, 65_535n, 4n]));
    for (const change of [
      { total: 2n ** 72n },
      { total: -1n },
      { count: 65_536 },
      { fromHead: FIELD_ORDER },
      { toHead: FIELD_ORDER },
      { modelId: FIELD_ORDER },
      { receiptsRoot: FIELD_ORDER },
    ]) {
      throwsCode(() => statementHashOf({ ...statement, ...change }), 'STUN_RANGE');
    }
  });

  it('sum a segment up', () => {
    const receipts = [{ ...served, price: 5n }, failed, { ...served, demandHead: 8n, price: 7n }];
    const over = { fromHead: 100n, toHead: 8n, modelId: 50n, total: 12n, count: 3 };
    const made = statementOver(100n, 50n, receipts);
    assert.deepEqual(made, { ...over, receiptsRoot: receiptsRootOf(receipts.map(receiptHashOf)) });
    assertStatementCovers(made, receipts);
  });

  it('are over one receipt at least', () => throwsCode(() => statementOver(1n, 2n, []), 'STUN_SEGMENT'));

  it('are verified under the key that signed them', () => {
    const pair = generateEddsaKeyPair();
    const signature = signStatement(pair, statement);
    assert.equal(verifyStatement(pair.publicKey, statement, signature), statement);
    const other = { ...statement, total: statement.total - 1n };
    throwsCode(() => verifyStatement(pair.publicKey, other, signature), 'STUN_SIGNATURE');
  });

  it('cover no other receipts, and name what differs', () => {
    const receipts = [{ ...served, price: 5n }, failed];
    const made = statementOver(100n, 50n, receipts);
    for (const [field, change] of [
      ['toHead', { toHead: 10n }],
      ['total', { total: 6n }],
      ['count', { count: 3 }],
      ['receiptsRoot', { receiptsRoot: made.receiptsRoot + 1n }],
    ] as const) {
      assert.throws(() => assertStatementCovers({ ...made, ...change }, receipts), {
        code: 'STUN_STATEMENT_MISMATCH',
        details: { field },
      });
    }
  });
});
