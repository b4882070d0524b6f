import assert from 'node:assert/strict';
import { convergeStatus, parseComponentStatus, parsePlatformStatus } from '#attestation/intel/tcb-status.ts';
import type { ComponentStatus, PlatformStatus } from '#attestation/intel/tcb-status.ts';
import { evaluateTdxTcb } from '#attestation/tdx/tcb-evaluation.ts';
import { asTdxTcbInfo, parseTcbInfo } from '#attestation/intel/tcb-info.ts';
import { simulatedTcbInfo } from '#attestation/simulated/collateral.ts';
import { throwsCode } from '../assert-code.ts';
import { assessMachine, atUnix, policyWith } from './simulated-fixture.ts';

const svns = (...head: number[]): Uint8Array => Uint8Array.from({ length: 16 }, (_, i) => head[i] ?? 0);

describe('TCB evaluation', () => {
  it('converges platform and components by Intel’s table', () => {
    const rows: readonly [PlatformStatus, readonly ComponentStatus[], PlatformStatus][] = [
      ['UpToDate', ['UpToDate', 'UpToDate'], 'UpToDate'],
      ['SWHardeningNeeded', ['UpToDate', 'UpToDate'], 'SWHardeningNeeded'],
      ['UpToDate', ['OutOfDate', 'UpToDate'], 'OutOfDate'],
      ['UpToDate', ['UpToDate', 'OutOfDate'], 'OutOfDate'],
      ['SWHardeningNeeded', ['OutOfDate'], 'OutOfDate'],
      ['ConfigurationNeeded', ['UpToDate', 'OutOfDate'], 'OutOfDateConfigurationNeeded'],
      ['ConfigurationAndSWHardeningNeeded', ['OutOfDate'], 'OutOfDateConfigurationNeeded'],
      ['OutOfDate', ['OutOfDate'], 'OutOfDate'],
      ['OutOfDateConfigurationNeeded', ['OutOfDate'], 'OutOfDateConfigurationNeeded'],
      ['Revoked', ['OutOfDate'], 'Revoked'],
      ['Revoked', ['UpToDate'], 'Revoked'],
      ['UpToDate', ['Revoked', 'UpToDate'], 'Revoked'],
      ['UpToDate', ['UpToDate', 'Revoked'], 'Revoked'],
      ['OutOfDate', ['OutOfDate', 'Revoked'], 'Revoked'],
    ];
    for (const [platform, components, expected] of rows)
      assert.equal(convergeStatus(platform, components), expected, `${platform} + ${components.join()}`);
  });

  it('knows exactly the statuses that Intel defines', () => {
    assert.equal(parsePlatformStatus('OutOfDateConfigurationNeeded'), 'OutOfDateConfigurationNeeded');
    assert.equal(parseComponentStatus('Revoked'), 'Revoked');
    throwsCode(() => parsePlatformStatus('uptodate'), 'STUN_TCB_STATUS_UNKNOWN');
    throwsCode(() => parseComponentStatus('SWHardeningNeeded'), 'STUN_TCB_STATUS_UNKNOWN');
  });

  it('compares TDX components from index 2 when the module has a major version, from 0 otherwise', () => {
    const tcbInfo = asTdxTcbInfo(parseTcbInfo(JSON.stringify(simulatedTcbInfo(atUnix))));
    const [level] = tcbInfo.levels;
    const [identity] = tcbInfo.moduleIdentities;
    assert.ok(level !== undefined && identity !== undefined);
    const pck = {
      ppid: new Uint8Array(16),
      componentSvns: level.sgxComponentSvns,
      pceSvn: level.pceSvn,
      cpuSvn: new Uint8Array(16),
      pceId: new Uint8Array(2),
      fmspc: new Uint8Array(6),
      platformInstanceId: null,
    };
    const oneLevel = { ...tcbInfo, levels: [level] };
    const evaluate = (teeTcbSvn: Uint8Array): string => {
      const body = { teeTcbSvn } as Parameters<typeof evaluateTdxTcb>[0];
      return evaluateTdxTcb(body, pck, oneLevel, 8, [{ isvSvn: 8, status: 'UpToDate', tcbDateUnix: 0, advisoryIds: [] }])
        .tcbStatus;
    };
    // The level wants [5, 0, 7, …]: an SVN of 3 in byte 0 is the module's business once it has a major version.
    assert.equal(evaluate(svns(3, 1, 7)), 'OutOfDate'); // by the module's own level
    assert.equal(evaluate(svns(3, 0, 7)), 'NotSupported');
    assert.equal(evaluate(svns(5, 0, 7)), 'UpToDate');
    assert.equal(evaluate(svns(5, 1, 6)), 'NotSupported');
    assert.equal(evaluate(svns(2, 1, 7)), 'NotSupported'); // below every level of the module
  });

  it('joins advisories of all parts, sorted, and takes the earliest date', () => {
    const { verified } = assessMachine({
      outOfDate: true,
      collateralChanges: {
        qeIdentity: (identity) =>
          JSON.stringify(identity).replace('"tcbStatus":"OutOfDate"', '"tcbStatus":"OutOfDate","advisoryIDs":["Z-1","A-1"]'),
      },
    });
    assert.deepEqual(verified?.advisoryIds, ['A-1', 'STUN-SIMULATED-SA-00001', 'Z-1']);
    assert.equal(verified.tcbDate, '2023-08-09T00:00:00Z');
    assert.deepEqual(
      [verified.platform, verified.module, verified.qe, verified.tcbStatus],
      ['OutOfDate', 'OutOfDate', 'OutOfDate', 'OutOfDate'],
    );
  });

  it('answers NotSupported with empty parts and an evaluation that stays unknown', () => {
    const { verified, checks } = assessMachine({ quoteChanges: { pckExtension: { pceSvn: 1 } } });
    assert.ok(verified !== null);
    assert.deepEqual(
      [verified.tcbStatus, verified.platform, verified.module, verified.qe, verified.advisoryIds, verified.tcbDate],
      ['NotSupported', null, null, null, [], null],
    );
    assert.deepEqual(
      checks.find((check) => check.id === 'tcb-evaluation'),
      { id: 'tcb-evaluation', status: 'unknown', code: 'STUN_POLICY_TCB_NOT_SUPPORTED' },
    );
  });

  it('takes the first level in signed order, not the best', () => {
    const { verified } = assessMachine(
      {
        collateralChanges: { tcbInfo: (info) => ({ ...info, tcbLevels: (info['tcbLevels'] as unknown[]).toReversed() }) },
      },
      { policy: policyWith({ tcbStatuses: ['OutOfDate'] }) },
    );
    assert.equal(verified?.platform, 'OutOfDate');
  });
});
