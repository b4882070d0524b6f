/**
 * Sends transactions so that each happens once, whatever happens to this process, to the node, to the mempool and to the newest
 * blocks. Callers submit an intent under a key of their own and may ask for its fate by that key after any number of restarts.
 *
 * It trusts its node for what is on chain. It does not choose when a call makes sense: a call that would revert fails, with the
 * contract's code, and is not tried again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { StunError } from '#protocol/errors/stun-error.ts';
import { asStunError } from '#protocol/errors/registry.ts';
import { lowerAddress, type TransactionCall } from '../contract-access.ts';
import { Pass, type ChainView, type IsDone, type PassContext, type SenderPolicy, type SenderSigner } from './advance.ts';
import { isFinal, type Intent } from './intent.ts';
import { SenderNode, type RpcSend } from './node.ts';
import type { AccountClaim, SenderStore } from './store.ts';

/** How a sender works; every field but the last two has to be chosen. */
export interface SenderOptions {
  readonly chainId: number;
  readonly signer: SenderSigner;
  readonly store: SenderStore;
  readonly rpc: RpcSend;
  readonly isDone: IsDone;
  readonly policy: SenderPolicy;
  /** Between two passes. */
  readonly pollIntervalMs: number;
  /** Longest pause after failed passes; the first is one poll interval, each next twice as long. */
  readonly maxBackoffMs: number;
  /** For one request to the node. */
  readonly requestTimeoutMs: number;
  /** Told what went wrong in a pass; the sender goes on by itself. */
  readonly onProblem?: (problem: StunError) => void;
  readonly nowMs?: () => number;
}

/** What a caller submits. */
export interface Submission {
  /** Idempotency key, 1 to 200 characters. */
  readonly key: string;
  readonly call: TransactionCall;
  /** Handed back to `isDone`; at most 64 KiB. No secret. */
  readonly context: string;
}

function assertPolicy(options: SenderOptions): void {
  const { policy } = options;
  for (const [name, value, least] of [
    ['confirmations', policy.confirmations, 1],
    ['replaceAfterMs', policy.replaceAfterMs, 0],
    ['pollIntervalMs', options.pollIntervalMs, 1],
    ['maxBackoffMs', options.maxBackoffMs, options.pollIntervalMs],
    ['requestTimeoutMs', options.requestTimeoutMs, 1],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least)
      throw new StunError('STUN_CONFIG', `${name} must be an integer of at least ${least}`);
  }
  if (policy.maxFeePerGasWei <= 0n) throw new StunError('STUN_CONFIG', 'maxFeePerGasWei must be positive');
}

/** The one sender of an account. */
export class TransactionSender {
  readonly #options: SenderOptions;
  readonly #context: PassContext;
  readonly #claim: AccountClaim;
  readonly #nowMs: () => number;
  /** Holes in the nonces of the account and when each was first seen. */
  readonly #holes = new Map<number, number>();
  #passing: Promise<unknown> = Promise.resolve();

  private constructor(options: SenderOptions, claim: AccountClaim) {
    this.#options = options;
    this.#claim = claim;
    this.#nowMs = options.nowMs ?? Date.now;
    const { store, signer, policy, isDone } = options;
    const node = new SenderNode(options.rpc, options.requestTimeoutMs);
    this.#context = { node, store, claim, signer, policy, isDone, nowMs: this.#nowMs };
  }

  /**
   * Takes the account and gives a sender that goes on with what is stored. The node need not be up.
   * @throws `STUN_CONFIG`, `STUN_SENDER_CLAIMED`
   */
  static async open(options: SenderOptions): Promise<TransactionSender> {
    assertPolicy(options);
    const claim = await options.store.claim(options.chainId, lowerAddress(options.signer.address));
    return new TransactionSender(options, claim);
  }

  /**
   * Stores what shall happen; nothing is sent before the next pass. The same submission again is the same intent.
   * @throws `STUN_INPUT`; `STUN_SENDER_KEY_REUSED` when the key belongs to another call
   */
  async submit(submission: Submission): Promise<Intent> {
    const { key, call, context } = submission;
    if (key.length < 1 || key.length > 200) throw new StunError('STUN_INPUT', 'an idempotency key must have 1 to 200 characters');
    if (context.length > 65_536) throw new StunError('STUN_INPUT', 'the context of an intent must have at most 64 KiB');
    const intent = await this.#options.store.insert({
      key,
      chainId: this.#claim.chainId,
      account: this.#claim.account,
      call: { to: call.to, data: call.data, valueWei: call.value.toString() },
      context,
      kind: 'call',
      nonce: null,
    });
    const same =
      intent.account === this.#claim.account &&
      intent.chainId === this.#claim.chainId &&
      intent.call.to === call.to &&
      intent.call.data === call.data &&
      intent.call.valueWei === call.value.toString();
    if (!same) throw new StunError('STUN_SENDER_KEY_REUSED', `key ${key} belongs to another transaction`);
    return intent;
  }

  /**
   * One pass over all open intents. Passes never overlap.
   * @returns the intents that were open when it began, as they are now
   * @throws `STUN_SENDER_CLAIM_LOST`; `STUN_CHAIN_*` for the first intent that the node stood in the way of, after all were tried
   */
  pass(): Promise<readonly Intent[]> {
    const run = this.#passing.then(() => this.#pass());
    this.#passing = run.catch(() => {});
    return run;
  }

  async #pass(): Promise<readonly Intent[]> {
    const { store } = this.#options;
    await store.renew(this.#claim);
    const active = await store.active(this.#claim.chainId, this.#claim.account);
    if (active.length === 0) return [];
    const view = await this.#look();
    const pass = new Pass(this.#context, view, active);
    const results: Intent[] = [];
    let problem: StunError | undefined;
    for (const intent of active) {
      try {
        results.push(await pass.advance(intent));
      } catch (thrown) {
        const error = asStunError(thrown);
        if (error.code === 'STUN_SENDER_CLAIM_LOST') throw error;
        problem ??= error;
        results.push((await store.load(intent.key)) ?? intent);
      }
    }
    await this.#closeHoles(results);
    if (problem !== undefined) throw problem;
    return results;
  }

  async #look(): Promise<ChainView> {
    const { node, policy } = this.#context;
    const chainId = await node.chainId();
    if (chainId !== this.#claim.chainId) {
      throw new StunError('STUN_CHAIN_ID', `the sender is for chain ${this.#claim.chainId}, the node is on ${chainId}`);
    }
    const head = await node.head();
    const finalNumber = Math.max(-1, head.number - policy.confirmations + 1);
    const { account } = this.#claim;
    return {
      headNumber: head.number,
      finalNumber,
      finalNonce: finalNumber < 0 ? 0 : await node.transactionCount(account, finalNumber),
      latestNonce: await node.transactionCount(account, 'latest'),
      pendingNonce: await node.transactionCount(account, 'pending'),
      balance: await node.balance(account),
      market: { baseFeePerGas: head.baseFeePerGas, priorityFee: await node.priorityFee() },
    };
  }

  /**
   * When the node lost a transaction that somebody else had sent from this account, ours behind it never land. A hole that stays
   * is closed with an empty transaction; ours keep their nonces, since their bytes are out.
   */
  async #closeHoles(intents: readonly Intent[]): Promise<void> {
    const ours = intents.flatMap((one) => (one.state === 'signed' || one.state === 'broadcast' ? [one.nonce ?? 0] : []));
    if (ours.length === 0) return this.#holes.clear();
    const { node, policy } = this.#context;
    const pending = await node.transactionCount(this.#claim.account, 'pending');
    const lowest = Math.min(...ours);
    for (const nonce of this.#holes.keys()) if (nonce < pending || nonce >= lowest) this.#holes.delete(nonce);
    for (let nonce = pending; nonce < lowest; nonce++) {
      const since = this.#holes.get(nonce) ?? this.#nowMs();
      this.#holes.set(nonce, since);
      if (this.#nowMs() - since < policy.replaceAfterMs) continue;
      await this.#options.store.insert({
        key: `gap-filler/${this.#claim.chainId}/${this.#claim.account}/${nonce}/${since}`,
        chainId: this.#claim.chainId,
        account: this.#claim.account,
        call: { to: this.#claim.account, data: '0x', valueWei: '0' },
        context: '',
        kind: 'gap-filler',
        nonce,
      });
    }
  }

  /**
   * Passes until the signal aborts, with growing pauses while passes fail; nothing is lost however long the chain is away.
   * @throws `STUN_SENDER_CLAIM_LOST` when another sender took the account: two must not run
   */
  async run(signal: AbortSignal): Promise<void> {
    const { pollIntervalMs, maxBackoffMs, onProblem } = this.#options;
    let pauseMs = pollIntervalMs;
    while (!signal.aborted) {
      try {
        await this.pass();
        pauseMs = pollIntervalMs;
      } catch (thrown) {
        const problem = asStunError(thrown);
        if (problem.code === 'STUN_SENDER_CLAIM_LOST') throw problem;
        onProblem?.(problem);
        // An account without money does not slow down those transactions that are under way.
        pauseMs = problem.code === 'STUN_CHAIN_FUNDS' ? pollIntervalMs : Math.min(2 * pauseMs, maxBackoffMs);
      }
      await delay(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Waits for the passes under way and gives the account back. */
  async close(): Promise<void> {
    await this.#passing;
    await this.#options.store.release(this.#claim);
  }
}

/**
 * Waits until an intent is final, in this process or any that sees the store.
 * @returns the confirmed intent
 * @throws the code that the intent failed with; `STUN_SENDER_UNKNOWN_KEY`; `STUN_SENDER_STOPPED` when the signal aborts first
 */
export async function waitForIntent(
  store: Pick<SenderStore, 'load'>,
  key: string,
  options: { readonly signal: AbortSignal; readonly pollIntervalMs: number },
): Promise<Intent> {
  for (;;) {
    const intent = await store.load(key);
    if (intent === undefined) throw new StunError('STUN_SENDER_UNKNOWN_KEY', `nothing was submitted under the key ${key}`);
    if (intent.failure !== null) throw new StunError(intent.failure.code, intent.failure.reason);
    if (isFinal(intent)) return intent;
    if (options.signal.aborted) throw new StunError('STUN_SENDER_STOPPED', `${key} is ${intent.state}`);
    await delay(options.pollIntervalMs, undefined, { signal: options.signal }).catch(() => {});
  }
}
