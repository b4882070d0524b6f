/** Everything a customer's operations work with: its store, its own view of the chain, the service, and what it trusts. */
import { Wallet, type Provider, type Signer } from 'ethers';
import { StunError } from '#protocol/index.ts';
import { defaultTrustRoots, type TrustRoot } from '#attestation/index.ts';
import { connectStun, type Deployment, type StunContracts } from '#chain/deployment.ts';
import { openRpcProvider } from '#chain/rpc-provider.ts';
import { ServiceApi } from './service-api.ts';
import { ServiceHttp, type ServiceIdentity } from './service-http.ts';
import { openStore, type ClientStore } from './store/store.ts';
import type { ScryptCost } from './store/vault.ts';

/** What a customer names. */
export interface ClientOptions {
  /** Folder of the store. */
  readonly home: string;
  readonly passphrase: string;
  readonly deployment: Deployment;
  /** The customer's own node; what it says decides whether an enclave is live. */
  readonly rpcUrl: string;
  readonly serviceUrl: string;
  /** The funder's key, 32 bytes hex; needed to sign transactions and to sign in. */
  readonly privateKey?: string;
  /** Instead of signing in by wallet. */
  readonly apiKey?: string;
  /** Added to the vendors' roots. Simulated roots protect nothing. */
  readonly extraRoots?: readonly TrustRoot[];
  readonly fetch?: typeof globalThis.fetch;
  /** scrypt's cost when the store is made. */
  readonly scryptCost?: ScryptCost;
  /** Unix seconds; the system's clock when not given. */
  readonly nowUnix?: () => number;
  /** Waits between attempts against the service; see ServiceOptions. */
  readonly retry?: { readonly attempts: number; readonly retryDelayMs: number };
}

/** The parts of a client. */
export interface ClientConnection {
  readonly store: ClientStore;
  readonly contracts: StunContracts;
  readonly provider: Provider;
  readonly chainId: bigint;
  readonly service: ServiceApi;
  readonly roots: readonly TrustRoot[];
  readonly nowUnix: () => number;
  /** The funder's signer. @throws `STUN_CONFIG` when no key was given */
  signer(): Signer;
  close(): void;
}

/**
 * Opens the store and connects to the chain. The service is first asked when it is needed.
 * @throws `STUN_STORE_*`, `STUN_CHAIN_*`, `STUN_CONFIG`
 */
export async function connectClient(options: ClientOptions): Promise<ClientConnection> {
  const { deployment } = options;
  const provider = openRpcProvider(options.rpcUrl, deployment.chainId, { pollingIntervalMs: 500 });
  try {
    const wallet = options.privateKey === undefined ? undefined : walletOf(options.privateKey, provider);
    const identity: ServiceIdentity =
      options.apiKey !== undefined
        ? { kind: 'api-key', apiKey: options.apiKey }
        : wallet === undefined
          ? { kind: 'anonymous' }
          : { kind: 'wallet', signer: wallet };
    const http = new ServiceHttp({
      url: options.serviceUrl,
      chainId: BigInt(deployment.chainId),
      identity,
      ...(options.fetch && { fetch: options.fetch }),
      ...options.retry,
    });
    const store = await openStore(options.home, options.passphrase, options.scryptCost);
    return {
      store,
      contracts: await connectStun(deployment, wallet ?? provider),
      provider,
      chainId: BigInt(deployment.chainId),
      service: new ServiceApi(http),
      roots: [...defaultTrustRoots, ...(options.extraRoots ?? [])],
      nowUnix: options.nowUnix ?? (() => Math.floor(Date.now() / 1000)),
      signer: () => {
        if (wallet === undefined) throw new StunError('STUN_CONFIG', 'this needs the funder key: set STUN_PRIVATE_KEY');
        return wallet;
      },
      close: () => provider.destroy(),
    };
  } catch (thrown) {
    provider.destroy();
    throw thrown;
  }
}

function walletOf(privateKey: string, provider: Provider): Wallet {
  if (!/^0x[0-9a-fA-F]{64}$/.test(privateKey)) throw new StunError('STUN_CONFIG', 'the private key must be 0x and 64 hex digits');
  try {
    return new Wallet(privateKey, provider);
  } catch {
    // The library's error could repeat the key.
    throw new StunError('STUN_CONFIG', 'the private key is outside its range');
  }
}
