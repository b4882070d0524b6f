/** Wire forms of attestations. */
import { z } from 'zod';
import { addressHex, bytes32Hex, bytesHex, decimal, fieldHex, unixSeconds } from '#protocol/wire/scalars.ts';
import { evidenceSchema, jsonObject } from '../enclaves/schemas.ts';

export const attestationRequestSchema = z
  .strictObject({
    keyset: bytesHex,
    evidence: evidenceSchema,
    policy: jsonObject,
    expiresAtUnix: unixSeconds,
    consent: z.strictObject({ nonce: decimal, deadlineUnix: unixSeconds, signature: bytesHex }).optional(),
  })
  .meta({ id: 'AttestationRequest' });

export const attestationSchema = z
  .strictObject({
    attestor: addressHex,
    simulated: z.boolean().meta({ description: 'Simulated hardware protects nothing' }),
    approval: z.strictObject({
      provider: addressHex,
      keysetDigest: bytes32Hex,
      policyId: fieldHex,
      hardwareIdHash: fieldHex,
      platform: z.int(),
      expiresAtUnix: unixSeconds,
      evidenceDigest: bytes32Hex,
      nonce: decimal,
      deadlineUnix: unixSeconds,
    }),
    signature: bytesHex.meta({ description: 'EIP-712 EnclaveApproval, docs/protocol.md section 5' }),
  })
  .meta({ id: 'Attestation' });
