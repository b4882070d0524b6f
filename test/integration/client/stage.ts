/**
 * A chain with STUN, an enclave on simulated hardware that is registered there, and a service that serves it over HTTP.
 * Chain, contracts, evidence, receipts and proofs are real; the service is the test's own, since most tests need one that lies.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { createSimulatedPki, type SimulatedPki } from '#attestation/simulated/pki.ts';
import { createSimulatedTdx } from '#attestation/simulated/simulated-tdx.ts';
import { canonicalPolicyJson, evidenceDigest, type Policy } from '#attestation/index.ts';
import { contractsOf, type Deployment } from '#chain/deployment.ts';
import { startDevChain, type DevChain } from '#chain/dev-chain.ts';
import { connectClient, openOrder, type ClientConnection, type ClientOptions, type OrderRecord } from '#client/index.ts';
import {
  encodeKeyset,
  fromHex,
  generateEddsaKeyPair,
  generateSealingKeyPair,
  hardwareIdHashOf,
  keysetDigestOf,
  opaqueModelIdOfDigests,
  parseKeyset,
  PLATFORM,
  policyIdOf,
  randomField,
  signEip712,
  signerIdOf,
  toHex,
  utf8,
  type CompiledModel,
  type EddsaKeyPair,
  type Hex,
  type Keyset,
  type SealingKeyPair,
} from '#protocol/index.ts';
import { deployRecorded } from '#test/contracts/recorded-deployment.ts';
import { TestService } from './test-service.ts';

export const DAY = 86_400;
export const PASSPHRASE = 'correct horse battery';
export const MODEL_ID = opaqueModelIdOfDigests(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2));
export const PRICE = 700n;

/** An enclave with the keys that a real one would keep to itself. */
export interface StageEnclave {
  readonly keysetBytes: Uint8Array;
  readonly keyset: Keyset;
  readonly keysetDigest: Hex;
  readonly signerId: bigint;
  readonly receiptKey: EddsaKeyPair;
  readonly sealing: SealingKeyPair;
  readonly secpSecret: Uint8Array;
  readonly evidenceText: string;
  readonly hardwareIdHash: bigint;
  readonly leafExpiresAtUnix: number;
}

/** Everything a client test needs. */
export interface ClientStage {
  readonly chain: DevChain;
  readonly deployment: Deployment;
  readonly pki: SimulatedPki;
  readonly policy: Policy;
  readonly service: TestService;
  readonly provider: Hex;
  readonly attestors: readonly Hex[];
  /** A new enclave of the provider, registered and listed. */
  addEnclave(change?: {
    readonly nonce?: Uint8Array;
    readonly leafDays?: number;
    readonly policy?: Policy;
    /** A compiled model in place of the opaque one. */
    readonly model?: CompiledModel;
  }): Promise<StageEnclave>;
  connect(change?: Partial<ClientOptions>): Promise<ClientConnection>;
  openOrder(
    client: ClientConnection,
    change?: { readonly segmentLength?: number; readonly policy?: Policy },
  ): Promise<OrderRecord>;
  folder(): Promise<string>;
  close(): Promise<void>;
}

/** Starts it. Accounts: 0 owner, 1-3 attestors, 4 funder, 5 provider, 6 fees. */
export async function startClientStage(): Promise<ClientStage> {
  const chain = await startDevChain();
  const folders: string[] = [];
  const attestors = chain.accounts.slice(1, 4).map((account) => account.address);
  const deployment = await deployRecorded(chain, {
    attestors,
    threshold: 2,
    feeBps: 100,
    feeAccount: chain.accounts[6]!.address,
    guardian: chain.accounts[7]!.address,
  });
  const provider = chain.accounts[5]!.address;
  const pki = createSimulatedPki();
  const service = await TestService.start();
  const folder = async (): Promise<string> => {
    const made = await mkdtemp(join(tmpdir(), 'stun-client-'));
    folders.push(made);
    return made;
  };
  const stage: ClientStage = {
    chain,
    deployment,
    pki,
    policy: simulatedPolicy,
    service,
    provider,
    attestors,
    folder,
    addEnclave: async (change = {}) => {
      const enclave = await makeEnclave(stage, change);
      await register(stage, enclave, change.policy ?? simulatedPolicy);
      service.list(enclave, {
        modelId: change.model?.modelId ?? MODEL_ID,
        price: PRICE,
        policyId: policyIdOf(utf8(canonicalPolicyJson(change.policy ?? simulatedPolicy))),
        ...(change.model && { output: change.model.output }),
      });
      return enclave;
    },
    connect: async (change = {}) =>
      connectClient({
        home: await folder(),
        passphrase: PASSPHRASE,
        deployment,
        rpcUrl: chain.url,
        serviceUrl: service.url,
        privateKey: chain.accounts[4]!.privateKey,
        extraRoots: [pki.root],
        scryptCost: { n: 2 ** 10, r: 8, p: 1 },
        retry: { attempts: 2, retryDelayMs: 20 },
        ...change,
      }),
    openOrder: async (client, change = {}) => {
      const opened = await openOrder(client, {
        modelId: MODEL_ID,
        policy: change.policy ?? simulatedPolicy,
        budgets: [{ provider, amount: 10n ** 18n }],
        token: `0x${'00'.repeat(20)}`,
        deadlineUnix: (await chain.nowUnix()) + 7 * DAY,
        graceSeconds: 2 * DAY,
        segmentLength: change.segmentLength ?? 16,
        priceScale: 10n ** 9n,
      });
      return opened.order;
    },
    close: async () => {
      await service.close();
      await chain.close();
      for (const one of folders) await rm(one, { recursive: true, force: true });
    },
  };
  return stage;
}

async function makeEnclave(stage: ClientStage, change: { nonce?: Uint8Array; leafDays?: number }): Promise<StageEnclave> {
  const receiptKey = generateEddsaKeyPair();
  const sealing = await generateSealingKeyPair();
  const secpSecret = secp256k1.utils.randomSecretKey();
  const now = await stage.chain.nowUnix();
  const leafExpiresAtUnix = now + Math.round((change.leafDays ?? 30) * DAY);
  const keysetBytes = encodeKeyset({
    chainId: BigInt(stage.deployment.chainId),
    registry: stage.deployment.registry,
    provider: stage.provider,
    hpkePublicKey: sealing.publicKey,
    receiptKey: receiptKey.publicKey,
    secpPublicKey: secp256k1.getPublicKey(secpSecret, false).subarray(1),
    runtimeDigest: new Uint8Array(32).fill(7),
    expiresAtUnix: leafExpiresAtUnix,
  });
  const block = (await stage.chain.request('eth_getBlockByNumber', ['latest', false])) as { hash: string };
  const digest = keysetDigestOf(keysetBytes);
  // A machine of its own for each enclave, so that registering one does not retire another.
  const machine = createSimulatedTdx({ atUnix: Math.floor(Date.now() / 1000) - 3600, pki: stage.pki });
  const evidence = machine.evidence(digest, change.nonce ?? fromHex(block.hash));
  return {
    keysetBytes,
    keyset: parseKeyset(keysetBytes),
    keysetDigest: toHex(digest),
    signerId: signerIdOf(receiptKey.publicKey),
    receiptKey,
    sealing,
    secpSecret,
    evidenceText: new TextDecoder().decode(evidence),
    hardwareIdHash: hardwareIdHashOf(PLATFORM.simulatedTdx, machine.ppid),
    leafExpiresAtUnix,
  };
}

async function register(stage: ClientStage, enclave: StageEnclave, policy: Policy): Promise<void> {
  const policyId = policyIdOf(utf8(canonicalPolicyJson(policy)));
  const digest = toHex(evidenceDigest(utf8(enclave.evidenceText)));
  const deadlineUnix = (await stage.chain.nowUnix()) + 3600;
  const registration = {
    keyset: enclave.keysetBytes,
    policyId,
    hardwareIdHash: enclave.hardwareIdHash,
    platform: PLATFORM.simulatedTdx,
    expiresAtUnix: enclave.leafExpiresAtUnix,
    evidenceDigest: digest,
  };
  const approvals = stage.chain.accounts.slice(1, 3).map((attestor) => {
    const nonce = randomField();
    const signature = signEip712(
      fromHex(attestor.privateKey),
      'EnclaveApproval',
      { chainId: BigInt(stage.deployment.chainId), verifyingContract: stage.deployment.registry },
      {
        provider: stage.provider,
        keysetDigest: enclave.keysetDigest,
        policyId,
        hardwareIdHash: enclave.hardwareIdHash,
        platform: BigInt(PLATFORM.simulatedTdx),
        expiresAt: BigInt(enclave.leafExpiresAtUnix),
        evidenceDigest: digest,
        nonce,
        deadline: BigInt(deadlineUnix),
      },
    );
    return { attestor: attestor.address, nonce, deadlineUnix, signature };
  });
  await contractsOf(stage.deployment, stage.chain.wallet(5)).registry.register(registration, approvals);
}
