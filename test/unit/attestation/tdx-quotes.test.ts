import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeTdxQuote, parseIntelCollateral, parseSgxQuote, parseTdxQuote, verifySgx, verifyTdx } from '#attestation/index.ts';
import type { TdBodyType } from '#attestation/index.ts';
import { relaunchStatus } from '#attestation/intel/tcb-status.ts';
import type { PlatformStatus } from '#attestation/intel/tcb-status.ts';
import { maxGraceSeconds } from '#attestation/intel/verify.ts';
import { simulatedSgxTcbInfo } from '#attestation/simulated/collateral.ts';
import { toHex } from '#protocol/bytes.ts';
import { sampleSeed } from '../../depth.ts';
import { throwsCode } from '../assert-code.ts';
import { assessSgxMachine, sgxMachine } from './sgx-fixture.ts';
import {
  acceptedCollateral,
  acceptedQuote,
  assessMachine,
  assessWith,
  atUnix,
  collateralWith,
  flipped,
  machine,
  otherPki,
  pki,
  policyWith,
  reportData,
} from './simulated-fixture.ts';

const svn = (...head: number[]): Uint8Array => Uint8Array.from({ length: 16 }, (_, i) => head[i] ?? 0);
const day = 86_400;

describe('TDX quotes of version 5', () => {
  for (const bodyType of [2, 3, 4] as const) {
    it(`are accepted with body type ${bodyType} and encoded back to their own bytes`, () => {
      const { failure, verified } = assessMachine({ quoteVersion: 5, bodyType });
      assert.equal(failure, null, failure?.message);
      assert.equal(verified?.bodyType, bodyType);
      const quote = machine({ quoteVersion: 5, bodyType }).quote(reportData);
      assert.deepEqual(encodeTdxQuote(parseTdxQuote(quote)), quote);
    });
  }

  it('are encoded back whatever their fields and certification data say', () => {
    const field = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
    const parsed = ([2, 3, 4] as const).map((bodyType) =>
      parseTdxQuote(machine({ quoteVersion: 5, bodyType }).quote(reportData)),
    );
    const certification = fc.oneof(
      fc.record({ type: fc.constant(1 as const), ppid: field(16), cpuSvn: field(16), pceSvn: fc.nat(65_535), pceId: field(2) }),
      fc.record({
        type: fc.constant(2 as const),
        encryptedPpid: field(256),
        cpuSvn: field(16),
        pceSvn: fc.nat(65_535),
        pceId: field(2),
      }),
      fc.record({
        type: fc.constant(3 as const),
        encryptedPpid: field(384),
        cpuSvn: field(16),
        pceSvn: fc.nat(65_535),
        pceId: field(2),
      }),
      fc.record({ type: fc.constant(4 as const), leafPem: fc.string({ unit: 'binary-ascii' }) }),
      fc.record({ type: fc.constant(5 as const), chainPem: fc.string({ unit: 'binary-ascii' }) }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...parsed),
        field(48),
        field(64),
        certification,
        fc.nat(100),
        (quote, mrTd, signature, data, trailingBytes) => {
          const written = { ...quote, body: { ...quote.body, mrTd }, signature, certification: { ...data }, trailingBytes };
          const { signedBytes: _left, ...read } = parseTdxQuote(encodeTdxQuote(written));
          const { signedBytes: _same, ...expected } = written;
          assert.deepEqual(read, expected);
        },
      ),
      { seed: sampleSeed(), numRuns: 200 },
    );
  });
});

describe('certification data', () => {
  for (const certificationType of [1, 2, 3, 4, 5] as const) {
    it(`of type ${certificationType} leads to the PCK certificate, for TDX and SGX`, () => {
      const tdx = assessMachine({ certificationType });
      assert.equal(tdx.failure, null, tdx.failure?.message);
      const sgx = assessSgxMachine({ certificationType });
      assert.equal(sgx.failure, null, sgx.failure?.message);
    });
  }

  it('of type 4 takes the authorities of a chain that was given with it', () => {
    const changed = machine({ certificationType: 4 });
    const { pck_certificate_chain: chain } = machine({ certificationType: 1 }).collateral;
    assert.ok(chain !== undefined);
    const { failure } = assessWith({
      quote: changed.quote(reportData),
      collateral: { ...changed.collateral, pck_certificate_chain: chain },
    });
    assert.equal(failure, null, failure?.message);
  });
});

describe('TEE_TCB_SVN2', () => {
  const statuses: readonly PlatformStatus[] = [
    'UpToDate',
    'SWHardeningNeeded',
    'ConfigurationNeeded',
    'ConfigurationAndSWHardeningNeeded',
    'OutOfDate',
    'OutOfDateConfigurationNeeded',
    'Revoked',
  ];

  it('advises to relaunch an outdated TD on a platform that is current, by Intel’s table', () => {
    const advised = new Map<string, string>([
      ['OutOfDate UpToDate', 'TDRelaunchAdvised'],
      ['OutOfDate SWHardeningNeeded', 'TDRelaunchAdvised'],
      ['OutOfDate ConfigurationNeeded', 'TDRelaunchAdvisedConfigurationNeeded'],
      ['OutOfDate ConfigurationAndSWHardeningNeeded', 'TDRelaunchAdvisedConfigurationNeeded'],
      ['OutOfDateConfigurationNeeded UpToDate', 'TDRelaunchAdvisedConfigurationNeeded'],
      ['OutOfDateConfigurationNeeded SWHardeningNeeded', 'TDRelaunchAdvisedConfigurationNeeded'],
      ['OutOfDateConfigurationNeeded ConfigurationNeeded', 'TDRelaunchAdvisedConfigurationNeeded'],
      ['OutOfDateConfigurationNeeded ConfigurationAndSWHardeningNeeded', 'TDRelaunchAdvisedConfigurationNeeded'],
    ]);
    for (const launch of statuses)
      for (const now of statuses)
        assert.equal(relaunchStatus(launch, now), advised.get(`${launch} ${now}`) ?? launch, `${launch} ${now}`);
  });

  const launched = (bodyType: TdBodyType, launch: Uint8Array, now: Uint8Array): ReturnType<typeof assessMachine> =>
    assessMachine(
      {
        quoteVersion: 5,
        bodyType,
        quoteChanges: { body: { teeTcbSvn: launch, ...(bodyType === 2 ? {} : { teeTcbSvn2: now }) } },
      },
      { policy: policyWith({ tcbStatuses: ['TDRelaunchAdvised'] }) },
    );

  it('keeps the parts of the launch, and is admitted by a policy that says so', () => {
    for (const bodyType of [3, 4] as const) {
      const { verified, validated } = launched(bodyType, svn(3, 1, 7), svn(5, 1, 7));
      assert.ok(verified !== null);
      assert.deepEqual(
        [verified.tcbStatus, verified.platform, verified.module, verified.qe, verified.tcbDate, validated],
        ['TDRelaunchAdvised', 'UpToDate', 'OutOfDate', 'UpToDate', '2023-08-09T00:00:00Z', true],
      );
    }
  });

  it('changes nothing for a TD that is current, for one on an outdated platform, and in a TD report 1.0', () => {
    assert.equal(launched(3, svn(5, 1, 7), svn(3, 1, 7)).verified?.tcbStatus, 'UpToDate');
    assert.equal(launched(3, svn(3, 1, 7), svn(3, 1, 7)).verified?.tcbStatus, 'OutOfDate');
    assert.equal(launched(2, svn(3, 1, 7), svn(5, 1, 7)).verified?.tcbStatus, 'OutOfDate');
    assert.equal(launched(3, svn(5, 1, 7), svn(5, 2, 7)).verified?.tcbStatus, 'NotSupported');
  });
});

describe('TCB Info of version 2', () => {
  it('is of SGX, levels and status as in version 3, advisories aside', () => {
    const collateralChanges = { tcbInfo: () => simulatedSgxTcbInfo(atUnix, 2) };
    const current = assessSgxMachine({ collateralChanges });
    assert.equal(current.failure, null, current.failure?.message);
    const outdated = assessSgxMachine({ outOfDate: true, collateralChanges }).verified;
    assert.deepEqual(
      [outdated?.tcbStatus, outdated?.platform, outdated?.module, outdated?.advisoryIds],
      ['OutOfDate', 'OutOfDate', null, []],
    );
  });
});

describe('rules with dates', () => {
  const time = (unix: number): string => new Date(unix * 1000).toISOString().replace('.000Z', 'Z');
  const advisory = 'STUN-SIMULATED-SA-00001';

  it('admit a status and an advisory to the last second', () => {
    const policy = policyWith({
      tcbStatuses: [{ status: 'OutOfDate', tcbDateFrom: '2023-08-09T00:00:00Z', admittedUntil: time(atUnix) }],
      advisories: [{ id: advisory, admittedUntil: time(atUnix) }],
    });
    const { failure } = assessMachine({ outOfDate: true }, { policy });
    assert.equal(failure, null, failure?.message);
    assert.equal(assessMachine({ outOfDate: true }, { policy, atUnix: atUnix + 1 }).failure?.code, 'STUN_POLICY_TCB_STATUS');
  });

  it('take expired collateral within the grace to the last second, and say how late it was', () => {
    const end = atUnix - 3600 + 30 * day;
    const policy = policyWith({ collateralGraceSeconds: day });
    const { failure, verified } = assessWith({ policy, atUnix: end + day });
    assert.equal(failure, null, failure?.message);
    assert.deepEqual([verified?.collateralOverdueSeconds, verified?.collateralExpiresAtUnix], [day, end + day]);
    assert.equal(assessWith({ policy, atUnix: end + day + 1 }).failure?.code, 'STUN_CRL_EXPIRED');
    assert.equal(assessWith({ atUnix: end }).failure, null);
    assert.equal(assessWith({ atUnix: end + 1 }).failure?.code, 'STUN_CRL_EXPIRED');
  });

  it('bound the grace', () => {
    const quote = parseTdxQuote(acceptedQuote);
    const collateral = parseIntelCollateral(acceptedCollateral);
    for (const grace of [-1, 0.5, maxGraceSeconds + 1])
      throwsCode(() => verifyTdx(quote, collateral, atUnix, [pki.root], grace), 'STUN_RANGE');
    const sgx = sgxMachine();
    const sgxQuote = parseSgxQuote(sgx.quote(reportData));
    throwsCode(() => verifySgx(sgxQuote, parseIntelCollateral(sgx.collateral), -1, [pki.root]), 'STUN_RANGE');
  });

  it('admit a service TD that is named', () => {
    const mrServiceTd = new Uint8Array(48).fill(1);
    const options = { quoteVersion: 5, bodyType: 3, quoteChanges: { body: { mrServiceTd } } } as const;
    assert.equal(assessMachine(options, { policy: policyWith({ mrServiceTds: [toHex(mrServiceTd)] }) }).failure, null);
    const skipped = assessMachine(options, { policy: policyWith({ mrServiceTds: { skip: 'not of interest' } }) });
    assert.equal(skipped.failure, null);
    assert.equal(skipped.checks.find((check) => check.id === 'policy-service-td')?.status, 'unknown');
  });
});

describe('collateral that is parsed once', () => {
  it('gives the same answers as fresh collateral, refusals too, for quotes and roots that change', () => {
    const parsed = parseIntelCollateral(acceptedCollateral);
    const forged = parseIntelCollateral(collateralWith({ tcb_info_signature: '00'.repeat(64) }));
    const inputs = [
      {},
      { quote: flipped(acceptedQuote, 600) },
      { roots: [] },
      { atUnix: atUnix + 40 * day },
      { quote: machine({ ppid: new Uint8Array(16).fill(3) }).quote(reportData) },
      {},
    ];
    for (const input of inputs) {
      const warm = assessWith({ ...input, collateral: parsed });
      assert.deepEqual(warm, assessWith({ ...input, collateral: parseIntelCollateral(acceptedCollateral) }));
    }
    for (const _ of [1, 2]) assert.equal(assessWith({ collateral: forged }).failure?.code, 'STUN_TCB_INFO_SIGNATURE');
  });

  it('holds a certificate once that several of its chains contain, and another beside it', () => {
    const { pckCrlIssuerChain, tcbInfo, qeIdentity } = parseIntelCollateral(acceptedCollateral);
    assert.equal(tcbInfo.chain[1], pckCrlIssuerChain[1]);
    assert.equal(qeIdentity.chain[1], pckCrlIssuerChain[1]);
    assert.notEqual(tcbInfo.chain[0], pckCrlIssuerChain[0]);
    const foreign = machine({ pki: otherPki }).collateral;
    const mixed = parseIntelCollateral(collateralWith({ qe_identity_issuer_chain: foreign.qe_identity_issuer_chain }));
    assert.notEqual(mixed.qeIdentity.chain[1], mixed.tcbInfo.chain[1]);
  });

  it('never takes an answer for another key or another object', () => {
    const parsed = parseIntelCollateral(acceptedCollateral);
    const { tcbInfo, signatures } = parsed;
    const key = tcbInfo.chain[0]?.publicKey ?? new Uint8Array(65);
    assert.equal(signatures.isSigned(tcbInfo, key), true);
    assert.equal(signatures.isSigned(tcbInfo, tcbInfo.chain[1]?.publicKey ?? key), false);
    assert.equal(signatures.isSigned({ ...tcbInfo, tbs: flipped(tcbInfo.tbs, 5) }, key), false);
    assert.equal(signatures.isSigned(tcbInfo, key), true);
  });
});
