/**
 * The worker's side of the verifier service's REST interface. The service is not trusted: it can delay or drop jobs, and everything
 * it hands out is checked before it is used.
 */
import { z } from 'zod';
import {
  bytes32Hex,
  concatBytes,
  isErrorCode,
  joinParts,
  readDocument,
  signEip712,
  StunError,
  uintBytes,
  utf8,
  type ErrorCode,
  type Hex,
  type ReceiptRecordWire,
  type SettlementBundleWire,
} from '#protocol/index.ts';

const challengeSchema = z.looseObject({
  nonce: bytes32Hex,
  audience: z.string().max(256),
  issuedAtUnix: z.int(),
  expiresAtUnix: z.int(),
});
const sessionSchema = z.looseObject({ token: z.string().min(1).max(4096), expiresAtUnix: z.int() });
const leaseSchema = z.looseObject({
  leaseId: z.string().min(1).max(128),
  jobId: bytes32Hex,
  header: z.unknown(),
  expiresAtUnix: z.int(),
});
const segmentSchema = z.looseObject({ segmentId: z.string().max(128) });
const problemSchema = z.looseObject({ code: z.string(), detail: z.string().optional() });

/** Header by which the service asks for evidence over a nonce of its own. */
const QUOTE_NONCE_HEADER = 'stun-quote-nonce';

/** A leased job. Place and terms that come with it are not needed: the opening holds them. */
export type Lease = z.infer<typeof leaseSchema>;

/** What a long poll brings. */
export interface LeaseAnswer {
  readonly lease?: Lease;
  /** 32 bytes over which the service wants evidence. */
  readonly quoteNonce?: string;
}

export interface ServiceClientOptions {
  readonly url: string;
  readonly chainId: bigint;
  readonly account: Hex;
  /** The provider's secp256k1 secret, 32 bytes; signs in, nothing else here. */
  readonly secretKey: Uint8Array;
  /** How long a request may take; long polls take their own wait on top. */
  readonly timeoutMs: number;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly json?: unknown;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  readonly extraMs?: number;
  readonly allow404?: boolean;
  readonly onAnswer?: (response: Response) => void;
}

const ZERO_ADDRESS = `0x${'00'.repeat(20)}`;
const MAX_ANSWER_BYTES = 256 << 20;

/** A client with a session that it renews by itself. All failures are StunErrors: the service's own code, or `STUN_WORKER_SERVICE`. */
export class ServiceClient {
  readonly #options: ServiceClientOptions;
  #session: { readonly token: string; readonly expiresAtUnix: number } | undefined;

  constructor(options: ServiceClientOptions) {
    this.#options = options;
  }

  /** Lists the enclave. */
  async announce(document: unknown): Promise<void> {
    await this.#call({ method: 'POST', path: '/v1/enclaves', json: document });
  }

  /** Ends the listing. */
  async delist(enclaveId: string): Promise<void> {
    await this.#call({ method: 'DELETE', path: `/v1/enclaves/${enclaveId}`, allow404: true });
  }

  /** Waits for a job. The answer may ask for a fresh quote besides. */
  async lease(enclaveId: string, waitMs: number, signal?: AbortSignal): Promise<LeaseAnswer> {
    let quoteNonce: string | undefined;
    const answer = await this.#call({
      method: 'POST',
      path: '/v1/worker/leases',
      json: { keysetDigest: enclaveId, waitMs },
      extraMs: waitMs,
      onAnswer: (response) => (quoteNonce = response.headers.get(QUOTE_NONCE_HEADER) ?? undefined),
      ...(signal === undefined ? {} : { signal }),
    });
    const lease = answer.length === 0 ? undefined : readDocument(leaseSchema, parseJson(answer), 'lease');
    const asked = quoteNonce === undefined ? undefined : readDocument(bytes32Hex, quoteNonce, QUOTE_NONCE_HEADER);
    return { ...(lease === undefined ? {} : { lease }), ...(asked === undefined ? {} : { quoteNonce: asked }) };
  }

  /** Shows fresh evidence of a listed enclave. */
  async renewQuote(enclaveId: string, evidence: Uint8Array): Promise<void> {
    const json = { keysetDigest: enclaveId, evidence: new TextDecoder().decode(evidence) };
    await this.#call({ method: 'POST', path: '/v1/worker/quotes', json });
  }

  /** The sealed request of a lease. */
  payload(leaseId: string): Promise<Uint8Array> {
    return this.#call({ method: 'GET', path: `/v1/worker/leases/${encodeURIComponent(leaseId)}/payload` });
  }

  /** The sealed opening of an order, as the sender of a leased job left it; undefined when there is none. */
  async opening(orderKey: string, enclaveId: string, leaseId: string): Promise<Uint8Array | undefined> {
    const path = `/v1/worker/openings/${orderKey}/${enclaveId}?leaseId=${encodeURIComponent(leaseId)}`;
    const answer = await this.#call({ method: 'GET', path, allow404: true });
    return answer.length === 0 ? undefined : answer;
  }

  /** Says that a job still runs. */
  async heartbeat(leaseId: string): Promise<void> {
    const path = `/v1/worker/leases/${encodeURIComponent(leaseId)}/heartbeat`;
    await this.#call({ method: 'POST', path, json: { state: 'running' } });
  }

  /** Hands over a stored receipt with its sealed result. Idempotent. */
  async complete(leaseId: string, record: ReceiptRecordWire, sealedResult: Uint8Array): Promise<void> {
    const document = utf8(JSON.stringify({ record }));
    await this.#call({
      method: 'POST',
      path: `/v1/worker/leases/${encodeURIComponent(leaseId)}/complete`,
      bytes: concatBytes(uintBytes(document.length, 4), document, sealedResult),
      contentType: 'application/vnd.stun.frame',
    });
  }

  /** Refuses a job; nothing was signed. */
  async decline(leaseId: string, code: ErrorCode, reason: string): Promise<void> {
    const path = `/v1/worker/leases/${encodeURIComponent(leaseId)}/decline`;
    await this.#call({ method: 'POST', path, json: { code, reason } });
  }

  /** Hands over a closed segment. Idempotent by lane and first job. */
  async pushSegment(bundle: SettlementBundleWire): Promise<string> {
    const answer = await this.#call({ method: 'POST', path: '/v1/worker/segments', json: { bundle } });
    return readDocument(segmentSchema, parseJson(answer), 'segment').segmentId;
  }

  async #call(call: Call): Promise<Uint8Array> {
    const first = await this.#send(call, await this.#token());
    if (first.status !== 401) return this.#read(call, first);
    // The session ended or the service forgot it: sign in once more. An answer that nobody reads would hold its connection.
    await first.body?.cancel();
    this.#session = undefined;
    return this.#read(call, await this.#send(call, await this.#token()));
  }

  async #token(): Promise<string> {
    if (this.#session !== undefined && this.#session.expiresAtUnix > Date.now() / 1000 + 30) return this.#session.token;
    const { account, chainId, secretKey } = this.#options;
    const asked: Call = { method: 'POST', path: '/v1/session/challenges', json: { account } };
    const challenge = readDocument(challengeSchema, parseJson(await this.#read(asked, await this.#send(asked))), 'challenge');
    const { audience, nonce, issuedAtUnix, expiresAtUnix } = challenge;
    const { host, hostname, origin } = new URL(this.#options.url);
    if (![host, hostname, origin, `${origin}/`].includes(audience)) {
      throw new StunError('STUN_WORKER_SERVICE', 'the service asks for a sign-in to another service');
    }
    const signature = signEip712(
      secretKey,
      'SignIn',
      { chainId, verifyingContract: ZERO_ADDRESS },
      { account, audience, nonce, issuedAt: BigInt(issuedAtUnix), expiresAt: BigInt(expiresAtUnix) },
    );
    const json = { account, audience, nonce, issuedAtUnix, expiresAtUnix, signature };
    const answered: Call = { method: 'POST', path: '/v1/sessions', json };
    this.#session = readDocument(sessionSchema, parseJson(await this.#read(answered, await this.#send(answered))), 'session');
    return this.#session.token;
  }

  async #send(call: Call, token?: string): Promise<Response> {
    const timeout = AbortSignal.timeout(this.#options.timeoutMs + (call.extraMs ?? 0));
    const contentType = call.contentType ?? (call.json === undefined ? undefined : 'application/json');
    const body = call.bytes ?? (call.json === undefined ? undefined : JSON.stringify(call.json));
    try {
      return await fetch(new URL(call.path, this.#options.url), {
        method: call.method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
        },
        ...(body === undefined ? {} : { body }),
        redirect: 'error',
        signal: call.signal === undefined ? timeout : AbortSignal.any([timeout, call.signal]),
      });
    } catch (cause) {
      throw new StunError('STUN_WORKER_SERVICE', `${call.method} ${call.path}: the service does not answer`, { cause });
    }
  }

  async #read(call: Call, response: Response): Promise<Uint8Array> {
    let bytes: Uint8Array;
    try {
      bytes = await readAnswer(response);
    } catch (cause) {
      if (cause instanceof StunError) throw cause;
      throw new StunError('STUN_WORKER_SERVICE', `${call.method} ${call.path}: the answer broke off`, { cause });
    }
    call.onAnswer?.(response);
    if (response.ok) return bytes;
    if (response.status === 404 && call.allow404 === true) return new Uint8Array();
    throw problemOf(bytes, response.status, `${call.method} ${call.path}`);
  }
}

/** Reads an answer of at most {@link MAX_ANSWER_BYTES}. @throws `STUN_WORKER_SERVICE`, and what the connection breaks with */
export async function readAnswer(response: Response): Promise<Uint8Array> {
  const body = await joinParts(response.body ?? [], MAX_ANSWER_BYTES);
  if (body === undefined) throw new StunError('STUN_WORKER_SERVICE', `an answer has more than ${MAX_ANSWER_BYTES} bytes`);
  return body;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new StunError('STUN_WORKER_SERVICE', 'the service answered with something that is not JSON', { cause });
  }
}

/** The error of a problem document, under its own code when that is one of the registry. */
export function problemOf(body: Uint8Array, status: number, what: string): StunError {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(body));
  } catch {
    parsed = undefined;
  }
  const problem = problemSchema.safeParse(parsed);
  if (problem.success && isErrorCode(problem.data.code) && status < 500) {
    const detail = problem.data.detail?.slice(0, 500) ?? 'refused';
    return new StunError(problem.data.code, `${what}: ${detail}`, { details: { httpStatus: status } });
  }
  return new StunError('STUN_WORKER_SERVICE', `${what}: status ${status}`, { details: { httpStatus: status } });
}
