/** The signature-only baseline on the same chain: what a batch costs when one enclave signature is all that is checked. */
import { randomBytes } from 'node:crypto';
import { artifacts } from '#chain/artifacts.ts';
import { ContractAccess } from '#chain/contract-access.ts';
import { deployContract } from '#chain/deploy.ts';
import { contractsOf } from '#chain/deployment.ts';
import { ACCOUNT, type LocalStack } from '../stack/local-stack.ts';
import { toHex } from '#protocol/index.ts';

const TYPES = {
  Batch: [
    { name: 'requestsHash', type: 'bytes32' },
    { name: 'nonce', type: 'uint256' },
    { name: 'provider', type: 'address' },
    { name: 'user', type: 'address' },
    { name: 'totalFee', type: 'uint256' },
  ],
};

/** Gas of two whole transactions: the first batch of an account and the next. */
export async function measureBaseline(stack: LocalStack): Promise<readonly [first: bigint, next: bigint]> {
  const { chain, deployment } = stack;
  const [owner, user, provider] = [ACCOUNT.owner, ACCOUNT.customer, ACCOUNT.provider].map((index) => chain.wallet(index));
  const enclave = chain.wallet(ACCOUNT.operator);
  const address = await deployContract(owner!, artifacts.SignatureOnlyEscrow, [deployment.token]);
  const { token } = contractsOf(deployment, owner!);
  await token.transfer(user!.address, 1000n);
  await contractsOf(deployment, user!).token.approve(address, 1000n);
  await new ContractAccess(artifacts.SignatureOnlyEscrow, address, user!).send('deposit', [
    provider!.address,
    enclave.address,
    1000n,
  ]);
  const domain = { name: 'STUN baseline', version: '1', chainId: deployment.chainId, verifyingContract: address };
  const asProvider = new ContractAccess(artifacts.SignatureOnlyEscrow, address, provider!);
  const settle = async (nonce: number): Promise<bigint> => {
    const batch = {
      requestsHash: toHex(randomBytes(32)),
      nonce,
      provider: provider!.address,
      user: user!.address,
      totalFee: 100n,
    };
    const signature = await enclave.signTypedData(domain, TYPES, batch);
    const args = [batch.user, batch.provider, batch.requestsHash, batch.nonce, batch.totalFee, signature];
    return (await asProvider.send('settle', args)).gasUsed;
  };
  return [await settle(1), await settle(2)];
}
