import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { earChecks } from '#attestation/checks.ts';
import { reportOf } from '#attestation/index.ts';
import type { GpuAssessment, JsonObject } from '#attestation/index.ts';
import { encodeJwks, jwkThumbprint, parseJwks } from '#attestation/jose/jwks.ts';
import { signJws } from '#attestation/jose/jws.ts';
import { fromHex } from '#protocol/bytes.ts';
import { sampleCases } from '../../depth.ts';
import { throwsCode } from '../../unit/assert-code.ts';
import {
  acceptedReport,
  assessEarWith,
  earClaims,
  earIssuer,
  earSigner,
  nrasSigner,
} from '../../unit/attestation/ear-fixture.ts';
import { assessGpuWith, assessGpuWithRims } from '../../unit/attestation/gpu-fixture.ts';
import { acceptedRimOcsp, rimOcspWith } from '../../unit/attestation/rim-fixture.ts';
import { acceptedQuote, atUnix, keysetDigest } from '../../unit/attestation/simulated-fixture.ts';
import { earNegativeVectors } from './ear-negative-vectors.ts';

describe('attestation results', () => {
  it('say what the report says, and are accepted under the policy that they name', () => {
    const { verified, validated, failure, checks } = assessEarWith();
    assert.equal(failure, null, failure?.message);
    assert.equal(validated, true);
    assert.deepEqual(
      checks.map(({ id, status }) => [id, status]),
      earChecks.map((id) => [id, 'proven']),
    );
    assert.ok(verified !== null);
    assert.deepEqual([verified.status, verified.kind, verified.simulated, verified.issuer], ['warning', 'tdx', true, earIssuer]);
    assert.deepEqual(verified.keysetDigest, keysetDigest);
    assert.deepEqual(verified.reportedChecks, acceptedReport.checks);
    assert.notDeepEqual(verified.evidenceSha256, acceptedQuote.subarray(0, 32));
  });

  it('affirm real hardware alone, and nothing that was refuted or left open', () => {
    const statusOf = (changes: Partial<typeof acceptedReport>): unknown =>
      earClaims({ report: { ...acceptedReport, ...changes } })['ear_status'];
    assert.equal(statusOf({ simulated: false }), 'affirming');
    assert.equal(statusOf({}), 'warning');
    assert.equal(statusOf({ validated: false }), 'none');
    assert.equal(statusOf({ verified: false }), 'none');
    const refuted = { id: 'report-data', status: 'refuted', code: 'STUN_REPORT_DATA' } as const;
    assert.equal(statusOf({ validated: false, checks: [refuted] }), 'contraindicated');
  });

  it('have a trust vector that speaks only of what was checked', () => {
    const vectorOf = (changes: Partial<typeof acceptedReport>): unknown => {
      const submods = earClaims({ report: { ...acceptedReport, ...changes } })['submods'] as { readonly tdx: JsonObject };
      return submods.tdx['ear_trustworthiness_vector'];
    };
    assert.deepEqual(vectorOf({}), { hardware: 32, configuration: 2, executables: 0 });
    assert.deepEqual(vectorOf({ simulated: false, checks: [{ id: 'report-data', status: 'proven' }] }), {
      hardware: 2,
      'instance-identity': 2,
    });
    assert.deepEqual(vectorOf({ verified: false, checks: [{ id: 'pck-chain', status: 'refuted' }] }), { hardware: 96 });
  });

  it('affirm what runs on a GPU when every check of its reference values is proven, their revocation among them', () => {
    const executablesOf = ({ verified, checks, failure }: GpuAssessment): unknown => {
      const submods = earClaims({ report: reportOf('nvidia', verified, checks, failure) })['submods'] as {
        readonly nvidia: { readonly ear_trustworthiness_vector: JsonObject };
      };
      return submods.nvidia.ear_trustworthiness_vector['executables'];
    };
    assert.equal(executablesOf(assessGpuWithRims(acceptedRimOcsp)), 2);
    assert.equal(executablesOf(assessGpuWithRims([], { requireRimRevocationData: false })), 0);
    const revoked = rimOcspWith({ l3: { status: { revokedAtUnix: atUnix - 5, reason: 1 } } });
    assert.equal(executablesOf(assessGpuWithRims(revoked)), 96);
    assert.equal(executablesOf(assessGpuWith({})), undefined);
  });

  for (const { check, code, name, run } of earNegativeVectors) {
    it(`are refused with ${code} at ${check}: ${name}`, () => {
      const { checks, failure } = run();
      assert.equal(failure?.code, code, failure?.message);
      assert.deepEqual(
        checks.filter((entry) => entry.status === 'refuted'),
        [{ id: check, status: 'refuted', code }],
      );
    });
  }

  it('are refuted at every check by some vector', () => {
    const covered = new Set(earNegativeVectors.map(({ check }) => check));
    assert.deepEqual(
      earChecks.filter((id) => !covered.has(id)),
      [],
    );
    console.log(`      ${earNegativeVectors.length} negative vectors over ${covered.size} checks`);
  });

  it('are refused with any one character changed', () => {
    const token = signJws(earClaims(), earSigner);
    for (const offset of sampleCases([...new Uint8Array(token.length).keys()], 200)) {
      const changed = `${token.slice(0, offset)}${token[offset] === 'A' ? 'B' : 'A'}${token.slice(offset + 1)}`;
      const { failure } = assessEarWith({ token: changed });
      assert.ok(failure !== null && failure.code !== 'STUN_INTERNAL', `character ${offset}: ${failure?.message ?? 'accepted'}`);
    }
  });
});

describe('key sets', () => {
  it('are written and read alike, and leave out keys of other kinds', () => {
    const keys = [earSigner, nrasSigner].map(({ keyId, algorithm, publicKey }) => ({ keyId, algorithm, publicKey }));
    const { keys: written } = encodeJwks(keys) as { readonly keys: readonly JsonObject[] };
    const others = [
      { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
      { ...written[0], use: 'enc', kid: 'x' },
      { ...written[0], crv: 'P-521', kid: 'y' },
    ];
    assert.deepEqual(parseJwks(JSON.stringify({ keys: [...others, ...written] })), keys);
  });

  it('are refused with a key that is no key, twice, or for another algorithm', () => {
    const { keys } = encodeJwks([earSigner]) as { readonly keys: readonly JsonObject[] };
    const refused = [[], [...keys, ...keys], ...['x', 'kid', 'alg'].map((name) => keys.map((key) => ({ ...key, [name]: '' })))];
    for (const list of refused) throwsCode(() => parseJwks(JSON.stringify({ keys: list })), 'STUN_JWKS_FORMAT');
  });

  // RFC 7638 has an example with an RSA key alone; this text is written by its rule, for the generator of P-256.
  it('name a key by its members in the order of their names', () => {
    const generator =
      '0x046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5';
    const text =
      '{"crv":"P-256","kty":"EC","x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY","y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}';
    const digest = createHash('sha256').update(text).digest('base64url');
    assert.equal(jwkThumbprint(fromHex(generator)), digest);
  });
});
