import assert from 'node:assert/strict';
import {
  randomField,
  receiptHashOf,
  receiptRecordFromWire,
  receiptRecordToWire,
  settlementBundleFromWire,
  settlementBundleToWire,
  signStatement,
  statementOver,
  verifyReceiptRecord,
  type ReceiptRecord,
  type SettlementBundleWire,
} from '#protocol/index.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import {
  ESCROW,
  FUNDER,
  makeBundle,
  makeEnclave,
  makeOrder,
  signReceipt,
  type TestEnclave,
  type TestOrder,
} from '#test/unit/protocol/fixtures.ts';

describe('settlement bundles', () => {
  let order: TestOrder;
  let enclave: TestEnclave;
  let wire: SettlementBundleWire;
  before(async () => {
    order = makeOrder();
    enclave = await makeEnclave(order.opening.policyId);
    wire = settlementBundleToWire(makeBundle(order, enclave, 5));
  });

  it('reads back exactly what was written', () =>
    assert.deepEqual(settlementBundleToWire(settlementBundleFromWire(JSON.parse(JSON.stringify(wire)))), wire));

  const other = (): `0x${string}` => `0x${randomField().toString(16).padStart(64, '0')}`;
  const cases: readonly [string, ErrorCode, (copy: SettlementBundleWire) => void][] = [
    ['an unknown field', 'STUN_INPUT', (b) => Object.assign(b, { extra: 1 })],
    ['a missing field', 'STUN_INPUT', (b) => Reflect.deleteProperty(b, 'statement')],
    ['another provider', 'STUN_SEGMENT', (b) => (b.provider = FUNDER)],
    ['another lane', 'STUN_SEGMENT', (b) => (b.laneIndex = 1)],
    ['another salt', 'STUN_SEGMENT', (b) => (b.opening.salt = other())],
    ['jobs in another order', 'STUN_SEGMENT', (b) => b.jobs.reverse()],
    ['a dropped job', 'STUN_SIGNATURE', (b) => b.jobs.pop()],
    ['another input commitment', 'STUN_SEGMENT', (b) => (b.jobs[2]!.inputCommitment = other())],
    ['another maximum price', 'STUN_SEGMENT', (b) => (b.jobs[2]!.maxPrice = '999999')],
    ['a price above the maximum', 'STUN_PRICE_CAP', (b) => (b.jobs[0]!.receipt.price = '1001')],
    ['a price of 2^64 + 1', 'STUN_PRICE_CAP', (b) => (b.jobs[0]!.receipt.price = (2n ** 64n + 1n).toString())],
    ['a maximum price of 2^64 + 1', 'STUN_RANGE', (b) => (b.jobs[0]!.maxPrice = (2n ** 64n + 1n).toString())],
    ['another price', 'STUN_STATEMENT_MISMATCH', (b) => (b.jobs[0]!.receipt.price = '699')],
    ['another output commitment', 'STUN_STATEMENT_MISMATCH', (b) => (b.jobs[0]!.receipt.outputCommitment = other())],
    ['another delivery digest', 'STUN_STATEMENT_MISMATCH', (b) => (b.jobs[0]!.receipt.deliveryDigest = other())],
    ['another finish time', 'STUN_STATEMENT_MISMATCH', (b) => (b.jobs[0]!.receipt.finishedAtUnix += 1)],
    ['a start of 2^34', 'STUN_RANGE', (b) => (b.jobs[0]!.receipt.startedAtUnix = 2 ** 34)],
    ['a finish of 2^34', 'STUN_RANGE', (b) => (b.jobs[0]!.receipt.finishedAtUnix = 2 ** 34)],
    ['a void job with a price', 'STUN_RANGE', (b) => (b.jobs[4]!.receipt.price = '1')],
    ['another total', 'STUN_STATEMENT_MISMATCH', (b) => (b.statement.total = '1')],
    ['another count', 'STUN_STATEMENT_MISMATCH', (b) => (b.statement.count = 4)],
    ['another model in the statement', 'STUN_MODEL_MISMATCH', (b) => (b.statement.modelId = other())],
    ['another demand signature', 'STUN_SIGNATURE', (b) => (b.demandSignature.s = other())],
    ['another statement signature', 'STUN_SIGNATURE', (b) => (b.statementSignature.s = `0x${'00'.repeat(31)}05`)],
    ['a segment that starts nowhere', 'STUN_SEGMENT', (b) => (b.statement.fromHead = other())],
    ['a segment longer than the order allows', 'STUN_SEGMENT', (b) => (b.opening.terms.segmentLength = 4)],
  ];
  for (const [what, code, change] of cases) {
    it(`refuses ${what} with ${code}`, () => {
      const copy = structuredClone(wire);
      change(copy);
      throwsCode(() => settlementBundleFromWire(copy), code);
    });
  }
});

describe('receipt records', () => {
  let enclave: TestEnclave;
  let record: ReceiptRecord;
  before(async () => {
    const order = makeOrder();
    enclave = await makeEnclave(order.opening.policyId);
    const bundle = makeBundle(order, enclave, 1);
    const receipt = bundle.jobs[0]!.receipt;
    record = {
      receipt,
      receiptSignature: signReceipt(enclave, receipt),
      statement: bundle.statement,
      statementSignature: bundle.statementSignature,
    };
  });
  it('verifies and returns R_k', () =>
    assert.equal(verifyReceiptRecord(record, enclave.keyset, ESCROW), receiptHashOf(record.receipt)));
  it('reads back exactly what was written', () => assert.deepEqual(receiptRecordFromWire(receiptRecordToWire(record)), record));
  it('refuses a receipt for another escrow', () =>
    throwsCode(() => verifyReceiptRecord(record, enclave.keyset, FUNDER), 'STUN_SIGNATURE'));
  it('refuses a changed price', () =>
    throwsCode(
      () => verifyReceiptRecord({ ...record, receipt: { ...record.receipt, price: 1n } }, enclave.keyset, ESCROW),
      'STUN_SIGNATURE',
    ));
  it('refuses the keyset of another enclave', async () => {
    const stranger = await makeEnclave(1n);
    throwsCode(() => verifyReceiptRecord(record, stranger.keyset, ESCROW), 'STUN_SIGNATURE');
  });
  it('refuses a statement that ends at another demand', () => {
    const statement = statementOver(1n, 2n, [{ ...record.receipt, demandHead: 3n }]);
    const swapped = { ...record, statement, statementSignature: signStatement(enclave.receiptKey, statement) };
    throwsCode(() => verifyReceiptRecord(swapped, enclave.keyset, ESCROW), 'STUN_RECEIPT_MISMATCH');
  });
});
