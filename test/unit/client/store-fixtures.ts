/** A client store in a temporary folder, with a stored order and a verified-looking enclave whose keys the test holds. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { orderIdOf, orderKeyOf, policyIdOf, randomField, toHex, utf8, keysetDigestOf } from '#protocol/index.ts';
import { canonicalPolicyJson, defaultPolicy } from '#attestation/index.ts';
import type { LaneEnclave } from '#client/store/lanes.ts';
import type { OrderRecord } from '#client/store/order-record.ts';
import { openStore, type ClientStore } from '#client/store/store.ts';
import type { ScryptCost } from '#client/store/vault.ts';
import { makeEnclave, makeOrder, NOW, PROVIDER, type TestEnclave } from '#test/unit/protocol/fixtures.ts';

export const PASSPHRASE = 'correct horse battery';
/** Cheap on purpose: tests open many stores. */
export const CHEAP: ScryptCost = { n: 2 ** 10, r: 8, p: 1 };

const folders: string[] = [];

/** A folder that `removeFolders` deletes. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stun-client-'));
  folders.push(folder);
  return folder;
}

export async function removeFolders(): Promise<void> {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
}

export async function temporaryStore(): Promise<{ folder: string; store: ClientStore }> {
  const folder = await temporaryFolder();
  return { folder, store: await openStore(folder, PASSPHRASE, CHEAP) };
}

/** An order as the client stores it. */
export function makeOrderRecord(change: Partial<OrderRecord> = {}): OrderRecord {
  const order = makeOrder();
  const policyText = canonicalPolicyJson(defaultPolicy);
  const opening = { ...order.opening, policyId: policyIdOf(utf8(policyText)) };
  const orderId = orderIdOf(opening);
  return {
    place: order.place,
    terms: order.terms,
    opening,
    orderId,
    orderKey: orderKeyOf(order.place.funder, orderId),
    demandKey: order.demandKey,
    outputSeed: randomField(),
    policyText,
    budgets: [{ provider: PROVIDER, amount: 10n ** 18n }],
    deadlineUnix: NOW + 86400,
    graceSeconds: 86400,
    openTransaction: undefined,
    laneIndexBase: 0,
    ...change,
  };
}

/** What a lane stores of a test enclave. */
export function laneEnclaveOf(enclave: TestEnclave): LaneEnclave {
  return {
    provider: enclave.leaf.provider,
    keysetBytes: enclave.keysetBytes,
    keyset: enclave.keyset,
    keysetDigest: toHex(keysetDigestOf(enclave.keysetBytes)),
    signerId: enclave.signerId,
    evidenceText: '{}',
    hardwareIdHash: enclave.leaf.hardwareIdHash,
    leafExpiresAtUnix: enclave.leaf.expiresAtUnix,
    simulated: true,
    verifiedAtUnix: NOW,
    evidenceExpiresAtUnix: NOW + 86_400,
  };
}

/** A store with an order and one enclave of it. */
export async function storeWithOrder(): Promise<{
  folder: string;
  store: ClientStore;
  order: OrderRecord;
  enclave: TestEnclave;
  laneEnclave: LaneEnclave;
}> {
  const { folder, store } = await temporaryStore();
  const order = makeOrderRecord();
  await store.orders.create(order);
  const enclave = await makeEnclave(order.opening.policyId);
  return { folder, store, order, enclave, laneEnclave: laneEnclaveOf(enclave) };
}
