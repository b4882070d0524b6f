import assert from 'node:assert/strict';
import {
  assessSgx,
  assessTdx,
  defaultPolicy,
  defaultTrustRoots,
  parseIntelCollateral,
  parseIntelQuote,
} from '#attestation/index.ts';
import type { IntelCollateral, QuoteAssessment, TrustRoot, VerifiedIntel } from '#attestation/index.ts';
import { parsePemChain } from '#attestation/x509/pem.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { depth, sampleCases, sampleSeed } from '../../depth.ts';
import { acceptedSgxCollateral, acceptedSgxQuote } from '../../unit/attestation/sgx-fixture.ts';
import { acceptedCollateral, atUnix, flipped, machine, pki, reportData } from '../../unit/attestation/simulated-fixture.ts';
import { InputCost } from './input-cost.ts';
import { intelCases } from '../../unit/attestation/vector-cases.ts';

/** A quote that verifies, and what it verifies with. */
interface Subject {
  readonly name: string;
  readonly quote: Uint8Array;
  /** Bytes before the trailing ones: none of them may change. */
  readonly end: number;
  readonly collateral: IntelCollateral;
  readonly atUnix: number;
  readonly roots: readonly TrustRoot[];
}

function subject(name: string, quote: Uint8Array, collateral: IntelCollateral, at: number, roots: readonly TrustRoot[]): Subject {
  return { name, quote, end: quote.length - parseIntelQuote(quote).trailingBytes, collateral, atUnix: at, roots };
}

const simulated: readonly Subject[] = [
  subject('simulated SGX, version 3', acceptedSgxQuote, parseIntelCollateral(acceptedSgxCollateral), atUnix, [pki.root]),
  ...([2, 3, 4] as const).map((bodyType) => {
    const quote = machine({ quoteVersion: 5, bodyType }).quote(reportData);
    return subject(`simulated TDX, version 5, body ${bodyType}`, quote, parseIntelCollateral(acceptedCollateral), atUnix, [
      pki.root,
    ]);
  }),
];
/** One case of each real quote: the same quote with other collateral has no other bytes. */
const real = intelCases('')
  .filter((vector, i, all) => all.findIndex((other) => other.name.slice(0, 28) === vector.name.slice(0, 28)) === i)
  .map(({ name, quote, collateral, verifyAt }) =>
    subject(name, quote, parseIntelCollateral(collateral), verifyAt, defaultTrustRoots),
  );

/** Assesses bytes as what their TEE type says. */
function assess(of: Subject, quote: Uint8Array): QuoteAssessment<VerifiedIntel> {
  const input = { quote, collateral: of.collateral, atUnix: of.atUnix, roots: of.roots, policy: defaultPolicy };
  const sgx = quote.length >= 8 && quote.subarray(4, 8).every((byte) => byte === 0);
  return sgx ? assessSgx(input) : assessTdx(input);
}

/** Not verified, with a code of its own. */
function refusedCode(of: Subject, quote: Uint8Array, what: string): string {
  const { verified, failure } = assess(of, quote);
  assert.ok(verified === null && failure instanceof StunError, `${of.name}: ${what} was verified`);
  assert.notEqual(failure.code, 'STUN_INTERNAL', `${of.name}, ${what}: ${String(failure.cause)}`);
  return failure.code;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** All that a quote says: every field but the PEM text, and of that the certificates. Line breaks in PEM are signed by nobody. */
function said(quote: Uint8Array): readonly unknown[] {
  const { certification, trailingBytes: _left, ...fields } = parseIntelQuote(quote);
  const { type } = certification;
  return [fields, type, type === 5 ? parsePemChain(certification.chainPem) : certification];
}

/** Numbers below 1 that repeat for the same seed (mulberry32). For choosing mutations, nothing else. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A quote with a piece cut out, doubled, moved or overwritten, or with one of its lengths set to something else. */
function mutated(quote: Uint8Array, random: () => number): Uint8Array {
  const below = (limit: number): number => Math.floor(random() * limit);
  const from = below(quote.length);
  const to = Math.min(quote.length, from + 1 + below(random() < 0.5 ? 8 : 512));
  const [head, piece, tail] = [quote.subarray(0, from), quote.subarray(from, to), quote.subarray(to)];
  switch (below(6)) {
    case 0:
      return Uint8Array.from([...head, ...tail]);
    case 1:
      return Uint8Array.from([...head, ...piece, ...piece, ...tail]);
    case 2:
      return Uint8Array.from([...tail, ...piece, ...head]);
    case 3:
      return Uint8Array.from([...head, ...piece.map(() => below(256)), ...tail]);
    case 4:
      return Uint8Array.from([...head, ...piece.map(() => (random() < 0.5 ? 0 : 255)), ...tail]);
    default: {
      // Version, TEE type, descriptor, and the lengths that the three versions have at their places.
      const copy = quote.slice();
      const places = [0, 2, 4, 48, 50, 432, 632, 638, 702, 764, 766, 939, 1012, 1044, 1218, 1252, 1254];
      const at = places[below(places.length)] ?? 0;
      copy.set(
        range(0, 1 + below(4)).map(() => (random() < 0.3 ? 0 : below(256))),
        at,
      );
      return copy;
    }
  }
}

describe('sweeps over quotes of every version', () => {
  it('start from quotes that verify', () => {
    for (const of of [...simulated, ...real]) assert.notEqual(assess(of, of.quote).verified, null, of.name);
    assert.ok(real.length === 0 || real.length >= 10, `${real.length} real quotes`);
    console.log(`      ${simulated.length} simulated and ${real.length} real quotes`);
  });

  for (const of of [...simulated, ...real]) {
    it(`refuse ${of.name} with one byte changed`, function run() {
      this.timeout(600_000);
      const offsets = sampleCases(range(0, of.end), 150);
      const codes = new Set(offsets.map((offset) => refusedCode(of, flipped(of.quote, offset), `byte ${offset}`)));
      assert.ok(codes.size >= 2, [...codes].join(', '));
      console.log(`      ${offsets.length} bytes: ${[...codes].sort().join(', ')}`);
    });

    it(`refuse ${of.name} cut at any length before its end`, () => {
      const lengths = range(0, of.end);
      for (const length of lengths) {
        assert.throws(
          () => parseIntelQuote(of.quote.subarray(0, length)),
          (thrown) => thrown instanceof StunError && thrown.code === 'STUN_QUOTE_FORMAT',
        );
      }
      assert.equal(parseIntelQuote(of.quote.subarray(0, of.end)).trailingBytes, 0);
      console.log(`      ${lengths.length} lengths`);
    });
  }

  it('refuse structural mutations, or find that the quote still says the same', function run() {
    this.timeout(1_200_000);
    const subjects = [...simulated, ...real];
    const total = depth() === 'full' ? 100_000 : 3_000;
    const random = randomNumbers(sampleSeed());
    let same = 0;
    const cost = new InputCost();
    for (let i = 0; i < total; i++) {
      const of = subjects[i % subjects.length];
      assert.ok(of !== undefined);
      const quote = mutated(of.quote, random);
      const { verified, failure } = cost.of(() => assess(of, quote));
      assert.notEqual(failure?.code, 'STUN_INTERNAL', `${of.name}, mutation ${i}: ${String(failure?.cause)}`);
      if (verified === null) continue;
      assert.deepEqual(said(quote), said(of.quote), `${of.name}, mutation ${i} was verified`);
      same++;
    }
    assert.ok(same < total / 2, `${same} of ${total} mutations changed nothing that is read`);
    console.log(`      ${total} mutations, ${same} of them in trailing bytes or line breaks alone; ${cost.requireBounded()}`);
  });

  it('refuse collateral with a character of anything signed changed, used before or fresh', () => {
    let count = 0;
    const keys = ['tcb_info', 'tcb_info_signature', 'qe_identity', 'qe_identity_signature', 'root_ca_crl', 'pck_crl'] as const;
    const perText = depth() === 'full' ? 200 : 8;
    const subjects = sampleCases([...simulated, ...real], 6);
    for (const of of subjects) {
      const { json } = of.collateral;
      for (const key of keys) {
        const text = json[key] ?? '';
        const step = Math.ceil(text.length / perText);
        for (let at = step >> 1; at < text.length; at += step) {
          const changed = text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1);
          let collateral: IntelCollateral;
          try {
            collateral = parseIntelCollateral({ ...json, [key]: changed });
          } catch (thrown) {
            assert.ok(thrown instanceof StunError && thrown.code !== 'STUN_INTERNAL', `${of.name}, ${key}[${at}]`);
            count++;
            continue;
          }
          const first = refusedCode({ ...of, collateral }, of.quote, `${key}[${at}]`);
          assert.equal(refusedCode({ ...of, collateral }, of.quote, `${key}[${at}] again`), first);
          count++;
        }
      }
    }
    // A signature has 128 characters, which no step divides evenly at full depth.
    assert.ok(count >= subjects.length * keys.length * Math.min(perText, 64), `${count} characters`);
    console.log(`      ${count} characters`);
  });
});
