/** `stun evidence verify --nras`: an answer of NVIDIA's attestation service, instead of the report of a GPU itself. */
import { gpuArchitectures } from '#attestation/index.ts';
import type { EvidenceReport, Policy } from '#attestation/index.ts';
import { unverifiedFacts } from '#attestation/evidence/summary.ts';
import { parseJwks } from '#attestation/jose/jwks.ts';
import { assessNras } from '#attestation/nvidia/eat/nras.ts';
import type { NrasAssessment, NrasInput } from '#attestation/nvidia/eat/nras.ts';
import { fromHex } from '#protocol/bytes.ts';
import { errorEntry } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { readTextFile } from './evidence-source.ts';

/** Options that name an answer. */
export interface NrasOptions {
  /** The answer, a file. */
  readonly nras?: string;
  /** The service's keys, a file with a JWKS. */
  readonly jwks?: string;
  /** The origin that must have issued it; NVIDIA's when absent. */
  readonly issuer?: string;
  /** The challenge: 64 hex digits. */
  readonly nonce?: string;
}

const nvidiaIssuer = 'https://nras.attestation.nvidia.com';

/** In place of the rules of a policy that has none for GPUs: the answer itself is verified all the same. */
const anyGpu: NrasInput['policy'] = {
  architectures: gpuArchitectures,
  minDriverVersion: { skip: 'the policy admits no GPU' },
  minVbiosVersions: {
    hopper: { skip: 'the policy admits no GPU' },
    blackwell: { skip: 'the policy admits no GPU' },
    ls10: { skip: 'the policy admits no GPU' },
  },
};

function refusedByKind({ checks, failure }: NrasAssessment): Pick<NrasAssessment, 'checks' | 'failure'> {
  const refusal = new StunError('STUN_POLICY_KIND', 'the policy does not admit GPUs');
  return {
    checks: checks.map((check) =>
      check.id === 'nras-architecture' && check.status === 'proven'
        ? { id: check.id, status: 'refuted', code: refusal.code }
        : check,
    ),
    failure: failure ?? refusal,
  };
}

/**
 * Verifies an answer. `verified` speaks of its tokens and of what they say of the devices, `validated` of the policy too.
 * @throws `STUN_INPUT` | `STUN_FILE` | `STUN_JSON_FORMAT` | `STUN_JWKS_FORMAT`
 */
export async function nrasReport(
  { nras, jwks, issuer = nvidiaIssuer, nonce }: NrasOptions,
  { policy, atUnix }: { readonly policy: Policy; readonly atUnix: number },
): Promise<EvidenceReport> {
  if (nras === undefined || jwks === undefined || nonce === undefined)
    throw new StunError('STUN_INPUT', '--nras, --jwks and --nonce belong together');
  const assessed = assessNras({
    answer: await readTextFile(nras, 'NRAS answer'),
    keys: parseJwks(await readTextFile(jwks, 'JWKS')),
    issuer,
    nonce: fromHex(`0x${nonce.replace(/^0x/, '')}`, 32, 'nonce'),
    atUnix,
    policy: policy.nvidia ?? anyGpu,
  });
  const { checks, failure } = policy.nvidia === null ? refusedByKind(assessed) : assessed;
  return {
    kind: 'nvidia',
    verified: failure === null || errorEntry(failure.code).class === 'policy',
    validated: failure === null,
    ...unverifiedFacts,
    debug: checks.some(({ id, status }) => id === 'nras-debug' && status === 'proven') ? false : null,
    checks,
    ...(failure === null ? {} : { code: failure.code, reason: failure.message }),
  };
}
