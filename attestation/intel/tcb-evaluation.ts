/**
 * The TCB evaluation of a platform: platform level, module level (TDX), QE level, convergence, and whether a TD should be relaunched.
 * Source: intel/confidential-computing.tee.dcap.qvl, `EvaluateTcb.cpp` and `TDRelaunchCheck.cpp`, comments 4.1.2.5.x.
 */
import type { IsvLevel, TcbLevel } from './tcb-info.ts';
import type { ComponentStatus, MatchedLevel, PlatformStatus, TcbStatus } from './tcb-status.ts';
import { convergeStatus } from './tcb-status.ts';

/** The verdict on the platform's currency. All but the status is null or empty when it is `NotSupported`. */
export interface TcbEvaluation {
  readonly tcbStatus: TcbStatus;
  readonly platform: PlatformStatus | null;
  /** Null for SGX, and when TEE_TCB_SVN[1] is 0: such a module has no levels of its own. */
  readonly module: ComponentStatus | null;
  readonly qe: ComponentStatus | null;
  /** Of platform, QE and module together, sorted, each once. */
  readonly advisoryIds: readonly string[];
  /** The earliest tcbDate of the parts, `YYYY-MM-DDTHH:MM:SSZ`. */
  readonly tcbDate: string | null;
}

/** An evaluation in which every part matched a level. */
export interface SupportedEvaluation extends TcbEvaluation {
  readonly tcbStatus: PlatformStatus;
}

export const notSupported: TcbEvaluation = Object.freeze({
  tcbStatus: 'NotSupported',
  platform: null,
  module: null,
  qe: null,
  advisoryIds: Object.freeze([]),
  tcbDate: null,
});

/** Whether every SVN reaches the level's, compared from `from` on. Unequal lengths never do. */
export function reaches(svns: ArrayLike<number>, level: readonly number[], from: number): boolean {
  if (svns.length !== level.length) return false;
  return level.every((svn, i) => i < from || (svns[i] ?? -1) >= svn);
}

/** SVNs of the platform as its PCK certificate has them. */
export interface PlatformSvns {
  readonly componentSvns: readonly number[];
  readonly pceSvn: number;
}

/** Whether a platform reaches the SGX part of a level: all 16 components and the PCE. */
export function reachesSgx(platform: PlatformSvns, level: TcbLevel): boolean {
  return reaches(platform.componentSvns, level.sgxComponentSvns, 0) && platform.pceSvn >= level.pceSvn;
}

/** The first level, in signed order, that an ISVSVN reaches. */
export function matchIsv(svn: number, levels: readonly IsvLevel[]): IsvLevel | undefined {
  return levels.find((level) => svn >= level.isvSvn);
}

/** Joins the matched levels to one evaluation. @param module - null where the module has no levels of its own */
export function combineLevels(
  platform: MatchedLevel<PlatformStatus>,
  module: MatchedLevel<ComponentStatus> | null,
  qe: MatchedLevel<ComponentStatus>,
): SupportedEvaluation {
  const components = module === null ? [qe] : [module, qe];
  const earliest = Math.min(platform.tcbDateUnix, ...components.map((level) => level.tcbDateUnix));
  return {
    tcbStatus: convergeStatus(
      platform.status,
      components.map((level) => level.status),
    ),
    platform: platform.status,
    module: module === null ? null : module.status,
    qe: qe.status,
    advisoryIds: Object.freeze([...new Set([platform, ...components].flatMap((level) => level.advisoryIds))].sort()),
    tcbDate: new Date(earliest * 1000).toISOString().replace('.000Z', 'Z'),
  };
}
