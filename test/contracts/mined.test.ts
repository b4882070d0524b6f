/** Waiting for a transaction: mined, failed on chain, and pushed out by another of the same nonce. */
import assert from 'node:assert/strict';
import { startDevChain, type DevChain } from '#chain/dev-chain.ts';
import { receiptOf } from '#chain/mined.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';

describe('contracts: waiting for a transaction', () => {
  let chain: DevChain;

  before(async () => {
    chain = await startDevChain({ accountCount: 2 });
  });
  after(() => chain.close());

  it('gives the receipt of one that is mined later', async () => {
    await chain.request('evm_setAutomine', [false]);
    const sent = await chain.wallet(0).sendTransaction({ to: chain.accounts[1]!.address, value: 1n });
    const waiting = receiptOf(sent);
    await chain.request('evm_mine');
    await chain.request('evm_setAutomine', [true]);
    assert.equal((await waiting).hash, sent.hash);
  });

  it('refuses one that failed on chain', async () => {
    await chain.request('evm_setAutomine', [false]);
    // Creation code that reverts.
    const sent = await chain.wallet(0).sendTransaction({ data: '0x5f5ffd', gasLimit: 100_000n });
    await chain.request('evm_mine');
    await chain.request('evm_setAutomine', [true]);
    await rejectsCode(receiptOf(sent), 'STUN_CHAIN_REVERTED');
  });

  it('refuses one whose nonce another took', async () => {
    await chain.request('evm_setAutomine', [false]);
    const wallet = chain.wallet(0);
    const nonce = await wallet.getNonce();
    const fees = (gwei: bigint) => ({ maxFeePerGas: gwei * 10n ** 9n, maxPriorityFeePerGas: gwei * 10n ** 9n });
    const first = await wallet.sendTransaction({ to: wallet.address, nonce, ...fees(10n) });
    await wallet.sendTransaction({ to: wallet.address, nonce, value: 1n, ...fees(20n) });
    await chain.request('evm_mine');
    await chain.request('evm_setAutomine', [true]);
    await rejectsCode(receiptOf(first), 'STUN_CHAIN_NONCE');
  });
});
