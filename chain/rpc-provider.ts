/** The connection to a node, with a time limit on each request: a node that hangs is a node that is down. */
import { FetchRequest, JsonRpcProvider, type FetchGetUrlFunc } from 'ethers';
import { StunError } from '#protocol/errors/stun-error.ts';

/** For one request to a node, from its first byte to the last of its answer; ethers would wait five minutes. */
export const RPC_REQUEST_TIMEOUT_MS = 15_000;

/** A node that asks to be asked less (429) is asked again this often, with pauses of at most two seconds. */
const MOST_ATTEMPTS = 4;

/** How a connection works; every field may be left out. */
export interface RpcOptions {
  /** See `RPC_REQUEST_TIMEOUT_MS`, the default. */
  readonly requestTimeoutMs?: number;
  /** Between two looks for a new block while somebody waits for one; 4000 by default. */
  readonly pollingIntervalMs?: number;
  /** Ends the requests under way and every later one with `STUN_CHAIN_UNAVAILABLE`, for who stops while the node hangs. */
  readonly signal?: AbortSignal;
}

/**
 * A provider that answers or fails in bounded time, and whose `destroy` ends the requests under way. Asks nothing until it is used, and
 * does not check that the node is on that chain.
 * @param url - http or https; a name and password in it are sent over https alone
 * @throws its requests: `STUN_CHAIN_UNAVAILABLE` when the node is not there or gives no whole answer in time, and what ethers throws
 *   for what the node answers (`chainErrorOf` reads that)
 */
export function openRpcProvider(url: string, chainId: number, options: RpcOptions = {}): JsonRpcProvider {
  return new LimitedRpcProvider(url, chainId, options);
}

class LimitedRpcProvider extends JsonRpcProvider {
  readonly #underWay: Set<AbortController>;

  constructor(url: string, chainId: number, options: RpcOptions) {
    const { requestTimeoutMs = RPC_REQUEST_TIMEOUT_MS, pollingIntervalMs = 4000, signal } = options;
    const underWay = new Set<AbortController>();
    const request = requestOf(url);
    request.timeout = requestTimeoutMs;
    request.setThrottleParams({ maxAttempts: MOST_ATTEMPTS });
    request.getUrlFunc = limitedGetUrl(underWay, signal);
    signal?.addEventListener('abort', () => abortAll(underWay), { once: true });
    // Requests of one moment go together; ethers would let each wait 10 ms for company.
    super(request, chainId, { staticNetwork: true, cacheTimeout: -1, pollingInterval: pollingIntervalMs, batchStallTime: 0 });
    this.#underWay = underWay;
  }

  override destroy(): void {
    super.destroy();
    abortAll(this.#underWay);
  }
}

function abortAll(underWay: ReadonlySet<AbortController>): void {
  for (const controller of underWay) controller.abort();
}

/** `fetch` takes no address with a password in it, so that goes into a header. @throws `STUN_CONFIG` */
function requestOf(url: string): FetchRequest {
  if (!URL.canParse(url)) throw new StunError('STUN_CONFIG', 'the RPC address is no URL');
  const parsed = new URL(url);
  const { username, password } = parsed;
  parsed.username = '';
  parsed.password = '';
  const request = new FetchRequest(parsed.href);
  if (username !== '') request.setCredentials(decodeURIComponent(username), decodeURIComponent(password));
  return request;
}

/** Instead of ethers' own, which on Node.js leaves the connection of a request open that it gave up. */
function limitedGetUrl(underWay: Set<AbortController>, signal: AbortSignal | undefined): FetchGetUrlFunc {
  return async (request) => {
    if (request.credentials !== null && !request.url.startsWith('https:')) {
      throw new StunError('STUN_CONFIG', 'the RPC address has a password and is not https');
    }
    const controller = new AbortController();
    underWay.add(controller);
    if (signal?.aborted === true) controller.abort();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      controller.abort();
    }, request.timeout);
    try {
      const response = await fetch(request.url, {
        method: request.method,
        headers: [...request],
        body: request.body === null ? null : new Uint8Array(request.body),
        redirect: 'error',
        signal: controller.signal,
      });
      return {
        statusCode: response.status,
        statusMessage: response.statusText,
        headers: Object.fromEntries(response.headers),
        body: new Uint8Array(await response.arrayBuffer()),
      };
    } catch (cause) {
      const reason = late
        ? `the chain node gave no answer within ${request.timeout} ms`
        : controller.signal.aborted
          ? 'the connection to the chain node was closed'
          : 'the chain node cannot be reached';
      throw new StunError('STUN_CHAIN_UNAVAILABLE', reason, { cause });
    } finally {
      clearTimeout(timer);
      underWay.delete(controller);
    }
  };
}
