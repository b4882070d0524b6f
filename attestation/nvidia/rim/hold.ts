/** RIM documents as what a verified report is held against. */
import type { TrustRoot } from '../../trust/roots.ts';
import type { HoldReferenceValues } from '../assess.ts';
import { rimSubjectOf } from './subject.ts';
import { assessRims } from './verify.ts';

/**
 * Makes a comparison from documents, for `assessGpu`.
 * @param rims - at most one of each kind, in any order; none leaves every check of theirs unknown
 * @param atUnix - time at which their certificates, and the OCSP responses about these, must hold, unix seconds: RIMs have a time of
 * their own
 */
export function holdRims(rims: readonly Uint8Array[], atUnix: number, roots: readonly TrustRoot[]): HoldReferenceValues {
  return ({ report, architecture }, ocsp) =>
    assessRims({ rims, subject: rimSubjectOf(report, architecture), ocsp, atUnix, roots });
}
