/** The compiled model of an order: that the model id binds it, and whose word its key rests on. */
import type { ModelRegistryContract } from '#chain/models.ts';
import {
  ASSURANCE,
  publicModelFromWire,
  toHex,
  utf8,
  type Hex,
  type ModelSetup,
  type OpenedOrder,
  type PublicModel,
} from '#protocol/index.ts';
import { sha256 } from '@noble/hashes/sha2.js';
import type { AuditBundle } from './bundle.ts';
import { leaveOpen, refute, type AuditLedger, type CheckPlace } from './report.ts';

const WHAT_SETUP_LEAVES_OPEN: Readonly<Record<ModelSetup, string>> = {
  development: 'a development key: anybody can forge proofs of the model',
  rehearsal: 'the key of a rehearsal: whoever made its powers of tau can forge proofs of the model',
  ceremony: 'who approved the ceremony of the key only the chain knows',
};

const FIELD = 'order.publicModel';

/** Whose word the key of a model rests on. */
const SETUP: CheckPlace = { id: `${FIELD}.setup`, field: FIELD, binds: [FIELD, 'order.opening.modelId'] };

/** The compiled model that the order names, where the bundle holds it. */
export function verifyModel({ order: wire }: AuditBundle, order: OpenedOrder, ledger: AuditLedger): PublicModel | undefined {
  if (wire.publicModel === undefined) {
    if (order.terms.assurance !== ASSURANCE.attested)
      ledger.unknown(FIELD, 'the bundle does not hold the compiled model of the order');
    return undefined;
  }
  const found = ledger.check({ ...SETUP, id: FIELD }, () => {
    const publicModel = publicModelFromWire(wire.publicModel);
    if (publicModel.model.modelId !== order.opening.modelId) refute('the compiled model is not that of the order');
    return publicModel;
  });
  if (found !== undefined) ledger.unknown(SETUP.id, WHAT_SETUP_LEAVES_OPEN[found.model.setup]);
  return found;
}

/** The ceremony of a model's key, as the registry holds it. */
export interface CeremonyFinding {
  /** sha256 of the transcript. */
  readonly ceremonyHash: Hex;
  /** Coordinators whose approvals registered the model. */
  readonly coordinators: readonly Hex[];
  /** Accounts that approved it for themselves. */
  readonly others: readonly Hex[];
}

/** Whom to ask about a model. */
export interface ModelAudit {
  readonly ledger: AuditLedger;
  readonly models: ModelRegistryContract;
  readonly publicModel: PublicModel;
  /** Of the order. */
  readonly assurance: number;
  /** Block before which the model was not registered. */
  readonly fromBlock: number;
}

/**
 * Asks the registry whose word the key of a model rests on. A ceremony that coordinators approved is proven; a development key, a rehearsal and a
 * model that nobody registered stay unknown, with the reason. Does not verify the ceremony's transcript, nor that its coordinators deserve trust.
 * @returns the ceremony with who approved it
 */
export function auditModel({
  ledger,
  models,
  publicModel,
  assurance,
  fromBlock,
}: ModelAudit): Promise<CeremonyFinding | undefined> {
  const { modelId, setup, vkHash } = publicModel.model;
  return ledger.checkAsync(SETUP, async () => {
    if (!(await models.isRegistered(modelId))) {
      if (assurance !== ASSURANCE.attested)
        refute('the registry has no such model, without which nobody can open the order', 'STUN_MODEL_UNREGISTERED');
      leaveOpen('the model is not registered: nobody approved a ceremony of its key');
    }
    const registered = await models.model(modelId);
    const ceremonyHash = toHex(publicModel.ceremonyHash);
    const agrees =
      registered.vkHash === vkHash &&
      registered.manifestSha256 === toHex(sha256(utf8(publicModel.manifest))) &&
      registered.ceremonyHash === ceremonyHash &&
      registered.development === (setup === 'development');
    if (!agrees) refute('the registry holds another key, manifest or ceremony of the model', 'STUN_CHAIN_DISAGREES');
    if (setup !== 'ceremony') leaveOpen(WHAT_SETUP_LEAVES_OPEN[setup]);
    const [registration] = await models.registrations(modelId, fromBlock);
    const approvals = await models.approvals(modelId, fromBlock);
    const isOfQuorum = ({ place }: (typeof approvals)[number]) => place.transactionHash === registration?.place.transactionHash;
    const [coordinators, others] = [approvals.filter(isOfQuorum), approvals.filter((one) => !isOfQuorum(one))].map((list) =>
      list.map(({ by }) => by),
    ) as [Hex[], Hex[]];
    if (coordinators.length === 0) refute('the registry shows nobody who approved the ceremony', 'STUN_CHAIN_DISAGREES');
    return { ceremonyHash, coordinators, others };
  });
}
