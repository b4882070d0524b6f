/** What a handler answers with. */
import type { ServerResponse } from 'node:http';

/** An answer; `stream` writes the rest itself and returns when the stream is over. */
export type Reply =
  | { readonly kind: 'json'; readonly status: number; readonly body: object; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'octets'; readonly bytes: Uint8Array; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'text'; readonly text: string; readonly contentType: string }
  | { readonly kind: 'empty'; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'stream'; readonly write: (response: ServerResponse) => Promise<void> };

/** A JSON answer. */
export function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Reply {
  return { kind: 'json', status, body, headers };
}

/** Sealed bytes as they are stored. */
export function octets(bytes: Uint8Array, headers: Readonly<Record<string, string>> = {}): Reply {
  return { kind: 'octets', bytes, headers };
}

/** 204. */
export function empty(headers: Readonly<Record<string, string>> = {}): Reply {
  return { kind: 'empty', headers };
}
