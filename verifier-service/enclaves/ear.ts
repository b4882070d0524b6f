/**
 * Attestation results as signed tokens (EAR). The key is derived from the service's secret, as those of webhooks are, so that none is
 * stored and all processes of a service sign with the same one.
 */
import { createHmac } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { defaultPolicy } from '#attestation/index.ts';
import type { EvidenceReport } from '#attestation/index.ts';
import { buildEarClaims } from '#attestation/ear/claims.ts';
import { jwkThumbprint } from '#attestation/jose/jwks.ts';
import type { JwsSigner } from '#attestation/jose/jws.ts';
import { signJws } from '#attestation/jose/jws.ts';
import { fromHex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { keysetDigestOf } from '#protocol/keyset.ts';
import type { Secret } from '../secret.ts';
import { nowUnix, type Services } from '../services.ts';
import { evidenceBytes, namedPolicy } from './evidence.ts';
import type { Question } from './report.ts';

/** The program that a result names. */
const BUILD = 'stun 0.1.0';

/** Derives the key that signs results: ES256, named by its thumbprint. The next counter is taken when a digest is no valid scalar. */
export function earSignerOf(secretKey: Secret<string>): JwsSigner {
  const key = Buffer.from(secretKey.reveal().slice(2), 'hex');
  for (let counter = 0; counter < 8; counter++) {
    const secret = new Uint8Array(createHmac('sha256', key).update(`stun/ear/v1/${counter}`).digest());
    if (!p256.utils.isValidSecretKey(secret)) continue;
    const publicKey = p256.getPublicKey(secret, false);
    const sign = (message: Uint8Array): Uint8Array => p256.sign(message, secret, { lowS: false });
    return Object.freeze({ keyId: jwkThumbprint(publicKey), algorithm: 'ES256', publicKey, sign });
  }
  throw new StunError('STUN_INTERNAL', 'no key for attestation results could be derived');
}

/** The bytes that a question is about. */
function questionedBytes({ evidence, quote, report, gpu }: Question): Uint8Array {
  return evidence === undefined ? fromHex(quote ?? report ?? gpu ?? '0x') : evidenceBytes(evidence);
}

/**
 * Signs a report. Null for a report of another time than now: the caller chose that time, and a token would make it look like ours.
 * @param report - the answer to the same question
 */
export function earOf(
  services: Pick<Services, 'nowMs' | 'earSigner' | 'audience' | 'settings'>,
  question: Question,
  report: EvidenceReport,
): string | null {
  const { atUnix, ocspAtUnix, rimAtUnix } = question;
  if ([atUnix, ocspAtUnix, rimAtUnix].some((time) => time !== undefined)) return null;
  const isBound = report.checks.some(({ id, status }) => id === 'report-data' && status === 'proven');
  const issuedAtUnix = nowUnix(services);
  const claims = buildEarClaims({
    report,
    evidence: questionedBytes(question),
    policy: question.policy === undefined ? defaultPolicy : namedPolicy(question.policy).policy,
    keysetDigest: isBound && question.keyset !== undefined ? keysetDigestOf(fromHex(question.keyset)) : null,
    issuedAtUnix,
    expiresAtUnix: issuedAtUnix + services.settings.earSeconds,
    issuer: services.audience(),
    build: BUILD,
  });
  return signJws(claims, services.earSigner);
}
