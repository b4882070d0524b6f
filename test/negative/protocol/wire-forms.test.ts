/** Every document of the wire with one thing wrong at every place: a field too many or too few, a number or hex in another form. */
import assert from 'node:assert/strict';
import {
  jobHeaderFromWire,
  jobHeaderToWire,
  openedOrderFromWire,
  openingToWire,
  publicModelFromWire,
  receiptRecordFromWire,
  receiptRecordToWire,
  settlementBundleFromWire,
  settlementBundleToWire,
  type ProofPoints,
} from '#protocol/index.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import { makeBundle, makeEnclave, makeHeader, makeOrder, signReceipt } from '#test/unit/protocol/fixtures.ts';

type Json = string | number | readonly Json[] | { readonly [key: string]: Json };

/** Bytes of a length that is checked where they are used. */
const anyLength = new Set(['keyset', 'receiptSignature']);
const optional = new Set(['inferenceProof']);

/** What a scalar must not be instead. */
function otherForms(key: string, value: string | number): readonly unknown[] {
  if (typeof value === 'number') return [2 ** 53, value + 0.5, -1 - value, String(value), BigInt(value), null, true, [value]];
  if (/^[0-9]+$/.test(value))
    return [`0${value}`, `-${value}`, `+${value}`, `${value}.0`, `${value}e0`, ` ${value}`, '', '9'.repeat(79), 1];
  if (!value.startsWith('0x')) return [null, 1];
  const digits = value.slice(2);
  const forms = [
    digits,
    `0X${digits}`,
    `0x${digits.slice(0, -1)}A`,
    `0x${digits.slice(0, -1)}`,
    `0x${digits.slice(0, -1)}g`,
    `${value}\n`,
    1,
  ];
  return anyLength.has(key) ? forms : [...forms, `${value}00`, value.slice(0, -2), ''];
}

/** All documents that differ from this one in one place. */
function* oneThingWrong(value: Json, key = ''): Generator<unknown> {
  if (typeof value !== 'object') yield* otherForms(key, value);
  else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) for (const wrong of oneThingWrong(item as Json)) yield value.with(i, wrong);
    yield Object.fromEntries(value.entries());
  } else {
    const fields = value as Readonly<Record<string, Json>>;
    yield { ...fields, extra: 1 };
    yield JSON.parse(`{"__proto__":null,${JSON.stringify(fields).slice(1)}`);
    yield [fields];
    for (const [name, field] of Object.entries(fields)) {
      const { [name]: _, ...rest } = fields;
      if (!optional.has(name)) yield rest;
      for (const wrong of oneThingWrong(field, name)) yield { ...fields, [name]: wrong };
    }
  }
}

describe('documents of the wire with one thing wrong anywhere', () => {
  const order = makeOrder();
  const word = `0x${'0a'.repeat(32)}`;
  const proof: ProofPoints = {
    a: [word, word],
    b: [
      [word, word],
      [word, word],
    ],
    c: [word, word],
  };
  const documents: [what: string, read: (document: unknown) => unknown, document: Json][] = [];
  before(async () => {
    const enclave = await makeEnclave(order.opening.policyId);
    const { jobs, statement, statementSignature, ...bundle } = makeBundle(order, enclave, 1);
    const { receipt } = jobs[0]!;
    const record = { receipt, receiptSignature: signReceipt(enclave, receipt), statement, statementSignature };
    const proven = jobs.map((job) => ({ ...job, inferenceProof: proof }));
    documents.push(
      ['headers of jobs', jobHeaderFromWire, jobHeaderToWire(makeHeader(order, enclave))],
      ['openings', openedOrderFromWire, openingToWire(order)],
      ['receipt records', receiptRecordFromWire, receiptRecordToWire(record)],
      [
        'settlement bundles',
        settlementBundleFromWire,
        settlementBundleToWire({ ...bundle, jobs: proven, statement, statementSignature }) as unknown as Json,
      ],
      ['public models', publicModelFromWire, { manifest: 'x', verificationKey: `0x${'0a'.repeat(640)}`, ceremonyHash: word }],
    );
  });

  it('are refused with STUN_INPUT', () => {
    let refused = 0;
    for (const [what, read, document] of documents) {
      // A manifest is a text of any content; that it is a manifest is checked later.
      if (what !== 'public models') assert.ok(read(document));
      for (const wrong of oneThingWrong(document)) {
        throwsCode(() => read(wrong), 'STUN_INPUT');
        refused++;
      }
    }
    assert.equal(documents.length, 5);
    assert.ok(refused > 1000, `${refused} documents`);
    console.log(`      ${refused} documents`);
  });
});
