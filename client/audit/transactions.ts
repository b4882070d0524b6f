/** Signed transactions in a bundle: who signed, and that they say what the rest of the bundle says. */
import { Transaction, type Provider } from 'ethers';
import { StunError, type Hex } from '#protocol/index.ts';
import { lowerAddress } from '#chain/contract-access.ts';
import { chainErrorOf } from '#chain/errors.ts';
import type { AuditTransaction } from './bundle.ts';
import { refute } from './report.ts';

/** A transaction read from its signed bytes. */
export interface SignedTransaction {
  readonly hash: Hex;
  readonly to: Hex;
  readonly chainId: bigint;
  readonly data: Hex;
  /** Native coin, wei. */
  readonly value: bigint;
  readonly sender: Hex;
}

/** Reads a signed transaction and checks that its signature is that of the named sender. @throws `STUN_AUDIT_REFUTED` */
export function readTransaction({ raw, sender }: AuditTransaction): SignedTransaction {
  let parsed: Transaction;
  try {
    parsed = Transaction.from(raw);
  } catch (cause) {
    throw new StunError('STUN_AUDIT_REFUTED', 'the transaction is malformed', { cause });
  }
  if (parsed.from === null || parsed.hash === null || parsed.to === null)
    refute('the transaction is not signed, or makes a contract');
  if (parsed.serialized !== raw) refute('the transaction is not written in its one form');
  if (lowerAddress(parsed.from) !== sender) refute('the transaction is signed by another account than the sender');
  return {
    hash: parsed.hash as Hex,
    to: lowerAddress(parsed.to),
    chainId: parsed.chainId,
    data: parsed.data as Hex,
    value: parsed.value,
    sender: lowerAddress(parsed.from),
  };
}

/** Fetches a mined transaction in the form of the bundle. @throws `STUN_CHAIN_*` */
export async function fetchTransaction(provider: Provider, hash: string): Promise<AuditTransaction> {
  try {
    const found = await provider.getTransaction(hash);
    if (found === null) throw new StunError('STUN_CHAIN_DISAGREES', `the node does not know transaction ${hash}`);
    const rebuilt = Transaction.from({
      type: found.type,
      to: found.to,
      nonce: found.nonce,
      gasLimit: found.gasLimit,
      data: found.data,
      value: found.value,
      chainId: found.chainId,
      signature: found.signature,
      accessList: found.accessList,
      ...(found.type === 2
        ? { maxFeePerGas: found.maxFeePerGas, maxPriorityFeePerGas: found.maxPriorityFeePerGas }
        : { gasPrice: found.gasPrice }),
    });
    if (rebuilt.hash !== found.hash)
      throw new StunError('STUN_CHAIN_DISAGREES', `transaction ${hash} cannot be rebuilt from the node's answer`);
    return { sender: lowerAddress(found.from), raw: rebuilt.serialized };
  } catch (thrown) {
    throw chainErrorOf(thrown, 'reading a transaction');
  }
}
