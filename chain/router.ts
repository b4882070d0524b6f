/** Typed access to VerifierRouter: families of settlements and inferences, tombstones, freezes. */
import { AbiCoder, keccak256, type ContractRunner } from 'ethers';
import type { Hex } from '#protocol/bytes.ts';
import { artifacts } from './artifacts.ts';
import { ContractAccess, lowerAddress, type MinedTransaction } from './contract-access.ts';

/** What the router holds of a family; `verifier` is the zero address when it is unknown. */
export interface FamilyInfo {
  readonly verifier: Hex;
  /** 0 for an inference family. */
  readonly maxJobs: number;
  /** 0 attested, 2 proven; a proven family settles challengeable orders too. */
  readonly assurance: number;
  readonly tombstoned: boolean;
  readonly frozen: boolean;
  /** The verifier's key has a public trapdoor: local chain only. */
  readonly development: boolean;
  readonly frozenUntilUnix: number;
  /** Of 30 days over the family's life. */
  readonly frozenSecondsUsed: number;
  readonly vkHash: Hex;
  readonly ceremonyHash: Hex;
}

/** The identifier of a settlement family, docs/protocol.md section 3. */
export function settlementFamilyIdOf(maxJobs: number, vkHash: string): Hex {
  const encoded = AbiCoder.defaultAbiCoder().encode(
    ['string', 'uint256', 'bytes32'],
    ['stun/family/settlement/v1', maxJobs, vkHash],
  );
  return keccak256(encoded) as Hex;
}

/** The identifier of the inference family of a verifier's code, docs/protocol.md section 3. */
export function inferenceFamilyIdOf(codeHash: string): Hex {
  const encoded = AbiCoder.defaultAbiCoder().encode(['string', 'bytes32'], ['stun/family/inference/v1', codeHash]);
  return keccak256(encoded) as Hex;
}

/** The router. All failures are StunErrors. */
export class RouterContract {
  readonly access: ContractAccess;

  constructor(address: string, runner: ContractRunner) {
    this.access = new ContractAccess(artifacts.VerifierRouter, address, runner);
  }

  /** What the router knows of a family. */
  async family(family: string): Promise<FamilyInfo> {
    const view = (await this.access.read('familyOf', [family]))[0] as Record<string, unknown>;
    return {
      verifier: lowerAddress(view['verifier']),
      maxJobs: Number(view['maxJobs']),
      assurance: Number(view['assurance']),
      tombstoned: Boolean(view['tombstoned']),
      frozen: Boolean(view['frozen']),
      development: Boolean(view['development']),
      frozenUntilUnix: Number(view['frozenUntil']),
      frozenSecondsUsed: Number(view['frozenSecondsUsed']),
      vkHash: String(view['vkHash']) as Hex,
      ceremonyHash: String(view['ceremonyHash']) as Hex,
    };
  }

  /** Whether proofs of the family, of settlements or inferences, verify now: known, not tombstoned, not frozen. */
  async isFamilyOpen(family: string): Promise<boolean> {
    const info = await this.family(family);
    return BigInt(info.verifier) !== 0n && !info.tombstoned && !info.frozen;
  }

  /** Seconds the family was frozen between a time and now. @throws `STUN_FAMILY_UNKNOWN` */
  async frozenSecondsSince(family: string, sinceUnix: number): Promise<number> {
    return Number((await this.access.read('frozenSecondsSince', [family, sinceUnix]))[0]);
  }

  /** Owner: allows a verification key with its ceremony's transcript hash. */
  allowVerificationKey(vkHash: string, ceremonyHash: string): Promise<MinedTransaction> {
    return this.access.send('allowVerificationKey', [vkHash, ceremonyHash]);
  }

  /** Owner: adds a family. @throws `STUN_FAMILY_REFUSED`, `STUN_CHAIN_DEVELOPMENT_VERIFIER` */
  addSettlementFamily(verifier: string, maxJobs: number, vkHash: string, ceremonyHash: string): Promise<MinedTransaction> {
    return this.access.send('addSettlementFamily', [verifier, maxJobs, vkHash, ceremonyHash]);
  }

  /** Owner: adds a family that publishes the pairs of paid jobs. @throws as {@link addSettlementFamily} */
  addProvenFamily(verifier: string, maxJobs: number, vkHash: string, ceremonyHash: string): Promise<MinedTransaction> {
    return this.access.send('addProvenFamily', [verifier, maxJobs, vkHash, ceremonyHash]);
  }

  /** Owner: adds the family of a generic verifier of inferences. @throws `STUN_FAMILY_REFUSED` */
  addInferenceFamily(verifier: string): Promise<MinedTransaction> {
    return this.access.send('addInferenceFamily', [verifier]);
  }

  /** Owner: ends a family for ever. */
  tombstone(family: string): Promise<MinedTransaction> {
    return this.access.send('tombstone', [family]);
  }

  /** Guardian: stops settlement and refunds for a while. */
  freeze(family: string, durationSeconds: number): Promise<MinedTransaction> {
    return this.access.send('freeze', [family, durationSeconds]);
  }

  /** Guardian: ends a freeze early. */
  unfreeze(family: string): Promise<MinedTransaction> {
    return this.access.send('unfreeze', [family]);
  }
}
