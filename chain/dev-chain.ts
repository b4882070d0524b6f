/**
 * A local development chain (Hardhat's EVM, chain id 31337, hardfork osaka) in this process, served as JSON-RPC over HTTP.
 * For `npm start`, tests and benchmarks only: its keys are public, its state dies with the process.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HDNodeWallet, JsonRpcProvider, Mnemonic, Wallet } from 'ethers';
import type { Hex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { lowerAddress } from './contract-access.ts';

/** The chain id that development keys and simulated hardware are limited to. */
export const DEVELOPMENT_CHAIN_ID = 31337;

const MNEMONIC = 'test test test test test test test test test test test junk';
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** A prefunded account; the key is public knowledge. */
export interface DevAccount {
  readonly address: Hex;
  readonly privateKey: Hex;
}

/** What may be chosen. */
export interface DevChainOptions {
  /** 0 for any free port. */
  readonly port?: number;
  /** Prefunded accounts, 10,000 coins each; 20 when not given. */
  readonly accountCount?: number;
  /** Another id than 31337, for tests that the development escape is closed there. */
  readonly chainId?: number;
  /** Milliseconds between blocks; 0 or absent mines with every transaction. */
  readonly blockIntervalMs?: number;
}

/** A running development chain. */
export interface DevChain {
  readonly url: string;
  readonly chainId: number;
  readonly accounts: readonly DevAccount[];
  /** A signer for an account, on a provider of its own that `close` also ends. */
  wallet(index: number): Wallet;
  readonly provider: JsonRpcProvider;
  /** One request straight to the chain, for evm_* and hardhat_* methods. */
  request(method: string, params?: readonly unknown[]): Promise<unknown>;
  /** Moves the clock and mines a block. */
  increaseTime(seconds: number): Promise<void>;
  /** Unix seconds of the newest block. */
  nowUnix(): Promise<number>;
  /** Stops answering, as a node that is down; the chain keeps its state. */
  goOffline(): Promise<void>;
  /** Answers again at the same address. */
  goOnline(): Promise<void>;
  close(): Promise<void>;
}

interface RpcRequest {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

type Send = (method: string, params: readonly unknown[]) => Promise<unknown>;

/** Starts a chain. Needs the development dependencies (hardhat). @throws `STUN_CONFIG` when the port is in use */
export async function startDevChain(options: DevChainOptions = {}): Promise<DevChain> {
  const { createHardhatRuntimeEnvironment } = await import('hardhat/hre');
  const chainId = options.chainId ?? DEVELOPMENT_CHAIN_ID;
  const count = options.accountCount ?? 20;
  const interval = options.blockIntervalMs ?? 0;
  const hre = await createHardhatRuntimeEnvironment({
    networks: {
      dev: {
        type: 'edr-simulated',
        chainId,
        hardfork: 'osaka',
        accounts: { mnemonic: MNEMONIC, count },
        mining: interval === 0 ? { auto: true } : { auto: false, interval },
        // Blocks of under a second share a timestamp instead of running ahead of the clock.
        allowBlocksWithSameTimestamp: interval !== 0 && interval < 1000,
        loggingEnabled: false,
      },
    },
  });
  const connection = await hre.network.create('dev');
  const request: Send = (method, params) => connection.provider.request({ method, params: [...params] });
  const served = new RpcServer(request);
  const port = await served.listen(options.port ?? 0).catch(async (thrown: unknown) => {
    await connection.close();
    throw thrown;
  });
  const url = `http://127.0.0.1:${port}`;
  // Without caching, with short polls and without waiting for more requests to send along, since answers are instant here.
  const provider = new JsonRpcProvider(url, chainId, {
    staticNetwork: true,
    cacheTimeout: -1,
    pollingInterval: 50,
    batchMaxCount: 1,
  });
  const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(MNEMONIC), "m/44'/60'/0'/0");
  const accounts = Array.from({ length: count }, (_, index): DevAccount => {
    const node = root.deriveChild(index);
    return { address: lowerAddress(node.address), privateKey: node.privateKey as Hex };
  });
  return {
    url,
    chainId,
    accounts,
    provider,
    wallet(index) {
      const account = accounts[index];
      if (account === undefined) throw new StunError('STUN_RANGE', `account must be in 0..${count - 1}, got ${index}`);
      return new Wallet(account.privateKey, provider);
    },
    request: (method, params = []) => request(method, params),
    async increaseTime(seconds) {
      await request('evm_increaseTime', [seconds]);
      await request('evm_mine', []);
    },
    async nowUnix() {
      const block = (await request('eth_getBlockByNumber', ['latest', false])) as { timestamp: string };
      return Number(block.timestamp);
    },
    goOffline: () => served.close(),
    goOnline: async () => {
      await served.listen(port);
    },
    async close() {
      provider.destroy();
      await served.close();
      await connection.close();
    },
  };
}

/** The error of a port that cannot be had. */
function unableToListen(port: number, cause: NodeJS.ErrnoException): StunError {
  const why = cause.code === 'EADDRINUSE' ? 'is in use by another process: end it, or choose another port' : 'cannot be opened';
  return new StunError('STUN_CONFIG', `port ${port} ${why} (${cause.code ?? 'no code'})`, { details: { port }, cause });
}

/** JSON-RPC 2.0 over HTTP, single and batch. */
class RpcServer {
  readonly #send: Send;
  #server: Server | undefined;

  constructor(send: Send) {
    this.#send = send;
  }

  async listen(port: number): Promise<number> {
    const server = createServer((request, response) => void this.#answer(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => reject(unableToListen(port, cause)));
      server.listen(port, '127.0.0.1', resolve);
    });
    this.#server = server;
    return (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body: unknown = JSON.parse(await readBody(request));
      const answer = Array.isArray(body) ? await Promise.all(body.map((one) => this.#one(one))) : await this.#one(body);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    } catch {
      response.writeHead(400).end();
    }
  }

  async #one(body: unknown): Promise<object> {
    const { id, method, params } = requestOf(body);
    try {
      return { jsonrpc: '2.0', id, result: await this.#send(method, params) };
    } catch (thrown) {
      return { jsonrpc: '2.0', id, error: rpcErrorOf(thrown) };
    }
  }
}

function requestOf(body: unknown): RpcRequest {
  if (typeof body !== 'object' || body === null || !('method' in body) || typeof body.method !== 'string') {
    throw new StunError('STUN_INPUT', 'a JSON-RPC request must have a method');
  }
  const params = 'params' in body && Array.isArray(body.params) ? (body.params as unknown[]) : [];
  return { id: 'id' in body ? body.id : null, method: body.method, params };
}

function rpcErrorOf(thrown: unknown): object {
  if (!(thrown instanceof Error)) return { code: -32603, message: 'internal error' };
  const code = 'code' in thrown && typeof thrown.code === 'number' ? thrown.code : -32603;
  const data = 'data' in thrown ? thrown.data : undefined;
  // Worded as public nodes do, which is what clients recognise.
  const message = thrown.message.startsWith("Sender doesn't have enough funds")
    ? `insufficient funds for gas * price + value: ${thrown.message}`
    : thrown.message;
  return { code, message, ...(data === undefined ? {} : { data }) };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new StunError('STUN_INPUT', `a request must have at most ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
