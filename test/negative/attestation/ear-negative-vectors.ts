/** One negative vector per check and code of attestation results: tokens that differ from an accepted one in one thing, signed again. */
import { defaultPolicy } from '#attestation/index.ts';
import type { CheckId, JsonObject } from '#attestation/index.ts';
import { toBase64url } from '#attestation/jose/base64url.ts';
import { signJws } from '#attestation/jose/jws.ts';
import type { EarTokenInput } from '#attestation/ear/assess.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { utf8 } from '#protocol/bytes.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { acceptedReport, assessEarWith, earClaims, earSigner, otherEarSigner } from '../../unit/attestation/ear-fixture.ts';
import { atUnix } from '../../unit/attestation/simulated-fixture.ts';
import type { NegativeVector } from './negative-vectors.ts';

type Run = NegativeVector['run'];
const vectors: NegativeVector[] = [];
function add(check: CheckId, code: ErrorCode, name: string, run: Run): void {
  vectors.push({ check, code, name, run });
}

const accepted = signJws(earClaims(), earSigner);
const [headerPart = '', claimsPart = '', signaturePart = ''] = accepted.split('.');
const token =
  (text: string): Run =>
  () =>
    assessEarWith({ token: text });
const claiming = (claims: JsonObject): Run => token(signJws(claims, earSigner));
const json = (value: JsonObject): string => toBase64url(utf8(JSON.stringify(value)));
const headed = (header: JsonObject): Run => {
  const signed = `${json(header)}.${claimsPart}`;
  return token(`${signed}.${toBase64url(earSigner.sign(utf8(signed)))}`);
};
const header = { alg: 'ES256', kid: earSigner.keyId, typ: 'JWT' };
const without = (claims: JsonObject, name: string): JsonObject =>
  Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
/** The claims with changes in their one appraisal. */
const appraised = (changes: JsonObject): Run => {
  const claims = earClaims();
  const submods = claims['submods'] as { readonly tdx: JsonObject };
  return claiming({ ...claims, submods: { tdx: { ...submods.tdx, ...changes } } });
};

add('ear-format', 'STUN_JWS_FORMAT', 'token without its signature', token(`${headerPart}.${claimsPart}`));
add('ear-format', 'STUN_JWS_FORMAT', 'token of more than 65,536 characters', token(accepted.padEnd(65_537, 'A')));
add('ear-format', 'STUN_JWS_FORMAT', 'signature cut by a byte', token(accepted.slice(0, -2)));
add('ear-format', 'STUN_JWS_FORMAT', 'padding', token(`${accepted}=`));
add(
  'ear-format',
  'STUN_JWS_FORMAT',
  'second text for the same bytes',
  token(
    `${headerPart}.${claimsPart}.${signaturePart.slice(0, -1)}${String.fromCharCode(signaturePart.charCodeAt(signaturePart.length - 1) + 1)}`,
  ),
);
add('ear-format', 'STUN_JWS_FORMAT', 'algorithm none', token(`${json({ ...header, alg: 'none' })}.${claimsPart}.`));
add('ear-format', 'STUN_JWS_FORMAT', 'HMAC', headed({ ...header, alg: 'HS256' }));
add('ear-format', 'STUN_JWS_FORMAT', 'header without a kid', headed(without(header, 'kid')));
add(
  'ear-format',
  'STUN_JWS_FORMAT',
  'header parameter that must be understood',
  headed({ ...header, crit: ['b64'], b64: false }),
);
add(
  'ear-format',
  'STUN_JWS_FORMAT',
  'claims that are a list',
  token(`${headerPart}.${toBase64url(utf8('[]'))}.${signaturePart}`),
);
add(
  'ear-format',
  'STUN_JSON_FORMAT',
  'claims that are no JSON',
  token(`${headerPart}.${toBase64url(utf8('{'))}.${signaturePart}`),
);
add('ear-signature', 'STUN_JWS_KEY', 'key that is not trusted', token(signJws(earClaims(), otherEarSigner)));
add('ear-signature', 'STUN_JWS_KEY', 'trusted kid with the other algorithm', () =>
  assessEarWith({ keys: [{ ...earSigner, algorithm: 'ES384' }] }),
);
add(
  'ear-signature',
  'STUN_JWS_SIGNATURE',
  'claims that were changed',
  token(`${headerPart}.${json(earClaims({ build: 'x' }))}.${signaturePart}`),
);
add(
  'ear-signature',
  'STUN_JWS_SIGNATURE',
  'trusted kid, other key',
  token(signJws(earClaims(), { ...otherEarSigner, keyId: earSigner.keyId })),
);
add('ear-issuer', 'STUN_TOKEN_ISSUER', 'result of another verifier', claiming(earClaims({ issuer: 'https://other.example' })));
add('ear-time', 'STUN_TOKEN_TIME', 'result that ended a second ago', () => assessEarWith({ atUnix: atUnix + 3600 }));
add('ear-time', 'STUN_TOKEN_TIME', 'result of a second from now', () => assessEarWith({ atUnix: atUnix - 1 }));
add('ear-time', 'STUN_TOKEN_TIME', 'result that never ends', claiming(without(earClaims(), 'exp')));
add('ear-time', 'STUN_TOKEN_TIME', 'result that begins later', claiming({ ...earClaims(), nbf: atUnix + 1 }));
add(
  'ear-profile',
  'STUN_EAR_FORMAT',
  'claims of another profile',
  claiming({ ...earClaims(), eat_profile: 'tag:ietf.org,2026:rats/ear#03' }),
);
add('ear-profile', 'STUN_EAR_FORMAT', 'two appraisals', claiming({ ...earClaims(), submods: { tdx: {}, snp: {} } }));
add('ear-profile', 'STUN_EAR_FORMAT', 'appraisal without a report', appraised({ stun_report: null }));
add('ear-profile', 'STUN_EAR_FORMAT', 'evidence digest of 31 bytes', appraised({ stun_evidence_sha256: `0x${'ab'.repeat(31)}` }));
add('ear-profile', 'STUN_EAR_FORMAT', 'appraisal of another status', appraised({ ear_status: 'affirming' }));
add(
  'ear-profile',
  'STUN_EAR_FORMAT',
  'status that the report does not bear out',
  claiming(
    (() => {
      const claims = earClaims({ report: { ...acceptedReport, validated: false } });
      const submods = claims['submods'] as { readonly tdx: JsonObject };
      return { ...claims, ear_status: 'affirming', submods: { tdx: { ...submods.tdx, ear_status: 'affirming' } } };
    })(),
  ),
);
const wanting =
  (changes: Partial<EarTokenInput>): Run =>
  () =>
    assessEarWith(changes);
add('ear-keyset', 'STUN_EAR_KEYSET', 'result about another keyset', wanting({ keysetDigest: new Uint8Array(32) }));
add('ear-keyset', 'STUN_EAR_KEYSET', 'result about no keyset', claiming(earClaims({ keysetDigest: null })));
add('ear-evidence', 'STUN_EAR_EVIDENCE', 'result about other evidence', wanting({ evidenceSha256: new Uint8Array(32) }));
add(
  'ear-policy',
  'STUN_EAR_POLICY',
  'evidence that was held against another policy',
  claiming(earClaims({ policy: defaultPolicy })),
);
add(
  'ear-status',
  'STUN_EAR_STATUS',
  'report that refutes a check',
  claiming(
    earClaims({
      report: {
        ...acceptedReport,
        validated: false,
        checks: [{ id: 'policy-debug', status: 'refuted', code: 'STUN_POLICY_DEBUG' }],
        code: 'STUN_POLICY_DEBUG',
        reason: 'debug',
      },
    }),
  ),
);
add('ear-status', 'STUN_EAR_STATUS', 'simulated hardware where the policy admits none', () =>
  assessEarWith({
    token: signJws(earClaims({ policy: { ...simulatedPolicy, allowSimulated: false } }), earSigner),
    policy: { ...simulatedPolicy, allowSimulated: false },
  }),
);

/** All of them, in the order of the checks. */
export const earNegativeVectors: readonly NegativeVector[] = vectors;
