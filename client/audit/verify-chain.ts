/** The second half of an audit: what the chain itself says about a bundle that holds offline. Ask a node of your own. */
import type { Provider } from 'ethers';
import { ASSURANCE, enclaveLeafOf, feeOf, fieldFromHex, StunError, toHex, utf8 } from '#protocol/index.ts';
import { evidenceDigest } from '#attestation/index.ts';
import { CourtContract } from '#chain/court.ts';
import { chainErrorOf } from '#chain/errors.ts';
import type { Settled } from '#chain/escrow-events.ts';
import { EscrowContract, type StoredOrder } from '#chain/escrow.ts';
import { ModelRegistryContract } from '#chain/models.ts';
import { RegistryContract } from '#chain/registry.ts';
import { ORDER_FIELDS } from './bundle.ts';
import { refute, type AuditLedger } from './report.ts';
import { auditCourt, type BatchOutcome } from './verify-court.ts';
import { auditModel, type CeremonyFinding } from './verify-model.ts';
import type { AuditedBundle } from './verify.ts';

/** What was read once for all checks. */
interface ChainView {
  readonly audited: AuditedBundle;
  readonly ledger: AuditLedger;
  readonly provider: Provider;
  readonly escrow: EscrowContract;
  readonly order: StoredOrder;
  readonly settlements: readonly Settled[];
  /** Block before which nothing of the order can stand. */
  readonly fromBlock: number;
}

const DISAGREES = 'STUN_CHAIN_DISAGREES';

/** Money of one provider in the order, as the chain shows it. */
export interface ProviderSums {
  readonly provider: string;
  readonly funded: bigint;
  readonly remaining: bigint;
  /** Credited and fees. */
  readonly settled: bigint;
  readonly refunded: bigint;
}

/** What the chain says beyond the checks. */
export interface ChainFindings {
  readonly money: readonly ProviderSums[];
  /** Of a `challengeable` order. */
  readonly batches: readonly BatchOutcome[];
  /** Of an order over a compiled model whose key has one. */
  readonly ceremony?: CeremonyFinding | undefined;
}

const NOTHING: ChainFindings = { money: [], batches: [] };

/**
 * Checks a bundle against the chain.
 * @param fromBlock - where the contracts were deployed, or 0
 * @returns the money of each provider and what became of challengeable batches; empty when the order could not be read
 */
export async function auditOnChain(
  audited: AuditedBundle,
  ledger: AuditLedger,
  provider: Provider,
  fromBlock: number,
): Promise<ChainFindings> {
  const { place } = audited.order;
  const place1 = 'order.opening.place';
  const chainId = await ledger.checkAsync({ id: 'chain.id', field: `${place1}.chainId`, binds: [place1] }, async () => {
    const actual = await networkOf(provider);
    if (actual !== place.chainId) refute(`the node is on chain ${actual}`, 'STUN_CHAIN_ID');
    return actual;
  });
  if (chainId === undefined) return NOTHING;
  const escrow = new EscrowContract(place.escrow, provider);
  const order = await checkOrder(audited, ledger, escrow);
  if (order === undefined) return NOTHING;
  const settlements = await ledger.checkAsync({ id: 'chain.settlements', field: 'segments', binds: [] }, () =>
    escrow.settlements(fromBlock, { orderKey: audited.orderKey }),
  );
  if (settlements === undefined) return NOTHING;
  const view: ChainView = { audited, ledger, provider, escrow, order, settlements, fromBlock };
  for (const index of audited.enclaves.keys()) await checkEnclave(view, index);
  for (const index of audited.segments.keys()) await checkSegment(view, index);
  checkCompleteness(view);
  return { money: await checkMoney(view), batches: await checkCourt(view), ceremony: await checkModel(view) };
}

async function networkOf(provider: Provider): Promise<bigint> {
  try {
    // A provider may know its network without asking; a block it must ask for.
    await provider.getBlockNumber();
    return (await provider.getNetwork()).chainId;
  } catch (thrown) {
    throw chainErrorOf(thrown, 'asking the node for its chain');
  }
}

function checkOrder({ order }: AuditedBundle, ledger: AuditLedger, escrow: EscrowContract): Promise<StoredOrder | undefined> {
  return ledger.checkAsync({ id: 'chain.order', field: 'order.opening', binds: ORDER_FIELDS }, async () => {
    const stored = await escrow.order(order.place.funder, order.orderId);
    const { terms } = order;
    const agrees =
      stored.domain === order.opening.domain && stored.feeBps === terms.feeBps && stored.priceScale === terms.priceScale;
    if (!agrees || stored.token !== order.place.token) refute('the order on chain has other terms', DISAGREES);
    return stored;
  });
}

async function checkEnclave({ audited, ledger, provider, escrow, fromBlock }: ChainView, index: number): Promise<void> {
  const enclave = audited.enclaves[index];
  const wire = audited.bundle.enclaves[index];
  if (enclave === undefined || wire === undefined) return;
  const field = `enclaves[${index}]`;
  const { keyset, signerId, hardwareIdHash, keysetDigest } = enclave;
  const { policyId } = audited.order.opening;
  const registry = new RegistryContract(keyset.registry, provider);
  await ledger.checkAsync({ id: `chain.${field}.registration`, field, binds: [field] }, async () => {
    const [wired] = await escrow.access.read('registry', []);
    if (String(wired).toLowerCase() !== keyset.registry) refute('the escrow trusts another registry', DISAGREES);
    const events = await registry.registrations(fromBlock, 'latest', keyset.provider);
    const expiresAtUnix = wire.leafExpiresAtUnix;
    const leaf = enclaveLeafOf({ signerId, policyId, provider: keyset.provider, hardwareIdHash, expiresAtUnix });
    const found = events.find((event) => event.keysetDigest === keysetDigest && event.leaf === leaf);
    if (found === undefined) refute('the registry never registered this leaf', 'STUN_ENCLAVE_NOT_LIVE');
    const approved = wire.approvedEvidenceDigest ?? toHex(evidenceDigest(utf8(wire.evidence)));
    if (found.evidenceDigest !== approved) refute('it was registered on other evidence', DISAGREES);
  });
  await ledger.checkAsync(
    { id: `chain.${field}.attestors`, field: `${field}.approvals`, binds: [`${field}.approvals`] },
    async () => {
      const threshold = await registry.threshold();
      const known = await Promise.all(wire.approvals.map(({ attestor }) => registry.isAttestor(attestor)));
      const count = known.filter(Boolean).length;
      if (count < threshold) refute(`${count} approvals of attestors of today, ${threshold} are needed`, DISAGREES);
    },
  );
  const { state } = await registry.enclave(keysetDigest);
  if (state === 'revoked') ledger.unknown(`chain.${field}.state`, 'the enclave was revoked: what it signed later may be forged');
}

async function checkSegment(view: ChainView, index: number): Promise<void> {
  const { audited, ledger, order, settlements, provider, fromBlock } = view;
  const segment = audited.segments[index];
  const wire = audited.bundle.segments[index];
  if (segment === undefined || wire?.settlement === undefined || segment.signals === undefined) return;
  const { signals, statement, transactionHash } = segment;
  const field = `segments[${index}]`;
  const keyset = audited.enclaves[wire.enclave]?.keyset;
  if (keyset === undefined) return;
  await ledger.checkAsync({ id: `chain.${field}.settlement`, field: `${field}.settlement`, binds: [field] }, () => {
    const found = settlements.find((event) => event.provider === keyset.provider && event.laneNew === signals.laneNew);
    if (found === undefined) return Promise.reject(new StunError(DISAGREES, 'the escrow never settled this segment'));
    const { credited, fee, shortfall } = found;
    const agrees =
      found.laneIndex === wire.laneIndex &&
      found.laneOld === signals.laneOld &&
      found.receiptsRoot === signals.receiptsRoot &&
      found.total === statement.total;
    if (!agrees) refute('the settlement on chain says something else', DISAGREES);
    if (transactionHash !== undefined && found.place.transactionHash !== transactionHash) {
      refute('the segment was settled by another transaction', DISAGREES);
    }
    if (credited + fee + shortfall !== statement.total * order.priceScale) refute('the amounts do not sum up', DISAGREES);
    if (fee !== feeOf(credited + fee, order.feeBps)) refute('the fee is not that of the order', DISAGREES);
    return Promise.resolve();
  });
  const root = `${field}.settlement.enclaveRoot`;
  await ledger.checkAsync({ id: `chain.${field}.root`, field: root, binds: [root] }, async () => {
    const registry = new RegistryContract(keyset.registry, provider);
    const changes = await registry.leafChanges(fromBlock, 'latest', keyset.provider);
    const claimed = fieldFromHex(wire.settlement?.enclaveRoot ?? '', 'enclaveRoot');
    if (!changes.some((change) => change.root === claimed)) refute('the provider never had this enclave root', DISAGREES);
  });
}

/** A batch may be a part of an order; which it is, is said. */
function checkCompleteness({ audited, ledger, settlements }: ChainView): void {
  const held = new Set(audited.segments.flatMap((segment) => (segment?.signals === undefined ? [] : [segment.laneNew])));
  const missing = settlements.filter((event) => !held.has(event.laneNew)).length;
  if (missing === 0) ledger.check({ id: 'chain.complete', field: 'segments', binds: [] }, () => settlements.length);
  else ledger.unknown('chain.complete', `${missing} of ${settlements.length} settlements of the order are not in the bundle`);
}

/** Money in is money out and money held, for each provider. */
async function checkMoney({ audited, ledger, escrow, settlements, fromBlock }: ChainView): Promise<readonly ProviderSums[]> {
  const sums = await ledger.checkAsync({ id: 'chain.money', field: 'order', binds: [] }, async () => {
    const refunds = await escrow.refunds(fromBlock, audited.orderKey);
    const opened = await escrow.ordersOpened(fromBlock, { orderId: audited.order.orderId });
    const budgets = opened.find((event) => event.orderKey === audited.orderKey)?.budgets ?? [];
    const providers = [...new Set([...budgets, ...settlements, ...refunds].map((one) => one.provider))];
    return Promise.all(
      providers.map(async (provider): Promise<ProviderSums> => {
        const budget = await escrow.budget(audited.orderKey, provider);
        const of = <T extends { readonly provider: string }>(list: readonly T[]) =>
          list.filter((one) => one.provider === provider);
        const settled = of(settlements).reduce((sum, one) => sum + one.credited + one.fee, 0n);
        const refunded = of(refunds).reduce((sum, one) => sum + one.amount, 0n);
        if (budget.funded !== budget.remaining + settled + refunded)
          refute(`the money of ${provider} does not sum up`, DISAGREES);
        return { provider, ...budget, settled, refunded };
      }),
    );
  });
  return sums ?? [];
}

/** Whose word the key of the order's compiled model rests on. */
async function checkModel({ audited, ledger, escrow, provider, fromBlock }: ChainView): Promise<CeremonyFinding | undefined> {
  const { publicModel, order } = audited;
  if (publicModel === undefined) return undefined;
  const registry = await ledger.checkAsync({ id: 'chain.models', field: 'order', binds: [] }, async () => {
    const [court] = await escrow.access.read('court', []);
    return new CourtContract(String(court), provider).models();
  });
  if (registry === undefined) return undefined;
  const models = new ModelRegistryContract(registry, provider);
  return auditModel({ ledger, models, publicModel, assurance: order.terms.assurance, fromBlock });
}

/** What became of the batches of a challengeable order. */
async function checkCourt(view: ChainView): Promise<readonly BatchOutcome[]> {
  const { audited, ledger, escrow, provider, settlements, fromBlock } = view;
  const { terms, place } = audited.order;
  if (terms.assurance !== ASSURANCE.challengeable) return [];
  const { orderKey } = audited;
  const found = await ledger.checkAsync({ id: 'chain.court', field: 'order', binds: [] }, async () => {
    const [address] = await escrow.access.read('court', []);
    return { court: new CourtContract(String(address), provider), releases: await escrow.releases(fromBlock, orderKey) };
  });
  if (found === undefined) return [];
  const carried = audited.segments.flatMap((segment, i) =>
    segment?.court === undefined ? [] : [{ field: `segments[${i}].court`, outcome: segment.court }],
  );
  return auditCourt({ ...found, ledger, orderKey, funder: place.funder, terms, settlements, carried, fromBlock });
}
