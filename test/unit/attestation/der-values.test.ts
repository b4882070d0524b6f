import assert from 'node:assert/strict';
import { DerReader, derTag, maxDerBytes, maxDerDepth } from '#attestation/asn1/der.ts';
import {
  calendarToUnix,
  parseEcdsaSignature,
  readAnyTime,
  readBitString,
  readBoolean,
  readFlag,
  readIntegerHex,
  readNamedBits,
  readOid,
  readSmallInteger,
  readTime,
} from '#attestation/asn1/der-values.ts';
import { der, derInteger, derSequence } from '#attestation/simulated/der-writer.ts';
import { utf8 } from '#protocol/bytes.ts';
import { throwsCode } from '../assert-code.ts';

const element = (tag: number, ...content: readonly number[]): DerReader => new DerReader(der(tag, Uint8Array.from(content)));
const refused = (call: () => unknown): void => throwsCode(call, 'STUN_DER_FORMAT');

describe('values in DER', () => {
  it('are integers in their shortest form, small ones from 0 to 2^31-1', () => {
    const hex = (...content: readonly number[]): string => readIntegerHex(element(derTag.integer, ...content));
    assert.deepEqual([hex(0), hex(0x7f), hex(0x80), hex(0, 0x80), hex(0xff, 0x7f)], ['00', '7f', '80', '0080', 'ff7f']);
    for (const content of [[], [0, 0x7f], [0, 0], [0xff, 0x80], [0xff, 0xff]]) refused(() => hex(...content));
    const small = (...content: readonly number[]): number => readSmallInteger(element(derTag.integer, ...content));
    assert.deepEqual([small(0), small(0, 0x80), small(0x7f, 0xff, 0xff, 0xff)], [0, 128, 2 ** 31 - 1]);
    for (const content of [[0x80], [0xff], [0, 0x80, 0, 0, 0], [1, 0, 0, 0, 0]]) refused(() => small(...content));
  });

  it('are booleans of one byte, and flags only when they are set', () => {
    const read = (...content: readonly number[]): boolean => readBoolean(element(derTag.boolean, ...content));
    assert.deepEqual([read(0), read(0xff)], [false, true]);
    for (const content of [[], [1], [0xfe], [0, 0], [0xff, 0xff]]) refused(() => read(...content));
    assert.equal(readFlag(element(derTag.boolean, 0xff)), true);
    assert.equal(readFlag(element(derTag.integer, 1)), false);
    refused(() => readFlag(element(derTag.boolean, 0)));
  });

  it('are object identifiers with minimal arcs below 2^32, of 1 to 32 bytes', () => {
    const read = (...content: readonly number[]): string => readOid(element(derTag.oid, ...content));
    assert.deepEqual(
      [read(0), read(39), read(40), read(79), read(80), read(0x81, 0)],
      ['0.0', '0.39', '1.0', '1.39', '2.0', '2.48'],
    );
    assert.equal(read(0x2a, 0x8f, 0xff, 0xff, 0xff, 0x7f), '1.2.4294967295');
    assert.equal(read(...new Array<number>(32).fill(1)).split('.').length, 33);
    for (const content of [
      [],
      new Array<number>(33).fill(1),
      [0x80, 1],
      [0x2a, 0x80, 1],
      [0x2a, 0x81],
      [0x2a, 0x90, 0x80, 0x80, 0x80, 0],
    ])
      refused(() => read(...content));
  });

  it('are bit strings of whole bytes, and named bits without trailing zeros', () => {
    assert.deepEqual(readBitString(element(derTag.bitString, 0, 1, 2)), Uint8Array.of(1, 2));
    for (const content of [[], [1, 2]]) refused(() => readBitString(element(derTag.bitString, ...content)));
    const bits = (...content: readonly number[]): number[] => [...readNamedBits(element(derTag.bitString, ...content))];
    assert.deepEqual([bits(0), bits(7, 0x80), bits(1, 6), bits(0, 0x81), bits(6, 0x80, 0x40)], [[], [0], [5, 6], [0, 7], [0, 9]]);
    for (const content of [[], [1], [8], [8, 0], [0, 0x80, 0], [1, 0x80], [1, 3]]) refused(() => bits(...content));
  });

  it('are times of the calendar in the form that their year demands', () => {
    const utc = (text: string): number => readTime(new DerReader(der(derTag.utcTime, utf8(text))));
    const long = (text: string): number => readTime(new DerReader(der(derTag.generalizedTime, utf8(text))));
    assert.deepEqual([utc('500101000000Z'), utc('491231235959Z')], [-631_152_000, 2_524_607_999]);
    assert.equal(long('20500101000000Z'), 2_524_608_000);
    for (const text of ['20491231235959Z', '500101000000Z', '2050010100000Z', '20500101000000']) refused(() => long(text));
    for (const text of ['20500101000000Z', '501301000000Z', '500132000000Z', '500101240000Z', '500101006000Z', '500101000060Z'])
      refused(() => utc(text));
    refused(() => utc('500229000000Z'));
    const any = readAnyTime(new DerReader(der(derTag.generalizedTime, utf8('20200101000000Z'))));
    assert.deepEqual([any, any], [1_577_836_800, calendarToUnix(2020, 1, 1, 0, 0, 0)]);
  });

  it('are signatures of two positive integers that fit', () => {
    const pair = (r: Uint8Array, s: Uint8Array): Uint8Array => derSequence(derInteger(r), derInteger(s));
    const [one, top] = [Uint8Array.of(1), new Uint8Array(32).fill(0xff)];
    assert.deepEqual(parseEcdsaSignature(pair(top, one)), Uint8Array.from([...top, ...new Uint8Array(31), 1]));
    assert.equal(parseEcdsaSignature(pair(top, top), 48).length, 96);
    refused(() => parseEcdsaSignature(pair(Uint8Array.from([1, ...top]), one)));
    refused(() => parseEcdsaSignature(derSequence(der(derTag.integer, Uint8Array.of(0x80)), derInteger(one))));
    refused(() => parseEcdsaSignature(derSequence(derInteger(one))));
    refused(() => parseEcdsaSignature(derSequence(derInteger(one), derInteger(one), derInteger(one))));
  });
});

describe('DER', () => {
  const read = (...bytes: readonly number[]): number =>
    new DerReader(Uint8Array.from(bytes)).read(derTag.octetString).content.length;
  const zeros = (count: number): number[] => new Array<number>(count).fill(0);

  it('has the shortest definite lengths', () => {
    assert.deepEqual([read(4, 0), read(4, 1, 9), read(4, 0x7f, ...zeros(127))], [0, 1, 127]);
    assert.equal(read(4, 0x81, 0x80, ...zeros(128)), 128);
    assert.equal(read(4, 0x82, 1, 0, ...zeros(256)), 256);
    assert.equal(read(4, 0x83, 1, 0, 0, ...zeros(65_536)), 65_536);
    for (const bytes of [
      [],
      [4],
      [5, 0],
      [4, 1],
      [4, 0x80, ...zeros(128)],
      [4, 0x81],
      [4, 0x81, 0x7f, ...zeros(127)],
      [4, 0x82, 0, 0xff, ...zeros(255)],
      [4, 0x83, 0, 1, 0, ...zeros(256)],
      [4, 0x84, 0, 0, 0, 1, 0],
    ])
      refused(() => read(...bytes));
  });

  it('is read up to its caps on size and depth, and to its end', () => {
    assert.equal(new DerReader(new Uint8Array(maxDerBytes)).peek(), 0);
    refused(() => new DerReader(new Uint8Array(maxDerBytes + 1)));
    assert.equal(new DerReader(Uint8Array.of(7), maxDerDepth).peek(), 7);
    refused(() => new DerReader(Uint8Array.of(7), maxDerDepth + 1));
    const reader = new DerReader(Uint8Array.of(4, 1, 9, 4, 0));
    reader.read(4);
    refused(() => reader.end());
    reader.read(4);
    reader.end();
    assert.equal(reader.peek(), null);
  });
});
