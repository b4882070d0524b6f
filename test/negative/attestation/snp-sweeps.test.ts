import assert from 'node:assert/strict';
import { assessSnp, defaultPolicy, defaultTrustRoots, parseSnpReport } from '#attestation/index.ts';
import type { SnpAssessment, SnpEndorsementBytes } from '#attestation/index.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { sampleCases } from '../../depth.ts';
import { flipped } from '../../unit/attestation/simulated-fixture.ts';
import { acceptedEndorsements, acceptedReport, assessSnpWith } from '../../unit/attestation/snp-fixture.ts';
import { InputCost } from './input-cost.ts';
import { amdCases } from '../../unit/attestation/snp-vector-cases.ts';

/** Not verified, by a code of its own: never an internal error. */
function refusedCode(assessment: SnpAssessment, what: string): string {
  const { failure, verified } = assessment;
  assert.equal(verified, null, `${what} was verified`);
  assert.ok(failure instanceof StunError);
  assert.notEqual(failure.code, 'STUN_INTERNAL', `${what}: ${String(failure.cause)}`);
  return failure.code;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

const codes = (list: Iterable<string>): string => [...new Set(list)].sort().join(', ');

describe('sweeps over simulated SEV-SNP evidence', () => {
  it('refuses a report with any one bit changed', () => {
    const offsets = sampleCases(range(0, acceptedReport.length), 200);
    const seen = offsets.flatMap((offset) =>
      [0x01, 0x80].map((bit) => {
        const report = acceptedReport.slice();
        report[offset] = (report[offset] ?? 0) ^ bit;
        return refusedCode(assessSnpWith({ report }), `byte ${offset}`);
      }),
    );
    console.log(`      ${seen.length} changes: ${codes(seen)}`);
  });

  it('refuses a report cut or grown to any length', () => {
    const lengths = range(0, acceptedReport.length);
    for (const length of lengths) {
      assert.throws(() => parseSnpReport(acceptedReport.subarray(0, length)), StunError);
      assert.equal(
        refusedCode(assessSnpWith({ report: acceptedReport.subarray(0, length) }), `length ${length}`),
        'STUN_SNP_REPORT_FORMAT',
      );
    }
    console.log(`      ${lengths.length} lengths`);
  });

  for (const place of ['vek', 'ask', 'ark', 'crl'] as const) {
    it(`refuses ${place} with any one byte changed, or cut at any length`, () => {
      const bytes = acceptedEndorsements[place] ?? new Uint8Array(0);
      const offsets = sampleCases(range(0, bytes.length), 150);
      const seen = offsets.flatMap((offset) => {
        const assess = (changed: Uint8Array): string =>
          refusedCode(assessSnpWith({ endorsements: { ...acceptedEndorsements, [place]: changed } }), `${place} at ${offset}`);
        return [assess(flipped(bytes, offset)), assess(bytes.subarray(0, offset))];
      });
      console.log(`      ${seen.length} changes: ${codes(seen)}`);
    });
  }
});

describe('sweeps over real SEV-SNP reports', () => {
  const wanted = ['milan-v5-vcek-bcc3fbc5', 'genoa-v3-vcek-227a641d', 'genoa-v5-vcek-7ea4daeb', 'milan-v3-vlek-decdab94'];
  const vectors = amdCases().filter((candidate) => wanted.includes(candidate.name));

  it('are over these reports, all of them', function () {
    if (amdCases().length === 0) return this.skip();
    assert.deepEqual(vectors.map(({ name }) => name).toSorted(), wanted.toSorted());
  });

  for (const vector of vectors) {
    const assess = (report: Uint8Array, endorsements: SnpEndorsementBytes): SnpAssessment =>
      assessSnp({ report, endorsements, atUnix: vector.verifyAt, roots: defaultTrustRoots, policy: defaultPolicy });

    it(`refuses ${vector.name} with a byte of the report changed`, () => {
      const offsets = sampleCases(range(0, vector.report.length), 100);
      const cost = new InputCost();
      const seen = offsets.map((offset) =>
        cost.of(() => refusedCode(assess(flipped(vector.report, offset), vector.endorsements), `byte ${offset}`)),
      );
      console.log(`      ${offsets.length} bytes: ${codes(seen)}; ${cost.requireBounded()}`);
    });

    it(`refuses ${vector.name} cut at any length`, () => {
      const lengths = sampleCases(range(0, vector.report.length), 100);
      const cost = new InputCost();
      const seen = lengths.map((length) =>
        cost.of(() => refusedCode(assess(vector.report.subarray(0, length), vector.endorsements), `length ${length}`)),
      );
      assert.equal(codes(seen), 'STUN_SNP_REPORT_FORMAT');
      console.log(`      ${lengths.length} lengths, ${cost.requireBounded()}`);
    });

    it(`refuses ${vector.name} with a byte of the VEK changed`, () => {
      const offsets = sampleCases(range(0, vector.endorsements.vek.length), 100);
      const seen = offsets.map((offset) => {
        const vek = flipped(vector.endorsements.vek, offset);
        return refusedCode(assess(vector.report, { ...vector.endorsements, vek }), `byte ${offset}`);
      });
      console.log(`      ${offsets.length} bytes: ${codes(seen)}`);
    });
  }
});
