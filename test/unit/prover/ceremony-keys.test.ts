/** Provers with keys of ceremonies: which keys a command may use, and that the key that is loaded is the one that was accepted. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALLOWED_KEYS, ensureCircuit, loadManifest, type CeremonyKey } from '#circuits/manifest.ts';
import { loadCeremonies, provingKeys } from '#cli/commands/proving-keys.ts';
import { loadCircuits } from '#prover/artefacts.ts';
import { rejectsCode } from '../assert-code.ts';

describe('a prover with the key of a ceremony', function () {
  this.timeout(120_000);

  it('has its family and its key, compared with the hash in the transcript', async () => {
    const circuit = await ensureCircuit('settlement-16');
    const { sha256 } = await loadManifest('settlement-16');
    const key: CeremonyKey = {
      name: 'settlement-16',
      verificationKey: circuit.verificationKey,
      vkHash: circuit.vkHash,
      familyId: `0x${'77'.repeat(32)}`,
      zkeyPath: circuit.zkeyPath,
      zkeySha256: sha256.zkey,
    };
    const [loaded, ...rest] = await loadCircuits([], undefined, [key]);
    assert.deepEqual([loaded?.familyId, loaded?.setup, rest.length], [key.familyId, 'ceremony', 0]);
    await rejectsCode(loadCircuits([], undefined, [{ ...key, zkeySha256: '00'.repeat(32) }]), 'STUN_PROVER_KEY');
    await rejectsCode(loadCircuits([], undefined, []), 'STUN_CONFIG');
  });

  it('is the only one outside the development chain', async () => {
    assert.deepEqual(await provingKeys(31337, ['settlement-16'], {}), { circuits: ['settlement-16'] });
    await rejectsCode(provingKeys(1, ['settlement-16'], {}), 'STUN_CONFIG');
    assert.deepEqual(await provingKeys(1, [], {}), { circuits: [] });
  });

  it('needs a folder and a list that are there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stun-allowed-'));
    try {
      assert.deepEqual(await loadCeremonies([], undefined), { allowed: [], ceremonies: [] });
      await rejectsCode(loadCeremonies([folder], ALLOWED_KEYS), 'STUN_FILE');
      await rejectsCode(loadCeremonies([], join(folder, 'none.json')), 'STUN_FILE');
      await writeFile(join(folder, 'list.json'), '[{}]');
      await rejectsCode(loadCeremonies([], join(folder, 'list.json')), 'STUN_INPUT');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
