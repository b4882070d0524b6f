/** Answers about evidence, refused or not: an evidence document, or a bare quote or report with what its vendor says about it. */
import {
  assessDocument,
  assessEvidence,
  assessGpu,
  assessQuote,
  assessSnp,
  defaultPolicy,
  parseEvidence,
  reportOf,
} from '#attestation/index.ts';
import type {
  Check,
  EvidenceContext,
  EvidenceDocument,
  EvidenceReport,
  IntelCollateralJson,
  SnpEndorsementsJson,
} from '#attestation/index.ts';
import { demandedGpus } from '#attestation/evidence/gpu-evidence.ts';
import { holdRims } from '#attestation/nvidia/rim/hold.ts';
import type { z } from 'zod';
import { fromHex, utf8 } from '#protocol/bytes.ts';
import { asStunError } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { keysetDigestOf } from '#protocol/keyset.ts';
import { readDocument } from '#protocol/wire/scalars.ts';
import { nowUnix, type Services } from '../services.ts';
import { evidenceBytes, namedPolicy } from './evidence.ts';
import { gpuCollateralSchema, type evidenceQuestionSchema } from './schemas.ts';

/** A question about evidence, as the route reads it. */
export type Question = z.output<typeof evidenceQuestionSchema>;
type Context = Omit<EvidenceContext, 'keysetDigest'>;

/**
 * Reports on evidence. Bad evidence is an answer; everything in it comes from attestation/.
 * @throws `STUN_POLICY_FORMAT`, `STUN_KEYSET_LAYOUT`, `STUN_INPUT` for a question that cannot be asked
 */
export function reportOn(services: Pick<Services, 'roots' | 'nowMs'>, question: Question): EvidenceReport {
  const policy = question.policy === undefined ? defaultPolicy : namedPolicy(question.policy).policy;
  const context: Context = { policy, roots: services.roots, atUnix: question.atUnix ?? nowUnix(services) };
  if (question.evidence !== undefined) return ofDocument(evidenceBytes(question.evidence), question.keyset, context);
  // Of a form that only the parser knows: what does not have it is refuted there, under its own check.
  const { collateral } = question;
  if (question.quote !== undefined) {
    const quote = fromHex(question.quote);
    const assessment = assessQuote({ ...context, quote, collateral: collateral as unknown as IntelCollateralJson });
    return reportOf(assessment.kind, assessment.verified, assessment.checks, assessment.failure);
  }
  if (question.gpu !== undefined) return ofGpu(question, fromHex(question.gpu), context);
  const report = fromHex(question.report ?? '0x');
  const assessment = assessSnp({ ...context, report, endorsements: collateral as unknown as SnpEndorsementsJson });
  return reportOf('snp', assessment.verified, assessment.checks, assessment.failure);
}

function ofGpu({ collateral, nonce, ocspAtUnix, rimAtUnix }: Question, report: Uint8Array, context: Context): EvidenceReport {
  const { chain, ocsp, rims } = readDocument(gpuCollateralSchema, collateral, 'collateral');
  const given = { chain, ocsp: ocsp.map((response) => fromHex(response)), ocspAtUnix: ocspAtUnix ?? null };
  const hold = holdRims(rims.map(utf8), rimAtUnix ?? context.atUnix, context.roots);
  const assessment = assessGpu({ ...context, ...given, report, nonce: nonce === undefined ? null : fromHex(nonce) }, hold);
  return reportOf('nvidia', assessment.verified, assessment.checks, assessment.failure);
}

function ofDocument(bytes: Uint8Array, keyset: string | undefined, context: Context): EvidenceReport {
  if (keyset === undefined) return withoutKeyset(bytes, context);
  const keysetDigest = keysetDigestOf(fromHex(keyset, undefined, 'keyset'));
  const { platform, gpus, checks, failure } = assessEvidence(bytes, { ...context, keysetDigest });
  return reportOf(platform?.kind ?? null, platform?.verified ?? null, checks, failure, gpus);
}

/** The quote of a document alone: what report_data binds stays unknown without a keyset, and a document with GPUs is not accepted. */
function withoutKeyset(bytes: Uint8Array, context: Context): EvidenceReport {
  const binding: Check = { id: 'report-data', status: 'unknown' };
  let document: EvidenceDocument;
  try {
    document = parseEvidence(bytes);
  } catch (thrown) {
    const error = asStunError(thrown);
    return reportOf(null, null, [{ id: 'evidence-format', status: 'refuted', code: error.code }, binding], error);
  }
  const { kind, verified, checks, failure } = assessDocument(document, context);
  // What its GPUs answer is over the keyset, so that they stay unknown too.
  const gpus: readonly Check[] = document.gpuEvidence === null ? [] : [{ id: 'evidence-gpu', status: 'unknown' }];
  const lies = verified !== null && verified.simulated !== document.simulated;
  const minGpus = demandedGpus(context.policy);
  const unseen =
    document.gpuEvidence !== null || minGpus !== null
      ? new StunError('STUN_EVIDENCE_KEYSET', 'GPUs answer a nonce of the keyset, and none was named: nothing is known of them')
      : null;
  const error = lies ? new StunError('STUN_EVIDENCE_SIMULATED_TAG', 'the document and its root disagree') : (failure ?? unseen);
  const tag: Check = lies
    ? { id: 'evidence-simulated-tag', status: 'refuted', code: 'STUN_EVIDENCE_SIMULATED_TAG' }
    : { id: 'evidence-simulated-tag', status: verified === null ? 'unknown' : 'proven' };
  return reportOf(kind, verified, [{ id: 'evidence-format', status: 'proven' }, tag, binding, ...gpus, ...checks], error);
}
