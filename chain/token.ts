/** ERC-20 calls and EIP-2612 permits. */
import { Signature, type ContractRunner, type Signer } from 'ethers';
import { artifacts } from './artifacts.ts';
import { chainErrorOf } from './errors.ts';
import { ContractAccess, type MinedTransaction } from './contract-access.ts';

/** The token address that means the native coin. */
export const NATIVE_TOKEN = '0x0000000000000000000000000000000000000000';

/** A signed EIP-2612 permit. */
export interface PermitSignature {
  readonly value: bigint;
  readonly deadlineUnix: number;
  readonly v: number;
  readonly r: string;
  readonly s: string;
}

/** A token: the STUN token, or any ERC-20 for the calls that all of them have. */
export class TokenContract {
  readonly access: ContractAccess;

  constructor(address: string, runner: ContractRunner) {
    this.access = new ContractAccess(artifacts.StunToken, address, runner);
  }

  async balanceOf(account: string): Promise<bigint> {
    return BigInt((await this.access.read('balanceOf', [account]))[0]);
  }

  async allowance(owner: string, spender: string): Promise<bigint> {
    return BigInt((await this.access.read('allowance', [owner, spender]))[0]);
  }

  async symbol(): Promise<string> {
    return String((await this.access.read('symbol', []))[0]);
  }

  approve(spender: string, value: bigint): Promise<MinedTransaction> {
    return this.access.send('approve', [spender, value]);
  }

  transfer(to: string, value: bigint): Promise<MinedTransaction> {
    return this.access.send('transfer', [to, value]);
  }

  /** Signs a permit of the signer's account for `spender`, with the nonce that the token holds now. */
  async signPermit(signer: Signer, spender: string, value: bigint, deadlineUnix: number): Promise<PermitSignature> {
    const owner = await signer.getAddress();
    const [nonce, domain] = await Promise.all([this.access.read('nonces', [owner]), this.access.read('eip712Domain', [])]);
    try {
      const signature = Signature.from(
        await signer.signTypedData(
          {
            name: String(domain.getValue('name')),
            version: String(domain.getValue('version')),
            chainId: BigInt(domain.getValue('chainId')),
            verifyingContract: this.access.address,
          },
          {
            Permit: [
              { name: 'owner', type: 'address' },
              { name: 'spender', type: 'address' },
              { name: 'value', type: 'uint256' },
              { name: 'nonce', type: 'uint256' },
              { name: 'deadline', type: 'uint256' },
            ],
          },
          { owner, spender, value, nonce: BigInt(nonce[0]), deadline: deadlineUnix },
        ),
      );
      return { value, deadlineUnix, v: signature.v, r: signature.r, s: signature.s };
    } catch (thrown) {
      throw chainErrorOf(thrown, 'signing a permit');
    }
  }
}
