/** The development chain, the deployment record, and its checks against the chain. */
import assert from 'node:assert/strict';
import { JsonRpcProvider } from 'ethers';
import { courtAddressOf } from '#chain/court-calls.ts';
import { connectStun, familyForJobs, parseDeployment } from '#chain/deployment.ts';
import { startDevChain } from '#chain/dev-chain.ts';
import { deployStun } from '#chain/deploy.ts';
import { receiptOf } from '#chain/mined.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';
import { startStage, type Stage } from './stage.ts';

describe('contracts: deployment', () => {
  let stage: Stage;
  before(async () => {
    stage = await startStage();
  });
  after(() => stage.close());

  it('records what it deployed, and the record survives JSON', async () => {
    const record: unknown = JSON.parse(JSON.stringify(stage.deployment));
    assert.deepEqual(parseDeployment(record), stage.deployment);
    const contracts = await connectStun(stage.deployment, stage.owner);
    assert.equal(courtAddressOf(stage.deployment.escrow), stage.deployment.court);
    assert.equal(await contracts.registry.threshold(), 2);
    assert.equal(await contracts.escrow.isListed(stage.deployment.token), true);
    assert.equal(await contracts.token.symbol(), 'STUN');
  });

  it('chooses the smallest family that proves enough jobs', () => {
    assert.equal(familyForJobs(stage.deployment, 1).maxJobs, 16);
    assert.equal(familyForJobs(stage.deployment, 17).maxJobs, 64);
    assert.equal(familyForJobs(stage.deployment, 65).maxJobs, 256);
    throwsCode(() => familyForJobs(stage.deployment, 257), 'STUN_FAMILY_UNKNOWN');
  });

  it('refuses a record with any field missing, unknown or malformed', () => {
    const fields = Object.keys(stage.deployment);
    for (const field of fields) {
      const { [field]: _, ...rest } = stage.deployment as unknown as Record<string, unknown>;
      throwsCode(() => parseDeployment(rest), 'STUN_CHAIN_DEPLOYMENT');
    }
    assert.equal(fields.length, 14);
    throwsCode(() => parseDeployment({ ...stage.deployment, extra: 1 }), 'STUN_CHAIN_DEPLOYMENT');
    throwsCode(() => parseDeployment({ ...stage.deployment, escrow: '0xABC' }), 'STUN_CHAIN_DEPLOYMENT');
    throwsCode(() => parseDeployment({ ...stage.deployment, families: [] }), 'STUN_CHAIN_DEPLOYMENT');
  });

  it('refuses a record with development keys on every other chain, read or made in memory', async () => {
    const elsewhere = { ...stage.deployment, chainId: 1 };
    throwsCode(() => parseDeployment(elsewhere), 'STUN_CHAIN_DEVELOPMENT_VERIFIER');
    await rejectsCode(connectStun(elsewhere, stage.owner), 'STUN_CHAIN_DEVELOPMENT_VERIFIER');
    const families = stage.deployment.families.map((family) => ({ ...family, development: false }));
    assert.deepEqual(parseDeployment({ ...elsewhere, families }), { ...elsewhere, families });
  });

  it('refuses a node on another chain', async () => {
    const other = await startDevChain({ chainId: 4321, accountCount: 1 });
    try {
      const provider = new JsonRpcProvider(other.url);
      await rejectsCode(connectStun(stage.deployment, provider), 'STUN_CHAIN_ID');
      provider.destroy();
    } finally {
      await other.close();
    }
  });

  it('refuses an escrow of another registry, addresses without code, and families with other keys', async () => {
    const { deployment, owner } = stage;
    const nobody = `0x${'12'.repeat(20)}` as const;
    await rejectsCode(connectStun({ ...deployment, registry: nobody }, owner), 'STUN_CHAIN_DEPLOYMENT');
    await rejectsCode(connectStun({ ...deployment, router: nobody }, owner), 'STUN_CHAIN_DEPLOYMENT');
    await rejectsCode(connectStun({ ...deployment, escrow: nobody }, owner), 'STUN_CHAIN_DEPLOYMENT');
    const [first, ...rest] = deployment.families;
    for (const change of [{ verifier: nobody }, { maxJobs: 17 }, { development: false }, { vkHash: first!.family }]) {
      const families = [{ ...first!, ...change }, ...rest];
      await rejectsCode(connectStun({ ...deployment, families }, owner), 'STUN_CHAIN_DEPLOYMENT');
    }
  });

  it('answers like a node that is down, and keeps its state for when it is up again', async () => {
    const { escrow } = stage.as(stage.owner);
    const before = await stage.chain.provider.getBlockNumber();
    await stage.chain.goOffline();
    await rejectsCode(escrow.feeBps(), 'STUN_CHAIN_UNAVAILABLE');
    await rejectsCode(escrow.withdraw(stage.deployment.token), 'STUN_CHAIN_UNAVAILABLE');
    await stage.chain.goOnline();
    assert.equal(await escrow.feeBps(), 100);
    assert.equal(await stage.chain.provider.getBlockNumber(), before);
  });

  it('names an account that cannot pay for its transaction', async () => {
    const poor = stage.chain.wallet(7);
    await stage.chain.request('hardhat_setBalance', [poor.address, '0x0']);
    await rejectsCode(stage.as(poor).escrow.setPayoutAddress(poor.address), 'STUN_CHAIN_FUNDS');
  });

  it('refuses a threshold that its attestors cannot reach', async () => {
    const address = stage.owner.address;
    const options = { attestors: [address], threshold: 2, feeBps: 0, feeAccount: address, guardian: address };
    await rejectsCode(deployStun(stage.owner, options), 'STUN_REGISTER_QUORUM');
  });

  it('mines by itself at an interval when told so', async () => {
    const chain = await startDevChain({ blockIntervalMs: 30, accountCount: 2 });
    try {
      const sent = await chain.wallet(0).sendTransaction({ to: chain.accounts[1]!.address, value: 1n });
      const mined = await receiptOf(sent);
      assert.ok(mined.blockNumber >= 1);
    } finally {
      await chain.close();
    }
  });
});
