/**
 * The TCB evaluation of a TDX platform: platform level, module level, QE level, convergence.
 * Source: intel/confidential-computing.tee.dcap.qvl (QuoteVerification), `EvaluateTcb.cpp` and comments 4.1.2.5.x.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { equalBytes } from '#protocol/bytes.ts';
import type { PckExtension } from '../intel/pck-extension.ts';
import type { IsvLevel, TcbLevel, TdxModuleIdentity, TdxTcbInfo } from '../intel/tcb-info.ts';
import type { ComponentStatus, PlatformStatus, TcbStatus } from '../intel/tcb-status.ts';
import { convergeStatus } from '../intel/tcb-status.ts';
import type { TdReport } from './quote.ts';

/** The verdict on the platform's currency. All but the status is null or empty when it is `NotSupported`. */
export interface TcbEvaluation {
  readonly tcbStatus: TcbStatus;
  readonly platform: PlatformStatus | null;
  /** Null also when TEE_TCB_SVN[1] is 0: such a module has no levels of its own. */
  readonly module: ComponentStatus | null;
  readonly qe: ComponentStatus | null;
  /** Of platform, QE and module together, sorted, each once. */
  readonly advisoryIds: readonly string[];
  /** The earliest tcbDate of the parts, `YYYY-MM-DDTHH:MM:SSZ`. */
  readonly tcbDate: string | null;
}

const notSupported: TcbEvaluation = Object.freeze({
  tcbStatus: 'NotSupported',
  platform: null,
  module: null,
  qe: null,
  advisoryIds: Object.freeze([]),
  tcbDate: null,
});

/**
 * Finds the identity of the TDX module that made the report and verifies that MRSIGNERSEAM and SEAMATTRIBUTES are its own.
 * The module's major version is TEE_TCB_SVN[1]; version 0 is described by `tdxModule`, others by `tdxModuleIdentities`.
 * @returns the identity, or null for version 0
 * @throws `STUN_TDX_MODULE_IDENTITY`
 */
export function verifyTdxModule(body: TdReport, tcbInfo: TdxTcbInfo): TdxModuleIdentity | null {
  const major = body.teeTcbSvn[1] ?? 0;
  const id = `TDX_${major.toString(16).padStart(2, '0')}`;
  const identity =
    major === 0 ? null : tcbInfo.moduleIdentities.find((candidate) => candidate.id.toUpperCase() === id.toUpperCase());
  if (identity === undefined)
    throw new StunError('STUN_TDX_MODULE_IDENTITY', `TCB Info has no identity ${id} for the TDX module`);
  const expected = identity ?? tcbInfo.module;
  if (!equalBytes(body.mrSignerSeam, expected.mrSigner))
    throw new StunError('STUN_TDX_MODULE_IDENTITY', 'MRSIGNERSEAM differs from TCB Info');
  const zero = body.seamAttributes.every((byte) => byte === 0);
  if (!zero || !equalBytes(body.seamAttributes, expected.attributes)) {
    throw new StunError('STUN_TDX_MODULE_IDENTITY', 'SEAMATTRIBUTES must be zero and equal to TCB Info');
  }
  return identity;
}

/** Whether every SVN reaches the level's, compared from `from` on. Unequal lengths never do. */
function reaches(svns: ArrayLike<number>, level: readonly number[], from: number): boolean {
  if (svns.length !== level.length) return false;
  return level.every((svn, i) => i < from || (svns[i] ?? -1) >= svn);
}

/**
 * The first platform level, in signed order, that the platform reaches.
 * TEE_TCB_SVN[0] and [1] are SVN and major version of the module once the major version is not 0: then they are judged by the
 * module's own levels and the TDX components are compared from index 2.
 */
function matchPlatform(body: TdReport, pck: PckExtension, levels: readonly TcbLevel[]): TcbLevel | undefined {
  const from = (body.teeTcbSvn[1] ?? 0) > 0 ? 2 : 0;
  return levels.find(
    (level) =>
      reaches(pck.componentSvns, level.sgxComponentSvns, 0) &&
      pck.pceSvn >= level.pceSvn &&
      reaches(body.teeTcbSvn, level.tdxComponentSvns, from),
  );
}

function matchIsv(svn: number, levels: readonly IsvLevel[]): IsvLevel | undefined {
  return levels.find((level) => svn >= level.isvSvn);
}

/**
 * Evaluates the TCB. Says what the status is, not whether it is good enough: that is the policy's.
 * @param module - the result of {@link verifyTdxModule}
 * @param qeIsvSvn - ISVSVN of the QE report
 */
export function evaluateTdxTcb(
  body: TdReport,
  pck: PckExtension,
  tcbInfo: TdxTcbInfo,
  module: TdxModuleIdentity | null,
  qeIsvSvn: number,
  qeLevels: readonly IsvLevel[],
): TcbEvaluation {
  const platform = matchPlatform(body, pck, tcbInfo.levels);
  const moduleLevel = module === null ? null : matchIsv(body.teeTcbSvn[0] ?? 0, module.levels);
  const qe = matchIsv(qeIsvSvn, qeLevels);
  if (platform === undefined || moduleLevel === undefined || qe === undefined) return notSupported;
  const components = moduleLevel === null ? [qe] : [moduleLevel, qe];
  const earliest = Math.min(platform.tcbDateUnix, ...components.map((level) => level.tcbDateUnix));
  return {
    tcbStatus: convergeStatus(
      platform.status,
      components.map((level) => level.status),
    ),
    platform: platform.status,
    module: moduleLevel === null ? null : moduleLevel.status,
    qe: qe.status,
    advisoryIds: Object.freeze([...new Set([platform, ...components].flatMap((level) => level.advisoryIds))].sort()),
    tcbDate: new Date(earliest * 1000).toISOString().replace('.000Z', 'Z'),
  };
}
