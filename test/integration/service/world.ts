/**
 * A world for the service: a real chain with STUN deployed, simulated TDX enclaves that are really registered, orders that are really
 * open, and services that listen on a port of their own.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { DestinationStream } from 'pino';
import { createSimulatedTdx, type SimulatedTdx } from '#attestation/simulated/simulated-tdx.ts';
import { createSimulatedPki, type SimulatedPki } from '#attestation/simulated/pki.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { canonicalPolicyJson } from '#attestation/index.ts';
import { contractsOf, familyForJobs, type Deployment, type StunContracts } from '#chain/deployment.ts';
import { startDevChain, type DevAccount, type DevChain } from '#chain/dev-chain.ts';
import {
  encodeKeyset,
  fieldToHex,
  fromHex,
  generateEddsaKeyPair,
  generateSealingKeyPair,
  hardwareIdHashOf,
  keysetDigestOf,
  opaqueModelIdOfDigests,
  orderDomainOf,
  orderIdOf,
  orderKeyOf,
  parseKeyset,
  PLATFORM,
  placeToWire,
  policyIdOf,
  randomField,
  signEip712,
  signerIdOf,
  StunError,
  termsToWire,
  toHex,
  utf8,
  type EddsaKeyPair,
  type EnclaveLeaf,
  type Hex,
  type Keyset,
  type OpenedOrder,
  type OrderPlace,
  type SealingKeyPair,
  type Terms,
} from '#protocol/index.ts';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import type { SettlementProver } from '#prover/interface.ts';
import { checkSettings, type Settings } from '#service/config.ts';
import { startService, type RunningService } from '#service/service.ts';
import { createLog } from '#service/telemetry/log.ts';
import { deployRecorded } from '#test/contracts/recorded-deployment.ts';
import { ApiClient } from './api-client.ts';
import { engines, type Engine, type TestStore } from './engines.ts';

export const DAY = 86_400;
/** The one model of the world. */
export const MODEL_ID = opaqueModelIdOfDigests(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2));
export const PRICE = 700n;
export const policyText = canonicalPolicyJson(simulatedPolicy);
export const policyId = policyIdOf(utf8(policyText));

/** An enclave on chain. */
export interface WorldEnclave {
  readonly receiptKey: EddsaKeyPair;
  readonly sealing: SealingKeyPair;
  readonly secpSecret: Uint8Array;
  readonly keysetBytes: Uint8Array;
  readonly keyset: Keyset;
  readonly keysetDigest: Hex;
  readonly signerId: bigint;
  readonly leaf: EnclaveLeaf;
  readonly leafIndex: number;
  readonly machine: SimulatedTdx;
  readonly evidence: Uint8Array;
  /** The body of POST /v1/enclaves. */
  readonly listing: Record<string, unknown>;
}

/** An order on chain with the customer's keys. */
export interface WorldOrder extends OpenedOrder {
  readonly orderKey: Hex;
  readonly demandKey: EddsaKeyPair;
  /** The body of POST /v1/orders. */
  readonly announcement: Record<string, unknown>;
}

/** Accounts by what they do. */
export const ROLE = {
  owner: 0,
  attestors: [1, 2, 3],
  funder: 4,
  provider: 5,
  operator: 6,
  stranger: 7,
  guardian: 8,
  fee: 9,
} as const;

const seconds = (): number => Math.floor(Date.now() / 1000);

export class World {
  readonly chain: DevChain;
  readonly deployment: Deployment;
  readonly directory: string;
  /** The simulated vendor that all machines of the world come from. */
  readonly pki: SimulatedPki;
  readonly #services: RunningService[] = [];
  readonly #store: TestStore;

  private constructor(chain: DevChain, deployment: Deployment, directory: string, pki: SimulatedPki, store: TestStore) {
    this.#store = store;
    this.chain = chain;
    this.deployment = deployment;
    this.directory = directory;
    this.pki = pki;
  }

  /** Starts the chain and deploys. */
  static async create(engine: Pick<Engine, 'createMigrated'> = engines[0]!): Promise<World> {
    const chain = await startDevChain();
    const account = (index: number): string => chain.accounts[index]!.address;
    const deployment = await deployRecorded(chain, {
      attestors: ROLE.attestors.map(account),
      threshold: 2,
      feeBps: 100,
      feeAccount: account(ROLE.fee),
      guardian: account(ROLE.guardian),
    });
    const directory = mkdtempSync(join(tmpdir(), 'stun-service-'));
    const pki = createSimulatedPki();
    const { root } = createSimulatedTdx({ atUnix: seconds(), pki });
    writeFileSync(join(directory, 'deployment.json'), JSON.stringify(deployment));
    writeFileSync(join(directory, 'root.json'), JSON.stringify(root));
    writeFileSync(join(directory, 'policy.json'), policyText);
    const world = new World(chain, deployment, directory, pki, await engine.createMigrated());
    await world.as(ROLE.provider).escrow.setOperator(account(ROLE.operator), true);
    return world;
  }

  account(index: number): DevAccount {
    return this.chain.accounts[index]!;
  }

  as(index: number): StunContracts {
    return contractsOf(this.deployment, this.chain.wallet(index));
  }

  settings(change: Record<string, unknown> = {}): Settings {
    return checkSettings({
      role: 'all',
      port: 0,
      database: this.#store.database,
      deployment: join(this.directory, 'deployment.json'),
      rpcUrl: this.chain.url,
      simulatedRoot: join(this.directory, 'root.json'),
      secretKey: `0x${'5e'.repeat(32)}`,
      operatorKey: this.account(ROLE.operator).privateKey,
      chainPollMs: 50,
      sweepMs: 100,
      pollMs: 50,
      stopGraceMs: 2000,
      logLevel: 'silent',
      ...change,
    });
  }

  /** Starts a service; without a prover it takes segments and leaves them unproven. */
  async startService(
    change: Record<string, unknown> = {},
    parts: { prover?: SettlementProver; log?: DestinationStream; nowMs?: () => number } = {},
  ): Promise<RunningService> {
    const settings = this.settings(change);
    const service = await startService({
      settings,
      createProver: async () => parts.prover ?? idleProver,
      ...(parts.log === undefined ? {} : { log: createLog('debug', parts.log) }),
      ...(parts.nowMs === undefined ? {} : { nowMs: parts.nowMs }),
    });
    this.#services.push(service);
    return service;
  }

  /** A client that is signed in as an account of the chain. */
  async client(service: Pick<RunningService, 'url'>, index: number): Promise<ApiClient> {
    const client = new ApiClient(service.url);
    await client.signIn(this.account(index), this.chain.chainId);
    return client;
  }

  /** Makes keys and evidence, has two attestors approve, registers as the provider. */
  async registerEnclave(index: number = ROLE.provider): Promise<WorldEnclave> {
    const receiptKey = generateEddsaKeyPair();
    const sealing = await generateSealingKeyPair();
    const secpSecret = secp256k1.utils.randomSecretKey();
    const expiresAtUnix = seconds() + 30 * DAY;
    const keysetBytes = encodeKeyset({
      chainId: BigInt(this.deployment.chainId),
      registry: this.deployment.registry,
      provider: this.account(index).address,
      hpkePublicKey: sealing.publicKey,
      receiptKey: receiptKey.publicKey,
      secpPublicKey: secp256k1.getPublicKey(secpSecret, false).subarray(1),
      runtimeDigest: new Uint8Array(32).fill(7),
      expiresAtUnix,
    });
    const digest = keysetDigestOf(keysetBytes);
    const machine = createSimulatedTdx({ atUnix: seconds(), pki: this.pki, ppid: new Uint8Array(randomBytes(16)) });
    const block = await this.chain.provider.getBlock('latest');
    const evidence = machine.evidence(digest, fromHex(block!.hash!, 32));
    const hardwareIdHash = hardwareIdHashOf(PLATFORM.simulatedTdx, machine.ppid);
    const signerId = signerIdOf(receiptKey.publicKey);
    const keysetDigest = toHex(digest);
    const evidenceDigest = toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(evidence))));
    const platform = PLATFORM.simulatedTdx;
    const approvals = ROLE.attestors.slice(0, 2).map((attestor) => {
      const { address, privateKey } = this.account(attestor);
      const nonce = randomField();
      const deadlineUnix = seconds() + 30 * DAY;
      const signature = signEip712(
        fromHex(privateKey, 32),
        'EnclaveApproval',
        { chainId: BigInt(this.deployment.chainId), verifyingContract: this.deployment.registry },
        {
          provider: this.account(index).address,
          keysetDigest,
          policyId,
          hardwareIdHash,
          platform: BigInt(platform),
          expiresAt: BigInt(expiresAtUnix),
          evidenceDigest,
          nonce,
          deadline: BigInt(deadlineUnix),
        },
      );
      return { attestor: address, nonce, deadlineUnix, signature };
    });
    const { event } = await this.as(index).registry.register(
      { keyset: keysetBytes, policyId, hardwareIdHash, platform, expiresAtUnix, evidenceDigest },
      approvals,
    );
    const leaf = { signerId, policyId, provider: this.account(index).address, hardwareIdHash, expiresAtUnix };
    const shape = [{ name: 'x', dtype: 'float32', dims: [1, 4] }];
    const listing = {
      keyset: toHex(keysetBytes),
      evidence: new TextDecoder().decode(evidence),
      policy: JSON.parse(policyText) as unknown,
      leafIndex: event.index,
      leafExpiresAtUnix: expiresAtUnix,
      hardwareIdHash: fieldToHex(hardwareIdHash),
      models: [
        {
          modelId: fieldToHex(MODEL_ID),
          price: PRICE.toString(),
          name: 'credit',
          manifest: { version: 1 },
          inputs: shape,
          outputs: shape,
        },
      ],
    };
    return {
      receiptKey,
      sealing,
      secpSecret,
      keysetBytes,
      keyset: parseKeyset(keysetBytes),
      keysetDigest,
      signerId,
      leaf,
      leafIndex: event.index,
      machine,
      evidence,
      listing,
    };
  }

  /** Opens an order with a budget for the provider. */
  async openOrder(
    change: { budget?: bigint; terms?: Partial<Terms>; deadlineSeconds?: number; provider?: number; funder?: number } = {},
  ): Promise<WorldOrder> {
    const demandKey = generateEddsaKeyPair();
    const funder = change.funder ?? ROLE.funder;
    const place: OrderPlace = {
      chainId: BigInt(this.deployment.chainId),
      escrow: this.deployment.escrow,
      funder: this.account(funder).address,
      token: '0x0000000000000000000000000000000000000000',
    };
    const terms: Terms = {
      assurance: 0,
      publicModelId: 0n,
      settlementFamily: familyForJobs(this.deployment, 16).family,
      inferenceFamily: `0x${'00'.repeat(32)}`,
      segmentLength: 16,
      feeBps: 100,
      priceScale: 10n,
      challengeWindowSeconds: 0,
      answerPeriodSeconds: 0,
      bond: 0n,
      slash: 0n,
      challenger: '0x0000000000000000000000000000000000000000',
      ...change.terms,
    };
    const opening = {
      domain: orderDomainOf(place, terms),
      demandKey: demandKey.publicKey,
      modelId: MODEL_ID,
      policyId,
      salt: randomField(),
    };
    const orderId = orderIdOf(opening);
    const now = await this.chain.nowUnix();
    await this.as(funder).escrow.open(place, {
      orderId,
      token: place.token,
      deadlineUnix: now + (change.deadlineSeconds ?? 7 * DAY),
      graceSeconds: DAY,
      terms,
      budgets: [{ provider: this.account(change.provider ?? ROLE.provider).address, amount: change.budget ?? 10n ** 9n }],
    });
    const announcement = { place: placeToWire(place), orderId: fieldToHex(orderId), terms: termsToWire(terms) };
    return { place, terms, opening, orderId, demandKey, orderKey: orderKeyOf(place.funder, orderId), announcement };
  }

  /** Stops a service that this world started. */
  async stopService(service: RunningService): Promise<void> {
    await service.stop();
  }

  async close(): Promise<void> {
    for (const service of this.#services) await service.stop();
    await this.chain.close();
    await this.#store.drop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A prover that is always busy: for tests that never come to a proof. */
const idleProver: SettlementProver = {
  prove: () => Promise.reject(new StunError('STUN_PROVER_BUSY', 'this world has no prover')),
  verify: () => Promise.reject(new StunError('STUN_PROVER_CLOSED', 'this world has no prover')),
  stats: () => ({
    threads: 0,
    queued: 0,
    queueLimit: 0,
    running: 0,
    waitingForMemory: 0,
    coresPerTask: 1,
    begunOnSeveralCores: 0,
    proved: 0,
    failed: 0,
    retried: 0,
    threadsReplaced: 0,
    processesReplaced: 0,
    backend: { name: 'none', engine: 'none', fallbacks: [], madeByFallback: 0, unavailable: {} },
    proofTime: { boundsMs: [], counts: [], count: 0, sumMs: 0 },
    memory: { limitBytes: 0, plannedBytes: 0, rssBytes: 0, sharedKeyBytes: 0, largestThreadHeapBytes: 0 },
  }),
  close: async () => undefined,
};
