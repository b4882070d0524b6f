/** OrderEscrow: refunds, withdrawals, freezes, successions, re-entrancy. Properties M1 to M5 of PROPERTIES.md. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Wallet } from 'ethers';
import { ContractAccess } from '#chain/contract-access.ts';
import { deployContract, setToken } from '#chain/deploy.ts';
import { openArguments } from '#chain/escrow.ts';
import { settlementFamilyIdOf } from '#chain/router.ts';
import { NATIVE_TOKEN, TokenContract } from '#chain/token.ts';
import { orderDomainOf, orderKeyOf, packPayee, toHex, type Hex } from '#protocol/index.ts';
import FalseToken from '#chain/generated/FalseToken.json' with { type: 'json' };
import PermissiveVerifier from '#chain/generated/PermissiveVerifier.json' with { type: 'json' };
import ReentrantReceiver from '#chain/generated/ReentrantReceiver.json' with { type: 'json' };
import ReentrantToken from '#chain/generated/ReentrantToken.json' with { type: 'json' };
import {
  DAY,
  HOUR,
  NO_PROOF,
  openOrder,
  orderRequest,
  placeOf,
  refuses,
  registerEnclave,
  restoreEachTest,
  signSuccession,
  signalsFor,
  startStage,
  type Stage,
  type StageOrder,
} from './stage.ts';

describe('contracts: OrderEscrow, money', () => {
  let stage: Stage;
  let order: StageOrder;
  before(async () => {
    stage = await startStage();
    await registerEnclave(stage);
    order = await openOrder(stage);
  });
  after(() => stage.close());
  restoreEachTest(() => stage);

  const escrow = (wallet: Wallet = stage.provider) => stage.as(wallet).escrow;
  const provider = () => stage.provider.address.toLowerCase();
  const settle = async (change: Parameters<typeof signalsFor>[2] = {}, of = order) =>
    escrow().settle(stage.funder.address, NO_PROOF, await signalsFor(stage, of, change));
  const refund = (by: Wallet = stage.funder, providers: readonly string[] = [provider()]) =>
    escrow(by).refund(order.orderId, providers);
  const warpTo = async (unix: number) => {
    await stage.chain.request('evm_setNextBlockTimestamp', [unix]);
    await stage.chain.request('evm_mine');
  };
  const end = () => order.request.deadlineUnix + DAY;

  describe('a refund', () => {
    it('gives the funder what settlement left, after deadline and grace', async () => {
      await settle({ total: 300n });
      await stage.chain.request('evm_setNextBlockTimestamp', [end()]);
      await refuses(refund(), 'OrderNotRefundable');
      await warpTo(end() + 1);
      await refund();
      assert.equal(await escrow().credit(NATIVE_TOKEN, stage.funder.address), 700n);
      assert.deepEqual(
        (await escrow().refunds(0, order.orderKey)).map((one) => [one.provider, one.amount]),
        [[provider(), 700n]],
      );
      await refuses(refund(), 'NothingToRefund');
    });

    it('is the funder’s alone', async () => {
      await warpTo(end() + 1);
      await refuses(refund(stage.stranger), 'OrderUnknown');
      await refuses(refund(stage.provider), 'OrderUnknown');
      await refuses(refund(stage.owner), 'OrderUnknown');
    });

    it('names one to sixteen providers and pays nothing twice', async () => {
      await warpTo(end() + 1);
      await refuses(refund(stage.funder, []), 'ProvidersInvalid');
      await refuses(refund(stage.funder, Array.from({ length: 17 }, provider)), 'ProvidersInvalid');
      await refund(stage.funder, [provider(), provider(), stage.stranger.address]);
      assert.equal(await escrow().credit(NATIVE_TOKEN, stage.funder.address), 1000n);
    });

    it('comes early after requestClose, grace unchanged', async () => {
      await escrow(stage.funder).requestClose(order.orderId);
      await refuses(refund(), 'OrderNotRefundable');
      await stage.chain.increaseTime(DAY + 1);
      await refund();
    });

    it('waits for freezes, whenever they were', async () => {
      const { router } = stage.as(stage.guardian);
      await router.freeze(stage.family, 2 * HOUR);
      await warpTo(end() + 1);
      await refuses(refund(), 'OrderNotRefundable');
      await warpTo(end() + 2 * HOUR - 10);
      await refuses(refund(), 'OrderNotRefundable');
      await warpTo(end() + 2 * HOUR + 1);
      await refund();
    });

    it('stops while a freeze lasts that began after the end', async () => {
      await warpTo(end() + 1);
      await stage.as(stage.guardian).router.freeze(stage.family, HOUR);
      await refuses(refund(), 'FamilyIsFrozen');
      await stage.chain.increaseTime(HOUR);
      await refund();
    });

    it('cannot be held back for more than 30 days', async () => {
      const { router } = stage.as(stage.guardian);
      await router.freeze(stage.family, 30 * DAY);
      await warpTo(end() + 30 * DAY + 1);
      await refuses(router.freeze(stage.family, 1), 'FreezeTooLong');
      await refund();
    });

    it('needs no settlement family that works: a tombstone only ends settlement', async () => {
      await stage.as(stage.owner).router.tombstone(stage.family);
      await warpTo(end() + 1);
      await refund();
    });
  });

  describe('a withdrawal', () => {
    it('pays the whole credit to the account, once', async () => {
      await settle({ total: 100n });
      const before = await stage.chain.provider.getBalance(stage.feeAccount);
      await refuses(escrow(stage.stranger).withdraw(NATIVE_TOKEN), 'NothingToWithdraw');
      await escrow(stage.chain.wallet(9)).withdraw(NATIVE_TOKEN);
      const spent = before + 1n - (await stage.chain.provider.getBalance(stage.feeAccount));
      assert.ok(spent > 0n && spent < 10n ** 16n, `only gas is missing, got ${spent}`);
      await refuses(escrow(stage.chain.wallet(9)).withdraw(NATIVE_TOKEN), 'NothingToWithdraw');
    });

    it('goes to the payout address, which can change', async () => {
      await settle({ total: 100n });
      const payout = `0x${'77'.repeat(20)}`;
      await escrow().setPayoutAddress(payout);
      await escrow().withdraw(NATIVE_TOKEN);
      assert.equal(await stage.chain.provider.getBalance(payout), 99n);
      await settle({ total: 100n, laneIndex: 1 });
      await escrow().setPayoutAddress(NATIVE_TOKEN);
      await escrow().withdraw(NATIVE_TOKEN);
      assert.equal(await stage.chain.provider.getBalance(payout), 99n);
    });

    it('to an account that refuses the coin fails, and the credit stays', async () => {
      const receiver = await deployContract(stage.owner, ReentrantReceiver, [stage.deployment.escrow]);
      await new ContractAccess(ReentrantReceiver, receiver, stage.owner).send('setRefuses', [true]);
      await settle({ total: 100n });
      await escrow().setPayoutAddress(receiver);
      await refuses(escrow().withdraw(NATIVE_TOKEN), 'NativeTransferFailed');
      assert.equal(await escrow().credit(NATIVE_TOKEN, provider()), 99n);
    });

    it('in a token that moves nothing fails, and the credit stays', async () => {
      const token = await deployContract(stage.funder, FalseToken, []);
      await setToken(escrow(stage.owner), token);
      await new TokenContract(token, stage.funder).approve(stage.deployment.escrow, 1000n);
      await settle({}, await openOrder(stage, { token }));
      const refusing = new ContractAccess(FalseToken, token, stage.funder);
      await refusing.send('setRefuses', [true]);
      await refuses(escrow().withdraw(token), 'SafeERC20FailedOperation');
      await refusing.send('setRefuses', [false]);
      await escrow().withdraw(token);
      assert.equal(await new TokenContract(token, stage.funder).balanceOf(stage.provider.address), 99n);
      await refuses(escrow().withdraw(token), 'NothingToWithdraw');
    });

    it('cannot be entered again by the receiver', async () => {
      const receiver = await deployContract(stage.owner, ReentrantReceiver, [stage.deployment.escrow]);
      const account = new ContractAccess(ReentrantReceiver, receiver, stage.funder);
      // The contract is the funder of an order of its own and takes the refund.
      const place = { ...placeOf(stage, NATIVE_TOKEN), funder: receiver };
      const request = await orderRequest(stage);
      const call = openArguments(orderDomainOf(place, request.terms), request);
      await account.send('act', [escrow().access.encode('open', [call]).data], 1000n);
      await escrow().access.read('orderOf', [orderKeyOf(receiver, request.orderId)]);
      await stage.chain.increaseTime(2 * DAY + 10);
      await account.send('act', [escrow().access.encode('refund', [request.orderId, [provider()]]).data]);
      await account.send('act', [escrow().access.encode('withdraw', [NATIVE_TOKEN]).data]);
      assert.equal(await stage.chain.provider.getBalance(receiver), 1000n);
      assert.equal((await account.read('attempts', []))[0], 1n);
      const failure = escrow().access.interface.parseError(String((await account.read('lastFailure', []))[0]));
      assert.equal(failure?.name, 'ReentrancyGuardReentrantCall');
    });
  });

  it('lets no token call back into the escrow while money moves', async () => {
    const token = await deployContract(stage.funder, ReentrantToken, []);
    await setToken(escrow(stage.owner), token);
    await new TokenContract(token, stage.funder).approve(stage.deployment.escrow, 10n ** 6n);
    const attacker = new ContractAccess(ReentrantToken, token, stage.funder);
    const order2 = await openOrder(stage, { token });
    const inner = [
      ['withdraw', [token]],
      ['refund', [order2.orderId, [provider()]]],
      ['topUp', [order2.orderId, provider(), 1n]],
    ] as const;
    for (const [name, args] of inner) {
      await attacker.send('prepare', [stage.deployment.escrow, escrow().access.encode(name, args).data]);
      await escrow(stage.funder).topUp(order2.orderId, provider(), 1n, token);
      assert.equal((await attacker.read('entered', []))[0], 0n);
      const failure = escrow().access.interface.parseError(String((await attacker.read('lastFailure', []))[0]));
      assert.equal(failure?.name, 'ReentrancyGuardReentrantCall', name);
    }
  });

  describe('a successor of a tombstoned family', () => {
    let successor: Hex;
    const addFamily = async (): Promise<Hex> => {
      const vkHash = toHex(randomBytes(32));
      const address = await deployContract(stage.owner, PermissiveVerifier, [vkHash, 16, true]);
      await stage.as(stage.owner).router.addSettlementFamily(address, 16, vkHash, toHex(randomBytes(32)));
      return settlementFamilyIdOf(16, vkHash);
    };
    beforeEach(async () => {
      successor = await addFamily();
    });
    const sign = (wallet: Wallet, change: { orderKey?: Hex; oldFamily?: Hex; newFamily?: Hex; escrow?: Hex } = {}) =>
      signSuccession(stage, wallet, { orderKey: order.orderKey, oldFamily: stage.family, newFamily: successor, ...change });
    const succeed = (funderSignature = sign(stage.funder), providerSignature = sign(stage.provider), to = successor) =>
      escrow(stage.stranger).succeedFamily(
        stage.funder.address,
        order.orderId,
        provider(),
        to,
        funderSignature,
        providerSignature,
      );
    const tombstone = () => stage.as(stage.owner).router.tombstone(stage.family);

    it('settles with both parties’ signatures', async () => {
      await tombstone();
      await refuses(settle(), 'FamilyIsTombstoned');
      await succeed();
      assert.equal(await escrow().familyFor(order.orderKey, provider()), successor);
      await settle();
    });

    it('needs a tombstone first', () => refuses(succeed(), 'SuccessionNotNeeded'));

    it('needs the funder’s signature and the provider’s', async () => {
      await tombstone();
      await refuses(succeed(sign(stage.provider)), 'SuccessionSignatureInvalid');
      await refuses(succeed(undefined, sign(stage.funder)), 'SuccessionSignatureInvalid');
      await refuses(succeed('0x', undefined), 'SuccessionSignatureInvalid');
    });

    it('needs signatures over this order, these families and this escrow', async () => {
      await tombstone();
      for (const change of [
        { orderKey: toHex(randomBytes(32)) },
        { oldFamily: successor },
        { newFamily: stage.family },
        { escrow: stage.deployment.registry },
      ]) {
        await refuses(succeed(sign(stage.funder, change)), 'SuccessionSignatureInvalid');
      }
    });

    it('must be a family that is open', async () => {
      await tombstone();
      const unknown = toHex(randomBytes(32));
      await refuses(succeed(sign(stage.funder), sign(stage.provider), unknown), 'FamilyUnknown');
      await refuses(succeed(sign(stage.funder), sign(stage.provider), stage.family), 'FamilyIsTombstoned');
    });

    it('is for a provider of the order', async () => {
      await tombstone();
      const call = escrow().succeedFamily(
        stage.funder.address,
        order.orderId,
        stage.stranger.address,
        successor,
        sign(stage.funder),
        sign(stage.stranger),
      );
      await refuses(call, 'ProviderNotInOrder');
    });

    it('can itself be succeeded, and its freezes count too', async () => {
      await tombstone();
      await succeed();
      await stage.as(stage.guardian).router.freeze(successor, HOUR);
      assert.equal(await escrow().settleableUntilUnix(order.orderKey, provider()), end());
      await stage.chain.increaseTime(HOUR);
      assert.equal(await escrow().settleableUntilUnix(order.orderKey, provider()), end() + HOUR);
      await stage.as(stage.owner).router.tombstone(successor);
      const [old, third] = [successor, await addFamily()];
      await succeed(
        sign(stage.funder, { oldFamily: old, newFamily: third }),
        sign(stage.provider, { oldFamily: old, newFamily: third }),
        third,
      );
      await settle();
    });

    it('takes statements and roots as old as the tombstoned family was frozen, and no older', async () => {
      const signals = await signalsFor(stage, order);
      const late = await signalsFor(stage, order, { laneIndex: 1 });
      await registerEnclave(stage);
      await stage.as(stage.guardian).router.freeze(stage.family, 5 * HOUR);
      await stage.chain.increaseTime(5 * HOUR);
      await tombstone();
      await succeed();
      await escrow().settle(stage.funder.address, NO_PROOF, signals);
      await stage.chain.increaseTime(HOUR);
      await refuses(escrow().settle(stage.funder.address, NO_PROOF, late), 'ValidAtStale');
    });

    it('does not change the lane of other providers of the order', async () => {
      const other = { ...stage, provider: stage.stranger };
      await registerEnclave(other);
      const address = stage.stranger.address.toLowerCase();
      await escrow(stage.funder).topUp(order.orderId, address, 10n, NATIVE_TOKEN);
      await tombstone();
      await succeed();
      const signals = await signalsFor(other, order);
      assert.equal(signals.payee, packPayee({ provider: address, validAtUnix: await stage.chain.nowUnix(), laneIndex: 0 }));
      await refuses(escrow(stage.stranger).settle(stage.funder.address, NO_PROOF, signals), 'FamilyIsTombstoned');
    });
  });
});
