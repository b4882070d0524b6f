/** A SenderStore that lives as long as its object: for tests and one-off commands. It survives its sender, not its process. */
import { randomUUID } from 'node:crypto';
import { StunError } from '#protocol/errors/stun-error.ts';
import { isFinal, type Intent } from './intent.ts';
import type { AccountClaim, NewIntent, SenderStore } from './store.ts';

interface HeldClaim {
  readonly token: string;
  expiresAtMs: number;
}

/** Keeps intents in a map. Values are copied in and out, as a database would. */
export class MemorySenderStore implements SenderStore {
  readonly #intents = new Map<string, Intent>();
  readonly #claims = new Map<string, HeldClaim>();
  readonly #claimTimeMs: number;
  readonly #nowMs: () => number;

  /** @param claimTimeMs - how long a claim lasts without being renewed */
  constructor(claimTimeMs: number, nowMs: () => number = Date.now) {
    this.#claimTimeMs = claimTimeMs;
    this.#nowMs = nowMs;
  }

  async claim(chainId: number, account: string): Promise<AccountClaim> {
    const place = `${chainId}/${account}`;
    const held = this.#claims.get(place);
    if (held !== undefined && held.expiresAtMs > this.#nowMs()) {
      throw new StunError('STUN_SENDER_CLAIMED', `another sender signs for ${account}`);
    }
    const claim: AccountClaim = { chainId, account, token: randomUUID() };
    this.#claims.set(place, { token: claim.token, expiresAtMs: this.#nowMs() + this.#claimTimeMs });
    return claim;
  }

  #held(claim: AccountClaim): HeldClaim {
    const held = this.#claims.get(`${claim.chainId}/${claim.account}`);
    if (held?.token !== claim.token)
      throw new StunError('STUN_SENDER_CLAIM_LOST', `another sender signs for ${claim.account} now`);
    return held;
  }

  async renew(claim: AccountClaim): Promise<void> {
    this.#held(claim).expiresAtMs = this.#nowMs() + this.#claimTimeMs;
  }

  async release(claim: AccountClaim): Promise<void> {
    const place = `${claim.chainId}/${claim.account}`;
    if (this.#claims.get(place)?.token === claim.token) this.#claims.delete(place);
  }

  async insert(intent: NewIntent): Promise<Intent> {
    const stored = this.#intents.get(intent.key);
    if (stored !== undefined) return structuredClone(stored);
    const others = [...this.#intents.values()].filter((one) => one.account === intent.account && one.chainId === intent.chainId);
    const fresh: Intent = {
      ...intent,
      sequence: others.length + 1,
      revision: 1,
      state: 'intended',
      gasLimit: null,
      attempts: [],
      broadcastAtMs: null,
      replacedCount: 0,
      mined: null,
      outcome: null,
      failure: null,
      waitingFor: null,
    };
    this.#intents.set(intent.key, structuredClone(fresh));
    return fresh;
  }

  async load(key: string): Promise<Intent | undefined> {
    return structuredClone(this.#intents.get(key));
  }

  async active(chainId: number, account: string): Promise<readonly Intent[]> {
    return [...this.#intents.values()]
      .filter((one) => one.chainId === chainId && one.account === account && !isFinal(one))
      .toSorted((a, b) => a.sequence - b.sequence)
      .map((one) => structuredClone(one));
  }

  async save(claim: AccountClaim, next: Intent): Promise<void> {
    this.#held(claim);
    const stored = this.#intents.get(next.key);
    if (stored === undefined || stored.revision + 1 !== next.revision) {
      throw new StunError('STUN_SENDER_CLAIM_LOST', `intent ${next.key} was changed by another sender`);
    }
    this.#intents.set(next.key, structuredClone(next));
  }
}
