import assert from 'node:assert/strict';
import { assessEvidence, parseTdxQuote } from '#attestation/index.ts';
import type { TdxAssessment, IntelCollateralJson } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { sampleCases } from '../../depth.ts';
import {
  acceptedCollateral,
  acceptedQuote,
  assessWith,
  atUnix,
  collateralWith,
  flipped,
  keysetDigest,
  machine,
  nonce,
  pki,
} from '../../unit/attestation/simulated-fixture.ts';

/** Refused, by a code of its own: never accepted, never an internal error. */
function refusedCode(assessment: Pick<TdxAssessment, 'failure'>, what: string): string {
  const { failure } = assessment;
  assert.ok(failure instanceof StunError, `${what} was accepted`);
  assert.notEqual(failure.code, 'STUN_INTERNAL', `${what}: ${String(failure.cause)}`);
  return failure.code;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

const codes = (list: Iterable<string>): string => [...new Set(list)].sort().join(', ');

describe('sweeps over simulated evidence', () => {
  it('refuses a quote with any one byte changed, by the code of its region', () => {
    // 0..47 header, 48..631 body: signed by the attestation key. Then the length, the signature, the key, the QE report.
    const regions = [
      { from: 8, to: 12, allowed: ['STUN_QUOTE_SIGNATURE'] },
      { from: 28, to: 632, allowed: ['STUN_QUOTE_SIGNATURE'] },
      { from: 636, to: 700, allowed: ['STUN_QUOTE_SIGNATURE'] },
      { from: 700, to: 764, allowed: ['STUN_QE_REPORT_BINDING'] },
      { from: 770, to: 1154, allowed: ['STUN_QE_REPORT_SIGNATURE'] },
      { from: 1154, to: 1218, allowed: ['STUN_QE_REPORT_SIGNATURE'] },
      { from: 1220, to: 1252, allowed: ['STUN_QE_REPORT_BINDING'] },
    ];
    let count = 0;
    for (const { from, to, allowed } of regions) {
      for (const offset of sampleCases(range(from, to), 24)) {
        const code = refusedCode(assessWith({ quote: flipped(acceptedQuote, offset) }), `byte ${offset}`);
        assert.ok(allowed.includes(code), `byte ${offset}: ${code}, expected ${allowed.join(' or ')}`);
        count++;
      }
    }
    assert.ok(count >= 100, `${count} bytes`);
    console.log(`      ${count} bytes of header, body, signatures, key and QE report`);
  });

  it('refuses a quote with a byte of its certificate chain changed', () => {
    const begin = 1258;
    const text = String.fromCharCode(...acceptedQuote.subarray(begin));
    assert.ok(text.startsWith('-----BEGIN CERTIFICATE-----'));
    const offsets = sampleCases(range(begin, acceptedQuote.length), 200);
    const seen = offsets.map((offset) => refusedCode(assessWith({ quote: flipped(acceptedQuote, offset) }), `byte ${offset}`));
    console.log(`      ${offsets.length} bytes of the PCK chain: ${codes(seen)}`);
  });

  it('refuses a quote cut at any length', () => {
    const lengths = range(0, acceptedQuote.length);
    const seen = lengths.map((length) => {
      assert.throws(() => parseTdxQuote(acceptedQuote.subarray(0, length)), StunError);
      return refusedCode(assessWith({ quote: acceptedQuote.subarray(0, length) }), `length ${length}`);
    });
    assert.equal(codes(seen), 'STUN_QUOTE_FORMAT');
    console.log(`      ${lengths.length} lengths`);
  });

  it('refuses collateral with a character changed in anything signed', () => {
    const keys = ['tcb_info', 'tcb_info_signature', 'qe_identity', 'qe_identity_signature', 'root_ca_crl', 'pck_crl'] as const;
    let count = 0;
    for (const key of keys) {
      const text = acceptedCollateral[key] ?? '';
      for (const at of sampleCases(range(0, text.length), 40)) {
        const old = text[at] ?? '';
        const changed = old === '0' ? '1' : '0'; // a hex digit in hex fields, one wrong character in texts
        const collateral: IntelCollateralJson = collateralWith({ [key]: text.slice(0, at) + changed + text.slice(at + 1) });
        refusedCode(assessWith({ collateral }), `${key}[${at}]`);
        count++;
      }
    }
    assert.ok(count >= 200, `${count} characters`);
    console.log(`      ${count} characters`);
  });

  it('refuses chains with a character changed', () => {
    let count = 0;
    const seen: string[] = [];
    for (const key of ['pck_crl_issuer_chain', 'tcb_info_issuer_chain', 'qe_identity_issuer_chain'] as const) {
      const text = acceptedCollateral[key];
      for (const at of sampleCases(range(0, text.length - 1), 60)) {
        const changed = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
        seen.push(refusedCode(assessWith({ collateral: collateralWith({ [key]: changed }) }), `${key}[${at}]`));
        count++;
      }
    }
    console.log(`      ${count} characters: ${codes(seen)}`);
  });

  it('refuses an evidence document with one byte changed or cut at any length', () => {
    const document = machine().evidence(keysetDigest, nonce);
    const context = { atUnix, roots: [pki.root], policy: simulatedPolicy, keysetDigest };
    assert.equal(assessEvidence(document, context).failure, null);
    const offsets = sampleCases(range(0, document.length), 300);
    for (const offset of offsets) {
      refusedCode(assessEvidence(flipped(document, offset), context), `byte ${offset}`);
      refusedCode(assessEvidence(document.subarray(0, offset), context), `length ${offset}`);
    }
    console.log(`      ${offsets.length} bytes and lengths`);
  });
});
