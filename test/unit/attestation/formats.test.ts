import assert from 'node:assert/strict';
import { DerReader, derTag, maxDerBytes } from '#attestation/asn1/der.ts';
import {
  calendarToUnix,
  parseEcdsaSignature,
  readBitString,
  readBoolean,
  readIntegerHex,
  readNamedBits,
  readOid,
  readSmallInteger,
  readTime,
} from '#attestation/asn1/der-values.ts';
import { platformProvider as nodeProvider } from '#attestation/crypto/node-provider.ts';
import { parseCappedJson, parseCappedJsonBytes } from '#attestation/json/capped-json.ts';
import { deriveSigningKey } from '#attestation/simulated/signing-key.ts';
import { parsePemChain } from '#attestation/x509/pem.ts';
import { maxQuoteBytes } from '#attestation/intel/quote.ts';
import { parseIntelCollateral, parseTdxQuote } from '#attestation/index.ts';
import { fromHex, utf8 } from '#protocol/bytes.ts';
import { throwsCode } from '../assert-code.ts';
import { acceptedCollateral, acceptedQuote, collateralWith, pki } from './simulated-fixture.ts';

const over = (hex: string): DerReader => new DerReader(fromHex(`0x${hex}`));

describe('strict DER', () => {
  const refused: readonly [string, string, (reader: DerReader) => unknown][] = [
    ['an indefinite length', '3080', (reader) => reader.read(derTag.sequence)],
    ['a length that is not the shortest', '308101ff', (reader) => reader.read(derTag.sequence)],
    ['a length with a leading zero', '30820080', (reader) => reader.read(derTag.sequence)],
    ['a length of four bytes', '308400000001ff', (reader) => reader.read(derTag.sequence)],
    ['a length past the end', '3002ff', (reader) => reader.read(derTag.sequence)],
    ['another tag', '0401ff', (reader) => reader.read(derTag.sequence)],
    ['nothing', '', (reader) => reader.read(derTag.sequence)],
    [
      'left-over bytes',
      '3000ff',
      (reader) => {
        reader.read(derTag.sequence);
        reader.end();
      },
    ],
    ['an empty integer', '0200', readIntegerHex],
    ['an integer with a needless zero', '02020001', readIntegerHex],
    ['an integer with a needless ff', '0202ff80', readIntegerHex],
    ['a negative small integer', '0201ff', readSmallInteger],
    ['a boolean of 1', '010101', readBoolean],
    ['an identifier with a padded arc', '06032a8001', readOid],
    ['an identifier cut short', '06022a80', readOid],
    ['a bit string with unused bits', '03020480', readBitString],
    ['named bits with a trailing zero', '03020600', readNamedBits],
    ['a time with seconds left out', '170b3235303130313030303030', readTime],
    ['a day that does not exist', `170d${Buffer.from('250230000000Z').toString('hex')}`, readTime],
    ['a generalized time before 2050', `180f${Buffer.from('20250101000000Z').toString('hex')}`, readTime],
  ];
  for (const [name, hex, read] of refused) {
    it(`refuses ${name}`, () => throwsCode(() => read(over(hex)), 'STUN_DER_FORMAT'));
  }

  it('refuses a structure over its size', () =>
    throwsCode(() => new DerReader(new Uint8Array(maxDerBytes + 1)), 'STUN_DER_FORMAT'));

  it('refuses signatures with negative, long or missing integers', () => {
    for (const hex of ['3006020180020101', `3026022101${'00'.repeat(32)}020101`, '3003020101', '3009020101020101020101']) {
      throwsCode(() => parseEcdsaSignature(fromHex(`0x${hex}`)), 'STUN_DER_FORMAT');
    }
  });

  it('knows the calendar', () => {
    assert.equal(calendarToUnix(2024, 2, 29, 0, 0, 0), 1_709_164_800);
    assert.equal(calendarToUnix(2023, 2, 29, 0, 0, 0), null);
    assert.equal(calendarToUnix(2023, 1, 1, 24, 0, 0), null);
  });
});

describe('capped JSON', () => {
  for (const [name, text] of [
    ['a repeated key', '{"a":1,"a":1}'],
    ['a key that is repeated under an escape', '{"a":1,"\\u0061":1}'],
    ['__proto__', '{"__proto__":1}'],
    ['a fraction', '1.5'],
    ['an exponent', '1e3'],
    ['an integer past 2^53', '9007199254740993'],
    ['minus zero', '-0'],
    ['a control character', '"\u0001"'],
    ['a lone surrogate', '"\\ud800"'],
    ['a trailing comma', '[1,]'],
    ['text after the value', '{} x'],
    ['depth beyond the cap', '['.repeat(17) + ']'.repeat(17)],
    ['nothing', ''],
  ] as const) {
    it(`refuses ${name}`, () => throwsCode(() => parseCappedJson(text), 'STUN_JSON_FORMAT'));
  }

  it('refuses texts and bytes over their size, and too many values', () => {
    const limits = { maxChars: 10, maxDepth: 3, maxValues: 3 };
    throwsCode(() => parseCappedJson('"12345678901"', limits), 'STUN_JSON_FORMAT');
    throwsCode(() => parseCappedJsonBytes(new Uint8Array(41), limits), 'STUN_JSON_FORMAT');
    throwsCode(() => parseCappedJson('[1,2,3]', limits), 'STUN_JSON_FORMAT');
  });

  it('refuses bytes that are not UTF-8 or begin with a byte order mark', () => {
    throwsCode(() => parseCappedJsonBytes(Uint8Array.of(0x22, 0xff, 0x22)), 'STUN_JSON_FORMAT');
    throwsCode(() => parseCappedJsonBytes(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31)), 'STUN_JSON_FORMAT');
  });

  it('survives a million open brackets', () => throwsCode(() => parseCappedJson('['.repeat(999_999)), 'STUN_JSON_FORMAT'));
});

describe('PEM, quote and collateral formats', () => {
  it('allow one trailing NUL after a chain and nothing else', () => {
    const chain = acceptedCollateral.tcb_info_issuer_chain;
    assert.equal(parsePemChain(`${chain}\0`).length, 2);
    throwsCode(() => parsePemChain(`${chain}\0\0`), 'STUN_PEM_FORMAT');
    throwsCode(() => parsePemChain(''), 'STUN_PEM_FORMAT');
    throwsCode(() => parsePemChain(' '.repeat(70_000)), 'STUN_PEM_FORMAT');
    throwsCode(() => parsePemChain('-----BEGIN CERTIFICATE-----\nAB==\n-----END CERTIFICATE-----\n'), 'STUN_PEM_FORMAT');
    throwsCode(() => parsePemChain('-----BEGIN CERTIFICATE-----\nABC\n-----END CERTIFICATE-----\n'), 'STUN_PEM_FORMAT');
    throwsCode(() => parsePemChain(chain.repeat(5)), 'STUN_PEM_FORMAT');
  });

  it('count bytes after a quote and refuse one that is too large', () => {
    const padded = new Uint8Array(acceptedQuote.length + 9).fill(7);
    padded.set(acceptedQuote);
    assert.equal(parseTdxQuote(padded).trailingBytes, 9);
    throwsCode(() => parseTdxQuote(new Uint8Array(maxQuoteBytes + 1)), 'STUN_QUOTE_FORMAT');
  });

  it('refuse lengths inside a quote that leave bytes over', () => {
    const longer = (at: number): Uint8Array => {
      const quote = acceptedQuote.slice();
      new DataView(quote.buffer).setUint32(at, new DataView(quote.buffer).getUint32(at, true) - 1, true);
      return quote;
    };
    throwsCode(() => parseTdxQuote(longer(632)), 'STUN_QUOTE_FORMAT');
    throwsCode(() => parseTdxQuote(longer(766)), 'STUN_QUOTE_FORMAT');
    throwsCode(() => parseTdxQuote(longer(1254)), 'STUN_QUOTE_FORMAT');
  });

  it('refuse outer certification data of another type', () => {
    const quote = acceptedQuote.slice();
    quote[764] = 5;
    throwsCode(() => parseTdxQuote(quote), 'STUN_QUOTE_CERTIFICATION_DATA');
  });

  it('copy a quote, so that a buffer changed later changes nothing', () => {
    const buffer = acceptedQuote.slice();
    const parsed = parseTdxQuote(buffer);
    buffer.fill(0);
    assert.deepEqual(parsed.signedBytes, acceptedQuote.subarray(0, 632));
  });

  it('read collateral from text, bytes and values alike', () => {
    const text = JSON.stringify(acceptedCollateral);
    assert.deepEqual(parseIntelCollateral(text).json, parseIntelCollateral(utf8(text)).json);
    assert.deepEqual(parseIntelCollateral(acceptedCollateral).json, acceptedCollateral);
    throwsCode(() => parseIntelCollateral(collateralWith({ tcb_info_signature: 'xy' })), 'STUN_COLLATERAL_FORMAT');
    throwsCode(() => parseIntelCollateral(collateralWith({ pck_crl: 'abc' })), 'STUN_COLLATERAL_FORMAT');
    throwsCode(() => parseIntelCollateral(collateralWith({ tcb_info: ' '.repeat(262_145) })), 'STUN_COLLATERAL_FORMAT');
  });
});

describe('the crypto provider', () => {
  it('says no to keys off the curve, wrong lengths and zero signatures', () => {
    const message = utf8('message');
    const signature = pki.rootKey.sign(message);
    const { publicKey } = pki.rootKey;
    assert.equal(nodeProvider.verifyP256(message, signature, publicKey), true);
    assert.equal(nodeProvider.verifyP256(message, signature, new Uint8Array([4, ...new Uint8Array(64).fill(1)])), false);
    assert.equal(nodeProvider.verifyP256(message, signature, publicKey.subarray(0, 64)), false);
    assert.equal(nodeProvider.verifyP256(message, signature.subarray(1), publicKey), false);
    assert.equal(nodeProvider.verifyP256(message, new Uint8Array(64), publicKey), false);
    assert.equal(nodeProvider.verifyP256(utf8('other'), signature, publicKey), false);
  });

  it('tells keys apart however many it has seen', () => {
    const message = utf8('message');
    const keys = Array.from({ length: 70 }, (_, i) => deriveSigningKey(Uint8Array.of(i), 'test'));
    const signatures = keys.map((key) => key.sign(message));
    for (const round of [0, 1]) {
      keys.forEach((key, i) => {
        assert.equal(nodeProvider.verifyP256(message, signatures[i] ?? message, key.publicKey), true);
        assert.equal(nodeProvider.verifyP256(message, signatures[(i + 1 + round) % 70] ?? message, key.publicKey), false);
      });
    }
  });
});
