/** The transaction sender against a real chain that drops, replaces, re-organises and goes away. */
import assert from 'node:assert/strict';
import type { Intent } from '#chain/sender/intent.ts';
import { waitForIntent, type TransactionSender } from '#chain/sender/sender.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { SenderStage } from './stage.ts';

const GWEI = 10n ** 9n;

describe('sender: transactions that happen once', function () {
  this.timeout(60_000);
  let stage: SenderStage;
  let sender: TransactionSender;

  beforeEach(async () => {
    stage = await SenderStage.open();
    sender = await stage.sender();
  });

  afterEach(async () => {
    await sender.close();
    await stage.close();
  });

  async function pay(name: string): Promise<void> {
    await sender.submit({ key: name, call: stage.payment(name), context: '' });
  }

  async function stored(name: string): Promise<Intent> {
    const intent = await stage.store.load(name);
    assert.ok(intent);
    return intent;
  }

  /** Mines and passes until the intent is final. */
  async function finish(name: string): Promise<Intent> {
    for (let i = 0; i < 12; i++) {
      await sender.pass();
      const intent = await stored(name);
      if (intent.state === 'confirmed' || intent.state === 'failed') return intent;
      await stage.mine();
    }
    throw new Error(`${name} is still ${(await stored(name)).state}`);
  }

  it('goes through its states and confirms only under enough blocks', async () => {
    await pay('a');
    assert.equal((await stored('a')).state, 'intended');
    await sender.pass();
    assert.equal((await stored('a')).state, 'broadcast');
    await stage.mine();
    await sender.pass();
    assert.equal((await stored('a')).state, 'mined');
    await stage.mine();
    await sender.pass();
    assert.equal((await stored('a')).state, 'mined');
    await stage.mine();
    await sender.pass();
    const { state, outcome, attempts } = await stored('a');
    assert.equal(state, 'confirmed');
    assert.ok(outcome?.by === 'transaction' && outcome.transactionHash === attempts[0]!.transactionHash);
    assert.deepEqual(await sender.pass(), []);
    assert.equal(await stage.paid('a'), 1n);
  });

  it('gives many intents consecutive nonces in order of submission', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) await pay(name);
    await sender.pass();
    const nonces = await Promise.all(names.map(async (name) => (await stored(name)).nonce));
    assert.deepEqual(nonces, [0, 1, 2, 3, 4]);
    for (const name of names) await finish(name);
    for (const name of names) assert.equal(await stage.paid(name), 1n);
  });

  it('takes the same submission twice as one, and refuses another call under its key', async () => {
    await pay('a');
    await pay('a');
    await rejectsCode(sender.submit({ key: 'a', call: stage.payment('b'), context: '' }), 'STUN_SENDER_KEY_REUSED');
    await finish('a');
    await pay('a');
    assert.deepEqual(await sender.pass(), []);
    assert.equal(await stage.paid('a'), 1n);
  });

  describe('after a crash', () => {
    it('sends the stored bytes when it was killed between signing and sending', async () => {
      await sender.close();
      sender = await stage.sender({
        rpc: async (method, params) => {
          if (method === 'eth_sendRawTransaction') throw Object.assign(new Error('killed here'), { code: 'ECONNRESET' });
          return stage.rpc(method, params);
        },
      });
      await pay('a');
      await rejectsCode(sender.pass(), 'STUN_CHAIN_UNAVAILABLE');
      const { state, attempts } = await stored('a');
      assert.deepEqual([state, attempts.length, await stage.waiting()], ['signed', 1, 0]);
      sender = await stage.afterCrash();
      const done = await finish('a');
      assert.deepEqual(
        done.attempts.map((one) => one.transactionHash),
        attempts.map((one) => one.transactionHash),
      );
      assert.equal(await stage.paid('a'), 1n);
    });

    it('pays once when the node took the transaction and its answer was lost', async () => {
      await sender.close();
      sender = await stage.sender({
        rpc: async (method, params) => {
          const answer = await stage.rpc(method, params);
          if (method !== 'eth_sendRawTransaction') return answer;
          await stage.mine();
          throw Object.assign(new Error('the answer was lost'), { code: 'ECONNRESET' });
        },
      });
      await pay('a');
      await sender.pass();
      sender = await stage.afterCrash();
      assert.equal((await finish('a')).attempts.length, 1);
      assert.equal(await stage.paid('a'), 1n);
    });

    it('goes on from every state it can be killed in', async () => {
      await pay('a');
      for (let i = 0; i < 6; i++) {
        sender = await stage.afterCrash();
        await sender.pass();
        await stage.mine();
      }
      assert.equal((await stored('a')).state, 'confirmed');
      assert.equal(await stage.paid('a'), 1n);
    });

    it('does not let a sender write that was believed dead', async () => {
      await pay('a');
      const ghost = sender;
      sender = await stage.afterCrash();
      await rejectsCode(ghost.pass(), 'STUN_SENDER_CLAIM_LOST');
      await rejectsCode(ghost.run(new AbortController().signal), 'STUN_SENDER_CLAIM_LOST');
      assert.equal((await stored('a')).state, 'intended');
      await finish('a');
      assert.equal(await stage.paid('a'), 1n);
    });
  });

  it('refuses a second sender for the account', async () => {
    await rejectsCode(stage.sender(), 'STUN_SENDER_CLAIMED');
  });

  it('sends again what the node dropped', async () => {
    await pay('a');
    await sender.pass();
    const [attempt] = (await stored('a')).attempts;
    await stage.chain.request('hardhat_dropTransaction', [attempt!.transactionHash]);
    assert.equal(await stage.waiting(), 0);
    await sender.pass();
    assert.equal(await stage.waiting(), 1);
    assert.equal((await finish('a')).attempts.length, 1);
    assert.equal(await stage.paid('a'), 1n);
  });

  it('raises the fee at the same nonce when it waits too long, and pays once', async () => {
    await pay('a');
    await sender.pass();
    stage.nowMs += 29_999;
    await sender.pass();
    assert.equal((await stored('a')).attempts.length, 1);
    stage.nowMs += 1;
    await sender.pass();
    const { attempts, nonce, state } = await stored('a');
    assert.deepEqual([attempts.length, nonce, state], [2, 0, 'broadcast']);
    assert.ok(10n * BigInt(attempts[1]!.maxFeePerGasWei) >= 11n * BigInt(attempts[0]!.maxFeePerGasWei));
    assert.equal(await stage.waiting(), 1);
    const done = await finish('a');
    assert.ok(done.outcome?.by === 'transaction' && done.outcome.transactionHash === attempts[1]!.transactionHash);
    assert.equal(await stage.paid('a'), 1n);
  });

  it('sees that an earlier attempt landed although a later one was sent', async () => {
    await pay('a');
    await sender.pass();
    const raw = (await stored('a')).attempts[0]!.raw;
    stage.nowMs += 30_000;
    await sender.pass();
    const [first, second] = (await stored('a')).attempts;
    await stage.chain.request('hardhat_dropTransaction', [second!.transactionHash]);
    await stage.chain.request('eth_sendRawTransaction', [raw]);
    await stage.mine();
    const done = await finish('a');
    assert.ok(done.outcome?.by === 'transaction' && done.outcome.transactionHash === first!.transactionHash);
    assert.equal(await stage.paid('a'), 1n);
  });

  it('never offers more than the cap', async () => {
    await sender.close();
    const cap = 3n * GWEI;
    sender = await stage.sender({ policy: { confirmations: 3, replaceAfterMs: 30_000, maxFeePerGasWei: cap } });
    await pay('a');
    for (let i = 0; i < 20; i++) {
      await sender.pass();
      stage.nowMs += 30_000;
    }
    const { attempts, waitingFor } = await stored('a');
    assert.ok(attempts.length > 1);
    assert.ok(attempts.every((one) => BigInt(one.maxFeePerGasWei) <= cap));
    assert.match(waitingFor ?? '', /cap/);
    await finish('a');
    assert.equal(await stage.paid('a'), 1n);
  });

  it('waits while the chain asks more than the cap', async () => {
    await stage.chain.request('hardhat_setNextBlockBaseFeePerGas', ['0xba43b740000']);
    await stage.mine();
    await pay('a');
    await sender.pass();
    const { state, waitingFor } = await stored('a');
    assert.equal(state, 'intended');
    assert.match(waitingFor ?? '', /cap/);
    await stage.chain.request('hardhat_setNextBlockBaseFeePerGas', ['0x3b9aca00']);
    await stage.mine();
    await finish('a');
    assert.equal(await stage.paid('a'), 1n);
  });

  it('takes a new nonce once a stranger with the same key has used up its own for good', async () => {
    await pay('a');
    await sender.pass();
    const wallet = stage.chain.wallet(0);
    await wallet.sendTransaction({
      to: stage.payee('stranger'),
      value: 1n,
      nonce: 0,
      maxFeePerGas: 400n * GWEI,
      maxPriorityFeePerGas: 300n * GWEI,
    });
    await stage.mine();
    await sender.pass();
    // The block with the stranger's transaction may still vanish, and ours would be good again: no second nonce yet.
    assert.deepEqual([(await stored('a')).nonce, (await stored('a')).replacedCount, await stage.paid('a')], [0, 0, 0n]);
    await stage.mine(2);
    await sender.pass();
    assert.deepEqual([(await stored('a')).nonce, (await stored('a')).replacedCount], [1, 1]);
    await finish('a');
    assert.deepEqual([await stage.paid('a'), await stage.paid('stranger')], [1n, 1n]);
  });

  it('leaves nonces alone that waiting transactions of a stranger have', async () => {
    await stage.chain.wallet(0).sendTransaction({ to: stage.payee('stranger'), value: 1n, nonce: 0 });
    await pay('a');
    await sender.pass();
    assert.equal((await stored('a')).nonce, 1);
    await finish('a');
    assert.deepEqual([await stage.paid('a'), await stage.paid('stranger')], [1n, 1n]);
  });

  it('closes the hole that a dropped transaction of a stranger leaves below its own', async () => {
    const strangers = await stage.chain.wallet(0).sendTransaction({ to: stage.payee('stranger'), value: 1n, nonce: 0 });
    await pay('a');
    await sender.pass();
    await stage.chain.request('hardhat_dropTransaction', [strangers.hash]);
    await sender.pass();
    await stage.mine();
    assert.equal(await stage.paid('a'), 0n);
    stage.nowMs += 30_000;
    await sender.pass();
    await finish('a');
    assert.deepEqual([await stage.paid('a'), await stage.paid('stranger')], [1n, 0n]);
    assert.equal(await stage.chain.provider.getTransactionCount(stage.chain.wallet(0).address), 2);
    await stage.mine(3);
    await sender.pass();
    assert.deepEqual(await stage.store.active(stage.chain.chainId, stage.chain.accounts[0]!.address), []);
  });

  it('fills such a hole with work when there is some', async () => {
    const strangers = await stage.chain.wallet(0).sendTransaction({ to: stage.payee('stranger'), value: 1n, nonce: 0 });
    await pay('a');
    await sender.pass();
    await stage.chain.request('hardhat_dropTransaction', [strangers.hash]);
    await pay('b');
    await sender.pass();
    assert.deepEqual([(await stored('a')).nonce, (await stored('b')).nonce], [1, 0]);
    await finish('a');
    await finish('b');
    assert.deepEqual([await stage.paid('a'), await stage.paid('b')], [1n, 1n]);
  });

  describe('when the chain re-organises', () => {
    it('sends the same bytes again, and pays once', async () => {
      await pay('a');
      await sender.pass();
      await stage.mine();
      await sender.pass();
      assert.equal((await stored('a')).state, 'mined');
      await stage.reorganise();
      assert.equal(await stage.paid('a'), 0n);
      await stage.mine();
      await sender.pass();
      assert.deepEqual([(await stored('a')).state, await stage.waiting()], ['broadcast', 1]);
      assert.equal((await finish('a')).attempts.length, 1);
      assert.equal(await stage.paid('a'), 1n);
    });

    it('notices that its transaction is in another block now', async () => {
      await pay('a');
      await sender.pass();
      const raw = (await stored('a')).attempts[0]!.raw;
      await stage.mine();
      await sender.pass();
      const before = (await stored('a')).mined!;
      await stage.reorganise();
      await stage.mine(4);
      await stage.chain.request('eth_sendRawTransaction', [raw]);
      await stage.mine();
      await sender.pass();
      const after = await stored('a');
      assert.equal(after.state, 'mined');
      assert.notEqual(after.mined!.blockHash, before.blockHash);
      await finish('a');
      assert.equal(await stage.paid('a'), 1n);
    });
  });

  describe('with a caller that can see its effect', () => {
    beforeEach(async () => {
      await sender.close();
      sender = await stage.sender({ isDone: stage.isPaid });
    });

    it('sends nothing for an effect that somebody else brought about', async () => {
      await pay('a');
      await stage.chain.wallet(1).sendTransaction({ to: stage.payee('a'), value: 1n });
      await stage.mine();
      await sender.pass();
      assert.equal((await stored('a')).state, 'intended');
      await stage.mine(2);
      const done = await finish('a');
      assert.ok(done.outcome?.by === 'already-done');
      assert.deepEqual([done.attempts.length, await stage.paid('a')], [0, 1n]);
    });

    it('sends after all when the block with the effect vanishes', async () => {
      await pay('a');
      await stage.takeSnapshot();
      await stage.chain.wallet(1).sendTransaction({ to: stage.payee('a'), value: 1n });
      await stage.mine();
      await sender.pass();
      assert.equal((await stored('a')).attempts.length, 0);
      await stage.reorganise();
      await finish('a');
      assert.equal(await stage.paid('a'), 1n);
    });

    it('does not pay again when a stranger with the same key paid at its nonce', async () => {
      await pay('a');
      await sender.pass();
      const wallet = stage.chain.wallet(0);
      await wallet.sendTransaction({
        to: stage.payee('a'),
        value: 1n,
        nonce: 0,
        maxFeePerGas: 400n * GWEI,
        maxPriorityFeePerGas: 300n * GWEI,
      });
      const done = await finish('a');
      assert.ok(done.outcome?.by === 'already-done');
      assert.equal(await stage.paid('a'), 1n);
    });

    it('does not send blindly while the check cannot be made', async () => {
      await sender.close();
      const isDone = async (): Promise<boolean> => {
        throw new StunError('STUN_CHAIN_UNAVAILABLE', 'no answer');
      };
      sender = await stage.sender({ isDone });
      await pay('a');
      await rejectsCode(sender.pass(), 'STUN_CHAIN_UNAVAILABLE');
      assert.deepEqual([(await stored('a')).state, await stage.waiting()], ['intended', 0]);
    });
  });

  it('keeps on with growing pauses while the chain is away, and loses nothing', async () => {
    const problems: number[] = [];
    await sender.close();
    sender = await stage.sender({ onProblem: () => problems.push(performance.now()), nowMs: Date.now });
    const stop = new AbortController();
    await stage.chain.goOffline();
    const running = sender.run(stop.signal);
    await pay('a');
    while (problems.length < 6) await new Promise((next) => setTimeout(next, 10));
    const pauses = problems.slice(1).map((at, i) => at - problems[i]!);
    assert.ok(pauses.at(-1)! > pauses[0]!, `pauses should grow: ${pauses.join(', ')}`);
    await stage.chain.goOnline();
    await stage.chain.request('evm_setAutomine', [true]);
    await stage.chain.request('evm_setIntervalMining', [20]);
    const done = await waitForIntent(stage.store, 'a', { signal: AbortSignal.timeout(20_000), pollIntervalMs: 10 });
    assert.equal(done.state, 'confirmed');
    stop.abort();
    await running;
    assert.equal(await stage.paid('a'), 1n);
  });

  it('stops waiting for an intent when it is told to, and the intent goes on', async () => {
    await pay('a');
    await rejectsCode(waitForIntent(stage.store, 'a', { signal: AbortSignal.abort(), pollIntervalMs: 1 }), 'STUN_SENDER_STOPPED');
    await finish('a');
    assert.equal(await stage.paid('a'), 1n);
  });
});
