/**
 * The TCB evaluation of a TDX platform, at launch and, for TD reports 1.5, now.
 * Source: intel/confidential-computing.tee.dcap.qvl, `EvaluateTcb.cpp` (`tdxEvaluateTCB`), `TDRelaunchCheck.cpp`; QVL comment 4.1.2.5.12
 * for the module's identity.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { equalBytes } from '#protocol/bytes.ts';
import type { PlatformSvns, SupportedEvaluation, TcbEvaluation } from '../intel/tcb-evaluation.ts';
import { combineLevels, matchIsv, notSupported, reaches, reachesSgx } from '../intel/tcb-evaluation.ts';
import type { TdReport } from '../intel/quote-body.ts';
import type { IsvLevel, TdxModuleIdentity, TdxTcbInfo } from '../intel/tcb-info.ts';
import { relaunchStatus } from '../intel/tcb-status.ts';

/** The identity of a module by its major version, TEE_TCB_SVN[1]; undefined when TCB Info has none. */
function findModule(major: number, tcbInfo: TdxTcbInfo): TdxModuleIdentity | undefined {
  const id = `TDX_${major.toString(16).padStart(2, '0')}`.toUpperCase();
  return tcbInfo.moduleIdentities.find((candidate) => candidate.id.toUpperCase() === id);
}

/**
 * Finds the identity of the TDX module that launched the TD and verifies that MRSIGNERSEAM and SEAMATTRIBUTES are its own.
 * The module's major version is TEE_TCB_SVN[1]; version 0 is described by `tdxModule`, others by `tdxModuleIdentities`.
 * @throws `STUN_TDX_MODULE_IDENTITY`
 */
export function verifyTdxModule(body: TdReport, tcbInfo: TdxTcbInfo): void {
  const major = body.teeTcbSvn[1] ?? 0;
  const expected = major === 0 ? tcbInfo.module : findModule(major, tcbInfo);
  if (expected === undefined)
    throw new StunError('STUN_TDX_MODULE_IDENTITY', `TCB Info has no identity of the TDX module with major version ${major}`);
  if (!equalBytes(body.mrSignerSeam, expected.mrSigner))
    throw new StunError('STUN_TDX_MODULE_IDENTITY', 'MRSIGNERSEAM differs from TCB Info');
  const zero = body.seamAttributes.every((byte) => byte === 0);
  if (!zero || !equalBytes(body.seamAttributes, expected.attributes)) {
    throw new StunError('STUN_TDX_MODULE_IDENTITY', 'SEAMATTRIBUTES must be zero and equal to TCB Info');
  }
}

/**
 * Evaluates one set of module SVNs. TEE_TCB_SVN[0] and [1] are SVN and major version of the module once the major version is not
 * 0: then they are judged by the module's own levels and the TDX components are compared from index 2.
 * @returns null when platform, module or QE match no level
 */
function evaluateSvns(
  teeTcbSvn: Uint8Array,
  pck: PlatformSvns,
  tcbInfo: TdxTcbInfo,
  qe: IsvLevel | undefined,
): SupportedEvaluation | null {
  const major = teeTcbSvn[1] ?? 0;
  const from = major > 0 ? 2 : 0;
  const platform = tcbInfo.levels.find((level) => reachesSgx(pck, level) && reaches(teeTcbSvn, level.tdxComponentSvns, from));
  const module = major === 0 ? null : matchIsv(teeTcbSvn[0] ?? 0, findModule(major, tcbInfo)?.levels ?? []);
  if (platform === undefined || module === undefined || qe === undefined) return null;
  return combineLevels(platform, module, qe);
}

/**
 * Evaluates the TCB. Says what the status is, not whether it is good enough: that is the policy's. The parts, advisories and date
 * are those of the launch; TEE_TCB_SVN2 of a TD report 1.5 can only turn the final status into an advice to relaunch.
 * @param qeIsvSvn - ISVSVN of the QE report
 */
export function evaluateTdxTcb(
  body: TdReport,
  pck: PlatformSvns,
  tcbInfo: TdxTcbInfo,
  qeIsvSvn: number,
  qeLevels: readonly IsvLevel[],
): TcbEvaluation {
  const qe = matchIsv(qeIsvSvn, qeLevels);
  const launch = evaluateSvns(body.teeTcbSvn, pck, tcbInfo, qe);
  if (launch === null) return notSupported;
  if (body.teeTcbSvn2 === undefined) return launch;
  const now = evaluateSvns(body.teeTcbSvn2, pck, tcbInfo, qe);
  return now === null ? notSupported : { ...launch, tcbStatus: relaunchStatus(launch.tcbStatus, now.tcbStatus) };
}
