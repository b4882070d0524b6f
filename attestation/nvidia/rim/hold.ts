/** RIM documents as what a verified report is held against. */
import type { TrustRoot } from '../../trust/roots.ts';
import type { HoldReferenceValues } from '../assess.ts';
import { rimSubjectOf } from './subject.ts';
import { assessRims } from './verify.ts';

/**
 * Makes a comparison from documents, for `assessGpu`.
 * @param rims - at most one of each kind, in any order; none leaves every check of theirs unknown
 * @param atUnix - time at which their certificates must be valid, unix seconds: RIMs have a time of their own
 */
export function holdRims(rims: readonly Uint8Array[], atUnix: number, roots: readonly TrustRoot[]): HoldReferenceValues {
  return ({ report, architecture }) => assessRims({ rims, subject: rimSubjectOf(report, architecture), atUnix, roots });
}
