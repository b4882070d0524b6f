/** ModelRegistry and InferenceVerifier: which key answers for a model. Properties N1 to N6 of PROPERTIES.md. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Wallet } from 'ethers';
import { artifacts } from '#chain/artifacts.ts';
import { ContractAccess } from '#chain/contract-access.ts';
import { deployContract } from '#chain/deploy.ts';
import { startDevChain } from '#chain/dev-chain.ts';
import type { ProofPoints } from '#chain/escrow.ts';
import { ModelRegistryContract, type ModelApproval } from '#chain/models.ts';
import { compiledModelId, FIELD_ORDER, fromHex, toHex, type Hex } from '#protocol/index.ts';
import { approvalsBy } from './real-model.ts';
import { HOUR, refuses, restoreEachTest, startStage, type Stage } from './stage.ts';
import { makeTrapdoorKey } from './trapdoor-key.ts';

const NO_CEREMONY: Hex = `0x${'00'.repeat(32)}`;
const Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
/** On the twist y^2 = x^3 + 3/(9 + i), at x = 2 + i: its order has another factor than r. */
const OUTSIDE_SUBGROUP = fromHex(
  '0x000000000000000000000000000000000000000000000000000000000000000100000000000000000000000000000000000000000000000000000000000000022b76c179599bb92a963dac85546a005a777f7c13f6a7b75d5918b6b5808f5fde101f7278419308b95099eca02dcee0c5381f4d26d1d62313f057167f064101ce',
  128,
);
const digest = (): Hex => toHex(randomBytes(32));

describe('contracts: ModelRegistry', () => {
  let stage: Stage;
  let models: ModelRegistryContract;
  const key = makeTrapdoorKey();
  before(async () => {
    stage = await startStage();
    models = stage.as(stage.owner).models;
    for (const one of stage.attestors) await models.setCoordinator(one.address, true);
    await models.setThreshold(2);
  });
  after(() => stage.close());
  restoreEachTest(() => stage);

  const idOf = (manifestSha256: Hex, ceremonyHash: Hex) =>
    compiledModelId(sha256(key.bytes), fromHex(manifestSha256, 32, 'manifest'), fromHex(ceremonyHash, 32, 'ceremony'));

  async function approvalsOf(
    registration: { readonly manifestSha256: Hex; readonly ceremonyHash: Hex },
    by: readonly Wallet[] = stage.attestors.slice(0, 2),
    change: { readonly deadlineUnix?: number; readonly registry?: Hex } = {},
  ): Promise<ModelApproval[]> {
    const { chainId, models: registry } = stage.deployment;
    const deadlineUnix = change.deadlineUnix ?? (await stage.chain.nowUnix()) + HOUR;
    return approvalsBy(by, { ...registration, verificationKey: key.bytes }, { chainId, registry, deadlineUnix, ...change });
  }

  it('registers a model with a ceremony under the identifier that the protocol computes, and keeps the key as code', async () => {
    const registration = { verificationKey: key.bytes, manifestSha256: digest(), ceremonyHash: digest() };
    const approvals = await approvalsOf(registration);
    // Anybody sends it.
    const { event } = await stage.as(stage.stranger).models.register(registration, approvals);
    assert.equal(event.modelId, idOf(registration.manifestSha256, registration.ceremonyHash));
    assert.deepEqual(await models.model(event.modelId), {
      modelId: event.modelId,
      key: event.key,
      development: false,
      vkHash: toHex(sha256(key.bytes)),
      manifestSha256: registration.manifestSha256,
      ceremonyHash: registration.ceremonyHash,
    });
    assert.equal(await stage.chain.provider.getCode(event.key), `0x00${toHex(key.bytes).slice(2)}`);
    assert.equal(await models.isApprovedBy(event.modelId, stage.attestors[0]!.address), true);
    assert.equal(await models.isApprovedBy(event.modelId, stage.attestors[2]!.address), false);
    await refuses(models.register(registration, approvals), 'ModelExists');
  });

  it('records the approval of a customer for its own policy', async () => {
    const { event } = await models.register({ verificationKey: key.bytes, manifestSha256: digest(), ceremonyHash: NO_CEREMONY });
    await stage.as(stage.funder).models.approve(event.modelId);
    assert.equal(await models.isApprovedBy(event.modelId, stage.funder.address), true);
    await refuses(stage.as(stage.funder).models.approve(event.modelId + 1n), 'ModelUnknown');
  });

  it('marks a development key, and refuses it on every other chain', async () => {
    const registration = { verificationKey: key.bytes, manifestSha256: digest(), ceremonyHash: NO_CEREMONY };
    const { event } = await models.register(registration);
    assert.equal((await models.model(event.modelId)).development, true);
    const chain = await startDevChain({ chainId: 4321, accountCount: 1 });
    try {
      const signer = chain.wallet(0);
      const poseidon6 = await deployContract(signer, artifacts.Poseidon6, []);
      const address = await deployContract(signer, artifacts.ModelRegistry, [signer.address, poseidon6]);
      await refuses(new ModelRegistryContract(address, signer).register(registration), 'DevelopmentModelRefused');
    } finally {
      await chain.close();
    }
  });

  describe('refuses approvals', () => {
    const registration = { verificationKey: key.bytes, manifestSha256: digest(), ceremonyHash: digest() };
    const send = (approvals: readonly ModelApproval[]) => models.register(registration, approvals);

    it('that are too few', async () => {
      await refuses(send((await approvalsOf(registration)).slice(1)), 'CoordinatorQuorumNotReached');
    });

    it('when no threshold was ever set', async () => {
      const poseidon6 = stage.deployment.poseidon6;
      const address = await deployContract(stage.owner, artifacts.ModelRegistry, [stage.owner.address, poseidon6]);
      const fresh = new ModelRegistryContract(address, stage.owner);
      await refuses(fresh.register(registration, []), 'CoordinatorQuorumNotReached');
    });

    it('of which one coordinator gave two', async () => {
      const [first] = await approvalsOf(registration);
      await refuses(send([first!, first!]), 'CoordinatorsNotSorted');
    });

    it('by somebody who is no coordinator', async () => {
      const approvals = await approvalsOf(registration, [stage.attestors[0]!, stage.stranger]);
      await refuses(send(approvals), 'NotACoordinator');
    });

    it('after their deadline', async () => {
      const deadlineUnix = await stage.chain.nowUnix();
      await stage.chain.increaseTime(1);
      await refuses(send(await approvalsOf(registration, undefined, { deadlineUnix })), 'ModelApprovalExpired');
    });

    it('of another ceremony', async () => {
      const approvals = await approvalsOf({ ...registration, ceremonyHash: digest() });
      await refuses(send(approvals), 'ModelApprovalInvalid');
    });

    it('of another manifest', async () => {
      const approvals = await approvalsOf({ ...registration, manifestSha256: digest() });
      await refuses(send(approvals), 'ModelApprovalInvalid');
    });

    it('of another key', async () => {
      const verificationKey = makeTrapdoorKey().bytes;
      const approvals = await approvalsOf(registration);
      await refuses(models.register({ ...registration, verificationKey }, approvals), 'ModelApprovalInvalid');
    });

    it('for another registry', async () => {
      const approvals = await approvalsOf(registration, undefined, { registry: stage.deployment.registry });
      await refuses(send(approvals), 'ModelApprovalInvalid');
    });
  });

  describe('refuses keys', () => {
    const send = (verificationKey: Uint8Array) =>
      models.register({ verificationKey, manifestSha256: digest(), ceremonyHash: NO_CEREMONY });
    const changed = (offset: number, bytes: Uint8Array): Uint8Array => {
      const copy = key.bytes.slice();
      copy.set(bytes, offset);
      return copy;
    };

    it('of another length', async () => {
      await refuses(send(key.bytes.slice(0, 639)), 'ModelKeyLength');
      await refuses(send(new Uint8Array([...key.bytes, 0])), 'ModelKeyLength');
    });

    const points = ['alpha', 'beta', 'gamma', 'delta', 'IC0', 'IC1', 'IC2'];
    for (const [index, offset] of [0, 64, 192, 320, 448, 512, 576].entries()) {
      const size = index >= 1 && index <= 3 ? 128 : 64;
      it(`whose ${points[index]} is off its curve, at infinity, or written a second way`, async () => {
        const last = offset + size - 1;
        await refuses(send(changed(last, Uint8Array.of(key.bytes[last]! ^ 1))), 'ModelKeyPoint');
        await refuses(send(changed(offset, new Uint8Array(size))), 'ModelKeyPoint');
        const word = BigInt(toHex(key.bytes.subarray(offset, offset + 32)));
        const alias = fromHex(`0x${(word + Q).toString(16).padStart(64, '0')}`, 32);
        await refuses(send(changed(offset, alias)), 'ModelKeyPoint');
      });
    }

    it('with a point of G2 outside the subgroup', async () => {
      await refuses(send(changed(64, OUTSIDE_SUBGROUP)), 'ModelKeyPoint');
    });

    it('for which anybody can forge: gamma equal to delta', async () => {
      await refuses(send(makeTrapdoorKey({ delta: 'gamma' }).bytes), 'ModelKeyForgeable');
    });
  });

  it('keeps the threshold of coordinators reachable', async () => {
    await refuses(models.setThreshold(0), 'CoordinatorThresholdInvalid');
    await refuses(models.setThreshold(4), 'CoordinatorThresholdInvalid');
    await models.setCoordinator(stage.attestors[2]!.address, false);
    await refuses(models.setCoordinator(stage.attestors[1]!.address, false), 'CoordinatorThresholdInvalid');
    await refuses(models.setCoordinator(stage.attestors[0]!.address, true), 'CoordinatorUnchanged');
    assert.equal(await models.threshold(), 2);
  });
});

describe('contracts: InferenceVerifier', () => {
  let stage: Stage;
  let verifier: ContractAccess;
  let keyAddress: Hex;
  const key = makeTrapdoorKey();
  const [input, output] = [11n, FIELD_ORDER - 1n];
  const good = key.prove(input, output);
  before(async () => {
    stage = await startStage();
    verifier = new ContractAccess(artifacts.InferenceVerifier, stage.deployment.inference.verifier, stage.owner);
    const registration = { verificationKey: key.bytes, manifestSha256: digest(), ceremonyHash: NO_CEREMONY };
    keyAddress = (await stage.as(stage.owner).models.register(registration)).event.key;
  });
  after(() => stage.close());

  const accepts = async (proof: ProofPoints, one = input, two = output, at: string = keyAddress): Promise<boolean> =>
    Boolean((await verifier.read('verifyProof', [at, [proof.a, proof.b, proof.c], one, two]))[0]);

  it('accepts a proof of its two commitments under its key, for less than 215,000 gas of execution', async () => {
    assert.equal(await accepts(good), true);
    const data = verifier.encode('verifyProof', [keyAddress, [good.a, good.b, good.c], input, output]);
    const whole = await stage.chain.provider.estimateGas({ to: data.to, data: data.data });
    const bytes = fromHex(data.data);
    const calldata = [...bytes].reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 0);
    assert.ok(Number(whole) - 21_000 - calldata < 215_000, `${whole} gas`);
  });

  const refused: readonly [string, () => Promise<boolean>][] = [
    ['another input', () => accepts(good, input + 1n)],
    ['another output', () => accepts(good, input, output - 1n)],
    ['the two commitments in the other order', () => accepts(good, output, input)],
    ['an input written a second way', () => accepts(key.prove(input + FIELD_ORDER, output), input + FIELD_ORDER, output)],
    ['an output written a second way', () => accepts(key.prove(input, output), input, output + FIELD_ORDER)],
    ['a proof for another key', () => accepts(makeTrapdoorKey().prove(input, output))],
    ['an address without a key', () => accepts(good, input, output, stage.deployment.escrow)],
    ['an address without code', () => accepts(good, input, output, stage.stranger.address)],
    ['a coordinate written a second way', () => accepts({ ...good, a: [BigInt(good.a[0]) + Q, good.a[1]] })],
    ['a point off the curve', () => accepts({ ...good, c: [good.c[0], BigInt(good.c[1]) ^ 1n] })],
    [
      'points that are zero',
      () =>
        accepts({
          a: [0n, 0n],
          b: [
            [0n, 0n],
            [0n, 0n],
          ],
          c: [0n, 0n],
        }),
    ],
  ];
  for (const [what, ask] of refused) {
    it(`refuses ${what}`, async () => {
      assert.equal(await ask(), false);
    });
  }
});
