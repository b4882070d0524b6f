/** Evidence in the strict form that listing, quotes and attestors use: it holds, or the code of the first failure is thrown. */
import { canonicalPolicyJson, parsePolicy, verifyEvidence } from '#attestation/index.ts';
import type { Policy, TrustRoot, VerifiedEvidence } from '#attestation/index.ts';
import type { JsonObject } from '#attestation/json/capped-json.ts';
import { toHex, utf8 } from '#protocol/bytes.ts';
import { hardwareIdHashOf, policyIdOf } from '#protocol/commitments.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { BlockView, ChainView } from '../ports.ts';

/** A policy with its canonical text and id. */
export interface NamedPolicy {
  readonly policy: Policy;
  readonly text: string;
  readonly policyId: bigint;
}

/** Reads a policy. @throws `STUN_POLICY_FORMAT` */
export function namedPolicy(value: JsonObject): NamedPolicy {
  const policy = parsePolicy(value);
  const text = canonicalPolicyJson(policy);
  return { policy, text, policyId: policyIdOf(utf8(text)) };
}

/**
 * The exact bytes of an evidence document that came inside a JSON body: a string is the document's text; an object is written as
 * JSON.stringify writes it, which gives back the bytes of a document that was made so.
 */
export function evidenceBytes(evidence: string | object): Uint8Array<ArrayBuffer> {
  return utf8(typeof evidence === 'string' ? evidence : JSON.stringify(evidence));
}

/** Evidence that holds, with what the registry's leaf is made of. */
export interface AcceptedEvidence {
  readonly evidence: VerifiedEvidence;
  readonly hardwareIdHash: bigint;
}

/** What evidence is held against. */
export interface EvidenceDemand {
  readonly keysetDigest: Uint8Array;
  readonly policy: Policy;
  readonly roots: readonly TrustRoot[];
  readonly atUnix: number;
}

/** Verifies, validates and binds. @throws the code of the first check that fails */
export function acceptEvidence(bytes: Uint8Array, demand: EvidenceDemand): AcceptedEvidence {
  const evidence = verifyEvidence(bytes, demand);
  return { evidence, hardwareIdHash: hardwareIdHashOf(evidence.platformCode, evidence.hardwareId) };
}

/** A nonce that must be the hash of a block of this chain, not older than `maxAgeSeconds`. @throws `STUN_EVIDENCE_NONCE` */
export async function assertRecentBlock(
  chain: ChainView,
  nonce: Uint8Array,
  maxAgeSeconds: number,
  nowUnix: number,
): Promise<BlockView> {
  const block = await chain.block(toHex(nonce));
  if (block === undefined) throw new StunError('STUN_EVIDENCE_NONCE', 'the nonce is the hash of no block that this node knows');
  const canonical = await chain.block(block.number);
  if (canonical?.hash !== block.hash)
    throw new StunError('STUN_EVIDENCE_NONCE', 'the block of the nonce is not on the chain any more');
  if (nowUnix - block.timestampUnix > maxAgeSeconds) {
    throw new StunError('STUN_EVIDENCE_NONCE', `the block of the nonce must be at most ${maxAgeSeconds} seconds old`);
  }
  return block;
}
