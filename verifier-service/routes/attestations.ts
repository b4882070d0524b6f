/** The attestor's one route. */
import { approveEnclave, type AttestorParts } from '../attestor/approve.ts';
import { attestationRequestSchema, attestationSchema } from '../attestor/schemas.ts';
import { json } from '../http/reply.ts';
import { jsonBody, route, type Route } from '../http/route.ts';

/** The route of attestations. */
export function attestationRoutes(parts: AttestorParts): readonly Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/attestations',
      operationId: 'attestEnclave',
      tag: 'Attestor',
      summary: 'Ask this attestor to approve an enclave (role attestor)',
      description:
        'The attestor verifies the evidence itself. Its signature says so and nothing more; the registry asks for a quorum and for the consent of the provider.',
      access: 'public',
      body: jsonBody(attestationRequestSchema),
      responses: { 200: { description: 'The approval', schema: attestationSchema } },
      errors: [
        'STUN_ATTESTOR_POLICY',
        'STUN_ENCLAVE_LISTING',
        'STUN_EVIDENCE_NONCE',
        'STUN_REGISTER_CONSENT',
        'STUN_CHAIN_UNAVAILABLE',
      ],
      handle: async ({ body }) => json(200, await approveEnclave(parts, body)),
    }),
  ];
}
