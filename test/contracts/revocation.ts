/** An attestor's EnclaveRevocation, signed with ethers: a type that the protocol's own list does not have. */
import type { Wallet } from 'ethers';
import type { AttestorApproval } from '#chain/registry.ts';
import { ethersDomain, randomField } from '#protocol/index.ts';
import { HOUR, type Stage } from './stage.ts';

export async function signEip712Revocation(
  stage: Stage,
  keysetDigest: string,
  denyHardware: boolean,
  by: readonly Wallet[],
): Promise<AttestorApproval[]> {
  const deadlineUnix = (await stage.chain.nowUnix()) + HOUR;
  const domain = ethersDomain({ chainId: BigInt(stage.deployment.chainId), verifyingContract: stage.deployment.registry });
  const types = {
    EnclaveRevocation: [
      { name: 'keysetDigest', type: 'bytes32' },
      { name: 'denyHardware', type: 'bool' },
      { name: 'nonce', type: 'uint256' },
      { name: 'deadline', type: 'uint40' },
    ],
  };
  return Promise.all(
    by.map(async (wallet) => {
      const nonce = randomField();
      const signature = await wallet.signTypedData(domain, types, { keysetDigest, denyHardware, nonce, deadline: deadlineUnix });
      return { attestor: wallet.address.toLowerCase(), nonce, deadlineUnix, signature };
    }),
  );
}
