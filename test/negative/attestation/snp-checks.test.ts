import assert from 'node:assert/strict';
import { snpPolicyChecks, snpVerificationChecks } from '#attestation/index.ts';
import { atUnix } from '../../unit/attestation/simulated-fixture.ts';
import { assessSnpMachine, assessSnpWith, snpPolicyWith } from '../../unit/attestation/snp-fixture.ts';
import { snpNegativeVectors } from './snp-negative-vectors.ts';

/** Checks that the default policy skips, with a reason. */
const skipped = [
  'policy-tcb',
  'policy-launch-tcb',
  'policy-mitigations',
  'policy-id-key',
  'policy-author-key',
  'policy-host-data',
  'policy-measurements',
];

describe('negative vectors of SEV-SNP evidence', () => {
  it('start from evidence that is accepted', () => {
    const { failure, validated, checks } = assessSnpWith({});
    assert.equal(failure, null);
    assert.equal(validated, true);
    assert.deepEqual(
      checks.filter((check) => check.status !== 'proven').map((check) => check.id),
      skipped,
    );
  });

  it('start from product lines, signers and versions that are accepted too', () => {
    const policy = snpPolicyWith({ products: ['Milan', 'Genoa', 'Turin'], vlekCspIds: ['CN=cc-simulated.invalid'] });
    for (const product of ['Milan', 'Genoa', 'Turin'] as const) {
      for (const signer of ['vcek', 'vlek'] as const) {
        for (const version of [3, 4, 5] as const) {
          const none = version < 5 ? { launchMitigations: null, currentMitigations: null } : {};
          const { failure } = assessSnpMachine({ product, signer, changes: { report: { version, ...none } } }, { policy });
          assert.equal(failure, null, `${product} ${signer} ${version}: ${failure?.message ?? ''}`);
        }
      }
    }
  });

  it('start from the ends of what is admitted: path length 1, and every date on the very second', () => {
    const dates = { notBeforeUnix: atUnix, notAfterUnix: atUnix };
    const { failure } = assessSnpMachine({
      changes: {
        vek: dates,
        ask: dates,
        ark: { ...dates, authority: { isCa: true, pathLength: 1 } },
        crl: { thisUpdateUnix: atUnix, nextUpdateUnix: atUnix },
      },
    });
    assert.equal(failure, null, failure?.message);
  });

  for (const { check, code, name, run } of snpNegativeVectors) {
    it(`refuses with ${code} at ${check}: ${name}`, () => {
      const { checks, failure } = run();
      assert.equal(failure?.code, code, failure?.message);
      const refuted = checks.filter((entry) => entry.status === 'refuted');
      assert.deepEqual(refuted, [{ id: check, status: 'refuted', code }]);
    });
  }

  it('refute every check', () => {
    const covered = new Set(snpNegativeVectors.map((vector) => vector.check));
    assert.deepEqual(
      [...snpVerificationChecks, ...snpPolicyChecks].filter((id) => !covered.has(id)),
      [],
    );
    assert.ok(snpNegativeVectors.length >= 90, `${snpNegativeVectors.length} vectors`);
    console.log(`      ${snpNegativeVectors.length} negative vectors over ${covered.size} checks`);
  });
});
