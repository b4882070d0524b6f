import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalPolicyJson, checkSourceOf, defaultPolicy } from '#attestation/index.ts';
import { nrasChecks } from '#attestation/checks.ts';
import { encodeJwks } from '#attestation/jose/jwks.ts';
import { evidenceVerify } from '#cli/commands/evidence.ts';
import { rejectsCode } from '../assert-code.ts';
import { nrasSigner } from './ear-fixture.ts';
import { nrasAnswer } from './nras-fixture.ts';
import { atUnix } from './simulated-fixture.ts';

describe('stun evidence verify --nras', () => {
  let folder = '';
  const path = (name: string): string => join(folder, name);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-nras-'));
    await writeFile(path('good.json'), nrasAnswer());
    await writeFile(path('debug.json'), nrasAnswer({ device: { dbgstat: 'enabled' } }));
    await writeFile(path('other.json'), nrasAnswer({ device: { hwmodel: 'LS_10 A01 FSP BROM' } }));
    await writeFile(path('jwks.json'), JSON.stringify(encodeJwks([nrasSigner])));
    await writeFile(path('no-gpus.json'), canonicalPolicyJson({ ...defaultPolicy, nvidia: null }));
    const { nvidia } = defaultPolicy;
    assert.ok(nvidia !== null);
    const hopper = { ...nvidia, architectures: ['hopper'] } as const;
    await writeFile(path('hopper.json'), canonicalPolicyJson({ ...defaultPolicy, nvidia: hopper }));
  });
  after(() => rm(folder, { recursive: true }));

  const verify = async (nras: string, policy = 'hopper.json'): Promise<readonly unknown[]> => {
    const { document, exitCode } = await evidenceVerify({
      nras: path(nras),
      jwks: path('jwks.json'),
      nonce: 'd4'.repeat(32),
      at: atUnix,
      policy: path(policy),
    });
    const { kind, verified, validated, code } = document as Readonly<Record<string, unknown>>;
    return [kind, verified, validated, code, exitCode === 0];
  };

  it('tells what the service says from what the policy wants', async () => {
    assert.deepEqual(await verify('good.json'), ['nvidia', true, true, undefined, true]);
    assert.deepEqual(await verify('debug.json'), ['nvidia', false, false, 'STUN_NRAS_DEBUG', false]);
    assert.deepEqual(await verify('other.json'), ['nvidia', true, false, 'STUN_POLICY_GPU_ARCHITECTURE', false]);
  });

  it('answers under a policy without GPUs in the same shape', async () => {
    assert.deepEqual(await verify('good.json', 'no-gpus.json'), ['nvidia', true, false, 'STUN_POLICY_KIND', false]);
    assert.deepEqual(await verify('debug.json', 'no-gpus.json'), ['nvidia', false, false, 'STUN_NRAS_DEBUG', false]);
  });

  it('needs keys and a challenge', async () => {
    const named = { nras: path('good.json'), jwks: path('jwks.json'), at: atUnix };
    await rejectsCode(evidenceVerify(named), 'STUN_INPUT');
  });

  it('has a source for every check', () => {
    for (const id of nrasChecks) assert.ok(checkSourceOf('nvidia', id) !== null, id);
  });
});
