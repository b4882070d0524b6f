/** Whose word the key of a compiled model rests on, as an auditor finds it in the registry. */
import assert from 'node:assert/strict';
import type { ModelRegistryContract } from '#chain/models.ts';
import { AuditLedger, auditModel, type AuditCheck, type CeremonyFinding } from '#client/index.ts';
import { ASSURANCE, toHex, type ModelSetup } from '#protocol/index.ts';
import { lyingOf } from './lying.ts';
import { approvalsBy, nameCoordinators } from './real-model.ts';
import { HOUR, startStage, type Stage } from './stage.ts';
import { trapdoorModel, type TrapdoorModel } from './trapdoor-model.ts';

describe('audit of the setup of a compiled model', () => {
  let stage: Stage;
  const models = {} as Record<ModelSetup, TrapdoorModel>;

  before(async () => {
    stage = await startStage();
    const coordinators = await nameCoordinators(stage);
    const { chainId, models: registry } = stage.deployment;
    const place = { chainId, registry, deadlineUnix: (await stage.chain.nowUnix()) + HOUR };
    for (const setup of ['development', 'rehearsal', 'ceremony'] as const) {
      const model = trapdoorModel(setup);
      const approvals = setup === 'development' ? [] : approvalsBy(coordinators, model.registration, place);
      await stage.as(stage.stranger).models.register(model.registration, approvals);
      models[setup] = model;
    }
    await stage.as(stage.funder).models.approve(models.ceremony.publicModel.model.modelId);
  });
  after(() => stage.close());

  async function audit(
    { publicModel }: TrapdoorModel,
    change: { readonly models?: ModelRegistryContract; readonly assurance?: number } = {},
  ): Promise<{ readonly check: AuditCheck; readonly ceremony: CeremonyFinding | undefined }> {
    const ledger = new AuditLedger();
    ledger.unknown('order.publicModel.setup', 'as the bundle alone leaves it');
    const asked = { models: stage.as(stage.owner).models, assurance: ASSURANCE.challengeable, ...change };
    const ceremony = await auditModel({ ledger, publicModel, fromBlock: 0, ...asked });
    const [check, ...others] = ledger.list();
    assert.deepEqual(others, [], 'what the chain says stands in place of what was left open');
    return { check: check!, ceremony };
  }

  const lying = (name: 'model' | 'approvals', change: (answer: never) => unknown): ModelRegistryContract =>
    lyingOf(stage.as(stage.owner).models, name, change);

  it('names the ceremony, the coordinators who approved it, and who did so for himself', async () => {
    const { check, ceremony } = await audit(models.ceremony);
    assert.deepEqual([check.id, check.status], ['order.publicModel.setup', 'proven']);
    const [one, other] = stage.attestors.map(({ address }) => address.toLowerCase());
    assert.deepEqual(ceremony, {
      ceremonyHash: toHex(models.ceremony.publicModel.ceremonyHash),
      coordinators: [one!, other!].toSorted((a, b) => (a < b ? -1 : 1)),
      others: [stage.funder.address.toLowerCase()],
    });
  });

  it('leaves open what a development key, a rehearsal and a model that nobody registered are worth, and says which it is', async () => {
    const unregistered = audit(trapdoorModel('ceremony'), { assurance: ASSURANCE.attested });
    const open = [audit(models.development), audit(models.rehearsal), unregistered];
    const found = (await Promise.all(open)).map(({ check, ceremony }) => [check.status, ceremony, check.reason?.slice(0, 28)]);
    assert.deepEqual(found, [
      ['unknown', undefined, 'a development key: anybody c'],
      ['unknown', undefined, 'the key of a rehearsal: whoe'],
      ['unknown', undefined, 'the model is not registered:'],
    ]);
  });

  it('refutes a model above attested that the registry does not have', async () => {
    const { check } = await audit(trapdoorModel('ceremony'));
    assert.deepEqual([check.status, check.field, check.code], ['refuted', 'order.publicModel', 'STUN_MODEL_UNREGISTERED']);
  });

  const changes: readonly (readonly [says: string, lie: () => ModelRegistryContract])[] = [
    ['another key', () => lying('model', (model: object) => ({ ...model, vkHash: `0x${'01'.repeat(32)}` }))],
    ['another manifest', () => lying('model', (model: object) => ({ ...model, manifestSha256: `0x${'01'.repeat(32)}` }))],
    ['another ceremony', () => lying('model', (model: object) => ({ ...model, ceremonyHash: `0x${'01'.repeat(32)}` }))],
    ['no ceremony', () => lying('model', (model: object) => ({ ...model, development: true }))],
    ['nobody who approved', () => lying('approvals', () => [])],
    ['no coordinator', () => lying('approvals', (list: readonly object[]) => list.slice(-1))],
  ];
  for (const [says, lie] of changes) {
    it(`refutes a ceremony of which the registry shows ${says}`, async () => {
      const { check, ceremony } = await audit(models.ceremony, { models: lie() });
      assert.deepEqual([check.status, check.code, ceremony], ['refuted', 'STUN_CHAIN_DISAGREES', undefined]);
    });
  }

  it('stays open against a node that does not answer', async () => {
    await stage.chain.goOffline();
    const { check } = await audit(models.ceremony);
    await stage.chain.goOnline();
    assert.deepEqual([check.status, check.code], ['unknown', 'STUN_CHAIN_UNAVAILABLE']);
  });
});
