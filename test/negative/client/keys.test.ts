import assert from 'node:assert/strict';
import { verifyAuditBundle } from '#client/index.ts';
import { orderRecordFromWire, orderRecordToWire } from '#client/store/order-record.ts';
import { verifyReceiptFile } from '#client/receipt.ts';
import {
  eddsaToWire,
  fieldToHex,
  generateEddsaKeyPair,
  openingToWire,
  receiptRecordToWire,
  jobHeaderToWire,
  toHex,
  type ErrorCode,
} from '#protocol/index.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import { makeBundle, makeEnclave, makeHeader, makeOrder, recordOf } from '#test/unit/protocol/fixtures.ts';
import { makeOrderRecord } from '#test/unit/client/store-fixtures.ts';

const word = (value: bigint): string => `0x${value.toString(16).padStart(64, '0')}`;
const FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** Points that are on the curve but no good key, and one that is not on it. */
const badKeys: readonly (readonly [what: string, key: { x: string; y: string }, code: ErrorCode])[] = [
  ['the identity', { x: word(0n), y: word(1n) }, 'STUN_KEY_SMALL_ORDER'],
  ['the point of order two', { x: word(0n), y: word(FIELD - 1n) }, 'STUN_KEY_SMALL_ORDER'],
  ['a point off the curve', { x: word(1n), y: word(1n) }, 'STUN_KEY_NOT_ON_CURVE'],
];

describe('a client that is handed a demand key which anybody could sign for', () => {
  for (const [what, demandKey, code] of badKeys) {
    it(`refuses a stored order with ${what}`, () => {
      const wire = orderRecordToWire(makeOrderRecord());
      throwsCode(() => orderRecordFromWire({ ...wire, opening: { ...wire.opening, demandKey } }), code);
    });

    it(`refuses an audit bundle with ${what}`, async () => {
      const order = makeOrder();
      const enclave = await makeEnclave(order.opening.policyId);
      const bundle = makeBundle(order, enclave, 1);
      const eddsa = eddsaToWire(bundle.demandSignature);
      const { demand, receipt } = bundle.jobs[0]!;
      const { demandHead: _head, ...rest } = receiptRecordToWire({
        receipt,
        receiptSignature: '0x',
        statement: bundle.statement,
        statementSignature: bundle.statementSignature,
      }).receipt;
      const document = {
        format: 'stun-audit/1',
        order: { opening: { ...openingToWire(order), demandKey }, policy: '{}' },
        enclaves: [
          {
            keyset: toHex(enclave.keysetBytes),
            evidence: '{}',
            leafExpiresAtUnix: 1,
            approvals: [{ attestor: `0x${'11'.repeat(20)}`, nonce: '1', deadlineUnix: 1, signature: '0x' }],
          },
        ],
        verificationKeys: [],
        segments: [
          {
            enclave: 0,
            laneIndex: 0,
            fromHead: null,
            jobs: [
              {
                inputCommitment: fieldToHex(demand.inputCommitment),
                maxPrice: demand.maxPrice.toString(),
                demandSignature: eddsa,
                receipt: rest,
                receiptSignature: '0x',
              },
            ],
            statementSignature: eddsa,
          },
        ],
      };
      const report = verifyAuditBundle(document, { roots: [], attestors: [], threshold: 2 });
      const refuted = report.checks.find((check) => check.status === 'refuted');
      assert.deepEqual([report.ok, refuted?.id, refuted?.field, refuted?.code], [false, 'order.id', 'order.opening', code]);
    });

    it(`refuses a receipt file with ${what}`, async () => {
      const order = makeOrder();
      const enclave = await makeEnclave(order.opening.policyId);
      const header = makeHeader(order, enclave);
      const { receipt } = makeBundle(order, enclave, 1).jobs[0]!;
      const record = recordOf(enclave, header, order.opening.modelId, receipt);
      const file = {
        format: 'stun-receipt/1',
        opening: { ...openingToWire(order), demandKey },
        policy: '{}',
        header: jobHeaderToWire(header),
        keyset: toHex(enclave.keysetBytes),
        evidence: '{}',
        record: receiptRecordToWire(record),
        input: { payload: '0x', blinding: word(1n) },
        output: { payload: '0x', blinding: word(1n) },
        sealedResult: '0x',
      };
      throwsCode(() => verifyReceiptFile(file, []), code);
    });
  }

  it('refuses a stored order whose secret belongs to another key', () => {
    const wire = orderRecordToWire(makeOrderRecord());
    const other = orderRecordToWire(makeOrderRecord({ demandKey: generateEddsaKeyPair() }));
    throwsCode(() => orderRecordFromWire({ ...wire, demandSecret: other.demandSecret }), 'STUN_STORE_DAMAGED');
  });

  it('refuses a stored order whose policy was replaced', () => {
    const wire = orderRecordToWire(makeOrderRecord());
    throwsCode(() => orderRecordFromWire({ ...wire, policy: wire.policy.replace('false', 'true') }), 'STUN_STORE_DAMAGED');
  });
});
