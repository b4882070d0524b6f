import assert from 'node:assert/strict';
import { canonicalPolicyJson, defaultPolicy, measuredFields, parsePolicy, validateTdx } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { simulatedMrTd } from '#attestation/simulated/simulated-tdx.ts';
import { toHex } from '#protocol/bytes.ts';
import { throwsCode } from '../assert-code.ts';
import { assessMachine, assessWith, collateralWith, machine, policyWith, ppid } from './simulated-fixture.ts';

function frozen(value: unknown): boolean {
  return typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
}

/** The default policy as a mutable document. */
function document(): Record<string, unknown> & { tdx: Record<string, unknown> } {
  return JSON.parse(canonicalPolicyJson(defaultPolicy)) as Record<string, unknown> & { tdx: Record<string, unknown> };
}

/** Reference values that are all the same. */
function allFields<T>(value: T): { readonly [Field in (typeof measuredFields)[number]]: T } {
  return Object.fromEntries(measuredFields.map((name) => [name, value])) as { [Field in (typeof measuredFields)[number]]: T };
}

describe('policy', () => {
  it('is frozen to its depth, by default and when parsed', () => {
    assert.ok(frozen(defaultPolicy));
    assert.ok(frozen(simulatedPolicy));
    assert.ok(frozen(parsePolicy(canonicalPolicyJson(defaultPolicy))));
  });

  it('says in the default what docs/design.md demands', () => {
    assert.ok(defaultPolicy.tdx !== null);
    assert.deepEqual(defaultPolicy.tdx.tcbStatuses, ['UpToDate', 'SWHardeningNeeded']);
    assert.equal(defaultPolicy.tdx.allowDebug, false);
    assert.equal(defaultPolicy.tdx.requireSeptVeDisable, true);
    assert.equal(defaultPolicy.tdx.requireRevocationData, true);
    assert.equal(defaultPolicy.allowSimulated, false);
    const { sgx, sevSnp, nvidia } = defaultPolicy;
    assert.equal(sgx, null);
    assert.deepEqual(
      [nvidia?.architectures, nvidia?.modes],
      [
        ['hopper', 'blackwell'],
        ['spt', 'mpt'],
      ],
    );
    assert.deepEqual([nvidia?.requireNonce, nvidia?.requireRevocationData, nvidia?.requireRim], [true, true, true]);
    assert.equal(nvidia?.requireRimRevocationData, true);
    assert.deepEqual([nvidia?.admitCertificateHold, nvidia?.allowDebug], [false, false]);
    assert.deepEqual([sevSnp?.products, sevSnp?.minReportVersion], [['Genoa', 'Turin'], 3]);
    assert.deepEqual([sevSnp?.requireAliasCheck, sevSnp?.requireRevocationData], [true, true]);
    assert.deepEqual([sevSnp?.allowDebug, sevSnp?.allowMigrationAgent, sevSnp?.vlekCspIds], [false, false, []]);
  });

  it('differs for simulated hardware in one field only', () => {
    assert.deepEqual({ ...simulatedPolicy, allowSimulated: false }, defaultPolicy);
  });

  it('has one canonical text, keys sorted and no space', () => {
    const text = canonicalPolicyJson(defaultPolicy);
    assert.ok(text.startsWith('{"allowSimulated":false,"nvidia":{"admitCertificateHold":false,"allowDebug":false,'));
    assert.ok(text.includes('"sgx":null,"tdx":{"advisories":[],"allowDebug":false,'));
    assert.equal(canonicalPolicyJson(parsePolicy(`\n${JSON.stringify(document(), null, 2)}`)), text);
  });

  it('refuses a policy with any field left out', () => {
    let count = 0;
    for (const key of Object.keys(document())) {
      const rest = Object.fromEntries(Object.entries(document()).filter(([name]) => name !== key));
      throwsCode(() => parsePolicy(JSON.stringify(rest)), 'STUN_POLICY_FORMAT');
      count++;
    }
    for (const key of Object.keys(document().tdx)) {
      const tdx = Object.fromEntries(Object.entries(document().tdx).filter(([name]) => name !== key));
      throwsCode(() => parsePolicy(JSON.stringify({ ...document(), tdx })), 'STUN_POLICY_FORMAT');
      count++;
    }
    assert.ok(count >= 19, `${count} fields`);
  });

  for (const [name, change] of [
    ['an unknown field', { comment: 'x' }],
    ['a status that no policy can admit', { tdx: { ...document().tdx, tcbStatuses: ['Revoked'] } }],
    ['a mask in upper case', { tdx: { ...document().tdx, xfamMask: '0xE7DB060000000000' } }],
    ['an opt-out without a reason', { tdx: { ...document().tdx, measurements: { skip: '' } } }],
    ['rules for a kind that has none', { sgx: {} }],
    ['another version', { version: 2 }],
  ] as const) {
    it(`refuses a policy with ${name}`, () => {
      throwsCode(() => parsePolicy(JSON.stringify({ ...document(), ...change })), 'STUN_POLICY_FORMAT');
    });
  }

  it('reads measurements and platforms that are listed', () => {
    const value = `0x${'ab'.repeat(48)}`;
    const measurements = [{ ...allFields(value), rtMr3: { skip: 'extended at run time' } }];
    const parsed = parsePolicy(
      JSON.stringify({ ...document(), tdx: { ...document().tdx, measurements, hardwareIds: [`0x${'01'.repeat(16)}`] } }),
    );
    assert.deepEqual(parsed.tdx?.measurements, measurements);
    for (const wrong of [{ rtMr3: 'ab' }, { rtMr3: {} }, { rtMr4: value }]) {
      const changed = [{ ...measurements[0], ...wrong }];
      throwsCode(
        () => parsePolicy(JSON.stringify({ ...document(), tdx: { ...document().tdx, measurements: changed } })),
        'STUN_POLICY_FORMAT',
      );
    }
    assert.equal(parsePolicy(JSON.stringify({ ...document(), tdx: null })).tdx, null);
  });

  it('refuses a policy that is no JSON', () => throwsCode(() => parsePolicy('{'), 'STUN_JSON_FORMAT'));

  it('admits a named paravisor without SEPT_VE_DISABLE and no other image', () => {
    const paravisor = policyWith({ paravisorMrTds: [toHex(simulatedMrTd)] });
    const other = policyWith({ paravisorMrTds: [`0x${'00'.repeat(48)}`] });
    assert.equal(assessMachine({ withoutSeptVeDisable: true }, { policy: paravisor }).validated, true);
    assert.equal(assessMachine({ withoutSeptVeDisable: true }, { policy: other }).failure?.code, 'STUN_POLICY_SEPT_VE_DISABLE');
  });

  it('admits an image by its measurements and says that the check was made', () => {
    const skip = { skip: 'not extended in this test' };
    const measurements = [
      { ...allFields(skip), mrTd: toHex(simulatedMrTd), rtMr0: `0x${'00'.repeat(48)}`, mrOwner: `0x${'00'.repeat(48)}` },
    ];
    const { validated, checks } = assessWith({ policy: policyWith({ measurements }) });
    assert.equal(validated, true);
    assert.equal(checks.find((check) => check.id === 'policy-measurements')?.status, 'proven');
  });

  it('admits the platforms it lists, a debug TD and a missing CRL when it says so in writing', () => {
    assert.equal(assessWith({ policy: policyWith({ hardwareIds: [toHex(ppid)] }) }).validated, true);
    assert.equal(assessMachine({ debug: true }, { policy: policyWith({ allowDebug: true }) }).validated, true);
    assert.equal(
      assessWith({ collateral: collateralWith({ pck_crl: null }), policy: policyWith({ requireRevocationData: false }) })
        .validated,
      true,
    );
  });

  it('shows missing revocation data as unknown, with verification holding', () => {
    const { verified, checks } = assessWith({ collateral: collateralWith({ root_ca_crl: null, pck_crl: null }) });
    assert.equal(verified?.revocation, 'unknown');
    for (const id of ['root-ca-crl', 'pck-crl', 'certificate-revocation']) {
      assert.deepEqual(
        checks.find((check) => check.id === id),
        { id, status: 'unknown', code: 'STUN_REVOCATION_UNKNOWN' },
      );
    }
  });

  it('still finds a revoked certificate when only the other CRL is missing', () => {
    const collateral = { ...machine({ revoked: true }).collateral, root_ca_crl: null };
    const { failure } = assessMachine({ revoked: true }, { collateral });
    assert.equal(failure?.code, 'STUN_CERTIFICATE_REVOKED');
  });

  it('reports every reason, and validateTdx throws the first', () => {
    const { verified, checks } = assessMachine({ debug: true, withoutSeptVeDisable: true, outOfDate: true });
    const refuted = checks.filter((check) => check.status === 'refuted').map((check) => check.id);
    assert.deepEqual(refuted, ['policy-tcb-status', 'policy-advisories', 'policy-debug', 'policy-sept-ve-disable']);
    assert.ok(verified !== null);
    throwsCode(() => validateTdx(verified, simulatedPolicy), 'STUN_POLICY_TCB_STATUS');
  });

  it('gives the verified value back from validateTdx', () => {
    const { verified } = assessWith({});
    assert.ok(verified !== null);
    assert.equal(validateTdx(verified, simulatedPolicy).verified, verified);
  });
});
