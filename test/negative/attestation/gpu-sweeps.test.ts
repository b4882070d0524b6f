import assert from 'node:assert/strict';
import { assessGpu, defaultPolicy, defaultTrustRoots, encodeGpuReport, parseGpuReport } from '#attestation/index.ts';
import type { GpuAssessment } from '#attestation/index.ts';
import { encodePem, parsePemChain } from '#attestation/x509/pem.ts';
import { parseOcspResponse } from '#attestation/nvidia/ocsp.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { sampleCases } from '../../depth.ts';
import { flipped } from '../../unit/attestation/simulated-fixture.ts';
import { acceptedChain, acceptedGpuReport, acceptedOcsp, assessGpuWith } from '../../unit/attestation/gpu-fixture.ts';
import { InputCost } from './input-cost.ts';
import { gpuCases } from '../../unit/attestation/gpu-vector-cases.ts';

/** Not verified, by a code of its own: never an internal error. */
function refusedCode(assessment: GpuAssessment, what: string): string {
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

describe('sweeps over simulated GPU evidence', () => {
  it('refuses a report with any one bit changed', () => {
    const offsets = sampleCases(range(0, acceptedGpuReport.length), 120);
    const seen = offsets.flatMap((offset) =>
      [0x01, 0x80].map((bit) => {
        const report = acceptedGpuReport.slice();
        report[offset] = (report[offset] ?? 0) ^ bit;
        return refusedCode(assessGpuWith({ report }), `byte ${offset}`);
      }),
    );
    console.log(`      ${seen.length} changes: ${codes(seen)}`);
  });

  it('refuses a report cut to any length', () => {
    for (const length of range(0, acceptedGpuReport.length))
      assert.equal(
        refusedCode(assessGpuWith({ report: acceptedGpuReport.subarray(0, length) }), `length ${length}`),
        'STUN_GPU_REPORT_FORMAT',
      );
    console.log(`      ${acceptedGpuReport.length} lengths`);
  });

  it('verifies a report with bytes after it by its own signature, never by the last bytes', () => {
    const padded = Uint8Array.of(...acceptedGpuReport, ...acceptedGpuReport.subarray(-96));
    assert.notEqual(assessGpuWith({ report: padded }).verified, null);
    const { signature, ...fields } = parseGpuReport(acceptedGpuReport);
    const moved = encodeGpuReport({ ...fields, signature: new Uint8Array(96), trailing: signature });
    assert.equal(refusedCode(assessGpuWith({ report: moved }), 'moved signature'), 'STUN_GPU_REPORT_SIGNATURE');
  });

  it('refuses a chain with any one byte of a certificate changed, or a certificate cut at any length', () => {
    const ders = parsePemChain(acceptedChain);
    const seen = ders.flatMap((der, place) =>
      sampleCases(range(0, der.length), 25).flatMap((offset) =>
        [flipped(der, offset), der.subarray(0, offset)].map((changed) => {
          const chain = ders.map((own, i) => encodePem(i === place ? changed : own)).join('');
          return refusedCode(assessGpuWith({ chain }), `certificate ${place} at ${offset}`);
        }),
      ),
    );
    console.log(`      ${seen.length} changes: ${codes(seen)}`);
  });

  it('admits no OCSP response with any one byte changed, or cut at any length', () => {
    const [first = new Uint8Array(0), ...rest] = acceptedOcsp;
    const seen = sampleCases(range(0, first.length), 80).flatMap((offset) =>
      [flipped(first, offset), first.subarray(0, offset)].map((changed) => {
        const { validated, failure } = assessGpuWith({ ocsp: [changed, ...rest] });
        assert.equal(validated, false, `OCSP response at ${offset}`);
        assert.notEqual(failure?.code, 'STUN_INTERNAL', String(failure?.cause));
        return failure?.code ?? '';
      }),
    );
    assert.equal(parseOcspResponse(first).status.kind, 'good');
    console.log(`      ${seen.length} changes: ${codes(seen)}`);
  });
});

describe('sweeps over real GPU reports', () => {
  const wanted = ['hopper-c438e7e7', 'blackwell-6cea198c', 'hopper-9bf9963c', 'ls10-352fc991'];
  const vectors = gpuCases().filter((candidate) => wanted.includes(candidate.name));

  it('are over these reports, all of them', function () {
    if (gpuCases().length === 0) return this.skip();
    assert.deepEqual(vectors.map(({ name }) => name).toSorted(), wanted.toSorted());
  });

  for (const vector of vectors) {
    const assess = (report: Uint8Array, chain = vector.chain): GpuAssessment =>
      assessGpu({
        report,
        chain,
        nonce: null,
        ocsp: [],
        ocspAtUnix: null,
        atUnix: 1_761_307_200,
        roots: defaultTrustRoots,
        policy: defaultPolicy,
      });

    it(`refuses ${vector.name} with a byte changed, whether signed or of the signature`, () => {
      const offsets = sampleCases(range(0, vector.report.length), 100);
      const cost = new InputCost();
      const seen = offsets.map((offset) => cost.of(() => refusedCode(assess(flipped(vector.report, offset)), `byte ${offset}`)));
      console.log(`      ${offsets.length} bytes: ${codes(seen)}; ${cost.requireBounded()}`);
    });

    it(`refuses ${vector.name} with a byte of a certificate changed`, () => {
      const ders = parsePemChain(vector.chain);
      const places = ders.flatMap((der, place) => range(0, der.length).map((offset) => ({ place, offset })));
      const cost = new InputCost();
      const seen = sampleCases(places, 40).map(({ place, offset }) => {
        const chain = ders.map((der, i) => encodePem(i === place ? flipped(der, offset) : der)).join('');
        return cost.of(() => refusedCode(assess(vector.report, chain), `certificate ${place} at ${offset}`));
      });
      console.log(`      ${seen.length} bytes of ${ders.length} certificates: ${codes(seen)}; ${cost.requireBounded()}`);
    });

    it(`refuses ${vector.name} cut at any length`, () => {
      const lengths = sampleCases(range(0, vector.report.length), 400);
      for (const length of lengths)
        assert.equal(refusedCode(assess(vector.report.subarray(0, length)), `length ${length}`), 'STUN_GPU_REPORT_FORMAT');
      console.log(`      ${lengths.length} lengths`);
    });
  }
});
