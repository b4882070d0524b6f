/** A compiled model under the key of a ceremony: approved, registered, verified and challenged, on the development chain and off it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Wallet } from 'ethers';
import { artifacts } from '#chain/artifacts.ts';
import { ContractAccess } from '#chain/contract-access.ts';
import { deployContract } from '#chain/deploy.ts';
import { startDevChain } from '#chain/dev-chain.ts';
import { assertSetupCounts, ModelRegistryContract } from '#chain/models.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import type { CompiledFolder } from '#circuits/model/folder.ts';
import { levelTerms, type LevelPlan } from '#client/order-level.ts';
import { publicModelOf } from '#cli/commands/public-model.ts';
import { buildProgram } from '#cli/program.ts';
import { Runner } from '#cli/runner.ts';
import { fieldToHex } from '#protocol/index.ts';
import { adoptedFixture } from '#test/circuits/adopted-model.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { compiledFixture } from '#test/unit/worker/compiled-fixture.ts';
import { BOND, challengeableTerms, publishedBatch, SLASH } from './published.ts';
import {
  approvalsBy,
  nameCoordinators,
  proveInferences,
  registerAdopted,
  registrationOf,
  type ProvenInference,
} from './real-model.ts';
import { openOrder, refuses, registerEnclave, restoreEachTest, startStage, type Stage } from './stage.ts';

const OTHER_CHAIN = 4321;

describe('contracts: a compiled model under the key of a ceremony', function () {
  this.timeout(240_000);
  let stage: Stage;
  let adopted: CompiledFolder & { readonly directory: string };
  let proven: ProvenInference[];
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-model-ceremony-'));
    adopted = await adoptedFixture();
    proven = await proveInferences([
      [1, 2, 3, 4],
      [9, 200, 0, 77],
    ]);
    stage = await startStage();
    await writeFile(join(folder, 'deployment.json'), JSON.stringify(stage.deployment));
    // Whose families may count there; the setup of the model is what is refused.
    const families = stage.deployment.families.map((family) => ({ ...family, development: false }));
    await writeFile(join(folder, 'elsewhere.json'), JSON.stringify({ ...stage.deployment, chainId: OTHER_CHAIN, families }));
  });
  after(async () => {
    await stage.close();
    await rm(folder, { recursive: true, force: true });
  });
  restoreEachTest(() => stage);

  describe('on the command line', () => {
    const at = (name: string): string => join(folder, name);
    afterEach(() => delete process.env['STUN_PRIVATE_KEY']);

    async function stun(by: Wallet, args: readonly string[], deployment = 'deployment.json') {
      process.env['STUN_PRIVATE_KEY'] = by.privateKey;
      const runner = new Runner({ progress: () => {}, signal: new AbortController().signal });
      const place = ['--deployment', at(deployment), '--rpc', stage.chain.url];
      await buildProgram(runner).parseAsync([...place, 'model', ...args], { from: 'user' });
      return runner.result!.document as Record<string, unknown>;
    }

    it('is approved by coordinators, and registered with a quorum of them alone', async () => {
      const approvals = [];
      for (const [i, coordinator] of (await nameCoordinators(stage)).entries()) {
        await stun(coordinator, ['approve', adopted.directory, '--out', at(`${i}.json`)]);
        approvals.push('--approval', at(`${i}.json`));
      }
      const register = ['register', adopted.directory];
      await rejectsCode(stun(stage.stranger, [...register, ...approvals.slice(2)]), 'STUN_MODEL_APPROVALS');
      const registered = await stun(stage.stranger, [...register, ...approvals]);
      assert.deepEqual([registered['modelId'], registered['development']], [fieldToHex(adopted.model.modelId), false]);
    });

    it('is refused outside the development chain, being a rehearsal; the development key too', async () => {
      const { directory: development } = await compiledFixture();
      const elsewhere = (verb: string, of: string) =>
        stun(stage.stranger, [verb, of, ...(verb === 'approve' ? ['--out', at('none.json')] : [])], 'elsewhere.json');
      for (const verb of ['approve', 'register']) {
        await rejectsCode(elsewhere(verb, adopted.directory), 'STUN_CEREMONY_PTAU_DIGEST');
      }
      await rejectsCode(elsewhere('register', development), 'STUN_CHAIN_DEVELOPMENT_VERIFIER');
      await rejectsCode(elsewhere('approve', development), 'STUN_INPUT');
    });
  });

  it('is ordered over where its setup counts, and approved by whom the customer names', async () => {
    const contracts = stage.as(stage.funder);
    const elsewhere = { ...contracts, deployment: { ...contracts.deployment, chainId: OTHER_CHAIN } };
    const planOf = async (directory: string, modelApprovedBy: readonly string[] = []): Promise<LevelPlan> => {
      const publicModel = await publicModelOf(directory);
      const { modelId } = publicModel.model;
      return { publicModel, modelId, level: { assurance: 'proven' }, segmentLength: 16, modelApprovedBy };
    };
    await rejectsCode(levelTerms(elsewhere, await planOf(adopted.directory)), 'STUN_CEREMONY_PTAU_DIGEST');
    const { directory: development } = await compiledFixture();
    await rejectsCode(levelTerms(elsewhere, await planOf(development)), 'STUN_CHAIN_DEVELOPMENT_VERIFIER');
    assertSetupCounts({ name: 'tiny', setup: 'ceremony' }, OTHER_CHAIN);

    const { modelId } = await registerAdopted(stage);
    const [coordinator, , other] = stage.attestors;
    const terms = await levelTerms(contracts, await planOf(adopted.directory, [coordinator!.address]));
    assert.equal(terms.publicModelId, modelId);
    await rejectsCode(levelTerms(contracts, await planOf(adopted.directory, [other!.address])), 'STUN_MODEL_APPROVALS');
  });

  // What the chain itself sees of a ceremony is that coordinators approved it.
  it('is registered and verified on another chain, where its development key is refused', async () => {
    const chain = await startDevChain({ chainId: OTHER_CHAIN, accountCount: 2 });
    try {
      const [owner, coordinator] = [chain.wallet(0), chain.wallet(1)];
      const poseidon6 = await deployContract(owner, artifacts.Poseidon6, []);
      const registry = await deployContract(owner, artifacts.ModelRegistry, [owner.address, poseidon6]);
      const models = new ModelRegistryContract(registry, owner);
      await models.setCoordinator(coordinator.address, true);
      await models.setThreshold(1);
      const registration = registrationOf(adopted);
      const deadlineUnix = (await chain.nowUnix()) + 60;
      const elsewhere = approvalsBy([coordinator], registration, { chainId: 31337, registry, deadlineUnix });
      await refuses(models.register(registration, elsewhere), 'ModelApprovalInvalid');
      const approvals = approvalsBy([coordinator], registration, { chainId: OTHER_CHAIN, registry, deadlineUnix });
      const { event } = await models.register(registration, approvals);
      assert.deepEqual([event.modelId, event.development], [adopted.model.modelId, false]);
      await refuses(models.register(registrationOf(await compiledFixture())), 'DevelopmentModelRefused');

      const address = await deployContract(owner, artifacts.InferenceVerifier, []);
      const verifier = new ContractAccess(artifacts.InferenceVerifier, address, owner);
      const [{ pair, answer }, other] = proven as [ProvenInference, ProvenInference];
      const accepts = async ({ inputCommitment, outputCommitment }: ProvenInference['pair']): Promise<unknown> =>
        (await verifier.read('verifyProof', [event.key, [answer.a, answer.b, answer.c], inputCommitment, outputCommitment]))[0];
      assert.equal(await accepts(pair), true);
      assert.equal(await accepts({ ...pair, outputCommitment: other.pair.outputCommitment }), false);
    } finally {
      await chain.close();
    }
  });

  it('answers a challenge with the inference proof of that pair, and with no other', async () => {
    await registerEnclave(stage);
    const { modelId } = await registerAdopted(stage);
    await stage.as(stage.provider).court.depositStake(NATIVE_TOKEN, SLASH);
    const order = await openOrder(stage, { terms: challengeableTerms(stage, { modelId }) });
    const batch = { ...(await publishedBatch(stage, order, [])), pairs: proven.map(({ pair }) => pair) };
    const { receipt } = await stage.as(stage.provider).escrow.settleChallengeable(stage.funder.address, batch);
    const [recorded] = stage.as(stage.owner).court.batchesIn(receipt);
    const { court } = stage.as(stage.funder);
    await court.challenge(recorded!.batchId, 1, batch.pairs, { token: NATIVE_TOKEN, amount: BOND });
    const answer = (by: ProvenInference) => stage.as(stage.stranger).court.answer(recorded!.batchId, 1, batch.pairs, by.answer);
    await refuses(answer(proven[0]!), 'InferenceProofInvalid');
    await answer(proven[1]!);
    assert.equal((await court.challengeOf(recorded!.batchId, 1)).state, 'answered');
    assert.equal(await court.credit(NATIVE_TOKEN, stage.provider.address), BOND);
  });
});
