/** OrderEscrow: opening, topping up, tokens. Properties O1 to O8 of PROPERTIES.md. */
import assert from 'node:assert/strict';
import type { Wallet } from 'ethers';
import { artifacts } from '#chain/artifacts.ts';
import { ContractAccess } from '#chain/contract-access.ts';
import { deployContract, setToken } from '#chain/deploy.ts';
import { startDevChain } from '#chain/dev-chain.ts';
import { NATIVE_TOKEN, TokenContract } from '#chain/token.ts';
import { EscrowContract, openArguments } from '#chain/escrow.ts';
import { FIELD_ORDER, orderDomainOf, orderKeyOf, randomField, type Hex, type Terms } from '#protocol/index.ts';
import FalseToken from '#chain/generated/FalseToken.json' with { type: 'json' };
import FeeOnTransferToken from '#chain/generated/FeeOnTransferToken.json' with { type: 'json' };
import NoReturnToken from '#chain/generated/NoReturnToken.json' with { type: 'json' };
import { DAY, openOrder, orderRequest, placeOf, refuses, restoreEachTest, startStage, termsFor, type Stage } from './stage.ts';

describe('contracts: OrderEscrow, opening', () => {
  let stage: Stage;
  before(async () => {
    stage = await startStage();
  });
  after(() => stage.close());
  restoreEachTest(() => stage);

  const escrow = (wallet: Wallet = stage.funder) => stage.as(wallet).escrow;
  const open = async (change: Parameters<typeof orderRequest>[1] = {}) => {
    const request = await orderRequest(stage, change);
    return escrow().open(placeOf(stage, request.token), request);
  };
  const provider = (index: number) => stage.chain.accounts[index]!.address;

  it('stores the order under the funder’s key, with the domain of the protocol', async () => {
    const terms = termsFor(stage, { segmentLength: 4, priceScale: 7n });
    const { request, orderKey, domain } = await openOrder(stage, { terms });
    assert.equal(orderKey, orderKeyOf(stage.funder.address, request.orderId));
    assert.equal(domain, orderDomainOf(placeOf(stage, NATIVE_TOKEN), terms));
    const stored = await escrow().order(stage.funder.address, request.orderId);
    assert.equal(stored.domain, domain);
    assert.equal(stored.family, stage.family);
    assert.equal(stored.priceScale, 7n);
    assert.equal(stored.feeBps, 100);
    assert.equal(stored.deadlineUnix, request.deadlineUnix);
    const [event] = await escrow().ordersOpened(0, { orderId: request.orderId });
    assert.deepEqual(event?.terms, terms);
    const address = stage.provider.address.toLowerCase();
    assert.deepEqual(await escrow().budget(orderKey, address), { remaining: 1000n, funded: 1000n });
    assert.equal(await stage.chain.provider.getBalance(stage.deployment.escrow), 1000n);
  });

  it('lets two funders use the same order id: nobody can squat it', async () => {
    const { request } = await openOrder(stage);
    const { event } = await escrow(stage.stranger).open(placeOf(stage, NATIVE_TOKEN, stage.stranger), request);
    assert.notEqual(event.orderKey, orderKeyOf(stage.funder.address, request.orderId));
  });

  it('refuses a second order under the same key', async () => {
    const { request } = await openOrder(stage);
    await refuses(escrow().open(placeOf(stage, NATIVE_TOKEN), request), 'OrderExists');
  });

  it('refuses order ids that are 0 or an alias', async () => {
    await refuses(open({ orderId: 0n }), 'OrderIdInvalid');
    await refuses(open({ orderId: FIELD_ORDER }), 'OrderIdInvalid');
    await refuses(open({ orderId: FIELD_ORDER + 5n }), 'OrderIdInvalid');
  });

  it('refuses a domain of other terms, another chain, escrow, funder or token', async () => {
    const request = await orderRequest(stage);
    const place = placeOf(stage, NATIVE_TOKEN);
    const others = [
      orderDomainOf(place, { ...request.terms, segmentLength: 15 }),
      orderDomainOf({ ...place, chainId: 1n }, request.terms),
      orderDomainOf({ ...place, escrow: stage.deployment.router }, request.terms),
      orderDomainOf({ ...place, funder: stage.stranger.address.toLowerCase() }, request.terms),
      orderDomainOf({ ...place, token: stage.deployment.token }, request.terms),
      orderDomainOf(place, request.terms) + 1n,
    ];
    for (const domain of others) {
      await refuses(escrow().access.send('open', [openArguments(domain, request)], 1000n), 'DomainMismatch');
    }
  });

  it('gives an order a domain of its own on every chain: a proof of one is none on another', async () => {
    const chain = await startDevChain({ chainId: 4321, accountCount: 1 });
    try {
      const owner = chain.wallet(0);
      const args = [...Array.from({ length: 4 }, () => owner.address), 100, owner.address];
      const there = new EscrowContract(await deployContract(owner, artifacts.OrderEscrow, args), owner);
      const place = { ...placeOf(stage, NATIVE_TOKEN), escrow: there.access.address };
      const terms = termsFor(stage);
      const [domain] = await there.access.read('domainOf', [place.funder, place.token, Object.values(terms)]);
      assert.equal(domain, orderDomainOf({ ...place, chainId: 4321n }, terms));
      assert.notEqual(domain, orderDomainOf(place, terms));
    } finally {
      await chain.close();
    }
  });

  it('refuses deadlines in the past or beyond five years', async () => {
    const now = await stage.chain.nowUnix();
    await refuses(open({ deadlineUnix: now }), 'DeadlineInvalid');
    await refuses(open({ deadlineUnix: now + 5 * 365 * DAY + 1000 }), 'DeadlineInvalid');
  });

  it('refuses a grace under 24 hours or over 90 days', async () => {
    await refuses(open({ graceSeconds: DAY - 1 }), 'GraceInvalid');
    await refuses(open({ graceSeconds: 90 * DAY + 1 }), 'GraceInvalid');
  });

  describe('refuses terms', () => {
    const cases: readonly (readonly [string, Partial<Terms>, Parameters<typeof refuses>[1]])[] = [
      ['of an assurance that no family gives', { assurance: 1 }, 'AssuranceUnavailable'],
      ['of the highest assurance likewise', { assurance: 2 }, 'AssuranceUnavailable'],
      ['of an unknown family', { settlementFamily: `0x${'ab'.repeat(32)}` }, 'FamilyUnknown'],
      ['with no job per segment', { segmentLength: 0 }, 'SegmentLengthInvalid'],
      ['with more jobs per segment than the family proves', { segmentLength: 17 }, 'SegmentLengthInvalid'],
      ['with another fee than the current one', { feeBps: 99 }, 'FeeMismatch'],
      ['with price scale 0', { priceScale: 0n }, 'PriceScaleZero'],
      ['with a public model that attested does not use', { publicModelId: 1n }, 'TermUnused'],
      ['with an inference family that attested does not use', { inferenceFamily: `0x${'01'.repeat(32)}` }, 'TermUnused'],
      ['with a challenge window that attested does not use', { challengeWindowSeconds: 1 }, 'TermUnused'],
      ['with an answer period that attested does not use', { answerPeriodSeconds: 1 }, 'TermUnused'],
      ['with a bond that attested does not use', { bond: 1n }, 'TermUnused'],
      ['with a slash that attested does not use', { slash: 1n }, 'TermUnused'],
      ['with a challenger that attested does not use', { challenger: `0x${'01'.repeat(20)}` }, 'TermUnused'],
    ];
    for (const [title, change, error] of cases) {
      it(title, () => refuses(open({ terms: termsFor(stage, change) }), error));
    }
    it('of a tombstoned or frozen family', async () => {
      await stage.as(stage.guardian).router.freeze(stage.family, 100);
      await refuses(open(), 'FamilyIsFrozen');
      await stage.as(stage.owner).router.tombstone(stage.family);
      await refuses(open(), 'FamilyIsTombstoned');
    });
  });

  describe('refuses budgets', () => {
    it('for nobody, or for more than sixteen providers', async () => {
      await refuses(open({ budgets: [] }), 'ProvidersInvalid');
      const budgets = Array.from({ length: 17 }, (_, index) => ({ provider: provider(index), amount: 1n }));
      await refuses(open({ budgets }), 'ProvidersInvalid');
      await open({ budgets: budgets.slice(0, 16) });
    });

    it('with a provider twice, or the zero address', async () => {
      const one = { provider: provider(5), amount: 1n };
      await refuses(open({ budgets: [one, one] }), 'ProvidersNotSorted');
      await refuses(open({ budgets: [{ provider: NATIVE_TOKEN, amount: 1n }] }), 'ProvidersNotSorted');
    });

    it('of 0, or above the maximum', async () => {
      await refuses(open({ budgets: [{ provider: provider(5), amount: 0n }] }), 'BudgetInvalid');
      const request = await orderRequest(stage, { budgets: [{ provider: provider(5), amount: 1n << 96n }] });
      const call = openArguments(orderDomainOf(placeOf(stage, NATIVE_TOKEN), request.terms), request);
      await refuses(escrow().access.simulate('open', [call], stage.funder.address), 'BudgetInvalid');
    });

    it('that the coin sent does not equal', async () => {
      const request = await orderRequest(stage);
      const call = openArguments(orderDomainOf(placeOf(stage, NATIVE_TOKEN), request.terms), request);
      await refuses(escrow().access.send('open', [call], 999n), 'ValueMismatch');
      await refuses(escrow().access.send('open', [call], 1001n), 'ValueMismatch');
    });
  });

  describe('with a token', () => {
    const amount = 1000n;
    const approved = async (token: Hex, value = amount) =>
      new TokenContract(token, stage.funder).approve(stage.deployment.escrow, value);

    it('takes exactly the budgets by allowance', async () => {
      await approved(stage.deployment.token);
      await open({ token: stage.deployment.token });
      assert.equal(await stage.as(stage.funder).token.balanceOf(stage.deployment.escrow), amount);
    });

    it('refuses coin on top', async () => {
      await approved(stage.deployment.token);
      const request = await orderRequest(stage, { token: stage.deployment.token });
      const call = openArguments(orderDomainOf(placeOf(stage, request.token), request.terms), request);
      await refuses(escrow().access.send('open', [call], 1n), 'ValueMismatch');
    });

    it('opens and tops up by permit, also when somebody used the permit first', async () => {
      const { token } = stage.as(stage.funder);
      const deadline = (await stage.chain.nowUnix()) + DAY;
      const permit = await token.signPermit(stage.funder, stage.deployment.escrow, amount, deadline);
      const request = await orderRequest(stage, { token: stage.deployment.token });
      // A copycat takes the permit out of the mempool and sends it alone.
      const { value, deadlineUnix, v, r, s } = permit;
      const args = [stage.funder.address, stage.deployment.escrow, value, deadlineUnix, v, r, s];
      await stage.as(stage.stranger).token.access.send('permit', args);
      const { event } = await escrow().open(placeOf(stage, request.token), request, permit);
      const more = await token.signPermit(stage.funder, stage.deployment.escrow, 50n, deadline);
      await escrow().topUp(request.orderId, stage.provider.address, 50n, request.token, more);
      const budget = await escrow().budget(event.orderKey, stage.provider.address);
      assert.deepEqual(budget, { remaining: 1050n, funded: 1050n });
    });

    it('refuses a permit that is wrong when there is no allowance', async () => {
      const deadline = (await stage.chain.nowUnix()) + DAY;
      const permit = await stage.as(stage.stranger).token.signPermit(stage.stranger, stage.deployment.escrow, amount, deadline);
      const request = await orderRequest(stage, { token: stage.deployment.token });
      await refuses(escrow().open(placeOf(stage, request.token), request, permit), 'ERC20InsufficientAllowance');
    });

    it('refuses a permit for the coin', async () => {
      const deadline = (await stage.chain.nowUnix()) + DAY;
      const permit = await stage.as(stage.funder).token.signPermit(stage.funder, stage.deployment.escrow, amount, deadline);
      const request = await orderRequest(stage);
      await refuses(escrow().open(placeOf(stage, NATIVE_TOKEN), request, permit), 'NativePermit');
    });

    it('refuses one that is not listed, or no longer', async () => {
      await refuses(open({ token: stage.deployment.router }), 'TokenNotListed');
      await approved(stage.deployment.token, 2n * amount);
      const { orderId } = await openOrder(stage, { token: stage.deployment.token });
      await setToken(stage.as(stage.owner).escrow, stage.deployment.token, false);
      await refuses(open({ token: stage.deployment.token }), 'TokenNotListed');
      // Orders that are open are not touched.
      await escrow().topUp(orderId, stage.provider.address, 5n, stage.deployment.token);
    });

    const odd = async (artifact: Parameters<typeof deployContract>[1]) => {
      const token = await deployContract(stage.funder, artifact, []);
      await setToken(stage.as(stage.owner).escrow, token);
      await approved(token);
      return token;
    };

    it('refuses one that takes a fee on transfer', async () => {
      const token = await odd(FeeOnTransferToken);
      await refuses(open({ token }), 'TokenAmountMismatch');
    });

    it('refuses one that returns false', async () => {
      const token = await odd(FalseToken);
      await new ContractAccess(FalseToken, token, stage.funder).send('setRefuses', [true]);
      await refuses(open({ token }), 'SafeERC20FailedOperation');
    });

    it('takes one that returns nothing', async () => {
      const token = await odd(NoReturnToken);
      const { event } = await open({ token });
      assert.equal(event.token, token);
    });
  });

  describe('topping up', () => {
    it('adds to a budget, and a provider while there is room', async () => {
      const budgets = Array.from({ length: 15 }, (_, index) => ({ provider: provider(index), amount: 1n }));
      const { orderId, orderKey } = await openOrder(stage, { budgets });
      await escrow().topUp(orderId, provider(3), 9n, NATIVE_TOKEN);
      assert.deepEqual(await escrow().budget(orderKey, provider(3)), { remaining: 10n, funded: 10n });
      await escrow().topUp(orderId, provider(15), 2n, NATIVE_TOKEN);
      await refuses(escrow().topUp(orderId, provider(16), 2n, NATIVE_TOKEN), 'ProvidersInvalid');
    });

    it('is the funder’s, before the deadline, for an order that exists', async () => {
      const { orderId } = await openOrder(stage);
      await refuses(escrow(stage.stranger).topUp(orderId, provider(5), 1n, NATIVE_TOKEN), 'OrderUnknown');
      await refuses(escrow().topUp(randomField(), provider(5), 1n, NATIVE_TOKEN), 'OrderUnknown');
      await stage.chain.increaseTime(DAY);
      await refuses(escrow().topUp(orderId, provider(5), 1n, NATIVE_TOKEN), 'OrderClosed');
    });

    it('refuses nothing, nobody, and the wrong amount of coin', async () => {
      const { orderId } = await openOrder(stage);
      await refuses(escrow().topUp(orderId, provider(5), 0n, NATIVE_TOKEN), 'BudgetInvalid');
      await refuses(escrow().topUp(orderId, NATIVE_TOKEN, 1n, NATIVE_TOKEN), 'AddressZero');
      await refuses(escrow().access.send('topUp', [orderId, provider(5), 2n], 1n), 'ValueMismatch');
    });
  });

  it('lets the owner set the fee within its bounds', async () => {
    const owned = escrow(stage.owner).access;
    await refuses(owned.send('setFee', [501, stage.feeAccount]), 'FeeTooHigh');
    await refuses(owned.send('setFee', [1, NATIVE_TOKEN]), 'AddressZero');
  });

  it('takes no coin outside of orders', async () => {
    await assert.rejects(stage.funder.sendTransaction({ to: stage.deployment.escrow, value: 1n }));
  });
});
