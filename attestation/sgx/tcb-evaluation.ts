/** The TCB evaluation of an SGX platform. Source: intel/confidential-computing.tee.dcap.qvl, `EvaluateTcb.cpp` (`sgxEvaluateTCB`). */
import type { PlatformSvns, TcbEvaluation } from '../intel/tcb-evaluation.ts';
import { combineLevels, matchIsv, notSupported, reachesSgx } from '../intel/tcb-evaluation.ts';
import type { IsvLevel, SgxTcbInfo } from '../intel/tcb-info.ts';

/**
 * Evaluates the TCB. Says what the status is, not whether it is good enough: that is the policy's.
 * @param qeIsvSvn - ISVSVN of the QE report
 */
export function evaluateSgxTcb(
  pck: PlatformSvns,
  tcbInfo: SgxTcbInfo,
  qeIsvSvn: number,
  qeLevels: readonly IsvLevel[],
): TcbEvaluation {
  const platform = tcbInfo.levels.find((level) => reachesSgx(pck, level));
  const qe = matchIsv(qeIsvSvn, qeLevels);
  return platform === undefined || qe === undefined ? notSupported : combineLevels(platform, null, qe);
}
