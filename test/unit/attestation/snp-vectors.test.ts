import assert from 'node:assert/strict';
import {
  assessSnp,
  defaultPolicy,
  defaultTrustRoots,
  encodeSnpEndorsements,
  encodeSnpReport,
  parseSnpEndorsements,
  parseSnpReport,
  verifySnp,
} from '#attestation/index.ts';
import type { SnpAssessment, SnpInput } from '#attestation/index.ts';
import { throwsCode } from '../assert-code.ts';
import { amdCases, lenientSnpPolicy } from './snp-vector-cases.ts';
import type { AmdCase } from './snp-vector-cases.ts';
import { assessSnpWith } from './snp-fixture.ts';

const cases = amdCases();
const good = cases.filter((vector) => vector.expected === 'valid');
const assess = (vector: AmdCase, changes: Partial<SnpInput> = {}): SnpAssessment =>
  assessSnp({
    report: vector.report,
    endorsements: vector.endorsements,
    atUnix: vector.verifyAt,
    roots: defaultTrustRoots,
    policy: defaultPolicy,
    ...changes,
  });

describe('real SEV-SNP reports', () => {
  it('are counted, and the simulated set runs with or without them', () => {
    assert.equal(assessSnpWith({}).failure, null);
    assert.ok(cases.length === 0 || (cases.length >= 14 && good.length >= 12), `${cases.length} cases, ${good.length} valid`);
    console.log(`      ${cases.length} real SEV-SNP cases, ${good.length} of them valid`);
  });

  for (const vector of cases) {
    it(`${vector.name} gives the answer of a correct verifier`, () => {
      const { verified, checks, failure } = assess(vector);
      const refuted = checks.filter((check) => check.status === 'refuted' && !check.id.startsWith('policy-'));
      if (vector.expected !== 'valid') {
        assert.equal(verified, null);
        assert.equal(failure?.code, 'STUN_CHAIN_SIGNATURE');
        assert.deepEqual(
          refuted.map((check) => check.id),
          [vector.expected, ...vector.alsoFails],
        );
        return;
      }
      assert.ok(verified !== null, failure?.message);
      assert.deepEqual(refuted, []);
      assert.deepEqual(
        [verified.report.version, verified.product, verified.signer, verified.debug],
        [vector.reportVersion, vector.product, vector.signer, vector.debug],
      );
      assert.deepEqual([verified.simulated, verified.revocation], [false, 'unknown']);
      assert.equal(
        verified.hardwareId.every((byte) => byte === 0),
        vector.signer === 'vlek',
      );
      assert.equal(verified.cspId, vector.signer === 'vlek' ? 'CN=cc-us-east-2.amazonaws.com' : null);
      const unknown = checks.filter((check) => check.code === 'STUN_REVOCATION_UNKNOWN').map((check) => check.id);
      assert.deepEqual(unknown, ['ark-crl', 'certificate-revocation']);
    });

    it(`${vector.name} is encoded back to its own bytes`, () => {
      assert.deepEqual(encodeSnpReport(parseSnpReport(vector.report)), vector.report);
      assert.deepEqual(
        assess(vector, { endorsements: encodeSnpEndorsements(vector.endorsements) }).checks,
        assess(vector).checks,
      );
    });
  }

  for (const vector of good) {
    it(`${vector.name} is judged by policy: default, and one that admits it unless it runs in debug mode`, () => {
      const codes = assess(vector)
        .checks.filter((check) => check.status === 'refuted')
        .map((check) => check.id);
      assert.ok(codes.includes('policy-revocation'));
      assert.equal(codes.includes('policy-product'), vector.product === 'Milan');
      assert.equal(codes.includes('policy-report-version'), vector.reportVersion < 3);
      assert.equal(codes.includes('policy-alias-check'), vector.reportVersion < 3);
      assert.equal(codes.includes('policy-signer'), vector.signer === 'vlek');
      const { failure } = assess(vector, { policy: lenientSnpPolicy() });
      assert.equal(failure?.code, vector.debug ? 'STUN_POLICY_DEBUG' : undefined, failure?.message);
    });

    it(`${vector.name} verifies at both ends of its window and not a second outside`, () => {
      const report = parseSnpReport(vector.report);
      const endorsements = parseSnpEndorsements(vector.endorsements);
      const chain = [endorsements.vek, endorsements.ask, endorsements.ark];
      const from = Math.max(...chain.map((certificate) => certificate.notBeforeUnix));
      const to = Math.min(...chain.map((certificate) => certificate.notAfterUnix));
      const at = (atUnix: number): unknown => verifySnp(report, endorsements, atUnix, defaultTrustRoots);
      at(from);
      at(to);
      throwsCode(() => at(from - 1), 'STUN_CERTIFICATE_NOT_YET_VALID');
      throwsCode(() => at(to + 1), 'STUN_CERTIFICATE_EXPIRED');
      throwsCode(() => at(0.5), 'STUN_RANGE');
      throwsCode(() => verifySnp(report, endorsements, from, []), 'STUN_ROOT_UNTRUSTED');
    });
  }

  it('are refused with the endorsements of another chip or product, by the check that fails', () => {
    const seen = new Set<string>();
    let pairs = 0;
    for (const vector of good) {
      for (const other of good.filter((candidate) =>
        candidate.endorsements.vek.some((byte, i) => byte !== vector.endorsements.vek[i]),
      )) {
        const atUnix = Math.max(vector.verifyAt, other.verifyAt);
        const { vek } = other.endorsements;
        const swapped = assess(vector, { atUnix, endorsements: { ...vector.endorsements, vek } });
        const whole = assess(vector, { atUnix, endorsements: other.endorsements });
        for (const { verified, checks } of [swapped, whole]) {
          assert.equal(verified, null);
          assert.ok(checks.some((check) => check.id === 'report-signature' && check.status === 'refuted'));
          checks.filter((check) => check.status === 'refuted').forEach((check) => seen.add(check.id));
        }
        pairs++;
      }
    }
    if (cases.length > 0)
      for (const id of ['chain-names', 'vek-signature', 'signer-kind', 'product', 'tcb', 'hwid']) assert.ok(seen.has(id), id);
    assert.ok(cases.length === 0 || pairs >= 100, `${pairs} pairs`);
    console.log(`      ${pairs} pairs, refused at ${[...seen].sort().join(', ')}`);
  });

  it('are refused with the authorities of another product line', () => {
    const milan = good.find((vector) => vector.product === 'Milan' && vector.signer === 'vcek');
    const genoa = good.find((vector) => vector.product === 'Genoa');
    if (milan === undefined || genoa === undefined) return assert.equal(cases.length, 0);
    const { ask, ark } = genoa.endorsements;
    assert.equal(assess(milan, { endorsements: { ...milan.endorsements, ask, ark } }).failure?.code, 'STUN_CHAIN_NAMES');
    assert.equal(assess(milan, { endorsements: { ...milan.endorsements, ark } }).failure?.code, 'STUN_CHAIN_NAMES');
    const milanRoot = defaultTrustRoots.filter((root) => root.vendor === 'amd' && root.product !== 'Milan');
    assert.equal(assess(milan, { roots: milanRoot }).failure?.code, 'STUN_ROOT_UNTRUSTED');
  });
});
