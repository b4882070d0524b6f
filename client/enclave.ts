/**
 * The customer's own check of an enclave, before anything is sealed to it: the keyset is the one asked for, its evidence verifies and
 * satisfies the order's policy, the evidence is recent on a chain this client sees itself, and the leaf is live there.
 */
import { block, type BlockLookup } from './chain-time.ts';
import {
  equalBytes,
  enclaveLeafOf,
  fromHex,
  hardwareIdHashOf,
  keysetDigestOf,
  MIN_LEAF_LIFE_SECONDS,
  parseKeyset,
  policyIdOf,
  signerIdOf,
  StunError,
  toHex,
  utf8,
  type Keyset,
} from '#protocol/index.ts';
import { canonicalPolicyJson, verifyEvidence, type Policy, type TrustRoot, type VerifiedEvidence } from '#attestation/index.ts';
import type { RegistryContract } from '#chain/registry.ts';
import type { ListedModel, ServedEnclave } from './service-api.ts';
import { evidenceBytes } from './service-api.ts';
import type { LaneEnclave } from './store/lanes.ts';

/** What the check relies on besides the evidence. */
export interface EnclaveTrust {
  readonly roots: readonly TrustRoot[];
  readonly policy: Policy;
  /** The chain as the customer's own node shows it. */
  readonly registry: Pick<RegistryContract, 'leaf' | 'isHardwareDenied'> & { readonly access: { readonly address: string } };
  readonly chainId: bigint;
  readonly blocks: BlockLookup;
  readonly nowUnix: number;
  /** The evidence's block may be this old; 7 days when not given. */
  readonly maxEvidenceAgeSeconds?: number;
}

/** How old a nonce may be: an enclave attests when it starts and lives for days. */
export const MAX_EVIDENCE_AGE_SECONDS = 7 * 86400;

/** An enclave that passed; the only thing that lanes are made for. */
export interface VerifiedEnclave {
  readonly lane: LaneEnclave;
  readonly evidence: VerifiedEvidence;
  readonly models: readonly ListedModel[];
}

/**
 * Verifies what a service says about an enclave.
 * @param wanted - the digest and provider that were asked for
 * @throws `STUN_KEYSET_SWAPPED`, `STUN_KEYSET_LAYOUT`, `STUN_KEY_*`, the codes of verifyEvidence, `STUN_EVIDENCE_STALE`,
 *   `STUN_ENCLAVE_NOT_LIVE`, `STUN_ENCLAVE_EXPIRES_SOON`, `STUN_CHAIN_*`
 */
export async function verifyEnclave(
  served: ServedEnclave,
  wanted: { readonly keysetDigest: string; readonly provider: string },
  trust: EnclaveTrust,
): Promise<VerifiedEnclave> {
  const keysetBytes = fromHex(served.keyset, undefined, 'keyset');
  const keyset = assertKeyset(keysetBytes, wanted, trust);
  const evidence = verifyEvidence(evidenceBytes(served.evidenceText), {
    atUnix: trust.nowUnix,
    roots: trust.roots,
    policy: trust.policy,
    keysetDigest: fromHex(wanted.keysetDigest, 32, 'keyset digest'),
  });
  await assertRecent(evidence, trust);
  const hardwareIdHash = hardwareIdHashOf(evidence.platformCode, evidence.hardwareId);
  const leafExpiresAtUnix = await assertLive(keyset, hardwareIdHash, wanted, trust);
  const lane: LaneEnclave = {
    provider: keyset.provider,
    keysetBytes,
    keyset,
    keysetDigest: toHex(keysetDigestOf(keysetBytes)),
    signerId: signerIdOf(keyset.receiptKey),
    evidenceText: served.evidenceText,
    hardwareIdHash,
    leafExpiresAtUnix,
    simulated: evidence.simulated,
    verifiedAtUnix: trust.nowUnix,
    evidenceExpiresAtUnix: evidence.collateralExpiresAtUnix,
  };
  return { lane, evidence, models: served.models };
}

/** policyId of a policy. */
export function policyIdOfPolicy(policy: Policy): bigint {
  return policyIdOf(utf8(canonicalPolicyJson(policy)));
}

function assertKeyset(
  bytes: Uint8Array,
  wanted: { readonly keysetDigest: string; readonly provider: string },
  trust: EnclaveTrust,
): Keyset {
  const keyset = parseKeyset(bytes);
  const swapped = (what: string): never => {
    throw new StunError('STUN_KEYSET_SWAPPED', `the keyset that the service handed out ${what}`);
  };
  if (!equalBytes(keysetDigestOf(bytes), fromHex(wanted.keysetDigest, 32, 'keyset digest'))) swapped('has another digest');
  if (keyset.provider !== wanted.provider) swapped('belongs to another provider');
  if (keyset.chainId !== trust.chainId) swapped('is made for another chain');
  if (keyset.registry !== trust.registry.access.address) swapped('is made for another registry');
  return keyset;
}

async function assertRecent(evidence: VerifiedEvidence, trust: EnclaveTrust): Promise<void> {
  const [made, newest] = await Promise.all([block(trust.blocks, toHex(evidence.nonce)), block(trust.blocks, 'latest')]);
  if (made === undefined || newest === undefined) {
    throw new StunError('STUN_EVIDENCE_STALE', 'the nonce of the evidence is no block that this node knows');
  }
  const limit = trust.maxEvidenceAgeSeconds ?? MAX_EVIDENCE_AGE_SECONDS;
  const age = newest.timestampUnix - made.timestampUnix;
  if (age > limit) throw new StunError('STUN_EVIDENCE_STALE', `the evidence is ${age} s old, at most ${limit} s are accepted`);
}

async function assertLive(
  keyset: Keyset,
  hardwareIdHash: bigint,
  { keysetDigest }: { readonly keysetDigest: string },
  { registry, policy, nowUnix }: EnclaveTrust,
): Promise<number> {
  const policyId = policyIdOfPolicy(policy);
  const found = await registry.leaf(keysetDigest, policyId);
  const { expiresAtUnix } = found.leaf;
  const signerId = signerIdOf(keyset.receiptKey);
  const expected = enclaveLeafOf({ signerId, policyId, provider: keyset.provider, hardwareIdHash, expiresAtUnix });
  if (found.revoked || found.retired || found.treeLeaf !== expected) {
    const why = found.revoked ? 'is revoked' : found.retired ? 'is retired' : 'has no leaf for this hardware';
    throw new StunError('STUN_ENCLAVE_NOT_LIVE', `the enclave ${why} on chain`);
  }
  if (await registry.isHardwareDenied(hardwareIdHash)) {
    throw new StunError('STUN_ENCLAVE_NOT_LIVE', 'the hardware of the enclave is denied on chain');
  }
  if (Math.min(expiresAtUnix, keyset.expiresAtUnix) < nowUnix + MIN_LEAF_LIFE_SECONDS) {
    throw new StunError('STUN_ENCLAVE_EXPIRES_SOON', `the leaf or the keyset expires before ${nowUnix + MIN_LEAF_LIFE_SECONDS}`);
  }
  return expiresAtUnix;
}
