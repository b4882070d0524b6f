/**
 * Lists an enclave: its evidence verifies and satisfies its policy, binds the keyset, and the registry holds exactly that leaf, live.
 * A listing is a convenience: customers verify the evidence themselves before they seal.
 */
import type { z } from 'zod';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { enclaveLeafOf, signerIdOf } from '#protocol/commitments.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldToHex } from '#protocol/field.ts';
import { keysetDigestOf, parseKeyset } from '#protocol/keyset.ts';
import { inUnit, nowUnix, type Services, type Unit } from '../services.ts';
import { closeIdleLanes } from '../jobs/transitions.ts';
import { acceptEvidence, assertRecentBlock, evidenceBytes, namedPolicy } from './evidence.ts';
import type { listingSchema } from './schemas.ts';

type Listing = z.output<typeof listingSchema>;

function refuse(field: string, reason: string): never {
  throw new StunError('STUN_ENCLAVE_LISTING', reason, { details: { field } });
}

/**
 * Lists an enclave of the account, or renews its listing with newer evidence.
 * @returns its digest, and whether it is new here
 * @throws `STUN_KEYSET_LAYOUT`, `STUN_KEY_*`, `STUN_POLICY_FORMAT`, the codes of verifyEvidence, `STUN_EVIDENCE_NONCE`,
 *   `STUN_ENCLAVE_NOT_LIVE`, `STUN_ENCLAVE_LISTING`, `STUN_ACCESS`
 */
export async function listEnclave(
  services: Services,
  account: string,
  listing: Listing,
): Promise<{ readonly keysetDigest: string; readonly created: boolean }> {
  const { chain, settings } = services;
  const keysetBytes = fromHex(listing.keyset, undefined, 'keyset');
  const keyset = parseKeyset(keysetBytes);
  if (keyset.provider !== account) throw new StunError('STUN_ACCESS', 'only the provider of the keyset may list it');
  if (keyset.chainId !== BigInt(chain.chainId)) refuse('keyset', 'the keyset is made for another chain');
  if (keyset.registry !== chain.registry) refuse('keyset', 'the keyset is made for another registry');
  const digest = keysetDigestOf(keysetBytes);
  const { policy, text, policyId } = namedPolicy(listing.policy);
  const bytes = evidenceBytes(listing.evidence);
  const atUnix = nowUnix(services);
  const { evidence, hardwareIdHash } = acceptEvidence(bytes, { keysetDigest: digest, policy, roots: services.roots, atUnix });
  const quotedAt = await assertRecentBlock(chain, evidence.nonce, settings.nonceMaxAgeSeconds, atUnix);
  const keysetDigest = toHex(digest);
  const leaf = await chain.leaf(keysetDigest, policyId);
  if (leaf.revoked || leaf.retired) throw new StunError('STUN_ENCLAVE_NOT_LIVE', 'the enclave is retired or revoked on chain');
  if (leaf.leaf.provider !== account) refuse('provider', 'the leaf on chain is of another provider');
  if (leaf.index !== listing.leafIndex) refuse('leafIndex', `the leaf stands at index ${leaf.index}`);
  if (leaf.leaf.expiresAtUnix !== listing.leafExpiresAtUnix)
    refuse('leafExpiresAtUnix', 'the leaf on chain expires at another time');
  if (leaf.leaf.hardwareIdHash !== hardwareIdHash)
    refuse('hardwareIdHash', 'the leaf on chain names other hardware than the evidence');
  if (fieldToHex(hardwareIdHash) !== listing.hardwareIdHash) refuse('hardwareIdHash', 'the evidence shows other hardware');
  const signerId = signerIdOf(keyset.receiptKey);
  const expected = enclaveLeafOf({ ...leaf.leaf, signerId, policyId });
  if (leaf.treeLeaf !== expected) refuse('leaf', 'the leaf in the tree is not the one of this keyset');
  const row = {
    provider: account,
    keyset: keysetBytes,
    signer_id: fieldToHex(signerId),
    policy_id: fieldToHex(policyId),
    policy: text,
    evidence: new TextDecoder().decode(bytes),
    evidence_digest: toHex(evidence.evidenceDigest),
    simulated: evidence.simulated,
    platform: evidence.platformCode,
    hardware_id_hash: listing.hardwareIdHash,
    leaf_index: listing.leafIndex,
    leaf_expires_at_unix: listing.leafExpiresAtUnix,
    listed: true,
    delisted_at_ms: null,
    last_seen_at_ms: services.nowMs(),
    quoted_at_unix: quotedAt.timestampUnix,
    quote_nonce: null,
    quote_nonce_at_unix: null,
  };
  const created = await inUnit(services, (unit) => storeListing(unit, keysetDigest, row, listing));
  return { keysetDigest, created };
}

async function storeListing(
  unit: Unit,
  keysetDigest: string,
  row: Omit<Parameters<typeof insertEnclave>[1], 'keyset_digest' | 'listed_at_ms'>,
  listing: Listing,
): Promise<boolean> {
  const before = await unit.sql
    .selectFrom('enclave')
    .select('listed')
    .where('keyset_digest', '=', keysetDigest)
    .forUpdate()
    .executeTakeFirst();
  if (before === undefined) await insertEnclave(unit, { keyset_digest: keysetDigest, listed_at_ms: unit.nowMs, ...row });
  else await unit.sql.updateTable('enclave').set(row).where('keyset_digest', '=', keysetDigest).execute();
  await unit.sql.deleteFrom('enclave_model').where('keyset_digest', '=', keysetDigest).execute();
  await unit.sql
    .insertInto('enclave_model')
    .values(
      listing.models.map((model) => ({
        keyset_digest: keysetDigest,
        model_id: model.modelId,
        price: model.price,
        name: model.name,
        manifest: JSON.stringify(model.manifest),
        inputs: JSON.stringify(model.inputs),
        outputs: JSON.stringify(model.outputs),
      })),
    )
    .execute();
  return before === undefined;
}

function insertEnclave(
  unit: Unit,
  row: import('kysely').Insertable<import('../db/schema.ts').Tables['enclave']>,
): Promise<unknown> {
  return unit.sql.insertInto('enclave').values(row).execute();
}

/**
 * Ends a listing: no new jobs, and what waits becomes void so that its customers send it elsewhere.
 * @throws `STUN_ENCLAVE_UNKNOWN`, `STUN_ACCESS`
 */
export async function delistEnclave(services: Services, account: string, keysetDigest: string): Promise<void> {
  const ended = await inUnit(services, async (unit) => {
    const enclave = await unit.sql
      .selectFrom('enclave')
      .select(['provider', 'listed'])
      .where('keyset_digest', '=', keysetDigest)
      .forUpdate()
      .executeTakeFirst();
    if (enclave === undefined) throw new StunError('STUN_ENCLAVE_UNKNOWN', 'the enclave is not listed here');
    if (enclave.provider !== account) throw new StunError('STUN_ACCESS', 'only the provider of the enclave may end its listing');
    if (!enclave.listed) return false;
    await unit.sql
      .updateTable('enclave')
      .set({ listed: false, delisted_at_ms: unit.nowMs })
      .where('keyset_digest', '=', keysetDigest)
      .execute();
    return true;
  });
  if (!ended) return;
  // What a fault leaves open here the sweep of gone enclaves closes.
  const idle = await services.db.sql
    .selectFrom('lane')
    .select('lane_id')
    .where('keyset_digest', '=', keysetDigest)
    .where('state', '=', 'open')
    .where('active_job', 'is', null)
    .orderBy('lane_id')
    .execute();
  await closeIdleLanes(services, idle, 'STUN_ENCLAVE_GONE', 'the provider ended the listing of the enclave');
}
