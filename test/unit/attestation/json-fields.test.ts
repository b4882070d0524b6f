import assert from 'node:assert/strict';
import { parseCappedJson, parseCappedJsonBytes } from '#attestation/json/capped-json.ts';
import type { JsonValue } from '#attestation/json/capped-json.ts';
import { FieldReader } from '#attestation/json/fields.ts';
import { utf8 } from '#protocol/bytes.ts';
import { throwsCode } from '../assert-code.ts';

const code = 'STUN_COLLATERAL_FORMAT';
const refused = (call: () => unknown): void => throwsCode(call, code);
const over = (value: JsonValue): FieldReader => new FieldReader({ a: value }, 'x', code);

describe('fields of a JSON object', () => {
  it('are those of an object', () => {
    for (const value of [null, [], 'text', 7, true]) refused(() => new FieldReader(value, 'x', code));
    refused(() => over([]).object('a'));
    assert.deepEqual([over({}).object('a').has('b'), over(1).has('a'), over(1).has('b')], [false, true, false]);
    over(1).only('a', 'b');
    refused(() => over(1).only('b'));
    refused(() => over(1).value('b'));
  });

  it('are of the type that is asked for', () => {
    assert.deepEqual([over('t').string('a'), over(true).boolean('a'), over(false).boolean('a')], ['t', true, false]);
    refused(() => over(1).string('a'));
    refused(() => over(1).boolean('a'));
    const empty = new FieldReader({}, 'x', code);
    assert.deepEqual(
      [over('t'), over(''), over(null), empty].map((fields) => fields.stringOrNull('a')),
      ['t', null, null, null],
    );
    refused(() => over(7).stringOrNull('a'));
  });

  it('are integers within their bounds, both included', () => {
    assert.deepEqual([over(3).integer('a', 3, 5), over(5).integer('a', 3, 5)], [3, 5]);
    for (const value of [2, 6, '4', null]) refused(() => over(value).integer('a', 3, 5));
  });

  it('are hex of an exact length in either case', () => {
    assert.deepEqual(over('aB01').hex('a', 2), Uint8Array.of(0xab, 1));
    for (const text of ['ab', 'ab0101', 'ab0g', '0xab']) refused(() => over(text).hex('a', 2));
  });

  it('are times of the calendar', () => {
    assert.equal(over('1970-01-02T00:00:01Z').time('a'), 86_401);
    for (const text of ['1970-02-30T00:00:00Z', '1970-01-01', '1970-01-01T00:00:00']) refused(() => over(text).time('a'));
  });

  it('are lists up to their length, of one kind', () => {
    assert.deepEqual(
      [over([1, 2]).list('a', 2), over(['p', 'q']).strings('a', 2)],
      [
        [1, 2],
        ['p', 'q'],
      ],
    );
    refused(() => over([1, 2]).list('a', 1));
    refused(() => over('12').list('a', 3));
    refused(() => over(['p', 1]).strings('a', 2));
    assert.deepEqual(
      over([{ b: 1 }])
        .objects('a', 1)
        .map((fields) => fields.integer('b', 1, 1)),
      [1],
    );
    const [text, fields] = over(['p', { b: 2 }]).stringsOrObjects('a', 2);
    assert.ok(fields instanceof FieldReader);
    assert.deepEqual([text, fields.integer('b', 2, 2)], ['p', 2]);
    refused(() => over([1]).stringsOrObjects('a', 1));
  });
});

describe('the caps of JSON', () => {
  const limits = { maxChars: 12, maxDepth: 3, maxValues: 4 };
  const tooMuch = (call: () => unknown): void => throwsCode(call, 'STUN_JSON_FORMAT');

  it('are reached and not passed', () => {
    assert.deepEqual(parseCappedJson('[[7]]', limits), [[7]]);
    tooMuch(() => parseCappedJson('[[[7]]]', limits));
    assert.deepEqual(parseCappedJson('[1,2,3]', limits), [1, 2, 3]);
    tooMuch(() => parseCappedJson('[1,2,3,4]', limits));
    assert.equal(parseCappedJson('"0123456789"', limits), '0123456789');
    tooMuch(() => parseCappedJson('"01234567890"', limits));
  });

  it('count bytes before the text is decoded', () => {
    const bytes = utf8('"0123456789"');
    assert.equal(parseCappedJsonBytes(bytes, limits), '0123456789');
    const filled = (length: number): Uint8Array => new Uint8Array(length).fill(0xff);
    const reason = (length: number): string => {
      try {
        parseCappedJsonBytes(filled(length), limits);
        return 'accepted';
      } catch (thrown) {
        return thrown instanceof Error ? thrown.message : '';
      }
    };
    assert.match(reason(48), /UTF-8/);
    assert.match(reason(49), /at most 48 bytes/);
  });

  it('hold integers of 53 bits', () => {
    assert.deepEqual(parseCappedJson('[9007199254740991,-9007199254740991,0]'), [
      Number.MAX_SAFE_INTEGER,
      -Number.MAX_SAFE_INTEGER,
      0,
    ]);
    for (const text of ['9007199254740992', '-9007199254740992', '-0', '1.0', '1e3', '01']) tooMuch(() => parseCappedJson(text));
  });
});
