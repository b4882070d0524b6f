/** Verification of evidence for anybody. */
import { encodeJwks } from '#attestation/jose/jwks.ts';
import { earOf } from '../enclaves/ear.ts';
import { reportOn } from '../enclaves/report.ts';
import { evidenceAnswerSchema, evidenceQuestionSchema, jwksSchema } from '../enclaves/schemas.ts';
import { json } from '../http/reply.ts';
import { jsonBody, route, type Route } from '../http/route.ts';
import type { Services } from '../services.ts';

/** The routes of evidence. */
export function evidenceRoutes(services: Services): readonly Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/evidence/verify',
      operationId: 'verifyEvidence',
      tag: 'Evidence',
      summary: 'Verify and validate evidence',
      description:
        'Takes an evidence document, or a bare quote, SEV-SNP report or GPU report with its collateral, which for a GPU are chain, OCSP responses and RIM documents. Answers 200 with the report on refusal too; accepted is what is both verified and validated. Without a keyset what report_data binds stays unknown, and so do the GPUs of a document. The policy is the default policy when none is given. Nothing is fetched. `ear` is the report as a signed attestation result; it is null when the question names its own time.',
      access: 'public',
      body: jsonBody(evidenceQuestionSchema),
      responses: { 200: { description: 'The report', schema: evidenceAnswerSchema } },
      errors: ['STUN_POLICY_FORMAT', 'STUN_KEYSET_LAYOUT'],
      handle: ({ body }) => {
        const report = reportOn(services, body);
        return Promise.resolve(json(200, { ...report, ear: earOf(services, body, report) }));
      },
    }),
    route({
      method: 'get',
      path: '/v1/evidence/keys',
      operationId: 'getEvidenceKeys',
      tag: 'Evidence',
      summary: 'The keys that sign attestation results, as a JWKS',
      access: 'public',
      responses: { 200: { description: 'The key set', schema: jwksSchema } },
      errors: [],
      handle: () => Promise.resolve(json(200, encodeJwks([services.earSigner]))),
    }),
  ];
}
