/** What every SenderStore has to do: tests that a store in memory and one in SQL both pass. */
import assert from 'node:assert/strict';
import type { NewIntent, SenderStore } from '#chain/sender/store.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';

const ACCOUNT = `0x${'a1'.repeat(20)}`;
const OTHER = `0x${'b2'.repeat(20)}`;

function intent(key: string, account = ACCOUNT): NewIntent {
  const call = { to: OTHER, data: '0x', valueWei: '5' };
  return { key, chainId: 31337, account, call, context: `context of ${key}`, kind: 'call', nonce: null };
}

/**
 * Declares the tests inside a describe block.
 * @param open - an empty store whose claims last 60 seconds
 * @param passTime - lets its clock go on
 */
export function checkSenderStore(open: () => Promise<SenderStore>, passTime: (ms: number) => void | Promise<void>): void {
  let store: SenderStore;
  beforeEach(async () => {
    store = await open();
  });

  it('stores an intent once and gives the stored one for the same key', async () => {
    const first = await store.insert(intent('a'));
    assert.deepEqual(
      { state: first.state, revision: first.revision, sequence: first.sequence, attempts: first.attempts, nonce: first.nonce },
      { state: 'intended', revision: 1, sequence: 1, attempts: [], nonce: null },
    );
    assert.deepEqual(await store.insert({ ...intent('a'), context: 'another' }), first);
    assert.deepEqual(await store.load('a'), first);
    assert.equal(await store.load('b'), undefined);
  });

  it('lists the open intents of one account on one chain in order of submission', async () => {
    const claim = await store.claim(31337, ACCOUNT);
    for (const key of ['c', 'a', 'b']) await store.insert(intent(key));
    await store.insert(intent('x', OTHER));
    await store.insert({ ...intent('y'), chainId: 1 });
    const a = await store.load('a');
    await store.save(claim, { ...a!, revision: 2, state: 'failed', failure: { code: 'STUN_CHAIN_REVERTED', reason: 'r' } });
    assert.deepEqual(
      (await store.active(31337, ACCOUNT)).map((one) => one.key),
      ['c', 'b'],
    );
    assert.equal((await store.load('a'))?.failure?.code, 'STUN_CHAIN_REVERTED');
  });

  it('gives an account to one sender at a time', async () => {
    const claim = await store.claim(31337, ACCOUNT);
    await rejectsCode(store.claim(31337, ACCOUNT), 'STUN_SENDER_CLAIMED');
    await store.claim(31337, OTHER);
    await store.claim(1, ACCOUNT);
    await store.release(claim);
    const second = await store.claim(31337, ACCOUNT);
    assert.notEqual(second.token, claim.token);
  });

  it('keeps a claim that is renewed and frees one that is not', async () => {
    const claim = await store.claim(31337, ACCOUNT);
    await passTime(40_000);
    await store.renew(claim);
    await passTime(40_000);
    await rejectsCode(store.claim(31337, ACCOUNT), 'STUN_SENDER_CLAIMED');
    await passTime(40_000);
    await store.claim(31337, ACCOUNT);
  });

  it('refuses every write of a sender that lost its account', async () => {
    const stored = await store.insert(intent('a'));
    const old = await store.claim(31337, ACCOUNT);
    await passTime(70_000);
    const claim = await store.claim(31337, ACCOUNT);
    await rejectsCode(store.save(old, { ...stored, revision: 2, waitingFor: 'old' }), 'STUN_SENDER_CLAIM_LOST');
    await rejectsCode(store.renew(old), 'STUN_SENDER_CLAIM_LOST');
    await store.release(old);
    await store.save(claim, { ...stored, revision: 2, waitingFor: 'new' });
    assert.equal((await store.load('a'))?.waitingFor, 'new');
  });

  it('refuses to write over a version that it has not seen', async () => {
    const stored = await store.insert(intent('a'));
    const claim = await store.claim(31337, ACCOUNT);
    await store.save(claim, { ...stored, revision: 2, waitingFor: 'first' });
    for (const revision of [1, 2, 4]) {
      await rejectsCode(store.save(claim, { ...stored, revision, waitingFor: 'second' }), 'STUN_SENDER_CLAIM_LOST');
    }
    await rejectsCode(store.save(claim, { ...stored, key: 'none', revision: 2 }), 'STUN_SENDER_CLAIM_LOST');
    assert.equal((await store.load('a'))?.waitingFor, 'first');
  });
}
