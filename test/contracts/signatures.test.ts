/**
 * Signatures that the contracts take: for one chain and one contract, in one form; a party that is a contract answers for itself (ERC-1271).
 * Properties E5, E6 and S11 of PROPERTIES.md.
 */
import assert from 'node:assert/strict';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { randomBytes } from 'node:crypto';
import { deployContract } from '#chain/deploy.ts';
import { settlementFamilyIdOf } from '#chain/router.ts';
import { randomField, toHex, type Hex } from '#protocol/index.ts';
import PermissiveVerifier from '#chain/generated/PermissiveVerifier.json' with { type: 'json' };
import { signEip712Revocation } from './revocation.ts';
import {
  approve,
  consentTo,
  HOUR,
  makeEnclave,
  openOrder,
  refuses,
  registerEnclave,
  restoreEachTest,
  signSuccession,
  startStage,
  type Stage,
  type StageEnclave,
  type StageOrder,
} from './stage.ts';

/** What `isValidSignature` answers for a good signature, as a whole word. */
const MAGIC = `0x1626ba7e${'00'.repeat(28)}` as const;

/** The other signature of the same key over the same message: (r, n - s) with the other v. */
function highTwinOf(signature: string): Hex {
  const s = secp256k1.Point.Fn.ORDER - BigInt(`0x${signature.slice(66, 130)}`);
  return `0x${signature.slice(2, 66)}${s.toString(16).padStart(64, '0')}${signature.endsWith('1b') ? '1c' : '1b'}`;
}

describe('contracts: signatures', () => {
  let stage: Stage;
  let elsewhere: Stage;
  let enclave: StageEnclave;
  before(async () => {
    stage = await startStage();
    elsewhere = { ...stage, deployment: { ...stage.deployment, chainId: 1 } };
    enclave = await makeEnclave(stage);
  });
  after(() => stage.close());
  restoreEachTest(() => stage);

  const registry = (wallet = stage.provider) => stage.as(wallet).registry;
  const register = (approvals: Awaited<ReturnType<typeof approve>>) => registry().register(enclave.registration, approvals);
  /** Puts a contract at an address that answers every call with one word. */
  const answering = async (word: Hex, address: string = toHex(randomBytes(20))): Promise<Hex> => {
    await stage.chain.request('hardhat_setCode', [address, `0x7f${word.slice(2)}5f5260205ff3`]);
    return address.toLowerCase() as Hex;
  };

  describe('of attestors', () => {
    it('are worth nothing on another chain', async () => {
      await refuses(register(await approve(elsewhere, enclave)), 'ApprovalSignatureInvalid');
      const { keysetDigest } = await registerEnclave(stage);
      const revocation = await signEip712Revocation(elsewhere, keysetDigest, false, stage.attestors.slice(0, 2));
      await refuses(registry(stage.stranger).revokeByQuorum(keysetDigest, false, revocation), 'ApprovalSignatureInvalid');
    });

    it('have one form, and work once in any', async () => {
      const approvals = await approve(stage, enclave);
      const twins = approvals.map((approval) => ({ ...approval, signature: highTwinOf(approval.signature) }));
      await refuses(register(twins), 'ApprovalSignatureInvalid');
      await register(approvals);
      await refuses(register(twins), 'ApprovalUsed');
    });

    it('are too few once the threshold has risen over them', async () => {
      const approvals = await approve(stage, enclave);
      await registry(stage.owner).setThreshold(3);
      await refuses(register(approvals), 'QuorumNotReached');
      await registry(stage.owner).setThreshold(2);
      await register(approvals);
    });

    it('may be the word of a contract, which is asked', async () => {
      const attestor = await answering(MAGIC);
      await registry(stage.owner).setAttestor(attestor, true);
      const [approval] = await approve(stage, enclave, [stage.attestors[0]!]);
      const word = { ...approval!, attestor, nonce: randomField(), signature: '0x' as const };
      await answering(`0x${'00'.repeat(32)}`, attestor);
      await refuses(register([approval!, word]), 'ApprovalSignatureInvalid');
      await answering(MAGIC, attestor);
      await register([approval!, word]);
      await refuses(register([approval!, word]), 'ApprovalUsed');
    });
  });

  describe('of a provider', () => {
    const byStranger = async (consent: Awaited<ReturnType<typeof consentTo>>) =>
      registry(stage.stranger).register(enclave.registration, await approve(stage, enclave), consent);

    it('are worth nothing on another chain or for another registry', async () => {
      await refuses(byStranger(await consentTo(elsewhere, enclave)), 'ConsentMissing');
      const other = { ...stage, deployment: { ...stage.deployment, registry: stage.deployment.escrow } };
      await refuses(byStranger(await consentTo(other, enclave)), 'ConsentMissing');
    });

    it('have one form', async () => {
      const consent = await consentTo(stage, enclave);
      await refuses(byStranger({ ...consent, signature: highTwinOf(consent.signature) }), 'ConsentMissing');
      await byStranger(consent);
    });

    it('may be the word of a contract, which is asked', async () => {
      const consent = { nonce: 1n, deadlineUnix: (await stage.chain.nowUnix()) + HOUR, signature: '0x01' as const };
      await answering(`0x${'00'.repeat(32)}`, stage.provider.address);
      await refuses(byStranger(consent), 'ConsentMissing');
      await answering(MAGIC, stage.provider.address);
      await byStranger(consent);
    });
  });

  describe('of both parties to a successor family', () => {
    let order: StageOrder;
    let newFamily: Hex;
    beforeEach(async () => {
      order = await openOrder(stage);
      const vkHash = toHex(randomBytes(32));
      const verifier = await deployContract(stage.owner, PermissiveVerifier, [vkHash, 16, true]);
      await stage.as(stage.owner).router.addSettlementFamily(verifier, 16, vkHash, toHex(randomBytes(32)));
      newFamily = settlementFamilyIdOf(16, vkHash);
      await stage.as(stage.owner).router.tombstone(stage.family);
    });
    const sign = (by: keyof Pick<Stage, 'funder' | 'provider'>, on = stage) =>
      signSuccession(on, stage[by], { orderKey: order.orderKey, oldFamily: stage.family, newFamily });
    const succeed = (byFunder = sign('funder'), byProvider = sign('provider')) =>
      stage
        .as(stage.stranger)
        .escrow.succeedFamily(stage.funder.address, order.orderId, stage.provider.address, newFamily, byFunder, byProvider);

    it('are worth nothing on another chain', async () => {
      await refuses(succeed(sign('funder', elsewhere)), 'SuccessionSignatureInvalid');
      await refuses(succeed(undefined, sign('provider', elsewhere)), 'SuccessionSignatureInvalid');
    });

    it('have one form, and work once', async () => {
      await refuses(succeed(highTwinOf(sign('funder'))), 'SuccessionSignatureInvalid');
      await refuses(succeed(undefined, highTwinOf(sign('provider'))), 'SuccessionSignatureInvalid');
      await succeed();
      await refuses(succeed(), 'SuccessionNotNeeded');
    });

    it('may be the word of a contract, which is asked', async () => {
      await answering(`0x${'00'.repeat(32)}`, stage.funder.address);
      await refuses(succeed(), 'SuccessionSignatureInvalid');
      await answering(MAGIC, stage.funder.address);
      await succeed('0x');
      const escrow = stage.as(stage.stranger).escrow;
      assert.equal(await escrow.familyFor(order.orderKey, stage.provider.address), newFamily);
    });
  });
});
