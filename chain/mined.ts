/** Waits for a transaction that was sent, with nothing left behind that could fail later. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Provider, TransactionReceipt, TransactionResponse } from 'ethers';
import { StunError } from '#protocol/errors/stun-error.ts';

/** Between two looks when the provider does not say how often it looks. */
const POLLING_INTERVAL_MS = 1000;

/**
 * Waits until a transaction is mined, however long that takes. Unlike `wait` of ethers it keeps no listener, whose request may be under
 * way when the provider is destroyed and then fails where nobody can catch it.
 * @throws `STUN_CHAIN_REVERTED` when it failed on chain, `STUN_CHAIN_NONCE` when another transaction took its place, and what the provider throws
 */
export async function receiptOf({ provider, hash, from, nonce }: TransactionResponse): Promise<TransactionReceipt> {
  for (;;) {
    // Asked first: the receipt of a transaction that counts in here is there by then.
    const mined = await provider.getTransactionCount(from, 'latest');
    const receipt = await provider.getTransactionReceipt(hash);
    if (receipt?.status === 0) throw new StunError('STUN_CHAIN_REVERTED', `transaction ${hash} failed on chain`);
    if (receipt !== null) return receipt;
    if (mined > nonce) {
      throw new StunError('STUN_CHAIN_NONCE', `another transaction of ${from} took the place of ${hash}`);
    }
    await sleep(pollingIntervalOf(provider));
  }
}

function pollingIntervalOf(provider: Provider): number {
  const named: unknown = 'pollingInterval' in provider ? provider.pollingInterval : undefined;
  return typeof named === 'number' ? named : POLLING_INTERVAL_MS;
}
