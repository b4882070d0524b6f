import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeGpuReport, parseDeviceChain, parseGpuReport, parseOcspResponse } from '#attestation/index.ts';
import type { GpuReportFields } from '#attestation/index.ts';
import { encodePem, parsePemChain } from '#attestation/x509/pem.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { depth, sampleSeed } from '../../depth.ts';
import { acceptedChain, acceptedGpuReport, acceptedOcsp, assessGpuWith } from '../../unit/attestation/gpu-fixture.ts';

const check = <T>(property: fc.IProperty<T>, numRuns = 300): void => {
  fc.assert(property, { seed: sampleSeed(), numRuns });
};

/** The call returns, or throws a StunError that is not an internal one. */
function total(call: () => unknown): void {
  try {
    call();
  } catch (thrown) {
    assert.ok(thrown instanceof StunError, String(thrown));
    assert.notEqual(thrown.code, 'STUN_INTERNAL');
  }
}

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const measurement = fc.record({ valueType: fc.nat(255), value: fc.uint8Array({ maxLength: 64 }) });
/** Types whose values have no form of their own. */
const opaque = fc.uniqueArray(
  fc.record({ type: fc.nat({ max: 65_535 }).filter((type) => type > 40), value: fc.uint8Array({ maxLength: 40 }) }),
  { selector: ({ type }) => type, maxLength: 8 },
);
const reports: fc.Arbitrary<GpuReportFields> = fc
  .record({
    nonce: bytes(32),
    slot: fc.nat(7),
    measurements: fc.array(measurement, { maxLength: 70 }),
    responderNonce: bytes(32),
    opaque,
    signature: bytes(96),
    trailing: fc.uint8Array({ maxLength: 40 }),
  })
  .map((fields) => ({ ...fields, measurements: fields.measurements.map((entry, i) => ({ index: i + 1, ...entry })) }));

describe('GPU parsers, properties', () => {
  it('give back every report that is encoded', () => {
    check(
      fc.property(reports, (fields) => {
        const raw = encodeGpuReport(fields);
        const { raw: kept, signedBytes, facts, ...parsed } = parseGpuReport(raw);
        assert.deepEqual(kept, raw);
        assert.equal(signedBytes.length, raw.length - 96 - fields.trailing.length);
        assert.equal(facts.architecture, null);
        assert.deepEqual(JSON.stringify(parsed), JSON.stringify(fields));
      }),
    );
  });

  it('answer any bytes, and any change of a report, with a value or a code', () => {
    check(fc.property(fc.uint8Array({ maxLength: 600 }), (input) => total(() => parseGpuReport(input))));
    const change = fc.record({
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      drop: fc.nat(40),
      insert: fc.uint8Array({ maxLength: 40 }),
    });
    check(
      fc.property(reports, change, (fields, { at, drop, insert }) => {
        const raw = encodeGpuReport(fields);
        const from = Math.floor(at * raw.length);
        total(() => parseGpuReport(Uint8Array.of(...raw.subarray(0, from), ...insert, ...raw.subarray(from + drop))));
      }),
    );
  });

  it('answer any bytes in place of a chain or an OCSP response with a value or a code', () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 600 }), (input) => {
        total(() => parseOcspResponse(input));
        total(() => parseDeviceChain(encodePem(input)));
        total(() => parseDeviceChain(String.fromCharCode(...input)));
      }),
    );
  });

  it('answer any structural mutation with a code, and accept none of them', () => {
    const ders = parsePemChain(acceptedChain);
    const parts = [acceptedGpuReport, ...ders, ...acceptedOcsp];
    const mutation = fc.record({
      part: fc.nat(parts.length - 1),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      drop: fc.nat(40),
      insert: fc.uint8Array({ maxLength: 40 }),
    });
    let refused = 0;
    check(
      fc.property(mutation, ({ part, at, drop, insert }) => {
        const original = parts[part] ?? new Uint8Array(0);
        const from = Math.floor(at * original.length);
        const changed = Uint8Array.of(...original.subarray(0, from), ...insert, ...original.subarray(from + drop));
        // Nothing changed, or bytes came to stand after a report's signature, where they are legal.
        if ((part === 0 || changed.length === original.length) && original.every((value, i) => value === changed[i])) return;
        const [report, ...rest] = parts.map((own, i) => (i === part ? changed : own));
        const chain = rest.slice(0, ders.length).map(encodePem).join('');
        const { validated, failure } = assessGpuWith({ ...(report && { report }), chain, ocsp: rest.slice(ders.length) });
        assert.equal(validated, false, `part ${part} at ${from}`);
        assert.ok(failure !== null && failure.code !== 'STUN_INTERNAL', `part ${part} at ${from}: ${String(failure?.cause)}`);
        refused++;
      }),
      depth() === 'full' ? 33_000 : 800,
    );
    assert.ok(refused > 400, `${refused} mutations`);
    console.log(`      ${refused} mutations refused`);
  });
});
