/**
 * What a sender needs of durable storage. Every write is one transaction that is on disk when its promise resolves; a sender that
 * is killed between two of them goes on from the newest. In memory for tests: memory-store.ts; the service has it in SQL.
 */
import type { Intent } from './intent.ts';

/** The right to sign for an account: one sender at a time has it, or two would use one nonce. */
export interface AccountClaim {
  readonly chainId: number;
  readonly account: string;
  /** Distinct for each claim ever given. */
  readonly token: string;
}

/** What a caller hands in. */
export interface NewIntent extends Pick<Intent, 'key' | 'chainId' | 'account' | 'call' | 'context' | 'kind' | 'nonce'> {}

/** Storage of intents and claims. */
export interface SenderStore {
  /**
   * Takes the account for one sender. A claim that was not renewed for the store's own time is free again.
   * @throws `STUN_SENDER_CLAIMED` while another sender holds it
   */
  claim(chainId: number, account: string): Promise<AccountClaim>;
  /** Holds on to a claim. @throws `STUN_SENDER_CLAIM_LOST` when another sender has taken the account since */
  renew(claim: AccountClaim): Promise<void>;
  /** Gives a claim back; does nothing when it is lost already. */
  release(claim: AccountClaim): Promise<void>;
  /** Stores an intent in state `intended` with the next sequence number and revision 1; gives back the stored one if the key exists. */
  insert(intent: NewIntent): Promise<Intent>;
  /** The intent of a key, final ones included. */
  load(key: string): Promise<Intent | undefined>;
  /** All intents of an account that are not final, by sequence. */
  active(chainId: number, account: string): Promise<readonly Intent[]>;
  /**
   * Replaces a stored intent. The check of claim and revision and the write are one transaction.
   * @param next - with the revision that is stored plus one
   * @throws `STUN_SENDER_CLAIM_LOST` when the claim is not held or the revision is another; nothing is written then
   */
  save(claim: AccountClaim, next: Intent): Promise<void>;
}
