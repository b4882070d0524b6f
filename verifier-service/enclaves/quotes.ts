/**
 * Fresh quotes of listed workers. The service asks by a nonce of its own (header `stun-quote-nonce` on lease answers); the worker
 * answers with evidence over it. Readiness rests on the newest one.
 */
import { randomBytes } from 'node:crypto';
import type { Selectable } from 'kysely';
import { parseEvidence, type VerifiedEvidence } from '#attestation/index.ts';
import { namedGpuIds } from '#attestation/evidence/gpu-evidence.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldToHex } from '#protocol/field.ts';
import type { Tables } from '../db/schema.ts';
import { nowUnix, type Services } from '../services.ts';
import { acceptEvidence, assertRecentBlock, evidenceBytes, namedPolicy } from './evidence.ts';

/** The nonce to ask with, when the newest quote is older than half of what readiness accepts. */
export async function wantedQuote(services: Services, enclave: Selectable<Tables['enclave']>): Promise<string | undefined> {
  const halfLife = services.settings.readinessQuoteMaxAgeSeconds / 2;
  const now = nowUnix(services);
  if (now - enclave.quoted_at_unix < halfLife) return undefined;
  if (enclave.quote_nonce !== null && now - (enclave.quote_nonce_at_unix ?? 0) < halfLife) return enclave.quote_nonce;
  const nonce = `0x${randomBytes(32).toString('hex')}`;
  await services.db.sql
    .updateTable('enclave')
    .set({ quote_nonce: nonce, quote_nonce_at_unix: now })
    .where('keyset_digest', '=', enclave.keyset_digest)
    .execute();
  return nonce;
}

/**
 * Takes a fresh quote. Its nonce is the one asked for, or a recent block hash.
 * @throws the codes of verifyEvidence, `STUN_EVIDENCE_NONCE`, `STUN_ENCLAVE_LISTING` for another machine or other GPUs than listed
 */
export async function acceptQuote(
  services: Services,
  enclave: Selectable<Tables['enclave']>,
  document: string | object,
): Promise<{ readonly quotedAtUnix: number }> {
  const atUnix = nowUnix(services);
  const { policy } = namedPolicy(JSON.parse(enclave.policy));
  const demand = { keysetDigest: fromHex(enclave.keyset_digest, 32), policy, roots: services.roots, atUnix };
  const { evidence, hardwareIdHash } = acceptEvidence(evidenceBytes(document), demand);
  const asked = toHex(evidence.nonce) === enclave.quote_nonce;
  const quotedAtUnix = asked
    ? (enclave.quote_nonce_at_unix ?? atUnix)
    : (await assertRecentBlock(services.chain, evidence.nonce, services.settings.nonceMaxAgeSeconds, atUnix)).timestampUnix;
  if (fieldToHex(hardwareIdHash) !== enclave.hardware_id_hash)
    throw new StunError('STUN_ENCLAVE_LISTING', 'the quote comes from other hardware');
  assertListedGpus(enclave, evidence);
  await services.db.sql
    .updateTable('enclave')
    .set({ quoted_at_unix: quotedAtUnix, quote_nonce: null, quote_nonce_at_unix: null })
    .where('keyset_digest', '=', enclave.keyset_digest)
    .execute();
  return { quotedAtUnix };
}

/** What customers are shown must still be there: a policy may demand one GPU where two are listed. @throws `STUN_ENCLAVE_LISTING` */
function assertListedGpus(enclave: Selectable<Tables['enclave']>, { gpus }: VerifiedEvidence): void {
  const { gpuEvidence } = parseEvidence(enclave.evidence);
  const shown = gpus.map(({ hardwareId }) => toHex(hardwareId));
  const gone = gpuEvidence === null ? [] : namedGpuIds(gpuEvidence).filter((id) => !shown.some((known) => known === id));
  if (gone.length > 0)
    throw new StunError('STUN_ENCLAVE_LISTING', `the quote lacks ${gone.length} of the GPUs that the listing shows`);
}
