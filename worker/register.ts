/**
 * From evidence to a leaf on chain: attestors verify the evidence and sign approvals, the provider's own transaction is its consent.
 * Approvals are checked here before they cost gas. docs/protocol.md section 5, docs/design.md section 6.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  addressHex,
  asStunError,
  bytes32Hex,
  bytesHex,
  decimal,
  fieldFromHex,
  fieldHex,
  fieldToHex,
  readDocument,
  recoverEip712,
  StunError,
  toHex,
  unixSeconds,
  type EnclaveLeaf,
  type Hex,
} from '#protocol/index.ts';
import type { AttestorApproval, RegistryContract } from '#chain/registry.ts';
import type { EnclaveKeys } from './keys.ts';
import { problemOf, readAnswer } from './service-client.ts';

/** An attestor's answer. */
export const approvalSchema = z.looseObject({
  attestor: addressHex,
  approval: z.looseObject({
    provider: addressHex,
    keysetDigest: bytes32Hex,
    policyId: fieldHex,
    hardwareIdHash: fieldHex,
    platform: z.int().min(0).max(255),
    expiresAtUnix: unixSeconds,
    evidenceDigest: bytes32Hex,
    nonce: decimal,
    deadlineUnix: unixSeconds,
  }),
  signature: bytesHex,
});

/** What an approval must be for. */
export interface RegistrationRequest {
  readonly keys: EnclaveKeys;
  /** The evidence document's exact bytes. */
  readonly evidence: Uint8Array;
  readonly policy: unknown;
  readonly policyId: bigint;
  readonly platformCode: number;
  readonly leafExpiresAtUnix: number;
}

/** A checked approval and the hardware it names. */
export interface CheckedApproval extends AttestorApproval {
  readonly hardwareIdHash: bigint;
}

/** What registration established. */
export interface RegisteredEnclave {
  readonly leaf: EnclaveLeaf;
  readonly leafIndex: number;
  readonly transactionHash: Hex;
}

function digestOf(evidence: Uint8Array): Hex {
  return `0x${createHash('sha256').update(evidence).digest('hex')}`;
}

/**
 * Checks an attestor's answer: every field is what was asked for, and the attestor signed it.
 * Whether the registry knows the attestor is asked by the caller.
 * @throws `STUN_APPROVAL` naming the field, `STUN_INPUT` for a malformed answer
 */
export function checkApproval(document: unknown, request: RegistrationRequest): CheckedApproval {
  const answer = readDocument(approvalSchema, document, 'approval');
  const { approval, attestor, signature } = answer;
  const { keyset, enclaveId } = request.keys;
  const wanted = {
    provider: keyset.provider,
    keysetDigest: enclaveId,
    policyId: fieldToHex(request.policyId),
    platform: request.platformCode,
    expiresAtUnix: request.leafExpiresAtUnix,
    evidenceDigest: digestOf(request.evidence),
  } as const;
  for (const field of Object.keys(wanted) as (keyof typeof wanted)[]) {
    if (approval[field] !== wanted[field]) {
      throw new StunError('STUN_APPROVAL', `the approval of ${attestor} is for another ${field}`, { details: { field } });
    }
  }
  const hardwareIdHash = fieldFromHex(approval.hardwareIdHash, 'hardwareIdHash');
  const signer = recoverEip712(
    'EnclaveApproval',
    { chainId: keyset.chainId, verifyingContract: keyset.registry },
    {
      provider: approval.provider,
      keysetDigest: approval.keysetDigest,
      policyId: request.policyId,
      hardwareIdHash,
      platform: BigInt(approval.platform),
      expiresAt: BigInt(approval.expiresAtUnix),
      evidenceDigest: approval.evidenceDigest,
      nonce: BigInt(approval.nonce),
      deadline: BigInt(approval.deadlineUnix),
    },
    signature,
  );
  if (signer !== attestor) throw new StunError('STUN_APPROVAL', `the approval of ${attestor} is signed by another key`);
  return { attestor, nonce: BigInt(approval.nonce), deadlineUnix: approval.deadlineUnix, signature, hardwareIdHash };
}

/** Asks one attestor. @throws the attestor's own code, `STUN_WORKER_SERVICE`, `STUN_APPROVAL` */
export async function requestApproval(url: string, request: RegistrationRequest, timeoutMs: number): Promise<CheckedApproval> {
  const { keys, evidence, policy, leafExpiresAtUnix } = request;
  let response: Response;
  let body: Uint8Array;
  try {
    response = await fetch(new URL('/v1/attestations', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        keyset: toHex(keys.keysetBytes),
        evidence: new TextDecoder().decode(evidence),
        policy,
        expiresAtUnix: leafExpiresAtUnix,
      }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    body = await readAnswer(response);
  } catch (cause) {
    if (cause instanceof StunError) throw cause;
    throw new StunError('STUN_WORKER_SERVICE', `the attestor at ${url} does not answer`, { cause });
  }
  if (!response.ok) throw problemOf(body, response.status, `the attestor at ${url}`);
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new StunError('STUN_WORKER_SERVICE', `the attestor at ${url} did not answer with JSON`, { cause });
  }
  return checkApproval(document, request);
}

/**
 * Collects approvals from attestors that the registry knows, all naming the same hardware.
 * @throws `STUN_APPROVAL_QUORUM` with the codes of those who refused
 */
export async function collectApprovals(
  urls: readonly string[],
  request: RegistrationRequest,
  registry: Pick<RegistryContract, 'threshold' | 'isAttestor'>,
  timeoutMs: number,
): Promise<readonly CheckedApproval[]> {
  const threshold = await registry.threshold();
  const answers = await Promise.allSettled(urls.map((url) => requestApproval(url, request, timeoutMs)));
  const byAttestor = new Map<string, CheckedApproval>();
  const codes: string[] = [];
  for (const answer of answers) {
    if (answer.status === 'rejected') codes.push(asStunError(answer.reason).code);
    else if (await registry.isAttestor(answer.value.attestor)) byAttestor.set(answer.value.attestor, answer.value);
    else codes.push('STUN_APPROVAL');
  }
  const groups = Map.groupBy(byAttestor.values(), (approval) => approval.hardwareIdHash);
  const best = [...groups.values()].toSorted((a, b) => b.length - a.length)[0] ?? [];
  if (best.length < threshold) {
    const reason = `${best.length} of ${threshold} approvals; refusals: ${codes.join(', ') || 'none'}`;
    throw new StunError('STUN_APPROVAL_QUORUM', reason, { details: { codes } });
  }
  return best.slice(0, threshold);
}

/**
 * Registers the enclave with the provider's own transaction.
 * @throws `STUN_REGISTER_*`, `STUN_CHAIN_*`
 */
export async function registerEnclave(
  registry: Pick<RegistryContract, 'register'>,
  request: RegistrationRequest,
  approvals: readonly CheckedApproval[],
): Promise<RegisteredEnclave> {
  const { hardwareIdHash } = approvals[0]!;
  const { keys, policyId, platformCode, leafExpiresAtUnix, evidence } = request;
  const mined = await registry.register(
    {
      keyset: keys.keysetBytes,
      policyId,
      hardwareIdHash,
      platform: platformCode,
      expiresAtUnix: leafExpiresAtUnix,
      evidenceDigest: digestOf(evidence),
    },
    approvals,
  );
  const { provider } = keys.keyset;
  const leaf: EnclaveLeaf = { signerId: keys.signerId, policyId, provider, hardwareIdHash, expiresAtUnix: leafExpiresAtUnix };
  return { leaf, leafIndex: mined.event.index, transactionHash: mined.transactionHash };
}
