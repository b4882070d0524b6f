/** EnclaveRegistry: registration, keysets, quorum, consent. Properties E1 to E9 of PROPERTIES.md. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { AbiCoder, hexlify, sha256 } from 'ethers';
import { deployContract } from '#chain/deploy.ts';
import { artifacts } from '#chain/artifacts.ts';
import { RegistryContract } from '#chain/registry.ts';
import { startDevChain } from '#chain/dev-chain.ts';
import {
  bigIntToBytes,
  enclaveLeafOf,
  enclaveTree,
  FIELD_ORDER,
  fromHex,
  generateEddsaKeyPair,
  randomField,
  rootFromPath,
  secpAddressOf,
  parseKeyset,
  ENCLAVE_TREE,
  toHex,
  type Hex,
} from '#protocol/index.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import QuoteVerifierDouble from '#chain/generated/QuoteVerifierDouble.json' with { type: 'json' };
import {
  approve,
  consentTo,
  DAY,
  HOUR,
  makeEnclave,
  refuses,
  registerEnclave,
  restoreEachTest,
  startStage,
  type Stage,
  type StageEnclave,
} from './stage.ts';

/** The layout with some bytes replaced. */
function patched(keyset: Uint8Array, offset: number, bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(keyset);
  copy.set(bytes, offset);
  return copy;
}

describe('contracts: EnclaveRegistry, registration', () => {
  let stage: Stage;
  before(async () => {
    stage = await startStage();
  });
  after(() => stage.close());
  restoreEachTest(() => stage);

  const registry = () => stage.as(stage.provider).registry;
  const register = async (enclave: StageEnclave) => registry().register(enclave.registration, await approve(stage, enclave));

  it('computes signer, leaf and root as the protocol does, and shows them in events and views', async () => {
    const enclave = await makeEnclave(stage);
    const { event } = await register(enclave);
    const provider = stage.provider.address.toLowerCase();
    const { policyId, hardwareIdHash, expiresAtUnix } = enclave.registration;
    const leaf = enclaveLeafOf({ signerId: enclave.signerId, policyId, provider, hardwareIdHash, expiresAtUnix });
    assert.equal(event.signerId, enclave.signerId);
    assert.equal(event.leaf, leaf);
    assert.equal(event.keysetDigest, enclave.keysetDigest);
    assert.equal(event.receiptSigner, secpAddressOf(parseKeyset(enclave.registration.keyset)));
    assert.equal(await registry().rootOf(provider), enclaveTree([leaf]).root);
    const found = await registry().leaf(enclave.keysetDigest, policyId);
    assert.equal(found.treeLeaf, leaf);
    assert.equal(enclaveLeafOf(found.leaf), leaf);
    assert.equal(found.simulated, true);
    const info = await registry().enclave(enclave.keysetDigest);
    assert.equal(info.state, 'active');
    assert.equal(info.platform, 129);
  });

  it('keeps the tree of many leaves equal to the protocol’s, and its events alone rebuild it', async () => {
    const enclaves: StageEnclave[] = [];
    for (let i = 0; i < 5; i++) enclaves.push(await registerEnclave(stage));
    await registry().revoke(enclaves[2]!.keysetDigest);
    const provider = stage.provider.address.toLowerCase();
    const leaves: bigint[] = [];
    for (const change of await registry().leafChanges(0)) {
      leaves[change.index] = change.leaf;
      assert.equal(enclaveTree(leaves).root, change.root);
    }
    assert.equal(leaves.length, 5);
    assert.equal(leaves[2], 0n);
    const root = await registry().rootOf(provider);
    for (let index = 0; index < 6; index++) {
      const path = await registry().pathOf(provider, index);
      assert.deepEqual(path.path, enclaveTree(leaves).path(index));
      assert.equal(rootFromPath(ENCLAVE_TREE, path.leaf, path.path), root);
    }
  });

  it('keeps each provider’s tree apart', async () => {
    await registerEnclave(stage);
    const empty = enclaveTree([]).root;
    assert.equal(await registry().rootOf(stage.stranger.address), empty);
    assert.notEqual(await registry().rootOf(stage.provider.address), empty);
  });

  describe('refuses a keyset', () => {
    const refusesPatched = async (offset: number, bytes: Uint8Array, error: Parameters<typeof refuses>[1], resign = true) => {
      const good = await makeEnclave(stage);
      const bad = await makeEnclave(stage, { ...good.registration, keyset: patched(good.registration.keyset, offset, bytes) });
      const approvals = await approve(stage, resign ? bad : good);
      await refuses(registry().register(bad.registration, approvals), error);
    };
    const point = (x: bigint, y: bigint) => Buffer.concat([bigIntToBytes(x, 32), bigIntToBytes(y, 32)]);

    it('with another magic', () => refusesPatched(0, Buffer.from('STUNKS02'), 'KeysetMagic'));
    it('for another KEM', () => refusesPatched(56, Uint8Array.of(0, 0x20), 'KeysetKem'));
    it('for another chain', () => refusesPatched(8, bigIntToBytes(1n, 8), 'KeysetChainMismatch'));
    it('for another registry', () => refusesPatched(16, fromHex(stage.deployment.escrow), 'KeysetRegistryMismatch'));
    it('that has expired', () => refusesPatched(1434, bigIntToBytes(1n, 8), 'KeysetExpired'));
    it('whose expiry does not fit 40 bits', () => refusesPatched(1434, bigIntToBytes(1n << 40n, 8), 'KeysetExpired'));
    it('whose receipt key is off the curve', () => refusesPatched(1306, bigIntToBytes(5n, 32), 'ReceiptKeyInvalid'));
    it('whose receipt key is the identity', () => refusesPatched(1274, point(0n, 1n), 'ReceiptKeyInvalid'));
    it('whose receipt key has order 2', () => refusesPatched(1274, point(0n, FIELD_ORDER - 1n), 'ReceiptKeyInvalid'));
    it('whose receipt key is an alias (x + r)', async () => {
      const key = generateEddsaKeyPair().publicKey;
      await refusesPatched(1274, point(key.x + FIELD_ORDER, key.y), 'ReceiptKeyInvalid');
    });
    it('whose receipt key lies outside the prime-order subgroup', async () => {
      // Adding the point of order 2 to (x, y) gives (-x, -y).
      const key = generateEddsaKeyPair().publicKey;
      await refusesPatched(1274, point(FIELD_ORDER - key.x, FIELD_ORDER - key.y), 'ReceiptKeyInvalid');
    });
    it('whose secp256k1 key is off its curve', () => refusesPatched(1370, bigIntToBytes(5n, 32), 'KeysetSecp256k1KeyInvalid'));
    it('that is a byte short or long', async () => {
      const good = await makeEnclave(stage);
      for (const keyset of [good.registration.keyset.slice(0, -1), Buffer.concat([good.registration.keyset, Buffer.of(0)])]) {
        await refuses(registry().register({ ...good.registration, keyset }, []), 'KeysetLength');
      }
    });
    it('with any bit changed after approval', () =>
      refusesPatched(700, Uint8Array.of(0xff, 0xee, 0xdd), 'ApprovalSignatureInvalid', false));
  });

  it('refuses values that are aliases in the field', async () => {
    await refuses(register(await makeEnclave(stage, { policyId: FIELD_ORDER })), 'ValueNotCanonical');
    await refuses(register(await makeEnclave(stage, { hardwareIdHash: FIELD_ORDER + 7n })), 'ValueNotCanonical');
  });

  it('refuses a leaf that is expired or outlives its keyset', async () => {
    const now = await stage.chain.nowUnix();
    await refuses(register(await makeEnclave(stage, { expiresAtUnix: now })), 'LeafExpiryInvalid');
    await refuses(
      register(await makeEnclave(stage, { expiresAtUnix: now + 61 * DAY, keysetExpiresAtUnix: now + 60 * DAY })),
      'LeafExpiryInvalid',
    );
  });

  it('refuses unknown platforms', async () => {
    for (const platform of [0, 4, 127, 128, 131, 255]) {
      await refuses(register(await makeEnclave(stage, { platform })), 'PlatformUnknown');
    }
  });

  it('refuses simulated hardware on every chain but the development one', async () => {
    const other = await startStageOn(1234);
    try {
      const enclave = await makeEnclave(other, { platform: 129 });
      await refuses(
        other.as(other.provider).registry.register(enclave.registration, await approve(other, enclave)),
        'SimulatedPlatformRefused',
      );
      const real = await makeEnclave(other, { platform: 1 });
      await other.as(other.provider).registry.register(real.registration, await approve(other, real));
      const info = await other.as(other.provider).registry.enclave(real.keysetDigest);
      assert.equal(info.simulated, false);
    } finally {
      await other.close();
    }
  });

  describe('the provider’s consent', () => {
    const asStranger = () => stage.as(stage.stranger).registry;

    it('can be a signature, used once', async () => {
      const enclave = await makeEnclave(stage);
      const consent = await consentTo(stage, enclave);
      await asStranger().register(enclave.registration, await approve(stage, enclave), consent);
      const renewed = { ...enclave, registration: { ...enclave.registration } };
      await refuses(asStranger().register(renewed.registration, await approve(stage, renewed), consent), 'ConsentUsed');
    });

    it('is required from everybody else', async () => {
      const enclave = await makeEnclave(stage);
      await refuses(asStranger().register(enclave.registration, await approve(stage, enclave)), 'ConsentMissing');
    });

    it('must be the provider’s own', async () => {
      const enclave = await makeEnclave(stage);
      const consent = await consentTo(stage, enclave, { by: stage.stranger });
      await refuses(asStranger().register(enclave.registration, await approve(stage, enclave), consent), 'ConsentMissing');
    });

    it('must name this policy', async () => {
      const enclave = await makeEnclave(stage);
      const other = { ...enclave, registration: { ...enclave.registration, policyId: randomField() } };
      const consent = await consentTo(stage, other);
      await refuses(asStranger().register(enclave.registration, await approve(stage, enclave), consent), 'ConsentMissing');
    });

    it('ends with its deadline', async () => {
      const enclave = await makeEnclave(stage);
      const consent = await consentTo(stage, enclave, { deadlineUnix: (await stage.chain.nowUnix()) - 1 });
      await refuses(asStranger().register(enclave.registration, await approve(stage, enclave), consent), 'ConsentExpired');
    });

    it('can be cancelled before use', async () => {
      const enclave = await makeEnclave(stage);
      const consent = await consentTo(stage, enclave);
      await registry().access.send('cancelConsent', [consent.nonce]);
      await refuses(asStranger().register(enclave.registration, await approve(stage, enclave), consent), 'ConsentUsed');
    });
  });

  describe('the attestor quorum', () => {
    const withApprovals = async (enclave: StageEnclave, approvals: Awaited<ReturnType<typeof approve>>) =>
      registry().register(enclave.registration, approvals);

    it('is not reached below the threshold', async () => {
      const enclave = await makeEnclave(stage);
      await refuses(withApprovals(enclave, await approve(stage, enclave, [stage.attestors[0]!])), 'QuorumNotReached');
    });

    it('counts an attestor once', async () => {
      const enclave = await makeEnclave(stage);
      const one = stage.attestors[0]!;
      await refuses(withApprovals(enclave, await approve(stage, enclave, [one, one])), 'ApprovalsNotSorted');
    });

    it('takes no stranger’s word', async () => {
      const enclave = await makeEnclave(stage);
      const approvals = await approve(stage, enclave, [stage.attestors[0]!, stage.stranger]);
      await refuses(withApprovals(enclave, approvals), 'NotAnAttestor');
    });

    it('takes no word of a removed attestor', async () => {
      const enclave = await makeEnclave(stage);
      const approvals = await approve(stage, enclave);
      await stage.as(stage.owner).registry.setAttestor(stage.attestors[0]!.address, false);
      await refuses(withApprovals(enclave, approvals), 'NotAnAttestor');
    });

    it('needs signatures over this very content', async () => {
      for (const change of [
        { policyId: randomField() },
        { hardwareIdHash: randomField() },
        { platform: 130 },
        { expiresAtUnix: (await stage.chain.nowUnix()) + DAY },
        { evidenceDigest: toHex(randomBytes(32)) },
      ]) {
        const enclave = await makeEnclave(stage);
        const approvals = await approve(stage, enclave);
        const changed = { ...enclave, registration: { ...enclave.registration, ...change } };
        await refuses(withApprovals(changed, approvals), 'ApprovalSignatureInvalid');
      }
    });

    it('needs signatures for this provider', async () => {
      const enclave = await makeEnclave(stage);
      const approvals = await approve(stage, enclave, undefined, { provider: stage.stranger.address.toLowerCase() as Hex });
      await refuses(withApprovals(enclave, approvals), 'ApprovalSignatureInvalid');
    });

    it('needs signatures for this registry', async () => {
      const enclave = await makeEnclave(stage);
      const elsewhere = { ...stage, deployment: { ...stage.deployment, registry: stage.deployment.escrow } };
      await refuses(withApprovals(enclave, await approve(elsewhere, enclave)), 'ApprovalSignatureInvalid');
    });

    it('needs approvals that have not expired', async () => {
      const enclave = await makeEnclave(stage);
      const deadlineUnix = (await stage.chain.nowUnix()) - 1;
      await refuses(withApprovals(enclave, await approve(stage, enclave, undefined, { deadlineUnix })), 'ApprovalExpired');
    });

    it('looks at no more than 32 approvals', async () => {
      const enclave = await makeEnclave(stage);
      const [one] = await approve(stage, enclave);
      await refuses(
        withApprovals(
          enclave,
          Array.from({ length: 33 }, () => one!),
        ),
        'TooManyApprovals',
      );
    });

    it('uses an approval once', async () => {
      const enclave = await makeEnclave(stage);
      const approvals = await approve(stage, enclave);
      await withApprovals(enclave, approvals);
      await refuses(withApprovals(enclave, approvals), 'ApprovalUsed');
    });

    it('keeps the threshold reachable and above 0', async () => {
      const { registry: owned } = stage.as(stage.owner);
      await refuses(owned.setThreshold(0), 'ThresholdInvalid');
      await refuses(owned.setThreshold(4), 'ThresholdInvalid');
      await owned.setThreshold(3);
      await refuses(owned.setAttestor(stage.attestors[0]!.address, false), 'ThresholdInvalid');
      await refuses(owned.setAttestor(stage.attestors[0]!.address, true), 'AttestorUnchanged');
    });

    it('cannot be reached before a threshold is set', async () => {
      const { poseidon2, poseidon5 } = stage.deployment;
      const args = [stage.owner.address, stage.guardian.address, poseidon2, poseidon5];
      const fresh = new RegistryContract(await deployContract(stage.owner, artifacts.EnclaveRegistry, args), stage.provider);
      const enclave = await makeEnclave({ ...stage, deployment: { ...stage.deployment, registry: fresh.access.address } });
      await refuses(fresh.register(enclave.registration, []), 'QuorumNotReached');
    });
  });

  describe('an on-chain quote check', () => {
    const evidenceFor = (enclave: StageEnclave, hardware = enclave.registration.hardwareIdHash) =>
      fromHex(AbiCoder.defaultAbiCoder().encode(['bytes32', 'uint256'], [enclave.keysetDigest, hardware]));
    const withEvidence = (enclave: StageEnclave, evidence: Uint8Array) => ({
      ...enclave.registration,
      evidenceDigest: sha256(hexlify(evidence)) as Hex,
    });

    beforeEach(async () => {
      const double = await deployContract(stage.owner, QuoteVerifierDouble, []);
      await stage.as(stage.owner).registry.access.send('setQuoteVerifier', [129, double]);
    });

    it('stands in for the quorum', async () => {
      const enclave = await makeEnclave(stage);
      const evidence = evidenceFor(enclave);
      await registry().registerWithQuote(withEvidence(enclave, evidence), evidence);
      assert.equal((await registry().registrations(0))[0]?.checkedOnChain, true);
    });

    it('still needs the provider’s consent', async () => {
      const enclave = await makeEnclave(stage);
      const evidence = evidenceFor(enclave);
      const { registry: strange } = stage.as(stage.stranger);
      await refuses(strange.registerWithQuote(withEvidence(enclave, evidence), evidence), 'ConsentMissing');
    });

    it('refuses another hardware identity than the evidence shows', async () => {
      const enclave = await makeEnclave(stage);
      const evidence = evidenceFor(enclave, 5n);
      await refuses(registry().registerWithQuote(withEvidence(enclave, evidence), evidence), 'HardwareMismatch');
    });

    it('refuses a digest of other evidence', async () => {
      const enclave = await makeEnclave(stage);
      await refuses(registry().registerWithQuote(enclave.registration, evidenceFor(enclave)), 'HardwareMismatch');
    });

    it('exists only for platforms that have one', async () => {
      const enclave = await makeEnclave(stage, { platform: 130 });
      await refuses(registry().registerWithQuote(enclave.registration, evidenceFor(enclave)), 'NoQuoteVerifier');
    });
  });

  it('cannot be deployed with another Poseidon than circomlib’s', async () => {
    const { poseidon2, router } = stage.deployment;
    const wrong = await deployContract(stage.owner, QuoteVerifierDouble, []);
    for (const [two, five] of [
      [wrong, router],
      [poseidon2, poseidon2],
    ]) {
      const args = [stage.owner.address, stage.guardian.address, two, five];
      await rejectsCode(deployContract(stage.owner, artifacts.EnclaveRegistry, args), 'STUN_CHAIN_REVERTED');
    }
  });

  it('takes approvals with a lifetime of an hour as valid to the second', async () => {
    const enclave = await makeEnclave(stage);
    const deadlineUnix = (await stage.chain.nowUnix()) + HOUR;
    const approvals = await approve(stage, enclave, undefined, { deadlineUnix });
    await stage.chain.request('evm_setNextBlockTimestamp', [deadlineUnix]);
    await registry().register(enclave.registration, approvals);
  });
});

/** A registry with attestors on a chain of another id; no families, since their keys are development keys. */
async function startStageOn(chainId: number): Promise<Stage> {
  const chain = await startDevChain({ chainId });
  const owner = chain.wallet(0);
  const attestors = [1, 2, 3].map((index) => chain.wallet(index));
  const poseidon2 = await deployContract(owner, artifacts.Poseidon2, []);
  const poseidon5 = await deployContract(owner, artifacts.Poseidon5, []);
  const guardian = chain.wallet(8);
  const args = [owner.address, guardian.address, poseidon2, poseidon5];
  const registry = new RegistryContract(await deployContract(owner, artifacts.EnclaveRegistry, args), owner);
  for (const attestor of attestors) await registry.setAttestor(attestor.address, true);
  await registry.setThreshold(2);
  const nothing = registry.access.address;
  const deployment = {
    chainId,
    deployBlock: 0,
    owner: owner.address.toLowerCase() as Hex,
    registry: nothing,
    router: nothing,
    models: nothing,
    escrow: nothing,
    court: nothing,
    token: nothing,
    poseidon2,
    poseidon5,
    poseidon6: nothing,
    inference: { family: toHex(randomBytes(32)), verifier: nothing },
    families: [],
  };
  const { contractsOf } = await import('#chain/deployment.ts');
  return {
    chain,
    deployment,
    owner,
    attestors,
    guardian,
    funder: chain.wallet(4),
    provider: chain.wallet(5),
    stranger: chain.wallet(6),
    feeAccount: chain.accounts[9]!.address,
    family: toHex(randomBytes(32)),
    provenFamily: toHex(randomBytes(32)),
    provenVerifier: registry.access,
    verifier: registry.access,
    as: (wallet) => contractsOf(deployment, wallet),
    close: () => chain.close(),
  };
}
