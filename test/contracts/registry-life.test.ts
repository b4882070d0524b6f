/** EnclaveRegistry: what happens to a leaf after registration. Properties E10 to E16 of PROPERTIES.md. */
import assert from 'node:assert/strict';
import { AbiCoder, keccak256, toBeHex } from 'ethers';
import { signEip712Revocation } from './revocation.ts';
import { enclaveTree, randomField } from '#protocol/index.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import {
  approve,
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

describe('contracts: EnclaveRegistry, life of a leaf', () => {
  let stage: Stage;
  before(async () => {
    stage = await startStage();
  });
  after(() => stage.close());
  restoreEachTest(() => stage);

  const registry = () => stage.as(stage.provider).registry;
  const register = async (enclave: StageEnclave) => registry().register(enclave.registration, await approve(stage, enclave));
  const root = () => registry().rootOf(stage.provider.address);
  const isLive = (value: bigint, frozenSeconds = 0) => registry().isLiveRoot(stage.provider.address, value, frozenSeconds);

  /** The same keyset, another registration. */
  const again = (enclave: StageEnclave, change: Partial<StageEnclave['registration']>): StageEnclave => ({
    ...enclave,
    registration: { ...enclave.registration, ...change },
  });

  it('keeps a superseded root for an hour, and longer by frozen time', async () => {
    await registerEnclave(stage);
    const old = await root();
    await registerEnclave(stage);
    const supersededAt = await stage.chain.nowUnix();
    assert.equal(await isLive(await root()), true);
    await stage.chain.request('evm_setNextBlockTimestamp', [supersededAt + HOUR]);
    await stage.chain.request('evm_mine');
    assert.equal(await isLive(old), true);
    await stage.chain.increaseTime(1);
    assert.equal(await isLive(old), false);
    assert.equal(await isLive(old, 1), true);
    assert.equal(await isLive(await root()), true);
    assert.equal(await isLive(randomField()), false);
    assert.equal(await isLive(0n), false);
  });

  it('lets a keyset take a leaf for another policy, up to eight, and renews a leaf by a later expiry', async () => {
    const first = await registerEnclave(stage);
    await refuses(register(first), 'LeafExists');
    await refuses(register(again(first, { expiresAtUnix: first.registration.expiresAtUnix - 1 })), 'LeafExists');
    const later = first.registration.expiresAtUnix + DAY;
    await register(again(first, { expiresAtUnix: later }));
    const renewed = await registry().leaf(first.keysetDigest, first.registration.policyId);
    assert.equal(renewed.index, 1);
    assert.equal(renewed.leaf.expiresAtUnix, later);
    for (let i = 0; i < 6; i++) await register(again(first, { policyId: randomField() }));
    await refuses(register(again(first, { policyId: randomField() })), 'TooManyLeaves');
  });

  it('never lets a keyset change its hardware or platform', async () => {
    const first = await registerEnclave(stage);
    await refuses(register(again(first, { policyId: 1n, hardwareIdHash: 2n })), 'HardwareMismatch');
    await refuses(register(again(first, { policyId: 1n, platform: 130 })), 'HardwareMismatch');
  });

  it('refuses a second keyset with the same receipt key', async () => {
    const first = await registerEnclave(stage);
    await refuses(register(await makeEnclave(stage, { receiptKey: first.receiptKey })), 'SignerReused');
    await registry().revoke(first.keysetDigest);
    await refuses(register(await makeEnclave(stage, { receiptKey: first.receiptKey })), 'SignerReused');
  });

  it('retires the predecessor on the same hardware, which stays in the tree', async () => {
    const first = await registerEnclave(stage);
    const { hardwareIdHash } = first.registration;
    const second = await registerEnclave(stage, { hardwareIdHash });
    const { provider } = stage;
    assert.equal((await registry().enclave(first.keysetDigest)).state, 'retired');
    assert.equal(await registry().activeKeysetOf(provider.address, hardwareIdHash), second.keysetDigest);
    const leaf = await registry().leaf(first.keysetDigest, first.registration.policyId);
    assert.equal(leaf.retired, true);
    assert.notEqual(leaf.treeLeaf, 0n);
    await refuses(register(again(first, { policyId: 5n })), 'KeysetNotActive');
  });

  it('retires by the provider alone, once', async () => {
    const enclave = await registerEnclave(stage);
    await refuses(stage.as(stage.guardian).registry.retire(enclave.keysetDigest), 'NotAllowed');
    const before = await root();
    await registry().retire(enclave.keysetDigest);
    assert.equal(await root(), before);
    assert.equal(await registry().activeKeysetOf(stage.provider.address, enclave.registration.hardwareIdHash), undefined);
    await refuses(registry().retire(enclave.keysetDigest), 'KeysetNotActive');
  });

  describe('revocation', () => {
    it('takes out every leaf of the keyset and kills all earlier roots of the provider', async () => {
      const other = await registerEnclave(stage);
      const rootBefore = await root();
      const enclave = await registerEnclave(stage);
      await register(again(enclave, { policyId: 3n }));
      const rootWith = await root();
      await registry().revoke(enclave.keysetDigest);
      const survivor = await registry().leaf(other.keysetDigest, other.registration.policyId);
      assert.equal(await root(), enclaveTree([survivor.treeLeaf]).root);
      assert.equal(await isLive(await root()), true);
      assert.equal(await isLive(rootWith), false);
      assert.equal(await isLive(rootWith, 30 * DAY), false);
      // The tree is now what it was before the enclave came: that root is current again, and rightly so.
      assert.equal(await root(), rootBefore);
      await rejectsCode(registry().leaf(enclave.keysetDigest, enclave.registration.policyId), 'STUN_ENCLAVE_NOT_LIVE');
      assert.equal((await registry().enclave(enclave.keysetDigest)).state, 'revoked');
    });

    it('leaves other providers’ roots alone', async () => {
      const enclave = await registerEnclave(stage);
      const strange = { ...stage, provider: stage.stranger };
      await registerEnclave(strange);
      const theirs = await registry().rootOf(stage.stranger.address);
      await registerEnclave(strange);
      await registry().revoke(enclave.keysetDigest);
      assert.equal(await registry().isLiveRoot(stage.stranger.address, theirs, 0), true);
    });

    it('is for ever', async () => {
      const enclave = await registerEnclave(stage);
      await registry().revoke(enclave.keysetDigest);
      await refuses(register(again(enclave, { policyId: 4n })), 'KeysetNotActive');
      await refuses(registry().revoke(enclave.keysetDigest), 'KeysetNotActive');
      await refuses(registry().retire(enclave.keysetDigest), 'KeysetNotActive');
    });

    it('reaches a retired keyset', async () => {
      const enclave = await registerEnclave(stage);
      await registry().retire(enclave.keysetDigest);
      const rootWith = await root();
      await registry().revoke(enclave.keysetDigest);
      assert.equal(await isLive(rootWith), false);
    });

    it('is the provider’s alone: guardian and owner cannot void unsettled work', async () => {
      const enclave = await registerEnclave(stage);
      for (const wallet of [stage.stranger, stage.owner, stage.guardian]) {
        await refuses(stage.as(wallet).registry.revoke(enclave.keysetDigest), 'NotAllowed');
      }
      await stage.as(stage.provider).registry.revoke(enclave.keysetDigest);
    });

    it('is a quorum’s too, which may deny the hardware', async () => {
      const enclave = await registerEnclave(stage);
      const { registry: strange } = stage.as(stage.stranger);
      const approvals = await signEip712Revocation(stage, enclave.keysetDigest, true, stage.attestors.slice(0, 2));
      await refuses(strange.revokeByQuorum(enclave.keysetDigest, false, approvals), 'ApprovalSignatureInvalid');
      await refuses(strange.revokeByQuorum(enclave.keysetDigest, true, approvals.slice(0, 1)), 'QuorumNotReached');
      await strange.revokeByQuorum(enclave.keysetDigest, true, approvals);
      assert.equal(await registry().isHardwareDenied(enclave.registration.hardwareIdHash), true);
      assert.equal((await registry().enclave(enclave.keysetDigest)).state, 'revoked');
    });

    it('is not done by approvals of a registration', async () => {
      const enclave = await registerEnclave(stage);
      const { registry: strange } = stage.as(stage.stranger);
      const approvals = await approve(stage, enclave);
      await refuses(strange.revokeByQuorum(enclave.keysetDigest, false, approvals), 'ApprovalSignatureInvalid');
    });
  });

  it('denies a hardware identity to every provider', async () => {
    const enclave = await makeEnclave(stage);
    await stage.as(stage.guardian).registry.denyHardware(enclave.registration.hardwareIdHash);
    await refuses(register(enclave), 'HardwareIsDenied');
    const strange = { ...stage, provider: stage.stranger };
    const theirs = await makeEnclave(strange, { hardwareIdHash: enclave.registration.hardwareIdHash });
    const { registry: other } = stage.as(stage.stranger);
    await refuses(other.register(theirs.registration, await approve(strange, theirs)), 'HardwareIsDenied');
  });

  describe('a slot', () => {
    it('is never used again while its leaf can be paid', async () => {
      const enclave = await registerEnclave(stage);
      const expiresAt = enclave.registration.expiresAtUnix;
      await refuses(register(await makeEnclave(stage, { slot: 0 })), 'SlotNotReusable');
      await registry().retire(enclave.keysetDigest);
      await refuses(register(await makeEnclave(stage, { slot: 0 })), 'SlotNotReusable');
      await stage.chain.request('evm_setNextBlockTimestamp', [expiresAt + 91 * DAY - 10]);
      await stage.chain.request('evm_mine');
      await refuses(register(await makeEnclave(stage, { slot: 0 })), 'SlotNotReusable');
      await stage.chain.increaseTime(10);
      const next = await makeEnclave(stage, { slot: 0 });
      const { event } = await register(next);
      assert.equal(event.index, 0);
      assert.equal(await root(), enclaveTree([event.leaf]).root);
      assert.equal((await registry().leaf(next.keysetDigest, next.registration.policyId)).index, 0);
      await rejectsCode(registry().leaf(enclave.keysetDigest, enclave.registration.policyId), 'STUN_ENCLAVE_NOT_LIVE');
    });

    it('is free at once when its leaf was revoked', async () => {
      const enclave = await registerEnclave(stage);
      await registry().revoke(enclave.keysetDigest);
      const { event } = await register(await makeEnclave(stage, { slot: 0 }));
      assert.equal(event.index, 0);
    });

    it('of another keyset is not touched by a late revocation', async () => {
      const enclave = await registerEnclave(stage);
      await stage.chain.increaseTime(30 * DAY + 91 * DAY + HOUR);
      const next = await makeEnclave(stage, { slot: 0 });
      const { event } = await register(next);
      await registry().revoke(enclave.keysetDigest);
      assert.equal((await registry().leaf(next.keysetDigest, next.registration.policyId)).treeLeaf, event.leaf);
    });

    it('is one of 1,024: a full tree takes no more', async () => {
      await registerEnclave(stage);
      const { registry: address } = stage.deployment;
      // Writes the count of used slots where the first registration left a 1: no test waits for 1,024 registrations.
      const isCount = async (place: string) =>
        BigInt(String(await stage.chain.request('eth_getStorageAt', [address, place, 'latest']))) === 1n << 32n;
      const places = Array.from({ length: 40 }, (_, slot) => {
        const base = keccak256(AbiCoder.defaultAbiCoder().encode(['address', 'uint256'], [stage.provider.address, slot]));
        return toBeHex(BigInt(base) + 1n, 32);
      });
      const found = await Promise.all(places.map(isCount));
      assert.equal(found.filter(Boolean).length, 1);
      const full = toBeHex(1024n << 32n, 32);
      await stage.chain.request('hardhat_setStorageAt', [address, places[found.indexOf(true)], full]);
      await refuses(register(await makeEnclave(stage)), 'TreeFull');
    });

    it('must have been used before', async () => {
      await refuses(register(await makeEnclave(stage, { slot: 7 })), 'SlotNotReusable');
    });
  });
});
