/** An attestation result on the fixed simulated machine, signed with a fixed key. */
import { createHash } from 'node:crypto';
import { assessTdx, reportOf } from '#attestation/index.ts';
import type { EvidenceReport, JsonObject } from '#attestation/index.ts';
import { assessEar } from '#attestation/ear/assess.ts';
import type { EarAssessment, EarTokenInput } from '#attestation/ear/assess.ts';
import { buildEarClaims } from '#attestation/ear/claims.ts';
import type { EarInput } from '#attestation/ear/claims.ts';
import { jwkThumbprint } from '#attestation/jose/jwks.ts';
import { signJws } from '#attestation/jose/jws.ts';
import type { JwsSigner } from '#attestation/jose/jws.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { deriveP384SigningKey, deriveSigningKey } from '#attestation/simulated/signing-key.ts';
import type { SigningKey } from '#attestation/simulated/signing-key.ts';
import { observed } from './observed-inputs.ts';
import { acceptedCollateral, acceptedQuote, atUnix, keysetDigest, pki } from './simulated-fixture.ts';

function signerOf(key: SigningKey, algorithm: JwsSigner['algorithm']): JwsSigner {
  return { algorithm, keyId: jwkThumbprint(key.publicKey), publicKey: key.publicKey, sign: key.sign };
}

const seed = new Uint8Array(32).fill(3);
export const earSigner = signerOf(deriveSigningKey(seed, 'ear'), 'ES256');
export const otherEarSigner = signerOf(deriveSigningKey(seed, 'other'), 'ES256');
/** Signs the tokens of the simulated NVIDIA service. */
export const nrasSigner = signerOf(deriveP384SigningKey(seed, 'nras'), 'ES384');
export const otherNrasSigner = signerOf(deriveP384SigningKey(seed, 'other'), 'ES384');

const assessment = assessTdx({
  quote: acceptedQuote,
  collateral: acceptedCollateral,
  atUnix,
  roots: [pki.root],
  policy: simulatedPolicy,
});

export const acceptedReport: EvidenceReport = reportOf('tdx', assessment.verified, assessment.checks, assessment.failure);
export const earIssuer = 'https://service.example';

/** The claims of the accepted result, with changes in what they are made of. */
export function earClaims(changes: Partial<EarInput> = {}): JsonObject {
  return buildEarClaims({
    report: acceptedReport,
    evidence: acceptedQuote,
    policy: simulatedPolicy,
    keysetDigest,
    issuedAtUnix: atUnix,
    expiresAtUnix: atUnix + 3600,
    issuer: earIssuer,
    build: 'stun 0.1.0',
    ...changes,
  });
}

/** Assesses a token as its reader would. */
export function assessEarWith(changes: Partial<EarTokenInput> = {}): EarAssessment {
  return assessEar(
    observed('assessEar', {
      token: changes.token ?? signJws(earClaims(), earSigner),
      keys: [earSigner],
      atUnix,
      issuer: earIssuer,
      policy: simulatedPolicy,
      keysetDigest,
      evidenceSha256: new Uint8Array(createHash('sha256').update(acceptedQuote).digest()),
      ...changes,
    }),
  );
}
