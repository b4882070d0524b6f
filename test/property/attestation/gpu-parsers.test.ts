import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeGpuReport, parseGpuReport } from '#attestation/index.ts';
import type { GpuReportFields } from '#attestation/index.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { sampleSeed } from '../../depth.ts';

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
});
