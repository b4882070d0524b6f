/** The level of an order and the terms that follow from it. docs/design.md section 4. */
import { ASSURANCE, StunError, type PublicModel, type Terms } from '#protocol/index.ts';
import { lowerAddress } from '#chain/contract-access.ts';
import { familyForJobs, type StunContracts } from '#chain/deployment.ts';
import { assertSetupCounts } from '#chain/models.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';

const ZERO_WORD = `0x${'00'.repeat(32)}`;

/** What has to be shown before the provider is paid. */
export type OrderLevel =
  | { readonly assurance: 'attested' }
  | { readonly assurance: 'proven' }
  | {
      readonly assurance: 'challengeable';
      /** How long a batch can be challenged after it settled. */
      readonly challengeWindowSeconds: number;
      /** How long a challenge can be answered, at least 24 hours. */
      readonly answerPeriodSeconds: number;
      /** What a challenger puts up, token units; the provider's when the challenge is answered. */
      readonly bond: bigint;
      /** What the provider loses when it is not, token units. */
      readonly slash: bigint;
      /** Who may challenge besides the funder. */
      readonly challenger?: string;
    };

/** The part of an order's plan that its level follows from. */
export interface LevelPlan {
  readonly modelId: bigint;
  /** The compiled model, where it is one: its jobs commit to tensors. Levels above `attested` need it. */
  readonly publicModel?: PublicModel;
  /** `attested` when left out. */
  readonly level?: OrderLevel;
  /** Accounts that must have approved the ceremony of the model, the customer's own among them if it likes. */
  readonly modelApprovedBy?: readonly string[];
  /** Jobs per settlement at most. */
  readonly segmentLength: number;
}

/** Terms that follow from the level. */
export type LevelTerms = Omit<Terms, 'segmentLength' | 'feeBps' | 'priceScale'>;

/**
 * The terms of a plan's level. Above `attested` the model must be registered, and approved by everybody whom the plan names.
 * @throws `STUN_ORDER_TERMS` when the level needs a compiled model, `STUN_MODEL_MISMATCH`, `STUN_MODEL_UNREGISTERED`, `STUN_MODEL_APPROVALS`,
 *   `STUN_FAMILY_UNKNOWN`, `STUN_CEREMONY_PTAU_DIGEST` for a model of a rehearsal outside the development chain, `STUN_CHAIN_*`
 */
export async function levelTerms(contracts: StunContracts, plan: LevelPlan): Promise<LevelTerms> {
  const { publicModel, modelId, segmentLength } = plan;
  if (publicModel !== undefined && publicModel.model.modelId !== modelId) {
    throw new StunError('STUN_MODEL_MISMATCH', 'the compiled model has another id than the order names');
  }
  const level = plan.level ?? { assurance: 'attested' };
  const assurance = ASSURANCE[level.assurance];
  const settlementFamily = familyForJobs(contracts.deployment, segmentLength, assurance).family;
  const unused = { challengeWindowSeconds: 0, answerPeriodSeconds: 0, bond: 0n, slash: 0n, challenger: NATIVE_TOKEN };
  if (level.assurance === 'attested') {
    return { assurance, publicModelId: 0n, settlementFamily, inferenceFamily: ZERO_WORD, ...unused };
  }
  if (publicModel === undefined) throw new StunError('STUN_ORDER_TERMS', `the level ${level.assurance} needs a compiled model`);
  assertSetupCounts(publicModel.model, contracts.deployment.chainId);
  await assertApproved(contracts, plan);
  const { family: inferenceFamily } = contracts.deployment.inference;
  const common = { assurance, publicModelId: modelId, settlementFamily, inferenceFamily };
  if (level.assurance === 'proven') return { ...common, ...unused };
  const { challengeWindowSeconds, answerPeriodSeconds, bond, slash, challenger = NATIVE_TOKEN } = level;
  return { ...common, challengeWindowSeconds, answerPeriodSeconds, bond, slash, challenger: lowerAddress(challenger) };
}

async function assertApproved({ models }: StunContracts, { modelId, modelApprovedBy = [] }: LevelPlan): Promise<void> {
  await models.model(modelId);
  for (const account of modelApprovedBy) {
    if (await models.isApprovedBy(modelId, account)) continue;
    throw new StunError('STUN_MODEL_APPROVALS', `${account} has not approved the ceremony of the model`);
  }
}
