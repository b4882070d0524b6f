/** The calls a sender makes to its node, with a time limit on each: a node that hangs is a node that is down. */
import { StunError } from '#protocol/errors/stun-error.ts';
import { z } from 'zod';
import { chainErrorOf } from '../errors.ts';

/** Sends one JSON-RPC request; `JsonRpcProvider.send` of ethers has this shape. */
export type RpcSend = (method: string, params: unknown[]) => Promise<unknown>;

/** The newest block. */
export interface ChainHead {
  readonly number: number;
  /** Of the newest block, wei. */
  readonly baseFeePerGas: bigint;
}

/** What the sender needs of a receipt. */
export interface NodeReceipt {
  readonly blockHash: string;
  readonly blockNumber: number;
  readonly reverted: boolean;
  readonly gasUsed: bigint;
}

/** A call as it is simulated. */
export interface NodeCall {
  readonly from: string;
  readonly to: string;
  readonly data: string;
  readonly valueWei: bigint;
}

type BlockTag = number | 'latest' | 'pending';

const quantity = z.string().regex(/^0x[0-9a-f]+$/i);
const blockSchema = z.object({ number: quantity, baseFeePerGas: quantity });
const receiptSchema = z.object({ blockHash: z.string(), blockNumber: quantity, status: quantity, gasUsed: quantity });

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** A node as the sender sees it. */
export class SenderNode {
  readonly #send: RpcSend;
  readonly #timeoutMs: number;

  /** @param timeoutMs - for one request */
  constructor(send: RpcSend, timeoutMs: number) {
    this.#send = send;
    this.#timeoutMs = timeoutMs;
  }

  async #call<T>(schema: z.ZodType<T>, method: string, params: unknown[]): Promise<T> {
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => timeout.reject(new StunError('STUN_CHAIN_UNAVAILABLE', `${method}: no answer within ${this.#timeoutMs} ms`)),
      this.#timeoutMs,
    );
    let answer: unknown;
    try {
      answer = await Promise.race([this.#send(method, params), timeout.promise]);
    } catch (thrown) {
      throw chainErrorOf(thrown, method);
    } finally {
      clearTimeout(timer);
    }
    const read = schema.safeParse(answer);
    if (!read.success) throw new StunError('STUN_CHAIN_UNAVAILABLE', `${method}: the node gave an answer of another form`);
    return read.data;
  }

  async chainId(): Promise<number> {
    return Number(await this.#call(quantity, 'eth_chainId', []));
  }

  async head(): Promise<ChainHead> {
    const block = await this.#call(blockSchema, 'eth_getBlockByNumber', ['latest', false]);
    return { number: Number(block.number), baseFeePerGas: BigInt(block.baseFeePerGas) };
  }

  /** Suggested priority fee, wei per gas. */
  async priorityFee(): Promise<bigint> {
    return BigInt(await this.#call(quantity, 'eth_maxPriorityFeePerGas', []));
  }

  /** Transactions of an account up to a block, or with those that wait. */
  async transactionCount(account: string, tag: BlockTag): Promise<number> {
    const at = typeof tag === 'number' ? hex(tag) : tag;
    return Number(await this.#call(quantity, 'eth_getTransactionCount', [account, at]));
  }

  /** Native coin of an account at the newest block, wei. */
  async balance(account: string): Promise<bigint> {
    return BigInt(await this.#call(quantity, 'eth_getBalance', [account, 'latest']));
  }

  /** The receipt of a mined transaction, undefined when it is not in the chain. */
  async receipt(transactionHash: string): Promise<NodeReceipt | undefined> {
    const receipt = await this.#call(receiptSchema.nullable(), 'eth_getTransactionReceipt', [transactionHash]);
    if (receipt === null) return undefined;
    return {
      blockHash: receipt.blockHash,
      blockNumber: Number(receipt.blockNumber),
      reverted: BigInt(receipt.status) === 0n,
      gasUsed: BigInt(receipt.gasUsed),
    };
  }

  /** Whether the node has the transaction, waiting or mined. */
  async knows(transactionHash: string): Promise<boolean> {
    return (await this.#call(z.object({}).nullable(), 'eth_getTransactionByHash', [transactionHash])) !== null;
  }

  /** Gas of a call on top of what waits. @throws the code of the revert */
  async estimateGas(call: NodeCall): Promise<bigint> {
    return BigInt(await this.#call(quantity, 'eth_estimateGas', [this.#transaction(call), 'pending']));
  }

  /** Runs a call at a block. @throws the code of the revert */
  async simulate(call: NodeCall, blockNumber: number): Promise<void> {
    await this.#call(z.string(), 'eth_call', [this.#transaction(call), hex(blockNumber)]);
  }

  #transaction(call: NodeCall): object {
    return { from: call.from, to: call.to, data: call.data, value: hex(call.valueWei) };
  }

  /** Hands a signed transaction to the node. @throws whatever the node thinks of it; it may have it all the same */
  async broadcast(raw: string): Promise<void> {
    await this.#call(z.string(), 'eth_sendRawTransaction', [raw]);
  }
}
