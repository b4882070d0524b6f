/**
 * HTTP to the verifier service: sign-in, retries of what is safe to repeat, problem documents as StunErrors.
 * Nothing the service says is believed here; what it hands out is verified where it is used.
 */
import type { Signer } from 'ethers';
import { z } from 'zod';
import { bytes32Hex, EIP712_TYPES, ethersDomain, isErrorCode, joinParts, StunError, unixSeconds } from '#protocol/index.ts';

/** How the client proves to the service who it is. */
export type ServiceIdentity =
  | { readonly kind: 'wallet'; readonly signer: Signer }
  | { readonly kind: 'api-key'; readonly apiKey: string }
  | { readonly kind: 'anonymous' };

/** Where and how to reach the service. */
export interface ServiceOptions {
  /** Base address, without the `/v1`. */
  readonly url: string;
  readonly chainId: bigint;
  readonly identity: ServiceIdentity;
  readonly fetch?: typeof globalThis.fetch;
  /** Attempts of one request before it fails as unreachable; 4 when not given. */
  readonly attempts?: number;
  /** Wait before the second attempt, doubled for each further one; 250 ms when not given. */
  readonly retryDelayMs?: number;
  /** Limit of one attempt; 60 s when not given. */
  readonly timeoutMs?: number;
}

/** One request. */
export interface ServiceRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From the base on, `/v1/…`. */
  readonly path: string;
  readonly json?: unknown;
  readonly body?: { readonly type: string; readonly bytes: Uint8Array<ArrayBuffer> };
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** For streams: no time limit on the body. */
  readonly stream?: boolean;
}

const challengeSchema = z.object({
  nonce: bytes32Hex,
  audience: z.string().min(1).max(200),
  issuedAtUnix: unixSeconds,
  expiresAtUnix: unixSeconds,
});
const sessionSchema = z.object({ token: z.string().min(1), expiresAtUnix: unixSeconds });

const problemSchema = z.object({ code: z.string(), detail: z.string().optional(), title: z.string().optional() });

/** A service, reached over HTTP. */
export class ServiceHttp {
  readonly baseUrl: URL;
  readonly #options: ServiceOptions;
  readonly #fetch: typeof globalThis.fetch;
  #session: { token: string; expiresAtUnix: number } | undefined;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#fetch = options.fetch ?? globalThis.fetch;
    try {
      this.baseUrl = new URL(options.url);
    } catch (cause) {
      throw new StunError('STUN_CONFIG', 'the service address must be a URL', { cause });
    }
  }

  /**
   * Sends a request and returns the successful response. Signs in first, and once more when the session has ended.
   * @throws the problem's own code, `STUN_SERVICE_UNREACHABLE`, `STUN_SERVICE_RESPONSE`
   */
  async send(request: ServiceRequest): Promise<Response> {
    for (let turn = 0; ; turn++) {
      const response = await this.#attempts(request, await this.#authorization());
      if (response.ok) return response;
      if (response.status === 401 && turn === 0 && this.#options.identity.kind === 'wallet') {
        this.#session = undefined;
        await response.body?.cancel();
        continue;
      }
      throw await problemOf(response, request);
    }
  }

  /** The JSON body of a successful response. */
  async json<T>(request: ServiceRequest, schema: z.ZodType<T>): Promise<T> {
    const response = await this.send(request);
    return readJson(response, schema, request);
  }

  /** The bytes of a successful response. */
  async bytes(request: ServiceRequest): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.send({ accept: 'application/octet-stream', ...request });
    return readBody(response, request, MAX_BYTES);
  }

  async #attempts(request: ServiceRequest, authorization: string | undefined): Promise<Response> {
    const attempts = this.#options.attempts ?? 4;
    let delayMs = this.#options.retryDelayMs ?? 250;
    for (let attempt = 1; ; attempt++) {
      let failure: unknown;
      try {
        const response = await this.#once(request, authorization);
        const retryAfterMs = retryDelayOf(response, delayMs);
        if (retryAfterMs === undefined || attempt === attempts) return response;
        await response.body?.cancel();
        delayMs = retryAfterMs;
      } catch (thrown) {
        if (request.signal?.aborted === true) throw thrown;
        failure = thrown;
      }
      if (failure !== undefined && attempt === attempts) throw unreachable(request, failure);
      await pause(delayMs, request.signal);
      delayMs *= 2;
    }
  }

  #once(request: ServiceRequest, authorization: string | undefined): Promise<Response> {
    const headers: Record<string, string> = { accept: request.accept ?? 'application/json' };
    if (authorization !== undefined) headers['authorization'] = authorization;
    if (request.json !== undefined) headers['content-type'] = 'application/json';
    if (request.body !== undefined) headers['content-type'] = request.body.type;
    const signals = [
      ...(request.signal === undefined ? [] : [request.signal]),
      ...(request.stream === true ? [] : [AbortSignal.timeout(this.#options.timeoutMs ?? 60_000)]),
    ];
    return this.#fetch(new URL(request.path, this.baseUrl), {
      method: request.method,
      headers,
      redirect: 'error',
      ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
      ...(request.json === undefined ? {} : { body: JSON.stringify(request.json) }),
      ...(request.body === undefined ? {} : { body: request.body.bytes }),
    });
  }

  async #authorization(): Promise<string | undefined> {
    const { identity } = this.#options;
    if (identity.kind === 'anonymous') return undefined;
    if (identity.kind === 'api-key') return `Bearer ${identity.apiKey}`;
    if (this.#session === undefined || this.#session.expiresAtUnix < Date.now() / 1000 + 30) {
      this.#session = await this.#signIn(identity.signer);
    }
    return `Bearer ${this.#session.token}`;
  }

  async #signIn(signer: Signer): Promise<{ token: string; expiresAtUnix: number }> {
    const account = (await signer.getAddress()).toLowerCase();
    const challengeRequest = { method: 'POST', path: '/v1/session/challenges', json: { account } } as const;
    const challenge = await this.#plain(challengeRequest, challengeSchema);
    // A session signed for another service's audience could be used there.
    if (!namesHost(challenge.audience, this.baseUrl)) {
      throw new StunError('STUN_SERVICE_RESPONSE', `the service asks for a sign-in to ${challenge.audience.slice(0, 60)}`);
    }
    const { nonce, audience, issuedAtUnix, expiresAtUnix } = challenge;
    const message = { account, audience, nonce, issuedAt: issuedAtUnix, expiresAt: expiresAtUnix };
    const domain = ethersDomain({ chainId: this.#options.chainId, verifyingContract: `0x${'00'.repeat(20)}` });
    const signature = await signer.signTypedData(domain, { SignIn: [...EIP712_TYPES.SignIn] }, message);
    const json = { account, audience, nonce, issuedAtUnix, expiresAtUnix, signature };
    return this.#plain({ method: 'POST', path: '/v1/sessions', json }, sessionSchema);
  }

  async #plain<T>(request: ServiceRequest, schema: z.ZodType<T>): Promise<T> {
    const response = await this.#attempts(request, undefined);
    if (!response.ok) throw await problemOf(response, request);
    return readJson(response, schema, request);
  }
}

/** Whether an audience is this service: its host, or its origin. */
function namesHost(audience: string, base: URL): boolean {
  return audience === base.host || audience === base.hostname || audience.replace(/\/$/, '') === base.origin;
}

/** How long to wait before asking again; undefined when asking again makes no sense. */
function retryDelayOf(response: Response, delayMs: number): number | undefined {
  if (![429, 502, 503, 504].includes(response.status)) return undefined;
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? Math.min(seconds * 1000, 30_000) : delayMs;
}

async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(new StunError('STUN_SERVICE_UNREACHABLE', 'the request was given up'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

function unreachable({ method, path }: ServiceRequest, cause: unknown): StunError {
  return new StunError('STUN_SERVICE_UNREACHABLE', `${method} ${path}: no answer`, { cause });
}

/** A result has at most as many bytes as a service takes; documents are far smaller. */
const MAX_BYTES = (1 << 29) + (1 << 20);
const MAX_JSON_BYTES = 64 << 20;
const MAX_PROBLEM_BYTES = 1 << 20;

/** @throws `STUN_SERVICE_RESPONSE` for an answer that is too large, `STUN_SERVICE_UNREACHABLE` for one that breaks off */
async function readBody(response: Response, request: ServiceRequest, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  let body: Uint8Array<ArrayBuffer> | undefined;
  try {
    body = await joinParts(response.body ?? [], maxBytes);
  } catch (cause) {
    throw unreachable(request, cause);
  }
  if (body !== undefined) return body;
  throw new StunError('STUN_SERVICE_RESPONSE', `${request.method} ${request.path}: an answer of more than ${maxBytes} bytes`);
}

async function readJson<T>(response: Response, schema: z.ZodType<T>, request: ServiceRequest): Promise<T> {
  const { method, path } = request;
  const bytes = await readBody(response, request, MAX_JSON_BYTES);
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new StunError('STUN_SERVICE_RESPONSE', `${method} ${path}: the answer is not JSON`, { cause });
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.slice(0, 5).map((issue) => issue.path.join('.') || '(whole document)');
  throw new StunError('STUN_SERVICE_RESPONSE', `${method} ${path}: unexpected ${fields.join(', ')}`);
}

/** The error of a refused request: the service's own code when it is one of the registry. */
async function problemOf(response: Response, request: ServiceRequest): Promise<StunError> {
  const { method, path } = request;
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder().decode(await readBody(response, request, MAX_PROBLEM_BYTES)));
  } catch {
    body = undefined;
  }
  const problem = problemSchema.safeParse(body);
  if (problem.success && isErrorCode(problem.data.code)) {
    const reason = problem.data.detail ?? problem.data.title ?? `${method} ${path} was refused`;
    return new StunError(problem.data.code, reason.slice(0, 500), { details: { httpStatus: response.status } });
  }
  return new StunError('STUN_SERVICE_RESPONSE', `${method} ${path}: status ${response.status} without a known code`);
}
