/** A small HTTP client for the service's own interface; what it sends and gets is what goes over the wire. */
import assert from 'node:assert/strict';
import type { DevAccount } from '#chain/dev-chain.ts';
import { fromHex, signEip712 } from '#protocol/index.ts';
import { encodeFrame, FRAME_CONTENT_TYPE } from '#service/http/frame.ts';

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  /** The parsed body, undefined when it is no JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers freely
  readonly json: any;
}

const ZERO = `0x${'00'.repeat(20)}`;

export class ApiClient {
  readonly url: string;
  token: string | undefined;

  constructor(url: string, token?: string) {
    this.url = url;
    this.token = token;
  }

  async send(
    method: string,
    path: string,
    init: { body?: string | Uint8Array<ArrayBuffer>; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const response = await fetch(new URL(path, this.url), {
      method,
      headers: { ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }), ...init.headers },
      ...(init.body === undefined ? {} : { body: init.body }),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const json: unknown = isJson ? JSON.parse(new TextDecoder().decode(bytes)) : undefined;
    return { status: response.status, headers: response.headers, bytes, json };
  }

  get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('POST', path, { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });
  }

  frame(path: string, document: unknown, bytes: Uint8Array): Promise<Answer> {
    return this.send('POST', path, { body: encodeFrame(document, bytes), headers: { 'content-type': FRAME_CONTENT_TYPE } });
  }

  put(path: string, bytes: Uint8Array): Promise<Answer> {
    return this.send('PUT', path, { body: new Uint8Array(bytes), headers: { 'content-type': 'application/octet-stream' } });
  }

  delete(path: string): Promise<Answer> {
    return this.send('DELETE', path);
  }

  /** Signs a challenge as an account and keeps the token. */
  async signIn(account: DevAccount, chainId: number): Promise<void> {
    const challenge = await this.post('/v1/session/challenges', { account: account.address });
    assert.equal(challenge.status, 201, JSON.stringify(challenge.json));
    const session = await this.post('/v1/sessions', signedSignIn(account, chainId, challenge.json));
    assert.equal(session.status, 201, JSON.stringify(session.json));
    this.token = session.json.token as string;
  }

  /** Reads server-sent events until `enough` says so or the stream ends. */
  async events(
    path: string,
    enough: (events: readonly StreamedEvent[]) => boolean,
    lastEventId?: string,
  ): Promise<StreamedEvent[]> {
    const stop = new AbortController();
    const response = await fetch(new URL(path, this.url), {
      headers: {
        authorization: `Bearer ${this.token ?? ''}`,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
      signal: stop.signal,
    });
    assert.equal(response.status, 200);
    const events: StreamedEvent[] = [];
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = Object.fromEntries(
          block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
        );
        if (fields['data'] !== undefined)
          events.push({ id: fields['id'] ?? '', type: fields['event'] ?? '', data: JSON.parse(fields['data']) });
      }
      if (enough(events)) break;
    }
    stop.abort();
    return events;
  }
}

/** An event as it was streamed. */
export interface StreamedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly state: string; readonly jobId?: string; readonly k?: number; readonly segmentId?: string };
}

/** The body of POST /v1/sessions for a challenge. */
export function signedSignIn(
  account: DevAccount,
  chainId: number,
  challenge: { audience: string; nonce: string; issuedAtUnix: number; expiresAtUnix: number },
): Record<string, unknown> {
  const { audience, nonce, issuedAtUnix, expiresAtUnix } = challenge;
  const signature = signEip712(
    fromHex(account.privateKey, 32),
    'SignIn',
    { chainId: BigInt(chainId), verifyingContract: ZERO },
    { account: account.address, audience, nonce, issuedAt: BigInt(issuedAtUnix), expiresAt: BigInt(expiresAtUnix) },
  );
  return { account: account.address, audience, nonce, issuedAtUnix, expiresAtUnix, signature };
}

/** The answer is a problem document with this code, and of the status that the registry gives it. */
export function assertProblem(answer: Answer, code: string, status?: number): void {
  assert.equal(answer.json?.code, code, `expected ${code}, got ${answer.status} ${JSON.stringify(answer.json)}`);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.equal(answer.json.status, answer.status);
  if (status !== undefined) assert.equal(answer.status, status);
}
