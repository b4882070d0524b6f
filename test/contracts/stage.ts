/** A fresh chain with STUN deployed, actors, and a settlement family whose verifier accepts what a switch says. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import type { Wallet } from 'ethers';
import { ContractAccess } from '#chain/contract-access.ts';
import { deployContract, deployStun } from '#chain/deploy.ts';
import { contractsOf, type Deployment, type StunContracts } from '#chain/deployment.ts';
import { startDevChain, type DevChain, type DevChainOptions } from '#chain/dev-chain.ts';
import { solidityErrorCodes, solidityErrorOf } from '#chain/errors.ts';
import type { OrderRequest } from '#chain/escrow.ts';
import type { AttestorApproval, ProviderConsent, Registration } from '#chain/registry.ts';
import { settlementFamilyIdOf } from '#chain/router.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import {
  encodeKeyset,
  generateEddsaKeyPair,
  keysetDigestOf,
  packPayee,
  randomField,
  signEip712,
  signerIdOf,
  toHex,
  fromHex,
  StunError,
  type EddsaKeyPair,
  type Hex,
  type OrderPlace,
  type SettlementSignals,
  type Terms,
} from '#protocol/index.ts';
import { deployRecorded } from './recorded-deployment.ts';
import PermissiveVerifier from '#chain/generated/PermissiveVerifier.json' with { type: 'json' };

export const DAY = 86_400;
export const HOUR = 3_600;

/** An enclave's keyset and what is registered for it. */
export interface StageEnclave {
  readonly registration: Registration;
  readonly keysetDigest: Hex;
  readonly receiptKey: EddsaKeyPair;
  readonly signerId: bigint;
}

/** Everything a contract test needs. */
export interface Stage {
  readonly chain: DevChain;
  readonly deployment: Deployment;
  readonly owner: Wallet;
  readonly attestors: readonly Wallet[];
  readonly funder: Wallet;
  readonly provider: Wallet;
  readonly stranger: Wallet;
  readonly guardian: Wallet;
  readonly feeAccount: Hex;
  /** Family of the permissive verifier, N = 16. */
  readonly family: Hex;
  /** Family of a permissive verifier that publishes sixteen pairs. */
  readonly provenFamily: Hex;
  readonly provenVerifier: ContractAccess;
  readonly verifier: ContractAccess;
  as(wallet: Wallet): StunContracts;
  close(): Promise<void>;
}

/** Starts the stage; accounts: 0 owner, 1-3 attestors, 4 funder, 5 provider, 6 stranger, 8 guardian, 9 fee account. */
export async function startStage(options: DevChainOptions = {}): Promise<Stage> {
  const chain = await startDevChain(options);
  const owner = chain.wallet(0);
  const attestors = [1, 2, 3].map((index) => chain.wallet(index));
  const feeAccount = chain.accounts[9]!.address;
  const parties = { attestors: attestors.map((wallet) => wallet.address), feeAccount, guardian: chain.accounts[8]!.address };
  const terms = { ...parties, threshold: 2, feeBps: 100 };
  const deployment = await (Object.keys(options).length === 0 ? deployRecorded(chain, terms) : deployStun(owner, terms));
  const contracts = contractsOf(deployment, owner);
  const vkHash = toHex(randomBytes(32));
  const address = await deployContract(owner, PermissiveVerifier, [vkHash, 16, true]);
  await contracts.router.addSettlementFamily(address, 16, vkHash, toHex(randomBytes(32)));
  const proven = await addProvenFamily(owner, contracts);
  await contracts.token.transfer(chain.accounts[4]!.address, 10n ** 24n);
  return {
    chain,
    deployment,
    owner,
    attestors,
    funder: chain.wallet(4),
    provider: chain.wallet(5),
    stranger: chain.wallet(6),
    guardian: chain.wallet(8),
    feeAccount,
    family: settlementFamilyIdOf(16, vkHash),
    provenFamily: proven.family,
    provenVerifier: new ContractAccess(PermissiveVerifier, proven.verifier, owner),
    verifier: new ContractAccess(PermissiveVerifier, address, owner),
    as: (wallet) => contractsOf(deployment, wallet),
    close: () => chain.close(),
  };
}

/** Adds a family that publishes sixteen pairs, with a permissive verifier of its own. @param vkHash - of no key when not given */
export async function addProvenFamily(
  owner: Wallet,
  { router }: StunContracts,
  vkHash = toHex(randomBytes(32)),
): Promise<{ family: Hex; verifier: Hex }> {
  const verifier = await deployContract(owner, PermissiveVerifier, [vkHash, 16, true]);
  await router.addProvenFamily(verifier, 16, vkHash, toHex(randomBytes(32)));
  return { family: settlementFamilyIdOf(16, vkHash), verifier };
}

/** Runs each test of a suite on the state that `before` left: call inside a describe, after the stage was started. */
export function restoreEachTest(stage: () => Stage): void {
  let snapshot: unknown;
  beforeEach(async () => {
    snapshot = await stage().chain.request('evm_snapshot');
  });
  afterEach(async () => {
    await stage().chain.request('evm_revert', [snapshot]);
  });
}

/** The call fails with exactly this custom error of the contracts, and with the code the project gives it. */
export async function refuses(call: Promise<unknown>, solidityError: keyof typeof solidityErrorCodes): Promise<void> {
  let thrown: unknown;
  try {
    await call;
  } catch (error) {
    thrown = error;
  }
  assert.ok(thrown !== undefined, `expected ${solidityError}, got success`);
  assert.ok(thrown instanceof StunError, `expected ${solidityError}, got another kind of error`);
  const name = solidityErrorOf(thrown.cause)?.name ?? 'no custom error';
  assert.equal(name, solidityError, `expected ${solidityError}, got ${name}: ${thrown.message}`);
  assert.equal(thrown.code, solidityErrorCodes[solidityError]);
  assert.equal(thrown.details['solidityError'], solidityError);
}

/** A keyset of the stage's provider with fresh keys. */
export async function makeEnclave(
  stage: Stage,
  choice: Partial<Registration> & { readonly receiptKey?: EddsaKeyPair; readonly keysetExpiresAtUnix?: number } = {},
): Promise<StageEnclave> {
  const receiptKey = choice.receiptKey ?? generateEddsaKeyPair();
  const now = await stage.chain.nowUnix();
  const keysetExpiresAtUnix = choice.keysetExpiresAtUnix ?? now + 60 * DAY;
  const keyset =
    choice.keyset ??
    encodeKeyset({
      chainId: BigInt(stage.deployment.chainId),
      registry: stage.deployment.registry,
      provider: stage.provider.address.toLowerCase() as Hex,
      hpkePublicKey: randomBytes(1216),
      receiptKey: receiptKey.publicKey,
      secpPublicKey: secp256k1.getPublicKey(secp256k1.utils.randomSecretKey(), false).subarray(1),
      runtimeDigest: randomBytes(32),
      expiresAtUnix: keysetExpiresAtUnix,
    });
  const registration: Registration = {
    keyset,
    policyId: choice.policyId ?? randomField(),
    hardwareIdHash: choice.hardwareIdHash ?? randomField(),
    platform: choice.platform ?? 129,
    expiresAtUnix: choice.expiresAtUnix ?? now + 30 * DAY,
    evidenceDigest: choice.evidenceDigest ?? toHex(randomBytes(32)),
    ...(choice.slot === undefined ? {} : { slot: choice.slot }),
  };
  return { registration, keysetDigest: toHex(keysetDigestOf(keyset)), receiptKey, signerId: signerIdOf(receiptKey.publicKey) };
}

function registryDomain(stage: Stage): { chainId: bigint; verifyingContract: Hex } {
  return { chainId: BigInt(stage.deployment.chainId), verifyingContract: stage.deployment.registry };
}

/** Approvals of a registration by the given attestors, with the protocol's own signatures. */
export async function approve(
  stage: Stage,
  enclave: StageEnclave,
  by: readonly Wallet[] = stage.attestors.slice(0, 2),
  change: { readonly deadlineUnix?: number; readonly nonce?: bigint; readonly provider?: Hex } = {},
): Promise<AttestorApproval[]> {
  const deadlineUnix = change.deadlineUnix ?? (await stage.chain.nowUnix()) + HOUR;
  const { registration } = enclave;
  return by.map((wallet) => {
    const nonce = change.nonce ?? randomField();
    const signature = signEip712(fromHex(wallet.privateKey, 32), 'EnclaveApproval', registryDomain(stage), {
      provider: change.provider ?? stage.provider.address.toLowerCase(),
      keysetDigest: enclave.keysetDigest,
      policyId: registration.policyId,
      hardwareIdHash: registration.hardwareIdHash,
      platform: BigInt(registration.platform),
      expiresAt: BigInt(registration.expiresAtUnix),
      evidenceDigest: registration.evidenceDigest,
      nonce,
      deadline: BigInt(deadlineUnix),
    });
    return { attestor: wallet.address.toLowerCase(), nonce, deadlineUnix, signature };
  });
}

/** The provider's consent to a registration. */
export async function consentTo(
  stage: Stage,
  enclave: StageEnclave,
  change: { readonly deadlineUnix?: number; readonly nonce?: bigint; readonly by?: Wallet } = {},
): Promise<ProviderConsent> {
  const deadlineUnix = change.deadlineUnix ?? (await stage.chain.nowUnix()) + HOUR;
  const nonce = change.nonce ?? randomField();
  const { registration } = enclave;
  const signer = change.by ?? stage.provider;
  const signature = signEip712(fromHex(signer.privateKey, 32), 'EnclaveConsent', registryDomain(stage), {
    keysetDigest: enclave.keysetDigest,
    policyId: registration.policyId,
    hardwareIdHash: registration.hardwareIdHash,
    platform: BigInt(registration.platform),
    expiresAt: BigInt(registration.expiresAtUnix),
    nonce,
    deadline: BigInt(deadlineUnix),
  });
  return { nonce, deadlineUnix, signature };
}

/** Registers an enclave of the stage's provider. */
export async function registerEnclave(stage: Stage, choice: Parameters<typeof makeEnclave>[1] = {}): Promise<StageEnclave> {
  const enclave = await makeEnclave(stage, choice);
  await stage.as(stage.provider).registry.register(enclave.registration, await approve(stage, enclave));
  return enclave;
}

/** Terms of an attested order with the permissive family. */
export function termsFor(stage: Stage, change: Partial<Terms> = {}): Terms {
  return {
    assurance: 0,
    publicModelId: 0n,
    settlementFamily: stage.family,
    inferenceFamily: `0x${'00'.repeat(32)}`,
    segmentLength: 16,
    feeBps: 100,
    priceScale: 1n,
    challengeWindowSeconds: 0,
    answerPeriodSeconds: 0,
    bond: 0n,
    slash: 0n,
    challenger: NATIVE_TOKEN,
    ...change,
  };
}

/** The place of an order of the stage's funder. */
export function placeOf(stage: Stage, token: string, funder: Wallet = stage.funder): OrderPlace {
  return {
    chainId: BigInt(stage.deployment.chainId),
    escrow: stage.deployment.escrow,
    funder: funder.address.toLowerCase(),
    token,
  };
}

/** A request for an order in the native coin, one day long, one provider with a budget of 1000. */
export async function orderRequest(stage: Stage, change: Partial<OrderRequest> = {}): Promise<OrderRequest> {
  return {
    orderId: randomField(),
    token: NATIVE_TOKEN,
    deadlineUnix: (await stage.chain.nowUnix()) + DAY,
    graceSeconds: DAY,
    terms: termsFor(stage),
    budgets: [{ provider: stage.provider.address.toLowerCase(), amount: 1000n }],
    ...change,
  };
}

/** An open order with its domain and key. */
export interface StageOrder {
  readonly request: OrderRequest;
  readonly orderId: bigint;
  readonly orderKey: Hex;
  readonly domain: bigint;
}

/** Opens an order of the stage's funder. */
export async function openOrder(stage: Stage, change: Partial<OrderRequest> = {}): Promise<StageOrder> {
  const request = await orderRequest(stage, change);
  const { event } = await stage.as(stage.funder).escrow.open(placeOf(stage, request.token), request);
  return { request, orderId: request.orderId, orderKey: event.orderKey, domain: event.domain };
}

export const NO_PROOF = {
  a: [0n, 0n],
  b: [
    [0n, 0n],
    [0n, 0n],
  ],
  c: [0n, 0n],
} as const;

/** Signals that settle a fresh lane of an order at the newest block's time, under the provider's current root. */
export async function signalsFor(
  stage: Stage,
  order: StageOrder,
  change: Partial<SettlementSignals> & { readonly validAtUnix?: number; readonly laneIndex?: number } = {},
): Promise<SettlementSignals> {
  const { validAtUnix, laneIndex, ...signals } = change;
  const provider = stage.provider.address.toLowerCase();
  const payee = { provider, validAtUnix: validAtUnix ?? (await stage.chain.nowUnix()), laneIndex: laneIndex ?? 0 };
  return {
    enclaveRoot: await stage.as(stage.owner).registry.rootOf(provider),
    orderId: order.orderId,
    laneOld: 0n,
    laneNew: randomField(),
    receiptsRoot: randomField(),
    payee: packPayee(payee),
    total: 100n,
    domain: order.domain,
    ...signals,
  };
}

/** A party's agreement that an order goes on under another settlement family, for the stage's escrow unless another is named. */
export function signSuccession(
  stage: Stage,
  by: Wallet,
  succession: { readonly orderKey: Hex; readonly oldFamily: Hex; readonly newFamily: Hex; readonly escrow?: Hex },
): Hex {
  const { escrow, ...message } = succession;
  const domain = { chainId: BigInt(stage.deployment.chainId), verifyingContract: escrow ?? stage.deployment.escrow };
  return signEip712(fromHex(by.privateKey, 32), 'FamilySuccession', domain, message);
}
