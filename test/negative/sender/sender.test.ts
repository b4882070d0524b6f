/** What a sender refuses, and calls that a contract refuses. */
import assert from 'node:assert/strict';
import { ContractFactory } from 'ethers';
import { artifacts } from '#chain/artifacts.ts';
import { ContractAccess, lowerAddress, type TransactionCall } from '#chain/contract-access.ts';
import type { Intent } from '#chain/sender/intent.ts';
import { waitForIntent, type SenderOptions, type TransactionSender } from '#chain/sender/sender.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { SenderStage } from '#test/integration/sender/stage.ts';

describe('sender: refusals', function () {
  this.timeout(60_000);
  let stage: SenderStage;
  let sender: TransactionSender | undefined;
  /** The STUN token; all of it belongs to account 1. */
  let token: ContractAccess;

  before(async () => {
    stage = await SenderStage.open();
    const owner = stage.chain.wallet(1);
    await stage.chain.request('evm_setAutomine', [true]);
    const factory = new ContractFactory([...artifacts.StunToken.abi], artifacts.StunToken.bytecode, owner);
    const deployed = await factory.deploy(owner.address);
    await deployed.waitForDeployment();
    token = new ContractAccess(artifacts.StunToken, lowerAddress(await deployed.getAddress()), owner);
    await stage.chain.request('evm_setAutomine', [false]);
    await stage.takeSnapshot();
  });

  beforeEach(() => {
    stage.forget();
  });

  afterEach(async () => {
    await sender?.close();
    sender = undefined;
    await stage.reorganise();
  });

  after(async () => {
    await stage.close();
  });

  let count = 0;

  /** A fresh key, and the intent behind it after some passes and blocks. */
  async function submit(call: TransactionCall): Promise<string> {
    const key = `refusal ${++count}`;
    await sender!.submit({ key, call, context: '' });
    return key;
  }

  async function stored(key: string): Promise<Intent> {
    const intent = await stage.store.load(key);
    assert.ok(intent);
    return intent;
  }

  function transfer(to: string, amount: bigint): TransactionCall {
    return token.encode('transfer', [to, amount]);
  }

  async function approve(amount: bigint, tip: bigint): Promise<void> {
    const { to, data } = token.encode('approve', [stage.chain.wallet(0).address, amount]);
    await stage.chain
      .wallet(1)
      .sendTransaction({ to, data, maxPriorityFeePerGas: tip, maxFeePerGas: 100n * tip, gasLimit: 100_000n });
  }

  it('fails a call that reverts with the code of the contract, sends nothing and does not try again', async () => {
    sender = await stage.sender();
    const key = await submit(transfer(stage.payee('a'), 1n));
    await sender.pass();
    const { state, failure, attempts } = await stored(key);
    assert.deepEqual([state, failure?.code, attempts.length], ['failed', 'STUN_ORDER_PAYMENT', 0]);
    await rejectsCode(
      waitForIntent(stage.store, key, { signal: AbortSignal.timeout(1000), pollIntervalMs: 1 }),
      'STUN_ORDER_PAYMENT',
    );
    assert.deepEqual(await sender.pass(), []);
  });

  it('waits with a call that reverts only on top of a transaction that may never be mined', async () => {
    await approve(10n, 10n ** 9n);
    await stage.mine();
    await approve(0n, 10n ** 9n);
    sender = await stage.sender();
    const key = await submit(token.encode('transferFrom', [stage.chain.wallet(1).address, stage.payee('j'), 10n]));
    await sender.pass();
    assert.equal((await stored(key)).state, 'intended');
    await stage.mine();
    await sender.pass();
    const { state, failure, attempts } = await stored(key);
    assert.deepEqual([state, failure?.code, attempts.length], ['failed', 'STUN_ORDER_PAYMENT', 0]);
  });

  it('waits with a call that reverts only until an earlier one is mined', async () => {
    await approve(10n, 10n ** 9n);
    await stage.mine();
    // A node that estimates on the newest block, whatever waits.
    sender = await stage.sender({
      rpc: (method, params) => stage.rpc(method, method === 'eth_estimateGas' ? [params[0], 'latest'] : params),
    });
    const first = await submit(token.encode('transferFrom', [stage.chain.wallet(1).address, stage.chain.wallet(0).address, 10n]));
    const second = await submit(transfer(stage.payee('b'), 10n));
    await sender.pass();
    assert.deepEqual([(await stored(first)).state, (await stored(second)).state], ['broadcast', 'intended']);
    for (let i = 0; i < 6; i++) {
      await stage.mine();
      await sender.pass();
    }
    assert.deepEqual([(await stored(first)).state, (await stored(second)).state], ['confirmed', 'confirmed']);
    assert.equal((await token.read('balanceOf', [stage.payee('b')]))[0], 10n);
  });

  /** A transferFrom that passes when it is estimated and reverts when it is mined, its allowance having gone. */
  async function revertedInBlock(isDone: SenderOptions['isDone']): Promise<string> {
    await approve(10n, 10n ** 9n);
    await stage.mine();
    sender = await stage.sender({ isDone });
    const key = await submit(token.encode('transferFrom', [stage.chain.wallet(1).address, stage.payee('c'), 10n]));
    await sender.pass();
    await approve(0n, 10n ** 11n);
    await stage.mine();
    await sender.pass();
    const { state, mined } = await stored(key);
    assert.deepEqual([state, mined?.reverted], ['mined', true]);
    await stage.mine(2);
    await sender.pass();
    return key;
  }

  it('fails a transaction that reverted in its block, once the block is final, with the code of the contract', async () => {
    const { state, failure, attempts } = await stored(await revertedInBlock(async () => false));
    assert.deepEqual([state, failure?.code, attempts.length], ['failed', 'STUN_ORDER_PAYMENT', 1]);
  });

  it('calls a reverted transaction done when its effect is on chain all the same', async () => {
    const key = await revertedInBlock(async (intent) => intent.state === 'mined');
    const { state, outcome } = await stored(key);
    assert.deepEqual([state, outcome?.by], ['confirmed', 'already-done']);
  });

  it('does not let an intent that cannot be paid for hold up the others', async () => {
    sender = await stage.sender();
    const poor = await submit({ to: stage.payee('d'), data: '0x', value: 10n ** 30n });
    const fine = await submit(stage.payment('e'));
    await rejectsCode(sender.pass(), 'STUN_CHAIN_FUNDS');
    assert.deepEqual([(await stored(poor)).state, (await stored(fine)).state], ['intended', 'broadcast']);
    assert.equal((await stored(fine)).nonce, 0);
    await stage.mine();
    assert.equal(await stage.paid('e'), 1n);
    await stage.chain.request('hardhat_setBalance', [stage.chain.wallet(0).address, `0x${(10n ** 31n).toString(16)}`]);
    await sender.pass();
    assert.equal((await stored(poor)).state, 'broadcast');
  });

  it('sends nothing to a node of another chain', async () => {
    sender = await stage.sender({
      rpc: async (method, params) => (method === 'eth_chainId' ? '0x1' : stage.rpc(method, params)),
    });
    const key = await submit(stage.payment('f'));
    await rejectsCode(sender.pass(), 'STUN_CHAIN_ID');
    assert.deepEqual([(await stored(key)).state, await stage.waiting()], ['intended', 0]);
  });

  it('takes a node that does not answer for one that is away', async () => {
    sender = await stage.sender({ requestTimeoutMs: 50, rpc: () => new Promise(() => {}) });
    await submit(stage.payment('g'));
    await rejectsCode(sender.pass(), 'STUN_CHAIN_UNAVAILABLE');
  });

  it('takes an answer of another form for no answer', async () => {
    sender = await stage.sender({ rpc: async () => ({ error: 'busy' }) });
    await submit(stage.payment('h'));
    await rejectsCode(sender.pass(), 'STUN_CHAIN_UNAVAILABLE');
  });

  it('refuses to wait for a key that nobody submitted', async () => {
    const options = { signal: AbortSignal.timeout(1000), pollIntervalMs: 1 };
    await rejectsCode(waitForIntent(stage.store, 'nobody', options), 'STUN_SENDER_UNKNOWN_KEY');
  });

  it('refuses an empty key, a key that is too long and a context that is too large', async () => {
    sender = await stage.sender();
    const call = stage.payment('i');
    await rejectsCode(sender.submit({ key: '', call, context: '' }), 'STUN_INPUT');
    await rejectsCode(sender.submit({ key: 'k'.repeat(201), call, context: '' }), 'STUN_INPUT');
    await rejectsCode(sender.submit({ key: 'k', call, context: 'c'.repeat(65_537) }), 'STUN_INPUT');
  });

  const policy = { confirmations: 3, replaceAfterMs: 1000, maxFeePerGasWei: 1n };
  const misconfigured: readonly [string, Partial<SenderOptions>, ErrorCode][] = [
    ['no confirmation', { policy: { ...policy, confirmations: 0 } }, 'STUN_CONFIG'],
    ['a negative time', { policy: { ...policy, replaceAfterMs: -1 } }, 'STUN_CONFIG'],
    ['no fee', { policy: { ...policy, maxFeePerGasWei: 0n } }, 'STUN_CONFIG'],
    ['no poll interval', { pollIntervalMs: 0 }, 'STUN_CONFIG'],
    ['a back-off below the interval', { maxBackoffMs: 1 }, 'STUN_CONFIG'],
    ['no time for a request', { requestTimeoutMs: 0 }, 'STUN_CONFIG'],
  ];
  for (const [what, change, code] of misconfigured) {
    it(`refuses to open with ${what}`, async () => {
      await rejectsCode(stage.sender(change), code);
    });
  }
});
