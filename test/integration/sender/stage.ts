/**
 * A stage for the sender: a real chain (Hardhat's EVM) that mines when it is told to, and plain payments as intents, because a
 * payment that happens twice shows in the balance.
 */
import { JsonRpcProvider } from 'ethers';
import { startDevChain, type DevChain } from '#chain/dev-chain.ts';
import type { TransactionCall } from '#chain/contract-access.ts';
import type { IsDone } from '#chain/sender/advance.ts';
import { MemorySenderStore } from '#chain/sender/memory-store.ts';
import type { RpcSend } from '#chain/sender/node.ts';
import { TransactionSender, type SenderOptions } from '#chain/sender/sender.ts';
import type { Hex } from '#protocol/bytes.ts';

const GWEI = 10n ** 9n;
const CLAIM_MS = 60_000;

/** Chain, store and clock; senders come and go. */
export class SenderStage {
  readonly chain: DevChain;
  /** Sends each request at once instead of waiting for others to share a batch with. */
  readonly #provider: JsonRpcProvider;
  store!: MemorySenderStore;
  nowMs = 1_000_000;
  #snapshot = '';

  private constructor(chain: DevChain) {
    this.chain = chain;
    this.#provider = new JsonRpcProvider(chain.url, chain.chainId, { staticNetwork: true, batchMaxCount: 1, cacheTimeout: -1 });
    this.forget();
  }

  /** An empty store, for the next test on the same chain. */
  forget(): void {
    this.store = new MemorySenderStore(CLAIM_MS, () => this.nowMs);
  }

  static async open(): Promise<SenderStage> {
    const stage = new SenderStage(await startDevChain({ accountCount: 4 }));
    await stage.mine(3);
    await stage.chain.request('evm_setAutomine', [false]);
    await stage.takeSnapshot();
    return stage;
  }

  /** The requests of a sender, over HTTP. */
  readonly rpc: RpcSend = (method, params) => this.#provider.send(method, params);

  /** A sender for account 0. A crashed one keeps its claim until the claim time is over. */
  sender(change: Partial<SenderOptions> = {}): Promise<TransactionSender> {
    return TransactionSender.open({
      chainId: this.chain.chainId,
      signer: this.chain.wallet(0),
      store: this.store,
      rpc: this.rpc,
      isDone: async () => false,
      policy: { confirmations: 3, replaceAfterMs: 30_000, maxFeePerGasWei: 500n * GWEI },
      pollIntervalMs: 10,
      maxBackoffMs: 80,
      requestTimeoutMs: 5_000,
      nowMs: () => this.nowMs,
      ...change,
    });
  }

  /** The process of a sender is gone: time passes until its claim is free, then another takes over. */
  afterCrash(change: Partial<SenderOptions> = {}): Promise<TransactionSender> {
    this.nowMs += CLAIM_MS + 1;
    return this.sender(change);
  }

  /** An address nobody has used. */
  payee(name: string): Hex {
    return `0x${Buffer.from(name.padEnd(20, '.')).toString('hex').slice(0, 40)}`;
  }

  /** A payment of 1 wei. */
  payment(name: string): TransactionCall {
    return { to: this.payee(name), data: '0x', value: 1n };
  }

  /** How often a payee was paid. */
  async paid(name: string): Promise<bigint> {
    return this.chain.provider.getBalance(this.payee(name));
  }

  /** The check of a caller that can see its payments on chain. */
  readonly isPaid: IsDone = async (intent, blockNumber) => (await this.#provider.getBalance(intent.call.to, blockNumber)) > 0n;

  async mine(blocks = 1): Promise<void> {
    for (let i = 0; i < blocks; i++) await this.chain.request('evm_mine');
  }

  async takeSnapshot(): Promise<void> {
    this.#snapshot = (await this.chain.request('evm_snapshot')) as string;
  }

  /** A re-organisation: all blocks and waiting transactions since the snapshot are gone. */
  async reorganise(): Promise<void> {
    await this.chain.request('evm_revert', [this.#snapshot]);
    await this.takeSnapshot();
  }

  /** Transactions that wait in the node. */
  async waiting(): Promise<number> {
    const pending = (await this.chain.request('eth_getBlockByNumber', ['pending', false])) as { transactions: unknown[] };
    return pending.transactions.length;
  }

  close(): Promise<void> {
    this.#provider.destroy();
    return this.chain.close();
  }
}
