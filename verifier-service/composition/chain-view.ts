/** The chain behind ChainView: chain/'s contracts on one JSON-RPC node. */
import { readFileSync } from 'node:fs';
import type { Block, JsonRpcProvider } from 'ethers';
import { connectStun, parseDeployment, type Deployment, type StunContracts } from '#chain/deployment.ts';
import { chainErrorOf } from '#chain/errors.ts';
import { refundedOf, settledOf } from '#chain/escrow-events.ts';
import { openRpcProvider } from '#chain/rpc-provider.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { BlockView, ChainView } from '../ports.ts';

/** Reads the deployment record. @throws `STUN_CONFIG`, `STUN_CHAIN_DEPLOYMENT` */
export function loadDeployment(path: string): Deployment {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new StunError('STUN_CONFIG', 'deployment: the file is missing or no JSON', { cause });
  }
  return parseDeployment(value);
}

/** An open connection. */
export interface OpenChain {
  readonly view: ChainView;
  readonly contracts: StunContracts;
  readonly provider: JsonRpcProvider;
  /** Ends the requests under way and every later one with `STUN_CHAIN_UNAVAILABLE`. */
  abort(): void;
  close(): void;
}

/** Connects to a node and checks that the deployment is there. @throws `STUN_CHAIN_*` */
export async function openChain(deployment: Deployment, rpcUrl: string): Promise<OpenChain> {
  const aborting = new AbortController();
  const provider = openRpcProvider(rpcUrl, deployment.chainId, { signal: aborting.signal });
  try {
    const contracts = await connectStun(deployment, provider);
    const view = chainView(contracts, provider);
    return { view, contracts, provider, abort: () => aborting.abort(), close: () => provider.destroy() };
  } catch (thrown) {
    provider.destroy();
    throw thrown;
  }
}

/** The view of contracts on a provider. */
export function chainView(contracts: StunContracts, provider: JsonRpcProvider): ChainView {
  const { deployment, escrow, court, registry, router } = contracts;
  const getBlock = async (which: number | string): Promise<BlockView | undefined> => {
    let block: Block | null;
    try {
      block = await provider.getBlock(which);
    } catch (thrown) {
      throw chainErrorOf(thrown, 'reading a block');
    }
    if (block?.hash === null || block?.hash === undefined) return undefined;
    return { number: block.number, hash: block.hash, timestampUnix: block.timestamp };
  };
  const frozenSeconds = async (families: readonly string[], sinceUnix: number): Promise<number> => {
    const each = await Promise.all(families.map((family) => router.frozenSecondsSince(family, sinceUnix)));
    return each.reduce((sum, seconds) => sum + seconds, 0);
  };
  return {
    chainId: deployment.chainId,
    escrow: deployment.escrow,
    registry: deployment.registry,
    deployBlock: deployment.deployBlock,
    families: deployment.families.map((family) => family.family),
    async newestBlock() {
      const block = await getBlock('latest');
      if (block === undefined) throw new StunError('STUN_CHAIN_UNAVAILABLE', 'the node has no newest block');
      return block;
    },
    block: getBlock,
    order: (funder, orderId) => escrow.order(funder, orderId),
    budget: (orderKey, provider_) => escrow.budget(orderKey, provider_),
    lane: (orderKey, provider_, laneIndex) => escrow.lane(orderKey, provider_, laneIndex),
    enclave: (keysetDigest) => registry.enclave(keysetDigest),
    leaf: (keysetDigest, policyId) => registry.leaf(keysetDigest, policyId),
    path: (provider_, index) => registry.pathOf(provider_, index),
    async isLiveRoot(provider_, root, families) {
      const sinceUnix = await registry.rootSupersededAtUnix(provider_, root);
      return registry.isLiveRoot(provider_, root, await frozenSeconds(families, sinceUnix));
    },
    familyFor: (orderKey, provider_) => escrow.familyFor(orderKey, provider_),
    settleableUntilUnix: (orderKey, provider_) => escrow.settleableUntilUnix(orderKey, provider_),
    isFrozen: async (family) => (await router.family(family)).frozen,
    frozenSeconds,
    availableStake: (token, provider_) => court.availableStake(token, provider_),
    settlements: async (from, to) => (await escrow.access.events('Settled', [], from, to)).map(settledOf),
    refunds: async (from, to) => (await escrow.access.events('Refunded', [], from, to)).map(refundedOf),
    batch: (batchId) => court.batch(batchId),
    challenge: (batchId, index) => court.challengeOf(batchId, index),
    windowClosesAtUnix: (batchId) => court.windowClosesAtUnix(batchId),
    closings: async (from, to) =>
      (await escrow.access.events('CloseRequested', [], from, to)).map(({ args }) => ({
        orderKey: String(args.getValue('orderKey')),
        deadlineUnix: Number(args.getValue('deadline')),
      })),
    topUps: async (from, to) =>
      (await escrow.access.events('BudgetAdded', [], from, to)).map(({ args }) => ({
        orderKey: String(args.getValue('orderKey')),
        provider: String(args.getValue('provider')).toLowerCase(),
      })),
  };
}
