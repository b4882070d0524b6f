/** Synthetic answers of NVIDIA's attestation service, signed with a fixed key: no public sample exists. */
import { createHash } from 'node:crypto';
import type { JsonObject } from '#attestation/index.ts';
import type { PublicJwk } from '#attestation/jose/jwks.ts';
import { signJws } from '#attestation/jose/jws.ts';
import type { JwsSigner } from '#attestation/jose/jws.ts';
import { assessNras } from '#attestation/nvidia/eat/nras.ts';
import type { NrasAssessment, NrasInput } from '#attestation/nvidia/eat/nras.ts';
import { nrasSigner } from './ear-fixture.ts';
import { observed } from './observed-inputs.ts';
import { atUnix } from './simulated-fixture.ts';

export const nrasNonce = new Uint8Array(32).fill(0xd4);
export const nrasIssuer = 'https://nras.attestation.nvidia.com';

const base = { iss: nrasIssuer, iat: atUnix, nbf: atUnix, exp: atUnix + 3600, eat_nonce: 'd4'.repeat(32) };
const device = {
  ...base,
  measres: 'success',
  secboot: true,
  dbgstat: 'disabled',
  hwmodel: 'GH100 A01 GSP BROM',
  ueid: '478176379286082186618948445787393647364802107249',
  'x-nvidia-gpu-driver-version': '550.90.07',
  'x-nvidia-gpu-vbios-version': '96.00.9F.00.01',
};

/** How an answer differs from the accepted one, which has two devices. */
export interface NrasChanges {
  /** Claims of the overall token. */
  readonly overall?: JsonObject;
  /** Claims of the second device. */
  readonly device?: JsonObject;
  readonly overallSigner?: JwsSigner;
  readonly deviceSigner?: JwsSigner;
  /** Rewrites the answer. */
  readonly answer?: (answer: readonly unknown[]) => unknown;
}

/** Makes an answer. @returns JSON text */
export function nrasAnswer(changes: NrasChanges = {}): string {
  const tokens = {
    'GPU-0': signJws(device, nrasSigner),
    'GPU-1': signJws({ ...device, ...changes.device }, changes.deviceSigner ?? nrasSigner),
  };
  const submods = Object.fromEntries(
    Object.entries(tokens).map(([name, token]) => [
      name,
      ['DIGEST', ['SHA-256', createHash('sha256').update(token).digest('hex')]],
    ]),
  );
  const overall = { ...base, 'x-nvidia-overall-att-result': true, submods, ...changes.overall };
  const answer = [['JWT', signJws(overall, changes.overallSigner ?? nrasSigner)], tokens];
  return JSON.stringify((changes.answer ?? ((made) => made))(answer));
}

/** Assesses the accepted answer with changes. */
export function assessNrasWith(changes: NrasChanges = {}, input: Partial<NrasInput> = {}): NrasAssessment {
  const keys: readonly PublicJwk[] = [nrasSigner];
  return assessNras(
    observed('assessNras', {
      answer: nrasAnswer(changes),
      keys,
      issuer: nrasIssuer,
      nonce: nrasNonce,
      atUnix,
      policy: {
        architectures: ['hopper'],
        minDriverVersion: '550.90.07',
        minVbiosVersions: { hopper: '96.00.9F.00.01', blackwell: { skip: 'not used' }, ls10: { skip: 'not used' } },
      },
      ...input,
    }),
  );
}
