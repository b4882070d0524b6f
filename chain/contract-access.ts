/** The one place that calls ethers' contracts: reads, sends, encodes and finds events, with every failure as a StunError. */
import {
  Contract,
  Interface,
  type ContractRunner,
  type EventLog,
  type Log,
  type LogDescription,
  type Provider,
  type Result,
  type TransactionReceipt,
} from 'ethers';
import type { Hex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Artifact } from './artifacts.ts';
import { chainErrorOf } from './errors.ts';
import { receiptOf } from './mined.ts';

/** A call that somebody else signs and sends. */
export interface TransactionCall {
  readonly to: Hex;
  readonly data: Hex;
  /** Native coin to send, wei. */
  readonly value: bigint;
}

/** Where an event stands. */
export interface EventPlace {
  readonly blockNumber: number;
  readonly transactionHash: Hex;
  readonly logIndex: number;
}

/** An address as the project writes it: lower-case hex. */
export function lowerAddress(address: unknown): Hex {
  if (typeof address !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(address)) {
    throw new StunError('STUN_INPUT', 'an address must be 0x and 40 hex digits');
  }
  return address.toLowerCase() as Hex;
}

/** The sum of a mined transaction that callers look at. */
export interface MinedTransaction {
  readonly transactionHash: Hex;
  readonly blockNumber: number;
  readonly gasUsed: bigint;
  readonly receipt: TransactionReceipt;
}

/** Parsing an ABI takes milliseconds, and contracts are opened for every signer and every order. */
const parsedInterfaces = new WeakMap<Artifact['abi'], Interface>();

function interfaceOf(abi: Artifact['abi']): Interface {
  const parsed = parsedInterfaces.get(abi) ?? new Interface(abi);
  parsedInterfaces.set(abi, parsed);
  return parsed;
}

/** A deployed contract of the project. */
export class ContractAccess {
  readonly address: Hex;
  readonly interface: Interface;
  readonly #contract: Contract;

  /**
   * @param address - where it is deployed; not checked here, see `assertDeployment`
   * @param runner - a provider for reading, a signer for sending too
   */
  constructor(artifact: Artifact, address: string, runner: ContractRunner) {
    this.address = lowerAddress(address);
    this.interface = interfaceOf(artifact.abi);
    this.#contract = new Contract(this.address, this.interface, runner);
  }

  /** Calls a view function at the newest block, or at `blockTag`. */
  async read(name: string, args: readonly unknown[], blockTag?: number): Promise<Result> {
    try {
      const overrides = blockTag === undefined ? [] : [{ blockTag }];
      return await this.#contract.getFunction(name).staticCallResult(...args, ...overrides);
    } catch (thrown) {
      throw chainErrorOf(thrown, name);
    }
  }

  /** Sends a transaction and waits until it is mined. A transaction that would revert is not sent. */
  async send(name: string, args: readonly unknown[], value = 0n): Promise<MinedTransaction> {
    try {
      const sent = await this.#contract.getFunction(name).send(...args, { value });
      return minedOf(await receiptOf(sent));
    } catch (thrown) {
      throw chainErrorOf(thrown, name);
    }
  }

  /** The call as data, for a sender of its own. */
  encode(name: string, args: readonly unknown[], value = 0n): TransactionCall {
    return { to: this.address, data: this.interface.encodeFunctionData(name, [...args]) as Hex, value };
  }

  /** Runs a call without sending it; throws what the transaction would fail with. */
  async simulate(name: string, args: readonly unknown[], from: string, value = 0n): Promise<Result> {
    try {
      // Over the bare provider: a signer would refuse any other sender than itself.
      const unsigned = this.#contract.connect(this.provider).getFunction(name);
      return await unsigned.staticCallResult(...args, { from, value });
    } catch (thrown) {
      throw chainErrorOf(thrown, name);
    }
  }

  /** Events of one name between two blocks, both included, in chain order; `indexed` filters, null for any. */
  async events(
    name: string,
    indexed: readonly unknown[],
    fromBlock: number,
    toBlock: number | 'latest' = 'latest',
  ): Promise<readonly { readonly args: Result; readonly place: EventPlace }[]> {
    try {
      const filter = this.#contract.getEvent(name)(...indexed);
      const logs = await this.#contract.queryFilter(filter, fromBlock, toBlock);
      return logs.map((log) => ({ args: this.#parse(log).args, place: placeOf(log) }));
    } catch (thrown) {
      throw chainErrorOf(thrown, name);
    }
  }

  /** The events of one name that a mined transaction emitted here. */
  eventsIn(receipt: TransactionReceipt, name: string): readonly { readonly args: Result; readonly place: EventPlace }[] {
    return receipt.logs
      .filter((log) => log.address.toLowerCase() === this.address)
      .map((log) => ({ parsed: this.#parse(log), place: placeOf(log) }))
      .filter((event) => event.parsed.name === name)
      .map((event) => ({ args: event.parsed.args, place: event.place }));
  }

  /** The provider behind the runner. */
  get provider(): Provider {
    const provider = this.#contract.runner?.provider;
    if (provider === null || provider === undefined) throw new StunError('STUN_CONFIG', 'the runner has no provider');
    return provider;
  }

  #parse(log: Log | EventLog): LogDescription {
    const parsed = this.interface.parseLog(log);
    if (parsed === null) throw new StunError('STUN_CHAIN_DEPLOYMENT', 'a contract emitted an event that it does not declare');
    return parsed;
  }
}

function placeOf(log: Log): EventPlace {
  return { blockNumber: log.blockNumber, transactionHash: log.transactionHash as Hex, logIndex: log.index };
}

/** Names what a receipt says. */
export function minedOf(receipt: TransactionReceipt): MinedTransaction {
  return { transactionHash: receipt.hash as Hex, blockNumber: receipt.blockNumber, gasUsed: receipt.gasUsed, receipt };
}
