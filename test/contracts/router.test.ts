/** VerifierRouter: which keys may verify, tombstones, freezes. Properties R1 to R6 of PROPERTIES.md. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { keccak256 } from 'ethers';
import { deployContract, deployStun } from '#chain/deploy.ts';
import { startDevChain } from '#chain/dev-chain.ts';
import { RouterContract, settlementFamilyIdOf } from '#chain/router.ts';
import { artifacts } from '#chain/artifacts.ts';
import { FIELD_ORDER, toHex } from '#protocol/index.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import PermissiveVerifier from '#chain/generated/PermissiveVerifier.json' with { type: 'json' };
import { DAY, NO_PROOF, refuses, restoreEachTest, startStage, type Stage } from './stage.ts';

const word = () => toHex(randomBytes(32));

describe('contracts: VerifierRouter', () => {
  let stage: Stage;
  before(async () => {
    stage = await startStage();
  });
  after(() => stage.close());
  restoreEachTest(() => stage);

  const verifier = (vkHash: string, n: number, development: boolean) =>
    deployContract(stage.owner, PermissiveVerifier, [vkHash, n, development]);

  it('adds a family under the identifier of its N and key, and lists it with its provenance', async () => {
    const { router } = stage.as(stage.owner);
    const [vkHash, ceremony] = [word(), word()];
    const address = await verifier(vkHash, 64, false);
    await router.allowVerificationKey(vkHash, ceremony);
    await router.addSettlementFamily(address, 64, vkHash, ceremony);
    const family = settlementFamilyIdOf(64, vkHash);
    assert.equal((await router.access.read('settlementFamilyId', [64, vkHash]))[0], family);
    const info = await router.family(family);
    assert.equal(info.verifier, address);
    assert.equal(info.maxJobs, 64);
    assert.equal(info.ceremonyHash, ceremony);
    assert.equal(info.development, false);
    assert.equal(await router.isFamilyOpen(family), true);
  });

  it('refuses a family whose key hash is not the verifier’s', async () => {
    const address = await verifier(word(), 16, true);
    await refuses(stage.as(stage.owner).router.addSettlementFamily(address, 16, word(), word()), 'VerificationKeyMismatch');
  });

  it('refuses a family whose N is not the verifier’s', async () => {
    const vkHash = word();
    const address = await verifier(vkHash, 16, true);
    await refuses(stage.as(stage.owner).router.addSettlementFamily(address, 64, vkHash, word()), 'MaxJobsMismatch');
  });

  it('refuses an N that does not fit its field', async () => {
    const vkHash = word();
    const address = await verifier(vkHash, 65536, true);
    const call = stage.as(stage.owner).router.addSettlementFamily(address, 65536, vkHash, word());
    await refuses(call, 'SafeCastOverflowedUintDowncast');
  });

  it('refuses a production key that no ceremony was allowed for', async () => {
    const vkHash = word();
    const address = await verifier(vkHash, 16, false);
    await refuses(stage.as(stage.owner).router.addSettlementFamily(address, 16, vkHash, word()), 'CeremonyNotAllowed');
  });

  it('refuses a production key under another transcript than the allowed one', async () => {
    const vkHash = word();
    const address = await verifier(vkHash, 16, false);
    const { router } = stage.as(stage.owner);
    await router.allowVerificationKey(vkHash, word());
    await refuses(router.addSettlementFamily(address, 16, vkHash, word()), 'CeremonyNotAllowed');
  });

  it('never lets the transcript of an allowed key change', async () => {
    const vkHash = word();
    const { router } = stage.as(stage.owner);
    await router.allowVerificationKey(vkHash, word());
    await refuses(router.allowVerificationKey(vkHash, word()), 'CeremonyNotAllowed');
  });

  it('refuses a development verifier on every other chain, in the contract and in the deployment', async () => {
    const chain = await startDevChain({ chainId: 1234 });
    try {
      const owner = chain.wallet(0);
      const router = new RouterContract(
        await deployContract(owner, artifacts.VerifierRouter, [owner.address, owner.address]),
        owner,
      );
      const vkHash = word();
      const address = await deployContract(owner, PermissiveVerifier, [vkHash, 16, true]);
      await refuses(router.addSettlementFamily(address, 16, vkHash, word()), 'DevelopmentVerifierRefused');
      const options = { attestors: [owner.address], threshold: 1, feeBps: 0, feeAccount: owner.address, guardian: owner.address };
      await rejectsCode(deployStun(owner, options), 'STUN_CHAIN_DEVELOPMENT_VERIFIER');
    } finally {
      await chain.close();
    }
  });

  it('adds proven families of sixteen jobs, which say that they publish pairs', async () => {
    const { router } = stage.as(stage.owner);
    const [vkHash, other] = [word(), word()];
    await router.addProvenFamily(await verifier(vkHash, 16, true), 16, vkHash, word());
    const info = await router.family(settlementFamilyIdOf(16, vkHash));
    assert.deepEqual([info.assurance, info.maxJobs], [2, 16]);
    await refuses(router.addProvenFamily(await verifier(other, 64, true), 64, other, word()), 'MaxJobsMismatch');
    await refuses(router.addProvenFamily(await verifier(other, 16, false), 16, other, word()), 'CeremonyNotAllowed');
  });

  it('names an inference family after the code of its verifier, and never takes it for a settlement family', async () => {
    const { router } = stage.as(stage.owner);
    const { family, verifier: address } = stage.deployment.inference;
    assert.equal(
      (await router.access.read('inferenceFamilyId', [keccak256(await stage.chain.provider.getCode(address))]))[0],
      family,
    );
    assert.equal(String((await router.access.read('inferenceVerifierOf', [family]))[0]).toLowerCase(), address);
    await refuses(router.access.read('openableFamily', [family]), 'FamilyKindMismatch');
    await refuses(router.access.read('inferenceVerifierOf', [stage.family]), 'FamilyKindMismatch');
    await refuses(router.addInferenceFamily(address), 'FamilyExists');
    await refuses(router.addInferenceFamily(stage.stranger.address), 'ZeroValue');
    await stage.as(stage.guardian).router.freeze(family, DAY);
    await refuses(router.access.read('inferenceVerifierOf', [family]), 'FamilyIsFrozen');
    await router.tombstone(family);
    await refuses(router.access.read('inferenceVerifierOf', [family]), 'FamilyIsTombstoned');
  });

  it('never replaces the verifier of a family, tombstoned or not', async () => {
    const { router } = stage.as(stage.owner);
    const { vkHash } = await router.family(stage.family);
    const other = await verifier(vkHash, 16, true);
    await refuses(router.addSettlementFamily(other, 16, vkHash, word()), 'FamilyExists');
    await router.tombstone(stage.family);
    await refuses(router.addSettlementFamily(other, 16, vkHash, word()), 'FamilyExists');
    await refuses(router.tombstone(stage.family), 'FamilyIsTombstoned');
    await refuses(router.access.read('verifierOf', [stage.family]), 'FamilyIsTombstoned');
  });

  it('knows nothing of a family that was never added', async () => {
    const { router } = stage.as(stage.owner);
    await refuses(router.frozenSecondsSince(word(), 0), 'FamilyUnknown');
    await refuses(router.tombstone(word()), 'FamilyUnknown');
    assert.equal(await router.isFamilyOpen(word()), false);
  });

  it('lets the owner not freeze, and the guardian end no family', async () => {
    await refuses(stage.as(stage.owner).router.freeze(stage.family, 1), 'NotGuardian');
    await refuses(stage.as(stage.guardian).router.tombstone(stage.family), 'OwnableUnauthorizedAccount');
  });

  it('counts frozen time since any moment, running freezes included', async () => {
    const { router } = stage.as(stage.guardian);
    const start = await stage.chain.nowUnix();
    await router.freeze(stage.family, DAY);
    const frozenAt = await stage.chain.nowUnix();
    assert.equal(await router.isFamilyOpen(stage.family), false);
    await stage.chain.increaseTime(3600);
    const first = (await stage.chain.nowUnix()) - frozenAt;
    assert.equal(await router.frozenSecondsSince(stage.family, start), first);
    assert.equal(await router.frozenSecondsSince(stage.family, frozenAt + 600), first - 600);
    await router.unfreeze(stage.family);
    const thawedAt = await stage.chain.nowUnix();
    assert.equal(await router.isFamilyOpen(stage.family), true);
    await stage.chain.increaseTime(DAY);
    assert.equal(await router.frozenSecondsSince(stage.family, start), thawedAt - frozenAt);
    assert.equal(await router.frozenSecondsSince(stage.family, thawedAt), 0);
    await router.freeze(stage.family, 50);
    await stage.chain.increaseTime(1000);
    assert.equal(await router.frozenSecondsSince(stage.family, start), thawedAt - frozenAt + 50);
    assert.equal((await router.family(stage.family)).frozenSecondsUsed, thawedAt - frozenAt + 50);
  });

  it('lapses a freeze by itself and never freezes more than 30 days over a life', async () => {
    const { router } = stage.as(stage.guardian);
    await refuses(router.freeze(stage.family, 30 * DAY + 1), 'FreezeTooLong');
    await refuses(router.freeze(stage.family, 0), 'ZeroValue');
    await router.freeze(stage.family, 30 * DAY);
    await refuses(router.freeze(stage.family, 1), 'FamilyIsFrozen');
    await stage.chain.increaseTime(30 * DAY);
    assert.equal(await router.isFamilyOpen(stage.family), true);
    await refuses(router.freeze(stage.family, 1), 'FreezeTooLong');
    await refuses(router.unfreeze(stage.family), 'FamilyNotFrozen');
  });

  it('bounds the number of freezes', async () => {
    const { router } = stage.as(stage.guardian);
    for (let i = 0; i < 32; i++) {
      await router.freeze(stage.family, 1);
      await stage.chain.increaseTime(2);
    }
    await refuses(router.freeze(stage.family, 1), 'TooManyFreezes');
  });

  describe('a forgery shown to it', () => {
    const impossible = (total: bigint) => [NO_PROOF.a, NO_PROOF.b, NO_PROOF.c, total] as const;
    const show = (total: bigint) => {
      const [a, b, c] = impossible(total);
      return stage
        .as(stage.stranger)
        .router.access.send('tombstoneByForgery', [stage.family, [a, b, c], [0n, 0n, 0n, 0n, 0n, 0n, total, 0n]]);
    };

    it('ends the family when an impossible total verifies', async () => {
      await show(16n << 64n);
      assert.equal((await stage.as(stage.owner).router.family(stage.family)).tombstoned, true);
    });

    it('changes nothing when the statement is possible', async () => {
      await refuses(show((16n << 64n) - 1n), 'NotAForgery');
    });

    it('changes nothing when the total is an alias of a possible one', async () => {
      await refuses(show(FIELD_ORDER + 1n), 'NotAForgery');
    });

    it('of pairs ends a proven family the same way, and no family of the other kind', async () => {
      const { router } = stage.as(stage.owner);
      const vkHash = word();
      await router.addProvenFamily(await verifier(vkHash, 16, true), 16, vkHash, word());
      const family = settlementFamilyIdOf(16, vkHash);
      const signals = (total: bigint) => Array.from({ length: 40 }, (_, i) => (i === 6 ? total : 0n));
      const proof = [NO_PROOF.a, NO_PROOF.b, NO_PROOF.c];
      const end = (of: string, total: bigint) => router.access.send('tombstoneProvenByForgery', [of, proof, signals(total)]);
      await refuses(end(stage.family, 16n << 64n), 'FamilyKindMismatch');
      await refuses(
        router.access.send('tombstoneByForgery', [family, proof, signals(16n << 64n).slice(0, 8)]),
        'FamilyKindMismatch',
      );
      await refuses(end(stage.deployment.inference.family, 16n << 64n), 'FamilyKindMismatch');
      await refuses(end(family, (16n << 64n) - 1n), 'NotAForgery');
      await end(family, 16n << 64n);
      assert.equal((await router.family(family)).tombstoned, true);
    });

    it('changes nothing when the verifier refuses the proof', async () => {
      await stage.verifier.send('setAccepts', [false]);
      await refuses(show(16n << 64n), 'NotAForgery');
    });
  });
});
