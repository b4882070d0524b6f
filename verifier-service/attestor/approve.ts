/**
 * An attestor's approval: it verifies the evidence itself, under a policy of its own list, with a nonce that its own node knows as a
 * recent block, and signs exactly what the registry will store. docs/protocol.md section 5.
 */
import { randomBytes } from 'node:crypto';
import type { TrustRoot } from '#attestation/index.ts';
import type { JsonObject } from '#attestation/json/capped-json.ts';
import { bytesToBigInt, fromHex, toHex, type Hex } from '#protocol/bytes.ts';
import { recoverEip712, signEip712 } from '#protocol/eip712.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldToHex } from '#protocol/field.ts';
import { keysetDigestOf, parseKeyset, type Keyset } from '#protocol/keyset.ts';
import { acceptEvidence, assertRecentBlock, evidenceBytes, namedPolicy } from '../enclaves/evidence.ts';
import type { ChainView } from '../ports.ts';
import type { Secret } from '../secret.ts';

/** What an attestor is set up with. */
export interface AttestorParts {
  readonly account: Hex;
  readonly secretKey: Secret<Uint8Array>;
  readonly chain: ChainView;
  readonly roots: readonly TrustRoot[];
  /** Ids of the policies it approves under. */
  readonly policyIds: ReadonlySet<bigint>;
  readonly approvalSeconds: number;
  readonly nonceMaxAgeSeconds: number;
  readonly nowUnix: () => number;
}

/** What is asked of it. */
export interface AttestationRequest {
  readonly keyset: string;
  readonly evidence: string | object;
  readonly policy: JsonObject;
  readonly expiresAtUnix: number;
  readonly consent?: { readonly nonce: string; readonly deadlineUnix: number; readonly signature: string } | undefined;
}

function refuse(field: string, reason: string): never {
  throw new StunError('STUN_ENCLAVE_LISTING', reason, { details: { field } });
}

/**
 * Approves an enclave, or says why not.
 * @throws `STUN_ATTESTOR_POLICY`, `STUN_KEYSET_LAYOUT`, `STUN_KEY_*`, `STUN_ENCLAVE_LISTING`, the codes of verifyEvidence,
 *   `STUN_EVIDENCE_NONCE`, `STUN_REGISTER_CONSENT`, `STUN_CHAIN_UNAVAILABLE`
 */
export async function approveEnclave(parts: AttestorParts, request: AttestationRequest): Promise<object> {
  const atUnix = parts.nowUnix();
  const keysetBytes = fromHex(request.keyset, undefined, 'keyset');
  const keyset = parseKeyset(keysetBytes);
  const { policy, policyId } = namedPolicy(request.policy);
  if (!parts.policyIds.has(policyId))
    throw new StunError('STUN_ATTESTOR_POLICY', 'the policy is not on the list of this attestor');
  if (keyset.chainId !== BigInt(parts.chain.chainId)) refuse('keyset', 'the keyset is made for another chain');
  if (keyset.registry !== parts.chain.registry) refuse('keyset', 'the keyset is made for another registry');
  if (request.expiresAtUnix > keyset.expiresAtUnix) refuse('expiresAtUnix', 'the leaf must not outlive its keyset');
  if (request.expiresAtUnix <= atUnix) refuse('expiresAtUnix', 'the leaf must expire in the future');
  const keysetDigest = keysetDigestOf(keysetBytes);
  const bytes = evidenceBytes(request.evidence);
  const { evidence, hardwareIdHash } = acceptEvidence(bytes, { keysetDigest, policy, roots: parts.roots, atUnix });
  await assertRecentBlock(parts.chain, evidence.nonce, parts.nonceMaxAgeSeconds, atUnix);
  const approval = {
    provider: keyset.provider,
    keysetDigest: toHex(keysetDigest),
    policyId: fieldToHex(policyId),
    hardwareIdHash: fieldToHex(hardwareIdHash),
    platform: evidence.platformCode,
    expiresAtUnix: request.expiresAtUnix,
    evidenceDigest: toHex(evidence.evidenceDigest),
    nonce: bytesToBigInt(randomBytes(32)).toString(),
    deadlineUnix: atUnix + parts.approvalSeconds,
  };
  if (request.consent !== undefined) assertConsent(keyset, approval, request.consent, atUnix);
  const signature = signEip712(parts.secretKey.reveal(), 'EnclaveApproval', domainOf(keyset), {
    provider: approval.provider,
    keysetDigest: approval.keysetDigest,
    policyId,
    hardwareIdHash,
    platform: BigInt(approval.platform),
    expiresAt: BigInt(approval.expiresAtUnix),
    evidenceDigest: approval.evidenceDigest,
    nonce: BigInt(approval.nonce),
    deadline: BigInt(approval.deadlineUnix),
  });
  return { attestor: parts.account, simulated: evidence.simulated, approval, signature };
}

function domainOf(keyset: Keyset): { chainId: bigint; verifyingContract: string } {
  return { chainId: keyset.chainId, verifyingContract: keyset.registry };
}

/** A consent that is sent along must be the provider's, for exactly this leaf. */
function assertConsent(
  keyset: Keyset,
  approval: { keysetDigest: string; policyId: string; hardwareIdHash: string; platform: number; expiresAtUnix: number },
  consent: NonNullable<AttestationRequest['consent']>,
  atUnix: number,
): void {
  if (consent.deadlineUnix < atUnix) throw new StunError('STUN_REGISTER_CONSENT', 'the consent has expired');
  const signer = signerOf(() =>
    recoverEip712(
      'EnclaveConsent',
      domainOf(keyset),
      {
        keysetDigest: approval.keysetDigest,
        policyId: BigInt(approval.policyId),
        hardwareIdHash: BigInt(approval.hardwareIdHash),
        platform: BigInt(approval.platform),
        expiresAt: BigInt(approval.expiresAtUnix),
        nonce: BigInt(consent.nonce),
        deadline: BigInt(consent.deadlineUnix),
      },
      consent.signature,
    ),
  );
  if (signer !== keyset.provider) throw new StunError('STUN_REGISTER_CONSENT', 'the consent is not signed by the provider');
}

function signerOf(recover: () => string): string {
  try {
    return recover();
  } catch (cause) {
    throw new StunError('STUN_REGISTER_CONSENT', 'the signature of the consent is malformed', { cause });
  }
}
