/** An order that was served, proven for real and settled on the stage's chain, and its exported audit bundle. */
import { CIRCUIT_NAMES, ensureCircuit } from '#circuits/manifest.ts';
import { contractsOf } from '#chain/deployment.ts';
import {
  exportAuditBundle,
  fetchResult,
  submitJobs,
  type AuditBundle,
  type ClientConnection,
  type KeySource,
  type OrderRecord,
} from '#client/index.ts';
import { proveBundle } from '#prover/prove-bundle.ts';
import {
  bigIntToBytes,
  concatBytes,
  encodeTensors,
  fieldFromHex,
  fieldToHex,
  SETTLEMENT_SIGNALS,
  settlementBundleToWire,
  type SettlementBundle,
  type SettlementSignals,
} from '#protocol/index.ts';
import type { ClientStage, StageEnclave } from './stage.ts';

/** Verification keys of this checkout's circuits. */
export const testKeys: KeySource = async (family) => {
  for (const name of CIRCUIT_NAMES) {
    const circuit = await ensureCircuit(name);
    if (circuit.familyId !== family) continue;
    const key = circuit.verificationKey;
    const g2 = ([x, y]: typeof key.vk_beta_2): string[] => [x[1], x[0], y[1], y[0]];
    const g1 = ([x, y]: typeof key.vk_alpha_1): string[] => [x, y];
    const words = [...g1(key.vk_alpha_1), ...[key.vk_beta_2, key.vk_gamma_2, key.vk_delta_2].flatMap(g2), ...key.IC.flatMap(g1)];
    return { maxJobs: circuit.n, key: concatBytes(...words.map((word) => bigIntToBytes(BigInt(word), 32))) };
  }
  throw new RangeError('no circuit of this family');
};

/** Proves a bundle under the chain as it is, and settles it as the provider. */
export async function settleBundle(stage: ClientStage, bundle: SettlementBundle): Promise<void> {
  const { registry, escrow } = contractsOf(stage.deployment, stage.chain.wallet(5));
  const { keysetDigestOf, toHex } = await import('#protocol/index.ts');
  const { index } = await registry.leaf(toHex(keysetDigestOf(bundle.keysetBytes)), bundle.order.opening.policyId);
  const { path, root } = await registry.pathOf(bundle.provider, index);
  const proof = await proveBundle(
    {
      bundle: settlementBundleToWire(bundle),
      enclavePath: { root: fieldToHex(root), index, siblings: path.siblings.map((one) => fieldToHex(one)) },
      validAtUnix: await stage.chain.nowUnix(),
    },
    { circuits: ['settlement-16'], taskTimeoutMs: 300_000, memoryLimitMb: 2048, backend: 'auto' },
  );
  const signals = Object.fromEntries(SETTLEMENT_SIGNALS.map((name, i) => [name, fieldFromHex(proof.signals[i]!, name)]));
  const pair = ([x, y]: readonly [string, string]): readonly [bigint, bigint] => [BigInt(x), BigInt(y)];
  const words = { a: pair(proof.a), b: [pair(proof.b[0]), pair(proof.b[1])] as const, c: pair(proof.c) };
  await escrow.settle(bundle.order.place.funder, words, signals as unknown as SettlementSignals);
}

/** What the audit tests look at. */
export interface SettledOrder {
  readonly client: ClientConnection;
  readonly order: OrderRecord;
  readonly enclave: StageEnclave;
  readonly bundle: AuditBundle;
}

/** Serves three jobs in two segments of one lane, proves and settles both, and exports all of it with every job opened. */
export async function settleOrder(stage: ClientStage): Promise<SettledOrder> {
  const enclave = await stage.addEnclave();
  const client = await stage.connect();
  const order = await stage.openOrder(client, { segmentLength: 2 });
  const payload = (seed: number): Uint8Array =>
    encodeTensors([{ name: 'x', dtype: 'uint8', dims: [3], data: Uint8Array.of(seed, 2, 3) }]);
  const sent = await submitJobs(
    client,
    order,
    [1, 2, 3].map((seed) => ({ payload: payload(seed), maxPrice: 900n })),
  );
  stage.service.closeSegments(enclave);
  for (const bundle of stage.service.bundles.splice(0)) await settleBundle(stage, bundle);
  for (const { jobId } of sent) await fetchResult(client, jobId, { timeoutMs: 0 });
  const stored = await client.store.orders.read(order.orderKey);
  const bundle = await exportAuditBundle(client, stored, { open: 'all' }, testKeys);
  return { client, order: stored, enclave, bundle };
}
