/** Wire forms of listings and evidence. */
import { z } from 'zod';
import { maxOcspBytes, maxRims } from '#attestation/evidence/gpu-evidence.ts';
import type { JsonObject } from '#attestation/json/capped-json.ts';
import { maxGpuReportBytes } from '#attestation/nvidia/report.ts';
import { maxPemChars } from '#attestation/x509/pem.ts';
import { maxXmlBytes } from '#attestation/xml/capped-xml.ts';
import { addressHex, bytes32Hex, bytesHex, fieldHex, priceDecimal, unixSeconds } from '#protocol/wire/scalars.ts';

/** Any JSON object. */
export const jsonObject = z
  .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'must be an object')
  .meta({ override: { type: 'object', additionalProperties: true } });

export const evidenceSchema = z.union([z.string().min(1).max(1_000_000), jsonObject]).meta({
  description:
    'An evidence document: its exact text, or an object that is written out as JSON.stringify does. Digests are over the exact bytes.',
});

/** Hex digits of at most so many bytes, with their "0x". */
const hexOf = (maxBytes: number): typeof bytesHex => bytesHex.max(2 + 2 * maxBytes);

/** What stands beside a bare GPU report, as in an evidence document. */
export const gpuCollateralSchema = z
  .strictObject({
    chain: z.string().max(maxPemChars).meta({ description: 'PEM, device first' }),
    ocsp: z
      .array(hexOf(maxOcspBytes))
      .max(16)
      .default([])
      .meta({ description: 'OCSP responses about the chain and those of the RIM documents, DER' }),
    rims: z
      .array(z.string().max(maxXmlBytes))
      .max(maxRims)
      .default([])
      .meta({ description: "RIM documents of the device's driver and VBIOS: XML, character by character as it was signed" }),
  })
  .meta({ id: 'GpuCollateral' });

/** What is asked about evidence: exactly one of `evidence`, `quote`, `report` and `gpu`. */
export const evidenceQuestionSchema = z
  .strictObject({
    evidence: evidenceSchema.optional(),
    quote: bytesHex.optional().meta({ description: 'A bare quote of TDX or SGX, with `collateral`' }),
    report: bytesHex.optional().meta({ description: 'A bare SEV-SNP report, with its endorsements as `collateral`' }),
    gpu: hexOf(maxGpuReportBytes)
      .optional()
      .meta({ description: 'A bare GPU report, with `{ chain, ocsp, rims }` as `collateral`' }),
    collateral: z
      .union([gpuCollateralSchema, jsonObject])
      .optional()
      .meta({ description: 'What the vendor says of the hardware: docs/attestation.md' }),
    nonce: bytes32Hex.optional().meta({ description: 'What a bare GPU report was asked for with' }),
    keyset: bytesHex.optional().meta({ description: 'What an evidence document must bind' }),
    policy: jsonObject.optional(),
    atUnix: unixSeconds.optional(),
    ocspAtUnix: unixSeconds
      .optional()
      .meta({ description: 'When OCSP responses about a bare GPU must stand; `atUnix` when left out' }),
    rimAtUnix: unixSeconds
      .optional()
      .meta({ description: 'When RIM documents of a bare GPU must stand; `atUnix` when left out' }),
  })
  .superRefine(({ evidence, quote, report, gpu, collateral, nonce, keyset, ocspAtUnix, rimAtUnix }, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    const bare = quote ?? report ?? gpu;
    if ([evidence, quote, report, gpu].filter((way) => way !== undefined).length !== 1)
      refuse('evidence', 'exactly one of evidence, quote, report and gpu must be given');
    else if ((bare === undefined) !== (collateral === undefined))
      refuse('collateral', 'goes with a bare quote or report, and with nothing else');
    else if (bare !== undefined && keyset !== undefined)
      refuse('keyset', 'goes with an evidence document, which names its nonce');
    else if (gpu === undefined)
      for (const [name, value] of Object.entries({ nonce, ocspAtUnix, rimAtUnix }))
        if (value !== undefined) refuse(name, 'goes with a bare GPU report');
  })
  .meta({ id: 'EvidenceQuestion' });

const tensorSchema = z.strictObject({
  name: z.string().max(200),
  dtype: z.union([z.string().max(40), z.int()]),
  dims: z.array(z.union([z.int(), z.string().max(80), z.null()])).max(16),
});

export const modelSchema = z
  .strictObject({
    modelId: fieldHex,
    price: priceDecimal.meta({ description: 'Price units per job, below 2^63; the receipt alone is binding' }),
    name: z.string().min(1).max(200),
    manifest: jsonObject,
    inputs: z.array(tensorSchema).max(256),
    outputs: z.array(tensorSchema).max(256),
  })
  .meta({ id: 'ListedModel' });

export const listingSchema = z
  .strictObject({
    keyset: bytesHex,
    evidence: evidenceSchema,
    policy: jsonObject,
    leafIndex: z.int().min(0).max(1023),
    leafExpiresAtUnix: unixSeconds,
    hardwareIdHash: fieldHex,
    models: z.array(modelSchema).min(1).max(64),
  })
  .meta({ id: 'EnclaveListing' });

const common = {
  keysetDigest: bytes32Hex,
  provider: addressHex,
  signerId: fieldHex,
  policyId: fieldHex,
  simulated: z.boolean().meta({ description: 'Simulated hardware protects nothing' }),
  platform: z.int(),
  leafIndex: z.int(),
  leafExpiresAtUnix: unixSeconds,
  hardwareIdHash: fieldHex,
  evidenceDigest: bytes32Hex,
  listed: z.boolean(),
  listedAtUnix: unixSeconds,
  lastSeenAtUnix: unixSeconds,
  quotedAtUnix: unixSeconds,
  models: z.array(modelSchema),
};

export const enclaveSummarySchema = z.strictObject(common).meta({ id: 'EnclaveSummary' });
export const enclaveSchema = z
  .strictObject({ ...common, keyset: bytesHex, evidence: z.string(), policy: jsonObject })
  .meta({ id: 'Enclave' });

export const checkSchema = z.strictObject({
  id: z.string(),
  status: z.enum(['proven', 'refuted', 'unknown']),
  code: z.string().optional(),
});

const findingSchema = z.strictObject({
  verified: z.boolean().meta({ description: 'Signatures, chains and currency alone' }),
  validated: z.boolean().meta({ description: 'The policy, and with a keyset the binding' }),
  simulated: z.boolean(),
  tcbStatus: z.string().nullable(),
  platform: z.string().nullable(),
  module: z.string().nullable(),
  qe: z.string().nullable(),
  advisoryIds: z.array(z.string()),
  debug: z.boolean().nullable(),
  unproven: z.array(z.string()).optional().meta({ description: 'Of GPUs: what no report of them can prove' }),
  checks: z.array(checkSchema),
  code: z.string().optional(),
  reason: z.string().optional(),
});

export const evidenceReportSchema = findingSchema
  .extend({
    kind: z.enum(['tdx', 'sgx', 'snp', 'nvidia']).nullable(),
    gpus: z.array(findingSchema).optional().meta({ description: 'Each GPU of a document that shows any, in its order' }),
  })
  .meta({ id: 'EvidenceReport' });

/** What the route answers: the report, and the same as a token. */
export const evidenceAnswerSchema = evidenceReportSchema
  .extend({
    ear: z.string().nullable().meta({ description: 'The report as an attestation result (EAR), a JWT signed by the service' }),
  })
  .meta({ id: 'EvidenceAnswer' });

export const jwksSchema = z
  .strictObject({
    keys: z.array(
      z.strictObject({
        kty: z.literal('EC'),
        use: z.literal('sig'),
        alg: z.enum(['ES256', 'ES384']),
        crv: z.enum(['P-256', 'P-384']),
        kid: z.string(),
        x: z.string(),
        y: z.string(),
      }),
    ),
  })
  .meta({ id: 'Jwks' });
