import assert from 'node:assert/strict';
import { MemorySenderStore } from '#chain/sender/memory-store.ts';
import { checkSenderStore } from './store-contract.ts';

describe('sender: store in memory', () => {
  let nowMs = 0;
  checkSenderStore(
    async () => {
      nowMs = 1_000;
      return new MemorySenderStore(60_000, () => nowMs);
    },
    (ms) => {
      nowMs += ms;
    },
  );

  it('keeps its intents when a caller changes what it was given', async () => {
    const store = new MemorySenderStore(1000);
    const call = { to: `0x${'11'.repeat(20)}`, data: '0x', valueWei: '1' };
    await store.insert({ key: 'k', chainId: 1, account: '0xa', call, context: '', kind: 'call', nonce: null });
    call.valueWei = '2';
    assert.equal((await store.load('k'))?.call.valueWei, '1');
  });
});
