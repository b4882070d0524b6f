/** What a deployment accepts off the development chain: the key of a ceremony with its verified transcript, and nothing else. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { groth16 } from 'snarkjs';
import { ContractAccess } from '#chain/contract-access.ts';
import { connectStun } from '#chain/deployment.ts';
import { deployFamily, deployStun, type VerifierSource } from '#chain/deploy.ts';
import { DEVELOPMENT_CHAIN_ID, startDevChain, type DevChain } from '#chain/dev-chain.ts';
import { fileSha256 } from '#circuits/build/build-circuit.ts';
import { verifyFinished } from '#circuits/ceremony/ceremony.ts';
import { compileVerifier } from '#circuits/ceremony/compile-verifier.ts';
import { applyBeacon, contribute } from '#circuits/ceremony/contribute.ts';
import { CEREMONY_FILES, ceremonyVerifier, exportCeremony } from '#circuits/ceremony/export-ceremony.ts';
import { writeKey } from '#circuits/ceremony/key-file.ts';
import { loadCeremony, type AcceptedCeremony, type CeremonyPolicy } from '#circuits/ceremony/load-ceremony.ts';
import { startedContent } from '#circuits/ceremony/start-key.ts';
import { transcriptText, type AllowedKey } from '#protocol/index.ts';
import { CIRCUIT_INPUT, localPowers, smallCircuit, startedKey } from '#test/circuits/ceremony-fixture.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';

const JOBS = 4;

describe('contracts: verifiers of ceremonies', function () {
  this.timeout(240_000);
  let folder: string;
  let chain: DevChain;
  let policy: CeremonyPolicy;
  let accepted: AcceptedCeremony;
  let source: VerifierSource;
  let wasmPath: string;
  const at = (name: string): string => join(folder, name);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-ceremony-keys-'));
    const local = await localPowers(8);
    const circuit = await smallCircuit(20);
    wasmPath = circuit.wasmPath;
    await writeKey(at('0.zkey'), startedContent(await startedKey(circuit.r1csPath, local)));
    const quiet = (): void => {};
    await contribute({ from: at('0.zkey'), to: at('1.zkey'), name: 'one' }, Buffer.from('a'), quiet);
    await contribute({ from: at('1.zkey'), to: at('2.zkey'), name: 'two' }, Buffer.from('b'), quiet);
    const beacon = { value: Buffer.from('c0ffee', 'hex'), iterationsExponent: 10 };
    await applyBeacon({ from: at('2.zkey'), to: at('final.zkey'), name: 'beacon' }, beacon, quiet);
    const ground = { r1csPath: circuit.r1csPath, powersPath: local.path, table: [local.row] };
    const text = transcriptText(await verifyFinished(ground, at('final.zkey'), quiet));
    const target = { circuit: 'small', n: JOBS, verifier: 'SmallVerifier', r1csPath: circuit.r1csPath };
    const { transcriptHash, vkHash } = await exportCeremony(at('final.zkey'), text, target, at('exported'));
    const r1csSha256 = await fileSha256(circuit.r1csPath);
    policy = {
      allowed: [{ vkHash, transcriptHash }],
      table: [local.row],
      circuitOf: () => Promise.resolve({ r1csSha256, n: JOBS }),
    };
    accepted = await loadCeremony(at('exported'), policy);
    const solidity = ceremonyVerifier(
      accepted.verificationKey,
      { circuit: 'small', n: JOBS, verifier: 'SmallVerifier' },
      r1csSha256,
    );
    assert.equal(solidity, await readFile(at('exported/SmallVerifier.sol'), 'utf8'));
    source = { artifact: await compileVerifier('SmallVerifier', solidity), transcript: accepted.transcript };
    chain = await startDevChain({ chainId: 1234 });
  });
  after(async () => {
    await chain.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Adds a family to a router; refused before the router is asked. */
  function add(one: VerifierSource) {
    return deployFamily(chain.wallet(0), chain.accounts[0]!.address, one, policy.allowed, 1234);
  }

  function deploy(sources: readonly VerifierSource[], allowed: readonly AllowedKey[]) {
    const owner = chain.wallet(0);
    const { address } = owner;
    const options = { attestors: [address], threshold: 1, feeBps: 0, feeAccount: address, guardian: address };
    return deployStun(owner, { ...options, ceremonies: { sources, allowed } });
  }

  it('are deployed with the hash of their transcript, and verify proofs', async () => {
    const deployment = await deploy([source], policy.allowed);
    const [family] = deployment.families;
    assert.deepEqual(
      [family?.vkHash, family?.ceremonyHash, family?.development, family?.maxJobs, family?.family],
      [accepted.vkHash, accepted.transcriptHash, false, JOBS, accepted.familyId],
    );
    const { router } = await connectStun(deployment, chain.wallet(0));
    assert.equal((await router.family(accepted.familyId)).ceremonyHash, accepted.transcriptHash);

    const { proof, publicSignals } = await groth16.fullProve(CIRCUIT_INPUT, wasmPath, accepted.zkeyPath);
    const verifier = new ContractAccess(source.artifact, family!.verifier, chain.wallet(0));
    const b = proof.pi_b.slice(0, 2).map((one) => one.toReversed());
    const call = [proof.pi_a.slice(0, 2), b, proof.pi_c.slice(0, 2)];
    assert.equal((await verifier.read('verifyProof', [...call, publicSignals]))[0], true);
    const changed = publicSignals.with(0, String(BigInt(publicSignals[0]!) + 1n));
    assert.equal((await verifier.read('verifyProof', [...call, changed]))[0], false);
  });

  it('are refused when their key is not on the list, or without a transcript', async () => {
    await rejectsCode(deploy([source], []), 'STUN_CEREMONY_NOT_ALLOWED');
    await rejectsCode(add({ ...source, transcript: undefined }), 'STUN_CEREMONY_NOT_ALLOWED');
    await rejectsCode(loadCeremony(at('exported'), { ...policy, allowed: [] }), 'STUN_CEREMONY_NOT_ALLOWED');
  });

  it('are refused with a tampered transcript, and with that of another key', async () => {
    const transcript = accepted.transcript.replace('"one"', '"eve"');
    await rejectsCode(add({ ...source, transcript }), 'STUN_CEREMONY_TRANSCRIPT');
    const other = accepted.transcript.replace(accepted.vkHash, `0x${'00'.repeat(32)}`);
    await rejectsCode(add({ ...source, transcript: other }), 'STUN_CEREMONY_CIRCUIT');
  });

  it('are refused on the development chain too when only the mark is missing', async () => {
    const [owner, router] = [chain.wallet(0), chain.accounts[0]!.address];
    const unmarked = { ...source, transcript: undefined };
    await rejectsCode(deployFamily(owner, router, unmarked, [], DEVELOPMENT_CHAIN_ID), 'STUN_CEREMONY_NOT_ALLOWED');
  });

  it('with development keys are refused whatever comes with them', async () => {
    const marked = (await readFile(at('exported/SmallVerifier.sol'), 'utf8')).replace(
      'DEVELOPMENT = false',
      'DEVELOPMENT = true',
    );
    const development = { artifact: await compileVerifier('SmallVerifier', marked), transcript: accepted.transcript };
    await rejectsCode(add(development), 'STUN_CHAIN_DEVELOPMENT_VERIFIER');
  });

  /** A copy of the folder with one file changed. */
  async function changed(file: keyof typeof CEREMONY_FILES, change: (text: string) => string): Promise<string> {
    const copy = await mkdtemp(at('changed-'));
    await cp(at('exported'), copy, { recursive: true });
    const path = join(copy, CEREMONY_FILES[file]);
    await writeFile(path, change(await readFile(path, 'utf8')));
    return copy;
  }

  it('are read from a folder that fits the circuit, the published powers of tau and the list', async () => {
    await rejectsCode(loadCeremony(at('exported'), { ...policy, table: [] }), 'STUN_CEREMONY_PTAU_DIGEST');
    for (const circuit of [
      { r1csSha256: '00'.repeat(32), n: JOBS },
      { r1csSha256: accepted.r1csSha256, n: JOBS + 1 },
    ]) {
      await rejectsCode(
        loadCeremony(at('exported'), { ...policy, circuitOf: () => Promise.resolve(circuit) }),
        'STUN_CEREMONY_CIRCUIT',
      );
    }
    await rejectsCode(loadCeremony(folder, policy), 'STUN_FILE');
    await rejectsCode(
      loadCeremony(await changed('transcript', (text) => text.replace('"one"', '"eve"')), policy),
      'STUN_CEREMONY_TRANSCRIPT',
    );
    await rejectsCode(
      loadCeremony(await changed('manifest', (text) => text.replace('ceremony', 'development')), policy),
      'STUN_INPUT',
    );
    await rejectsCode(
      loadCeremony(await changed('verificationKey', (text) => text.replace('"nPublic": 8', '"nPublic": 9')), policy),
      'STUN_INPUT',
    );
    const { vk_alpha_1: alpha } = accepted.verificationKey;
    await rejectsCode(
      loadCeremony(await changed('verificationKey', (text) => text.replace(alpha[0], '7')), policy),
      'STUN_CEREMONY_NOT_ALLOWED',
    );
    const { vk_gamma_2: gamma } = accepted.verificationKey;
    const forgeable = await changed('verificationKey', (text) =>
      JSON.stringify({ ...(JSON.parse(text) as object), vk_delta_2: gamma }),
    );
    await rejectsCode(loadCeremony(forgeable, policy), 'STUN_CIRCUIT_FORGEABLE_KEY');
  });
});
