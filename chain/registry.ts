/** Typed access to EnclaveRegistry: registration, retirement, revocation, leaves and paths. docs/protocol.md sections 2, 4, 5. */
import { hexlify, type ContractRunner, type Result } from 'ethers';
import type { Hex } from '#protocol/bytes.ts';
import type { EnclaveLeaf } from '#protocol/commitments.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { MerklePath } from '#protocol/merkle.ts';
import { artifacts } from './artifacts.ts';
import { ContractAccess, lowerAddress, type EventPlace, type MinedTransaction } from './contract-access.ts';

/** `slot` of a registration that takes the next unused place. */
export const NEXT_SLOT = 0xffff;

const STATES = ['none', 'active', 'retired', 'revoked'] as const;

/** State of a keyset. Retired: no new jobs, payable until expiry. */
export type KeysetState = (typeof STATES)[number];

/** What is registered. */
export interface Registration {
  /** The 1,442-byte layout. */
  readonly keyset: Uint8Array;
  readonly policyId: bigint;
  readonly hardwareIdHash: bigint;
  readonly platform: number;
  readonly expiresAtUnix: number;
  /** sha256 of the evidence document's bytes. */
  readonly evidenceDigest: Hex;
  /** An index that can be used again, or NEXT_SLOT, the default. */
  readonly slot?: number;
}

/** An attestor's signature over an EnclaveApproval (or EnclaveRevocation). */
export interface AttestorApproval {
  readonly attestor: string;
  readonly nonce: bigint;
  readonly deadlineUnix: number;
  readonly signature: string;
}

/** The provider's signature over an EnclaveConsent. */
export interface ProviderConsent {
  readonly nonce: bigint;
  readonly deadlineUnix: number;
  readonly signature: string;
}

/** A registered keyset. */
export interface EnclaveInfo {
  readonly provider: Hex;
  readonly state: KeysetState;
  readonly platform: number;
  readonly simulated: boolean;
  readonly keysetExpiresAtUnix: number;
  readonly signerId: bigint;
  readonly hardwareIdHash: bigint;
  readonly receiptSigner: Hex;
  readonly leafIndexes: readonly number[];
}

/** A registered leaf with what the chain says of it; fits the `leaf` of protocol's payable(). */
export interface RegisteredLeaf {
  readonly leaf: EnclaveLeaf;
  readonly index: number;
  /** The value in the provider's tree, 0 when it was revoked. */
  readonly treeLeaf: bigint;
  readonly retired: boolean;
  readonly revoked: boolean;
  readonly platform: number;
  readonly simulated: boolean;
  readonly keysetDigest: Hex;
}

/** A path under the provider's current root. */
export interface EnclavePath {
  readonly leaf: bigint;
  readonly path: MerklePath;
  readonly root: bigint;
}

/** An EnclaveRegistered event. */
export interface EnclaveRegistered {
  readonly provider: Hex;
  readonly keysetDigest: Hex;
  readonly policyId: bigint;
  readonly index: number;
  readonly leaf: bigint;
  readonly signerId: bigint;
  readonly hardwareIdHash: bigint;
  readonly platform: number;
  readonly expiresAtUnix: number;
  readonly evidenceDigest: Hex;
  readonly receiptSigner: Hex;
  readonly runtimeDigest: Hex;
  readonly checkedOnChain: boolean;
  readonly place: EventPlace;
}

/** A LeafSet event: these alone rebuild a tree. */
export interface LeafSet {
  readonly provider: Hex;
  readonly index: number;
  readonly leaf: bigint;
  readonly root: bigint;
  readonly place: EventPlace;
}

/** The registry. All failures are StunErrors. */
export class RegistryContract {
  readonly access: ContractAccess;

  constructor(address: string, runner: ContractRunner) {
    this.access = new ContractAccess(artifacts.EnclaveRegistry, address, runner);
  }

  /**
   * Registers a leaf. Approvals are sorted here; without a consent the sender must be the provider.
   * @throws `STUN_REGISTER_*`
   */
  async register(
    registration: Registration,
    approvals: readonly AttestorApproval[],
    consent?: ProviderConsent,
  ): Promise<MinedTransaction & { readonly event: EnclaveRegistered }> {
    const mined = await this.access.send('register', registerArguments(registration, approvals, consent));
    const event = this.access.eventsIn(mined.receipt, 'EnclaveRegistered')[0];
    if (event === undefined) throw new StunError('STUN_CHAIN_DEPLOYMENT', 'a registration emitted no EnclaveRegistered event');
    return { ...mined, event: registeredOf(event.args, event.place) };
  }

  /** Registers through the on-chain quote verifier of the platform. */
  registerWithQuote(registration: Registration, evidence: Uint8Array, consent?: ProviderConsent): Promise<MinedTransaction> {
    const [tuple, , consentTuple] = registerArguments(registration, [], consent);
    return this.access.send('registerWithQuote', [tuple, hexlify(evidence), consentTuple]);
  }

  /** Provider: no new jobs; payable until expiry. */
  retire(keysetDigest: string): Promise<MinedTransaction> {
    return this.access.send('retire', [keysetDigest]);
  }

  /** Provider: ends a keyset and all earlier roots of its provider. */
  revoke(keysetDigest: string): Promise<MinedTransaction> {
    return this.access.send('revoke', [keysetDigest]);
  }

  /** A quorum of attestors revokes a keyset, and denies its hardware when told so. */
  revokeByQuorum(keysetDigest: string, denyHardware: boolean, approvals: readonly AttestorApproval[]): Promise<MinedTransaction> {
    return this.access.send('revokeByQuorum', [keysetDigest, denyHardware, approvalTuples(approvals)]);
  }

  /** Guardian: refuses a hardware identity for everybody from now on. */
  denyHardware(hardwareIdHash: bigint): Promise<MinedTransaction> {
    return this.access.send('denyHardware', [hardwareIdHash]);
  }

  /** Owner: adds or removes an attestor. */
  setAttestor(attestor: string, active: boolean): Promise<MinedTransaction> {
    return this.access.send('setAttestor', [attestor, active]);
  }

  /** Owner: how many attestors must approve. */
  setThreshold(threshold: number): Promise<MinedTransaction> {
    return this.access.send('setThreshold', [threshold]);
  }

  /** The approvals that a registration needs. */
  async threshold(): Promise<number> {
    return Number((await this.access.read('threshold', []))[0]);
  }

  /** Whether an account is an attestor. */
  async isAttestor(account: string): Promise<boolean> {
    return Boolean((await this.access.read('isAttestor', [account]))[0]);
  }

  /** A keyset by digest; state `none` when unknown. */
  async enclave(keysetDigest: string): Promise<EnclaveInfo> {
    const info = (await this.access.read('enclaveOf', [keysetDigest]))[0] as Result;
    return {
      provider: lowerAddress(info.getValue('provider')),
      state: STATES[Number(info.getValue('state'))] ?? 'none',
      platform: Number(info.getValue('platform')),
      simulated: Boolean(info.getValue('simulated')),
      keysetExpiresAtUnix: Number(info.getValue('keysetExpiresAt')),
      signerId: BigInt(info.getValue('signerId')),
      hardwareIdHash: BigInt(info.getValue('hardwareIdHash')),
      receiptSigner: lowerAddress(info.getValue('receiptSigner')),
      leafIndexes: [...(info.getValue('leafIndexes') as Iterable<bigint>)].map(Number),
    };
  }

  /**
   * The leaf of a keyset under a policy.
   * @throws `STUN_ENCLAVE_NOT_LIVE` when the keyset has none (never registered or revoked)
   */
  async leaf(keysetDigest: string, policyId: bigint): Promise<RegisteredLeaf> {
    const [found, index] = await this.access.read('leafIndexOf', [keysetDigest, policyId]);
    if (found !== true) throw new StunError('STUN_ENCLAVE_NOT_LIVE', 'the keyset has no live leaf under the policy');
    const info = await this.enclave(keysetDigest);
    const leaf = (await this.access.read('leafOf', [info.provider, index]))[0] as Result;
    return {
      leaf: {
        signerId: info.signerId,
        policyId,
        provider: info.provider,
        hardwareIdHash: info.hardwareIdHash,
        expiresAtUnix: Number(leaf.getValue('expiresAt')),
      },
      index: Number(index),
      treeLeaf: BigInt(leaf.getValue('leaf')),
      retired: info.state === 'retired',
      revoked: info.state === 'revoked',
      platform: info.platform,
      simulated: info.simulated,
      keysetDigest: keysetDigest as Hex,
    };
  }

  /** The path of a slot under the provider's current root. */
  async pathOf(provider: string, index: number): Promise<EnclavePath> {
    const result = await this.access.read('pathOf', [provider, index]);
    const siblings = [...(result[1] as Iterable<bigint>)];
    return { leaf: BigInt(result[0]), path: { index, siblings }, root: BigInt(result[2]) };
  }

  /** The current root of a provider's tree. */
  async rootOf(provider: string): Promise<bigint> {
    return BigInt((await this.access.read('rootOf', [provider]))[0]);
  }

  /** Whether a root can be settled against now, given the family's frozen seconds since it was superseded. */
  async isLiveRoot(provider: string, root: bigint, frozenSeconds = 0): Promise<boolean> {
    return Boolean((await this.access.read('isLiveRoot', [provider, root, frozenSeconds]))[0]);
  }

  /** When a root was replaced, unix seconds: 0 for one that never was or died, the largest 40-bit number for the current one. */
  async rootSupersededAtUnix(provider: string, root: bigint): Promise<number> {
    return Number((await this.access.read('rootSupersededAt', [provider, root]))[0]);
  }

  /** The active keyset of a provider on a hardware identity, undefined when there is none. */
  async activeKeysetOf(provider: string, hardwareIdHash: bigint): Promise<Hex | undefined> {
    const digest = String((await this.access.read('activeKeysetOf', [provider, hardwareIdHash]))[0]);
    return BigInt(digest) === 0n ? undefined : (digest as Hex);
  }

  /** Whether a hardware identity is denied network-wide. */
  async isHardwareDenied(hardwareIdHash: bigint): Promise<boolean> {
    return Boolean((await this.access.read('hardwareDenied', [hardwareIdHash]))[0]);
  }

  /** Registrations between blocks, of one provider when given. */
  async registrations(
    fromBlock: number,
    toBlock: number | 'latest' = 'latest',
    provider: string | null = null,
  ): Promise<readonly EnclaveRegistered[]> {
    const events = await this.access.events('EnclaveRegistered', [provider], fromBlock, toBlock);
    return events.map((event) => registeredOf(event.args, event.place));
  }

  /** Changes of trees between blocks, of one provider when given. */
  async leafChanges(
    fromBlock: number,
    toBlock: number | 'latest' = 'latest',
    provider: string | null = null,
  ): Promise<readonly LeafSet[]> {
    const events = await this.access.events('LeafSet', [provider], fromBlock, toBlock);
    return events.map(({ args, place }) => ({
      provider: lowerAddress(args.getValue('provider')),
      index: Number(args.getValue('index')),
      leaf: BigInt(args.getValue('leaf')),
      root: BigInt(args.getValue('root')),
      place,
    }));
  }
}

/** The arguments of `register`, approvals sorted by attestor as the contract demands. */
export function registerArguments(
  registration: Registration,
  approvals: readonly AttestorApproval[],
  consent?: ProviderConsent,
): readonly [readonly unknown[], readonly unknown[], readonly unknown[]] {
  return [
    [
      hexlify(registration.keyset),
      registration.policyId,
      registration.hardwareIdHash,
      registration.platform,
      registration.expiresAtUnix,
      registration.evidenceDigest,
      registration.slot ?? NEXT_SLOT,
    ],
    approvalTuples(approvals),
    consent === undefined ? [0n, 0, '0x'] : [consent.nonce, consent.deadlineUnix, consent.signature],
  ];
}

function approvalTuples(approvals: readonly AttestorApproval[]): readonly unknown[] {
  return approvals
    .toSorted((a, b) => (BigInt(a.attestor) < BigInt(b.attestor) ? -1 : 1))
    .map((approval) => [approval.attestor, approval.nonce, approval.deadlineUnix, approval.signature]);
}

function registeredOf(args: Result, place: EventPlace): EnclaveRegistered {
  return {
    provider: lowerAddress(args.getValue('provider')),
    keysetDigest: String(args.getValue('keysetDigest')) as Hex,
    policyId: BigInt(args.getValue('policyId')),
    index: Number(args.getValue('index')),
    leaf: BigInt(args.getValue('leaf')),
    signerId: BigInt(args.getValue('signerId')),
    hardwareIdHash: BigInt(args.getValue('hardwareIdHash')),
    platform: Number(args.getValue('platform')),
    expiresAtUnix: Number(args.getValue('expiresAt')),
    evidenceDigest: String(args.getValue('evidenceDigest')) as Hex,
    receiptSigner: lowerAddress(args.getValue('receiptSigner')),
    runtimeDigest: String(args.getValue('runtimeDigest')) as Hex,
    checkedOnChain: Boolean(args.getValue('checkedOnChain')),
    place,
  };
}
