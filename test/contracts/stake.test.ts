/** ProviderStake: deposits, what is asked back, what cannot be. Properties K1 to K3 of PROPERTIES.md. */
import assert from 'node:assert/strict';
import { deployContract, setToken } from '#chain/deploy.ts';
import { NATIVE_TOKEN, TokenContract } from '#chain/token.ts';
import FeeOnTransferToken from '#chain/generated/FeeOnTransferToken.json' with { type: 'json' };
import { challengeableTerms, publishedBatch, registerModel, SLASH } from './published.ts';
import { DAY, openOrder, refuses, registerEnclave, restoreEachTest, startStage, type Stage } from './stage.ts';

describe('contracts: ProviderStake', () => {
  let stage: Stage;
  before(async () => {
    stage = await startStage();
    await stage.as(stage.provider).court.depositStake(NATIVE_TOKEN, 1000n);
  });
  after(() => stage.close());
  restoreEachTest(() => stage);

  const own = () => stage.as(stage.provider).court;
  const available = () => own().availableStake(NATIVE_TOKEN, stage.provider.address);

  it('adds deposits up, for their sender alone', async () => {
    await own().depositStake(NATIVE_TOKEN, 5n);
    assert.equal(await available(), 1005n);
    assert.equal(await own().availableStake(NATIVE_TOKEN, stage.stranger.address), 0n);
    assert.equal(await own().availableStake(stage.deployment.token, stage.provider.address), 0n);
  });

  it('gives back what was asked back, after seven days, once', async () => {
    await own().requestUnbond(NATIVE_TOKEN, 600n);
    assert.equal(await available(), 400n);
    await stage.chain.increaseTime(7 * DAY - 10);
    await refuses(own().unbond(NATIVE_TOKEN), 'UnbondNotDue');
    await stage.chain.increaseTime(10);
    await own().unbond(NATIVE_TOKEN);
    await refuses(own().unbond(NATIVE_TOKEN), 'StakeAmountInvalid');
    assert.equal(await own().credit(NATIVE_TOKEN, stage.provider.address), 600n);
    const before = await stage.chain.provider.getBalance(stage.deployment.court);
    await own().withdraw(NATIVE_TOKEN);
    assert.equal(before - (await stage.chain.provider.getBalance(stage.deployment.court)), 600n);
    assert.equal((await own().stake(NATIVE_TOKEN, stage.provider.address)).total, 400n);
  });

  it('lets a question be changed or taken back; the wait begins anew', async () => {
    await own().requestUnbond(NATIVE_TOKEN, 600n);
    await stage.chain.increaseTime(7 * DAY);
    await own().requestUnbond(NATIVE_TOKEN, 700n);
    await refuses(own().unbond(NATIVE_TOKEN), 'UnbondNotDue');
    await own().requestUnbond(NATIVE_TOKEN, 0n);
    assert.equal(await available(), 1000n);
    await refuses(own().unbond(NATIVE_TOKEN), 'StakeAmountInvalid');
  });

  it('never gives back what a batch holds, and backs no batch with what is asked back', async () => {
    await registerEnclave(stage);
    const model = await registerModel(stage);
    const order = await openOrder(stage, { terms: challengeableTerms(stage, model) });
    const settle = async (laneIndex: number) =>
      stage
        .as(stage.provider)
        .escrow.settleChallengeable(stage.funder.address, await publishedBatch(stage, order, [true], { laneIndex }));
    await settle(0);
    await refuses(own().requestUnbond(NATIVE_TOKEN, 1000n - SLASH + 1n), 'StakeAmountInvalid');
    await own().requestUnbond(NATIVE_TOKEN, 1000n - SLASH);
    await refuses(settle(1), 'StakeTooLow');
    await stage.chain.increaseTime(7 * DAY);
    await own().unbond(NATIVE_TOKEN);
    const [recorded] = await own().batchesRecorded(0, { provider: stage.provider.address });
    await own().finalise(recorded!.batchId);
    assert.equal(await available(), SLASH);
  });

  it('refuses deposits of nothing, of too much, of another value, and of tokens that are not listed', async () => {
    await refuses(own().depositStake(NATIVE_TOKEN, 0n), 'StakeAmountInvalid');
    await refuses(own().access.send('depositStake', [NATIVE_TOKEN, 1n << 96n]), 'StakeAmountInvalid');
    await refuses(own().access.send('depositStake', [NATIVE_TOKEN, 5n], 4n), 'ValueMismatch');
    await refuses(own().depositStake(stage.stranger.address, 1n), 'StakeTokenNotListed');
  });

  it('takes more of a token that was taken off the list since, for orders that are open in it', async () => {
    await setToken(stage.as(stage.owner).escrow, NATIVE_TOKEN, false);
    await own().depositStake(NATIVE_TOKEN, 5n);
    assert.equal(await available(), 1005n);
    await refuses(stage.as(stage.stranger).court.depositStake(NATIVE_TOKEN, 5n), 'StakeTokenNotListed');
  });

  it('takes exactly the amount: a token that takes a fee on transfer is refused', async () => {
    const token = await deployContract(stage.provider, FeeOnTransferToken, []);
    await setToken(stage.as(stage.owner).escrow, token);
    await new TokenContract(token, stage.provider).approve(stage.deployment.court, 10n);
    await refuses(own().access.send('depositStake', [token, 10n]), 'TokenAmountMismatch');
    assert.equal(await own().availableStake(token, stage.provider.address), 0n);
  });
});
