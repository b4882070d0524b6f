/** One negative vector per check and code of answers of NVIDIA's service: each differs from the accepted one in one thing, signed again. */
import type { CheckId, JsonObject } from '#attestation/index.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { nrasSigner, otherNrasSigner } from '../../unit/attestation/ear-fixture.ts';
import { assessNrasWith } from '../../unit/attestation/nras-fixture.ts';
import type { NrasChanges } from '../../unit/attestation/nras-fixture.ts';
import { atUnix } from '../../unit/attestation/simulated-fixture.ts';
import type { NegativeVector } from './negative-vectors.ts';

const vectors: NegativeVector[] = [];
function add(check: CheckId, code: ErrorCode, name: string, run: NegativeVector['run']): void {
  vectors.push({ check, code, name, run });
}
const changed = (check: CheckId, code: ErrorCode, name: string, changes: NrasChanges): void =>
  add(check, code, name, () => assessNrasWith(changes));
const device = (check: CheckId, code: ErrorCode, name: string, claims: JsonObject): void =>
  changed(check, code, name, { device: claims });
const overall = (check: CheckId, code: ErrorCode, name: string, claims: JsonObject): void =>
  changed(check, code, name, { overall: claims });

const sixteen = (tokens: unknown): object =>
  Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`GPU-${i}`, Object.values(tokens as object)[0]]));

changed('nras-format', 'STUN_NRAS_FORMAT', 'answer without tokens of devices', { answer: ([first]) => [first] });
changed('nras-format', 'STUN_NRAS_FORMAT', 'no device', { answer: ([first]) => [first, {}] });
changed('nras-format', 'STUN_NRAS_FORMAT', 'seventeen devices', { answer: ([first, tokens]) => [first, sixteen(tokens)] });
changed('nras-format', 'STUN_NRAS_FORMAT', 'overall token of another kind', {
  answer: ([first, tokens]) => [['CWT', (first as readonly unknown[])[1]], tokens],
});
changed('nras-format', 'STUN_JWS_FORMAT', 'token of a device cut short', {
  answer: ([first, tokens]) => [first, { ...(tokens as object), 'GPU-1': 'a.b' }],
});
add('nras-format', 'STUN_JSON_FORMAT', 'text that is no JSON', () => assessNrasWith({}, { answer: '[' }));
changed('nras-signature', 'STUN_JWS_KEY', 'overall token by a key that is not trusted', { overallSigner: otherNrasSigner });
changed('nras-signature', 'STUN_JWS_SIGNATURE', 'overall token by another key under the trusted kid', {
  overallSigner: { ...otherNrasSigner, keyId: nrasSigner.keyId },
});
changed('nras-device-signature', 'STUN_JWS_SIGNATURE', 'token of a device by another key under the trusted kid', {
  deviceSigner: { ...otherNrasSigner, keyId: nrasSigner.keyId },
});
changed('nras-device-digest', 'STUN_NRAS_DIGEST', 'tokens of two devices exchanged', {
  device: { ueid: '2' },
  answer: ([first, tokens]) => {
    const { 'GPU-0': a, 'GPU-1': b } = tokens as Record<string, unknown>;
    return [first, { 'GPU-0': b, 'GPU-1': a }];
  },
});
changed('nras-device-digest', 'STUN_NRAS_DIGEST', 'device that the overall token names, left out', {
  answer: ([first, tokens]) => [first, { 'GPU-0': (tokens as Record<string, unknown>)['GPU-0'] }],
});
overall('nras-device-digest', 'STUN_NRAS_DIGEST', 'overall token without digests', { submods: {} });
overall('nras-issuer', 'STUN_TOKEN_ISSUER', 'overall token of another issuer', { iss: 'https://nras.example' });
device('nras-issuer', 'STUN_TOKEN_ISSUER', 'token of a device of another issuer', { iss: 'https://nras.example' });
overall('nras-time', 'STUN_TOKEN_TIME', 'overall token that ends now', { exp: atUnix });
device('nras-time', 'STUN_TOKEN_TIME', 'token of a device that begins in a second', { nbf: atUnix + 1 });
overall('nras-nonce', 'STUN_TOKEN_NONCE', 'overall token for another challenge', { eat_nonce: 'd5'.repeat(32) });
device('nras-nonce', 'STUN_TOKEN_NONCE', 'token of a device without a challenge', { eat_nonce: null });
overall('nras-result', 'STUN_NRAS_RESULT', 'overall result that is false', { 'x-nvidia-overall-att-result': false });
overall('nras-result', 'STUN_NRAS_RESULT', 'overall result as text', { 'x-nvidia-overall-att-result': 'true' });
device('nras-measurement', 'STUN_NRAS_MEASUREMENT', 'device whose measurements differ', { measres: 'fail' });
device('nras-secure-boot', 'STUN_NRAS_SECURE_BOOT', 'device that did not boot securely', { secboot: false });
device('nras-debug', 'STUN_NRAS_DEBUG', 'device with debugging', { dbgstat: 'enabled' });
device('nras-architecture', 'STUN_POLICY_GPU_ARCHITECTURE', 'device that is no GPU', { hwmodel: 'H100' });
add('nras-architecture', 'STUN_POLICY_GPU_ARCHITECTURE', 'architecture that the policy does not name', () =>
  assessNrasWith(
    {},
    {
      policy: {
        architectures: ['blackwell'],
        minDriverVersion: { skip: 'any' },
        minVbiosVersions: { hopper: { skip: 'any' }, blackwell: { skip: 'any' }, ls10: { skip: 'any' } },
      },
    },
  ),
);
device('nras-driver-version', 'STUN_POLICY_GPU_VERSION', 'driver below the floor', {
  'x-nvidia-gpu-driver-version': '550.90.06',
});
device('nras-vbios-version', 'STUN_POLICY_GPU_VERSION', 'VBIOS below the floor', {
  'x-nvidia-gpu-vbios-version': '96.00.9E.00.01',
});

/** All of them, in the order of the checks. */
export const nrasNegativeVectors: readonly NegativeVector[] = vectors;
