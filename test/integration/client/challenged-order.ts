/**
 * A challengeable order on the stage's chain with one batch of each outcome: answered and paid, refunded with a slash, paid without a challenge, pending.
 * Enclave, evidence, receipts and contracts are real. The keys of settlement and model have trapdoors that the test knows, so that proofs cost nothing;
 * they verify like any other.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { contractsOf, type Deployment } from '#chain/deployment.ts';
import { PUBLISHED_PAIRS, type PublishedSettlement } from '#chain/escrow.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import {
  exportAuditBundle,
  fetchResult,
  openOrder,
  submitJobs,
  type AuditBundle,
  type ClientConnection,
  type OrderRecord,
} from '#client/index.ts';
import {
  ASSURANCE,
  encodeTensors,
  laneGenesisOf,
  packPayee,
  publishedPairsOf,
  signalListWithPairs,
  toHex,
  type SettlementBundle,
} from '#protocol/index.ts';
import { addProvenFamily } from '#test/contracts/stage.ts';
import { makeTrapdoorKey, type TrapdoorKey } from '#test/contracts/trapdoor-key.ts';
import { trapdoorModel, type TrapdoorModel } from '#test/contracts/trapdoor-model.ts';
import { DAY, type ClientStage } from './stage.ts';

export const BOND = 40n;
export const SLASH = 301n;

/** What the tests look at. */
export interface ChallengedOrder {
  readonly client: ClientConnection;
  readonly order: OrderRecord;
  readonly model: TrapdoorModel;
  /** Exported while every batch was pending and the first two were challenged. */
  readonly early: AuditBundle;
  /** Exported when three batches had ended. */
  readonly bundle: AuditBundle;
  /** Of the batches in lane order. */
  readonly published: readonly PublishedSettlement[];
}

/** Adds a settlement family of the key to the chain, and to a record of the deployment. */
async function deploymentWith({ chain, deployment }: ClientStage, key: TrapdoorKey): Promise<Deployment> {
  const owner = chain.wallet(0);
  const contracts = contractsOf(deployment, owner);
  const { family } = await addProvenFamily(owner, contracts, toHex(sha256(key.bytes)));
  const { verifier, maxJobs, vkHash, ceremonyHash } = await contracts.router.family(family);
  const assurance = ASSURANCE.proven;
  const others = deployment.families.filter((one) => one.assurance !== assurance);
  return {
    ...deployment,
    families: [...others, { family, verifier, maxJobs, vkHash, ceremonyHash, assurance, development: true }],
  };
}

/** Settles a segment as its provider, with a proof made from the trapdoor. */
async function settle(stage: ClientStage, bundle: SettlementBundle, key: TrapdoorKey) {
  const { escrow, registry, court } = contractsOf(stage.deployment, stage.chain.wallet(5));
  const { order, provider, laneIndex, statement, jobs } = bundle;
  const isStart = statement.fromHead === laneGenesisOf({ orderId: order.orderId, provider, laneIndex });
  const signals = {
    enclaveRoot: await registry.rootOf(provider),
    orderId: order.orderId,
    laneOld: isStart ? 0n : statement.fromHead,
    laneNew: statement.toHead,
    receiptsRoot: statement.receiptsRoot,
    payee: packPayee({ provider, validAtUnix: await stage.chain.nowUnix(), laneIndex }),
    total: statement.total,
    domain: order.opening.domain,
  };
  const pairs = publishedPairsOf(
    jobs.map(({ demand, receipt }) => ({
      inputCommitment: demand.inputCommitment,
      outputCommitment: receipt.outputCommitment,
      price: receipt.price,
    })),
  );
  const published = { proof: key.prove(...signalListWithPairs(signals, pairs, PUBLISHED_PAIRS)), signals, pairs };
  const { receipt } = await escrow.settleChallengeable(order.place.funder, published);
  return { published, batchId: court.batchesIn(receipt)[0]!.batchId };
}

/** Serves five jobs, settles four batches of them, and lets the court decide on three. Account 8 may challenge too. */
export async function challengeOrder(stage: ClientStage): Promise<ChallengedOrder> {
  const { chain, service } = stage;
  const key = makeTrapdoorKey({ signals: 8 + 2 * PUBLISHED_PAIRS });
  const model = trapdoorModel();
  const { publicModel } = model;
  const { modelId } = publicModel.model;
  const enclave = await stage.addEnclave({ model: publicModel.model });
  const deployment = await deploymentWith(stage, key);
  await contractsOf(deployment, chain.wallet(0)).models.register(model.registration);
  const provider = contractsOf(deployment, chain.wallet(5)).court;
  await provider.depositStake(NATIVE_TOKEN, 4n * SLASH);

  const client = await stage.connect({ deployment });
  const challenger = chain.accounts[8]!.address;
  const periods = { challengeWindowSeconds: 3600, answerPeriodSeconds: DAY };
  const { order } = await openOrder(client, {
    modelId,
    publicModel,
    level: { assurance: 'challengeable', ...periods, bond: BOND, slash: SLASH, challenger },
    policy: stage.policy,
    budgets: [{ provider: stage.provider, amount: 10n ** 18n }],
    token: NATIVE_TOKEN,
    deadlineUnix: (await chain.nowUnix()) + 7 * DAY,
    graceSeconds: 2 * DAY,
    segmentLength: 2,
    priceScale: 10n,
  });

  const run = async (seed: number): Promise<void> => {
    const data = Uint8Array.of(seed, 2, 3);
    const payload = encodeTensors([{ name: 'x', dtype: 'uint8', dims: [3], data }]);
    const [job] = await submitJobs(client, order, [{ payload, maxPrice: 900n }]);
    await fetchResult(client, job!.jobId, { timeoutMs: 0 });
  };
  const closeAndSettle = async () => {
    service.closeSegments(enclave);
    return settle(stage, service.bundles.splice(0)[0]!, key);
  };
  const exportNow = async (): Promise<AuditBundle> =>
    exportAuditBundle(client, await client.store.orders.read(order.orderKey), { open: 'none' }, () =>
      Promise.resolve({ key: key.bytes, maxJobs: 16 }),
    );

  const settled = [];
  for (const seed of [1, 2, 3]) {
    await run(seed);
    settled.push(await closeAndSettle());
  }
  const [answered, refunded, quiet] = settled as [(typeof settled)[0], (typeof settled)[0], (typeof settled)[0]];
  const bond = { token: NATIVE_TOKEN, amount: BOND };
  await contractsOf(deployment, chain.wallet(4)).court.challenge(answered.batchId, 0, answered.published.pairs, bond);
  await contractsOf(deployment, chain.wallet(8)).court.challenge(refunded.batchId, 0, refunded.published.pairs, bond);
  const early = await exportNow();
  const [pair] = answered.published.pairs;
  const proof = model.key.prove(pair!.inputCommitment, pair!.outputCommitment);
  await provider.answer(answered.batchId, 0, answered.published.pairs, proof);
  await chain.increaseTime(DAY + 3600);
  await provider.finalise(answered.batchId);
  await contractsOf(deployment, chain.wallet(8)).court.refundUnanswered(refunded.batchId, 0);
  await provider.finalise(quiet.batchId);
  // The last batch has a job that failed, whose pair nobody can challenge.
  await run(4);
  service.lies = { fails: true };
  await run(5).finally(() => (service.lies = {}));
  settled.push(await closeAndSettle());
  return { client, order, model, early, bundle: await exportNow(), published: settled.map(({ published }) => published) };
}
