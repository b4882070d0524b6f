/** `stun settle --bundle`: what a provider does when customer and service are gone: prove with its own files, and settle. */
import { Wallet } from 'ethers';
import {
  ASSURANCE,
  fieldToHex,
  inferenceProofsOf,
  keysetDigestOf,
  laneOldOf,
  readDocument,
  settlementBundleFromWire,
  settlementBundleToWire,
  StunError,
  toHex,
  type SettlementBundle,
} from '#protocol/index.ts';
import { connectStun, type Deployment, type StunContracts } from '#chain/deployment.ts';
import { openRpcProvider } from '#chain/rpc-provider.ts';
import { levelSettlementOf, settleAtLevel, type LevelSettlement } from '#chain/settle-at-level.ts';
import { settlementProofSchema, type SettlementProof } from '#prover/interface.ts';
import type { CommandContext, CommandResult } from '../command.ts';
import type { GlobalOptions } from '../settings.ts';
import type { Invocation } from '../runner.ts';
import { deploymentOf, readJson, rpcUrlOf, secretOf } from '../settings.ts';
import { parseDuration, showAmount } from '../values.ts';
import { provingKeys, type CeremonyOptions } from './proving-keys.ts';
import { save } from './result.ts';

/** Options of `settle`. */
export interface SettleOptions extends CeremonyOptions {
  readonly bundle: string;
  readonly proof?: string;
  readonly proveOnly?: string;
  readonly timeout: string;
}

/** For key, thread and proof, whatever the backend; docs/proving.md has the measurements. */
const MEMORY_LIMIT_MB = 4096;

/** Proves a segment against the chain as it is now, and sends the settlement as the provider or its operator. */
export async function settle({ options, context }: Invocation<SettleOptions>): Promise<CommandResult> {
  const taskTimeoutMs = parseDuration(options.timeout, '--timeout') * 1000;
  const bundle = settlementBundleFromWire(await readJson(options.bundle, 'settlement bundle'));
  const deployment = await deploymentOf(options);
  const { contracts, signerAddress, close } = await connectSigner(options, deployment, options.proveOnly === undefined);
  try {
    await assertSettleable(contracts, bundle, signerAddress);
    const proof =
      options.proof === undefined
        ? await prove(contracts, bundle, { ...options, taskTimeoutMs }, context)
        : readDocument(settlementProofSchema, await readJson(options.proof, 'proof'), 'proof');
    if (options.proveOnly !== undefined) {
      await save(options.proveOnly, `${JSON.stringify(proof, null, 1)}\n`);
      const document = { proved: true, settled: false, file: options.proveOnly };
      return { document, text: `The proof is in ${options.proveOnly}; it must be settled within the hour.`, exitCode: 0 };
    }
    const settlement = settleAtLevel(contracts.escrow, bundle.order.place.funder, batchOf(bundle, proof));
    context.progress('checking the settlement without sending it');
    if (signerAddress !== undefined) await settlement.simulate(signerAddress);
    context.progress('settling on chain');
    const { event, transactionHash, gasUsed } = await settlement.send();
    const document = {
      proved: true,
      settled: true,
      transactionHash,
      gasUsed: gasUsed.toString(),
      jobs: bundle.jobs.length,
      total: event.total.toString(),
      credited: event.credited.toString(),
      fee: event.fee.toString(),
      shortfall: event.shortfall.toString(),
    };
    const text = [
      `settled ${bundle.jobs.length} jobs in ${transactionHash}`,
      `credited ${showAmount(event.credited)}, fee ${showAmount(event.fee)}, shortfall ${showAmount(event.shortfall)}`,
    ].join('\n');
    return { document, text, exitCode: 0 };
  } finally {
    close();
  }
}

/** Contracts for whoever acts without a client store: a provider or its operator. The caller closes. @throws `STUN_CONFIG` without a key to send with */
export async function connectSigner(
  options: GlobalOptions,
  deployment: Deployment,
  sending: boolean,
): Promise<{ contracts: StunContracts; signerAddress: string | undefined; close: () => void }> {
  const privateKey = sending ? await secretOf('STUN_PRIVATE_KEY') : undefined;
  if (sending && (privateKey === undefined || !/^0x[0-9a-fA-F]{64}$/.test(privateKey))) {
    throw new StunError('STUN_CONFIG', 'a key to send transactions with is needed: set STUN_PRIVATE_KEY');
  }
  const provider = openRpcProvider(rpcUrlOf(options), deployment.chainId, { pollingIntervalMs: 500 });
  try {
    const wallet = privateKey === undefined ? undefined : new Wallet(privateKey, provider);
    const contracts = await connectStun(deployment, wallet ?? provider);
    return { contracts, signerAddress: wallet?.address, close: () => provider.destroy() };
  } catch (thrown) {
    provider.destroy();
    throw thrown;
  }
}

/** Refuses before minutes of proving what the chain would refuse after them. */
async function assertSettleable({ escrow }: StunContracts, bundle: SettlementBundle, sender: string | undefined): Promise<void> {
  const { provider } = bundle;
  if (sender !== undefined && sender.toLowerCase() !== provider && !(await escrow.isOperator(provider, sender)))
    throw new StunError('STUN_SETTLE_CALLER', 'only the provider that the segment names, or its operator, settles it');
  const stored = await escrow.order(bundle.order.place.funder, bundle.order.orderId);
  const state = await escrow.lane(stored.orderKey, bundle.provider, bundle.laneIndex);
  if (state !== laneOldOf(bundle)) {
    const settled = bundle.jobs.some(({ receipt }) => receipt.demandHead === state);
    const reason = settled ? 'the segment is settled already' : 'the lane on chain is not where the segment starts';
    throw new StunError('STUN_SETTLE_LANE_MOVED', reason);
  }
}

/**
 * The time at which the enclave's leaf is proven live, in unix seconds: now, or the last second of a leaf that expired meanwhile, which the
 * escrow takes for an hour. Does not check that it still does.
 */
export function provenAtUnix(newestBlockUnix: number, leafExpiresAtUnix: number): number {
  return Math.min(newestBlockUnix, leafExpiresAtUnix - 1);
}

async function prove(
  { registry, escrow, deployment }: StunContracts,
  bundle: SettlementBundle,
  options: SettleOptions & { readonly taskTimeoutMs: number },
  context: CommandContext,
): Promise<SettlementProof> {
  const family = deployment.families.find((one) => one.family === bundle.order.terms.settlementFamily);
  if (family === undefined) throw new StunError('STUN_FAMILY_UNKNOWN', 'the deployment has no family like that of the order');
  const circuit = family.assurance === ASSURANCE.attested ? 'settlement' : 'settlement-proven';
  const development = options.ceremony === undefined ? [`${circuit}-${family.maxJobs}`] : [];
  const keys = await provingKeys(deployment.chainId, development, options);
  const { index } = await registry.leaf(toHex(keysetDigestOf(bundle.keysetBytes)), bundle.order.opening.policyId);
  const { path, root } = await registry.pathOf(bundle.provider, index);
  const newest = await escrow.access.provider.getBlock('latest');
  if (newest === null) throw new StunError('STUN_CHAIN_UNAVAILABLE', 'the node has no newest block');
  const [{ proveBundle }, { backendWishOf }] = await Promise.all([
    import('#prover/prove-bundle.ts'),
    import('#prover/backends.ts'),
  ]);
  context.progress(`proving ${bundle.jobs.length} jobs; this takes some seconds to minutes`);
  return proveBundle(
    {
      bundle: settlementBundleToWire(bundle),
      enclavePath: { root: fieldToHex(root), index: path.index, siblings: path.siblings.map((one) => fieldToHex(one)) },
      validAtUnix: provenAtUnix(newest.timestamp, bundle.leaf.expiresAtUnix),
    },
    {
      ...keys,
      taskTimeoutMs: options.taskTimeoutMs,
      memoryLimitMb: MEMORY_LIMIT_MB,
      backend: backendWishOf(process.env),
      progress: context.progress,
      signal: context.signal,
    },
  );
}

/** What the escrow takes at the level of the order. @throws `STUN_SEGMENT_PROOF` when a proven batch lacks a proof */
function batchOf(bundle: SettlementBundle, proof: SettlementProof): LevelSettlement {
  const { assurance } = bundle.order.terms;
  const answers = assurance === ASSURANCE.proven ? inferenceProofsOf(bundle).filter((one) => one !== undefined) : [];
  return levelSettlementOf({ proof, assurance, answers });
}
