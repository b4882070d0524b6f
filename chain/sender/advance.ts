/**
 * One look at one intent: compares what is stored with what the chain says and takes the next step. Every step is stored before
 * its effect leaves the process (a signature) or after it was seen (a receipt), so being killed in between costs nothing.
 *
 * Order matters: the account's nonces are read before receipts. A nonce that was final at the first read has its transaction in
 * the chain at the second, so "no receipt" means that the transaction is somebody else's.
 */
import { Transaction } from 'ethers';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { firstOffer, raisedOffer, type FeeMarket, type Fees } from './fees.ts';
import type { Intent, MinedPlace, SignedAttempt } from './intent.ts';
import type { NodeCall, SenderNode } from './node.ts';
import type { AccountClaim, SenderStore } from './store.ts';
import * as to from './transitions.ts';

/** Signs for one account; a Wallet of ethers is one. */
export interface SenderSigner {
  readonly address: string;
  signTransaction(transaction: {
    type: 2;
    chainId: number;
    nonce: number;
    to: string;
    data: string;
    value: bigint;
    gasLimit: bigint;
    maxFeePerGas: bigint;
    maxPriorityFeePerGas: bigint;
  }): Promise<string>;
}

/**
 * Whether the effect of an intent is on chain at a block, whoever brought it there. It must not throw for "no", and it must look at
 * that block's state: the sender asks for the newest block before it sends, and for a final one before it forgets.
 */
export type IsDone = (intent: Intent, blockNumber: number) => Promise<boolean>;

/** What the sender decides by. */
export interface SenderPolicy {
  /** Blocks on top that make a transaction final, its own counted; 1 or more. */
  readonly confirmations: number;
  /** How long a transaction may wait unmined before its fee is raised. */
  readonly replaceAfterMs: number;
  /** Most that is ever paid per gas, wei. */
  readonly maxFeePerGasWei: bigint;
}

/** The chain at the beginning of a pass. */
export interface ChainView {
  readonly headNumber: number;
  /** Newest block that is final under the policy, -1 when there is none. */
  readonly finalNumber: number;
  readonly finalNonce: number;
  readonly latestNonce: number;
  /** First nonce that neither the chain nor the node's waiting transactions have. */
  readonly pendingNonce: number;
  /** At the newest block, wei. */
  readonly balance: bigint;
  readonly market: FeeMarket;
}

/** What a pass needs. */
export interface PassContext {
  readonly node: SenderNode;
  readonly store: SenderStore;
  readonly claim: AccountClaim;
  readonly signer: SenderSigner;
  readonly policy: SenderPolicy;
  readonly isDone: IsDone;
  readonly nowMs: () => number;
}

/** What a node may answer without having run the call: these say nothing about the contract. */
const NOT_A_REVERT: readonly ErrorCode[] = [
  'STUN_CHAIN_UNAVAILABLE',
  'STUN_CHAIN_NODE',
  'STUN_CHAIN_FUNDS',
  'STUN_CHAIN_NONCE',
  'STUN_CHAIN_ID',
  'STUN_CHAIN_DEPLOYMENT',
  'STUN_INTERNAL',
];

const DONE_NOT_FINAL = 'the effect is on chain; its block is not final yet';

/** Another transaction waits at the nonce and the node keeps it. */
const NONCE_HELD = 'a transaction of somebody else with this key holds the nonce';

function isRevert(thrown: unknown): thrown is StunError {
  return thrown instanceof StunError && !NOT_A_REVERT.includes(thrown.code);
}

/** Most that the newest attempt of an intent may cost, wei. */
function costOf(intent: Intent): bigint {
  const newest = intent.attempts.at(-1);
  return newest === undefined
    ? 0n
    : BigInt(intent.call.valueWei) + BigInt(intent.gasLimit ?? '0') * BigInt(newest.maxFeePerGasWei);
}

/** A pass over the intents of an account, in order of submission. */
export class Pass {
  readonly #context: PassContext;
  readonly #view: ChainView;
  readonly #takenNonces: Set<number>;
  /** Most that transactions under way may cost, wei. */
  #committedWei: bigint;
  /** Whether an earlier intent is not mined yet: a call may revert only because it waits for that one. */
  #earlierOpen = false;

  constructor(context: PassContext, view: ChainView, active: readonly Intent[]) {
    this.#context = context;
    this.#view = view;
    this.#committedWei = active.filter((intent) => intent.mined === null).reduce((sum, intent) => sum + costOf(intent), 0n);
    this.#takenNonces = new Set(active.flatMap((intent) => (intent.nonce === null ? [] : [intent.nonce])));
  }

  /** Takes an intent as far as it goes now. @throws what the node or the store throw; the stored state is sound at any time */
  async advance(intent: Intent): Promise<Intent> {
    let now = intent;
    try {
      for (let before: Intent | undefined; before?.state !== now.state;) {
        before = now;
        now = await this.#step(now);
      }
      return now;
    } finally {
      if (['intended', 'signed', 'broadcast'].includes(now.state)) this.#earlierOpen = true;
    }
  }

  async #step(intent: Intent): Promise<Intent> {
    switch (intent.state) {
      case 'intended':
        return this.#begin(intent);
      case 'signed':
      case 'broadcast':
        return this.#follow(intent);
      case 'mined':
        return this.#settle(intent);
      case 'confirmed':
      case 'failed':
        return intent;
    }
  }

  async #save(next: Intent): Promise<Intent> {
    await this.#context.store.save(this.#context.claim, next);
    return next;
  }

  async #wait(intent: Intent, reason: string): Promise<Intent> {
    return intent.waitingFor === reason ? intent : this.#save(to.waiting(intent, reason));
  }

  /** `final`: done for good; `seen`: done in a block that may still vanish. */
  async #doneness(intent: Intent): Promise<'no' | 'seen' | 'final'> {
    if (intent.kind === 'gap-filler') return 'no';
    if (!(await this.#context.isDone(intent, this.#view.headNumber))) return 'no';
    const { finalNumber } = this.#view;
    return finalNumber >= 0 && (await this.#context.isDone(intent, finalNumber)) ? 'final' : 'seen';
  }

  /** The step for an effect that is on chain without a transaction of ours, undefined when it is not. */
  async #doneElsewhere(intent: Intent): Promise<Intent | undefined> {
    const doneness = await this.#doneness(intent);
    if (doneness === 'no') return undefined;
    if (doneness === 'final') return this.#save(to.alreadyDone(intent, this.#view.finalNumber));
    return this.#wait(intent, DONE_NOT_FINAL);
  }

  #call(intent: Intent): NodeCall {
    const { to: address, data, valueWei } = intent.call;
    return { from: intent.account, to: address, data, valueWei: BigInt(valueWei) };
  }

  async #begin(intent: Intent): Promise<Intent> {
    const elsewhere = await this.#doneElsewhere(intent);
    if (elsewhere !== undefined) return elsewhere;
    let gas: bigint;
    try {
      gas = await this.#context.node.estimateGas(this.#call(intent));
    } catch (thrown) {
      if (!isRevert(thrown)) throw thrown;
      if (this.#earlierOpen) return this.#wait(intent, 'the call reverts as long as earlier transactions are not mined');
      return this.#explainRevert(intent);
    }
    const offer = firstOffer(this.#view.market, this.#context.policy.maxFeePerGasWei);
    if (offer === undefined) return this.#wait(intent, 'the chain asks more per gas than the cap');
    const gasLimit = (gas * 6n) / 5n;
    this.#commit(BigInt(intent.call.valueWei) + gasLimit * offer.maxFeePerGas);
    return this.#signAndSend(intent, intent.nonce ?? this.#freeNonce(), gasLimit, offer);
  }

  /** Sets money aside. What cannot be paid for must not take a nonce: everything behind it would wait. */
  #commit(costWei: bigint): void {
    if (this.#committedWei + costWei > this.#view.balance) {
      throw new StunError(
        'STUN_CHAIN_FUNDS',
        `${this.#context.claim.account} needs ${this.#committedWei + costWei} wei for what is open`,
      );
    }
    this.#committedWei += costWei;
  }

  /**
   * A call that reverts on top of all that waits. Effect and call are looked at in the state of one block, the newest by now, so
   * that neither a block nor a transaction that came in between makes a call that somebody else made look like one that fails.
   */
  async #explainRevert(intent: Intent): Promise<Intent> {
    const { node, isDone } = this.#context;
    const { number } = await node.head();
    if (intent.kind === 'call' && (await isDone(intent, number))) return this.#wait(intent, DONE_NOT_FINAL);
    try {
      await node.simulate(this.#call(intent), number);
    } catch (thrown) {
      if (isRevert(thrown)) return this.#save(to.failed(intent, thrown));
      throw thrown;
    }
    return this.#wait(intent, 'the call reverts on top of a transaction that is not mined yet');
  }

  #freeNonce(): number {
    let nonce = Math.max(this.#view.pendingNonce, this.#view.latestNonce);
    while (this.#takenNonces.has(nonce)) nonce++;
    this.#takenNonces.add(nonce);
    return nonce;
  }

  async #signAndSend(intent: Intent, nonce: number, gasLimit: bigint, fees: Fees): Promise<Intent> {
    const call = this.#call(intent);
    const raw = await this.#context.signer.signTransaction({
      type: 2,
      chainId: intent.chainId,
      nonce,
      to: call.to,
      data: call.data,
      value: call.valueWei,
      gasLimit,
      ...fees,
    });
    const { hash } = Transaction.from(raw);
    if (hash === null) throw new StunError('STUN_INTERNAL', 'the signer gave an unsigned transaction');
    const attempt: SignedAttempt = {
      transactionHash: hash,
      raw,
      maxFeePerGasWei: fees.maxFeePerGas.toString(),
      maxPriorityFeePerGasWei: fees.maxPriorityFeePerGas.toString(),
      signedAtMs: this.#context.nowMs(),
    };
    return this.#send(await this.#save(to.signed(intent, nonce, gasLimit, attempt)), attempt);
  }

  /** Hands an attempt to the node. The node's opinion counts only when it does not have the transaction. */
  async #send(intent: Intent, attempt: SignedAttempt): Promise<Intent> {
    try {
      await this.#context.node.broadcast(attempt.raw);
    } catch (thrown) {
      if (await this.#context.node.knows(attempt.transactionHash)) return this.#save(to.broadcast(intent, this.#context.nowMs()));
      if (thrown instanceof StunError && thrown.code === 'STUN_CHAIN_NONCE') return this.#wait(intent, NONCE_HELD);
      throw thrown;
    }
    return this.#save(to.broadcast(intent, this.#context.nowMs()));
  }

  async #minedPlace(intent: Intent): Promise<MinedPlace | undefined> {
    for (const { transactionHash } of intent.attempts.toReversed()) {
      const receipt = await this.#context.node.receipt(transactionHash);
      if (receipt !== undefined) return { transactionHash, ...receipt, gasUsed: receipt.gasUsed.toString() };
    }
    return undefined;
  }

  async #follow(intent: Intent): Promise<Intent> {
    const place = await this.#minedPlace(intent);
    if (place !== undefined) return this.#save(to.mined(intent, place));
    const nonce = intent.nonce ?? 0;
    if (this.#view.finalNonce > nonce) {
      // The nonce of a gap filler is taken: that was its purpose.
      const done = intent.kind === 'gap-filler';
      return this.#save(done ? to.alreadyDone(intent, this.#view.finalNumber) : to.replaced(intent));
    }
    const elsewhere = await this.#doneElsewhere(intent);
    if (elsewhere !== undefined) return elsewhere;
    if (this.#view.latestNonce > nonce)
      return this.#wait(intent, 'another transaction took the nonce; its block is not final yet');
    return this.#keepAlive(intent);
  }

  async #keepAlive(intent: Intent): Promise<Intent> {
    const newest = intent.attempts.at(-1);
    if (newest === undefined) throw new StunError('STUN_INTERNAL', `intent ${intent.key} is ${intent.state} without an attempt`);
    const sinceMs = intent.broadcastAtMs ?? newest.signedAtMs;
    const waitedLong = this.#context.nowMs() - sinceMs >= this.#context.policy.replaceAfterMs;
    let current = intent;
    if (intent.broadcastAtMs === null || !(await this.#context.node.knows(newest.transactionHash))) {
      try {
        current = await this.#send(intent, newest);
        if (current.waitingFor !== NONCE_HELD) return current;
      } catch (thrown) {
        if (!waitedLong) throw thrown;
      }
    }
    // A node that refuses an old offer, or does not mine it, wants a higher one.
    if (!waitedLong) return current;
    const previous: Fees = {
      maxFeePerGas: BigInt(newest.maxFeePerGasWei),
      maxPriorityFeePerGas: BigInt(newest.maxPriorityFeePerGasWei),
    };
    const offer = raisedOffer(previous, this.#view.market, this.#context.policy.maxFeePerGasWei);
    if (offer === undefined) return this.#wait(current, 'it is not mined and the cap leaves no room for a higher fee');
    return this.#signAndSend(current, current.nonce ?? 0, BigInt(current.gasLimit ?? '0'), offer);
  }

  async #settle(intent: Intent): Promise<Intent> {
    const place = await this.#minedPlace(intent);
    if (place === undefined) return this.#save(to.unmined(intent));
    const current = place.blockHash === intent.mined?.blockHash ? intent : await this.#save(to.mined(intent, place));
    if (place.blockNumber > this.#view.finalNumber) return current;
    if (!place.reverted) return this.#save(to.confirmed(current, place));
    return (await this.#doneElsewhere(current)) ?? this.#save(to.failed(current, await this.#revertOf(current, place)));
  }

  /** Why a mined transaction reverted, by running its call on the block it is in. */
  async #revertOf(intent: Intent, place: MinedPlace): Promise<StunError> {
    try {
      await this.#context.node.simulate(this.#call(intent), place.blockNumber);
    } catch (thrown) {
      if (isRevert(thrown)) return thrown;
      throw thrown;
    }
    return new StunError('STUN_CHAIN_REVERTED', `transaction ${place.transactionHash} reverted; the same call passes by now`);
  }
}
