/** Verification of evidence for anybody. */
import { reportOn } from '../enclaves/report.ts';
import { evidenceQuestionSchema, evidenceReportSchema } from '../enclaves/schemas.ts';
import { json } from '../http/reply.ts';
import { jsonBody, route, type Route } from '../http/route.ts';
import type { Services } from '../services.ts';

/** The route of evidence. */
export function evidenceRoutes(services: Services): readonly Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/evidence/verify',
      operationId: 'verifyEvidence',
      tag: 'Evidence',
      summary: 'Verify and validate evidence',
      description:
        'Takes an evidence document, or a bare quote or report with its collateral. Answers 200 with the report on refusal too; accepted is what is both verified and validated. Without a keyset what report_data binds stays unknown. The policy is the default policy when none is given. Nothing is fetched.',
      access: 'public',
      body: jsonBody(evidenceQuestionSchema),
      responses: { 200: { description: 'The report', schema: evidenceReportSchema } },
      errors: ['STUN_POLICY_FORMAT', 'STUN_KEYSET_LAYOUT'],
      handle: ({ body }) => Promise.resolve(json(200, reportOn(services, body))),
    }),
  ];
}
