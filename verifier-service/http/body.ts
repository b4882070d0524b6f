/**
 * Reads request bodies within a limit. A body that declares or reaches more is refused at once: nothing more of it is kept, and the
 * connection is closed after the answer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { asStunError } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { HeldBytes } from './body-budget.ts';

/** How long the rest of a refused body is thrown away, so that the sender gets to read the answer before the connection goes. */
const LINGER_MS = 1000;

function tooLarge(maxBytes: number): StunError {
  return new StunError('STUN_BODY_TOO_LARGE', `expected at most ${maxBytes} bytes`, { details: { maxBytes } });
}

/**
 * The whole body.
 * @param held - counts its bytes against those of all requests
 * @throws `STUN_BODY_TOO_LARGE`; `STUN_RATE_LIMIT` when the process holds too many; `STUN_INPUT` when the sender goes away before its end
 */
export function readBody(request: IncomingMessage, maxBytes: number, held: HeldBytes): Promise<Uint8Array> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > maxBytes) return Promise.reject(tooLarge(maxBytes));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (finish: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      finish();
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      try {
        if (size > maxBytes) throw tooLarge(maxBytes);
        held.add(chunk.length);
        chunks.push(chunk);
      } catch (refusal) {
        chunks.length = 0;
        request.pause();
        settle(() => reject(asStunError(refusal)));
      }
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks)));
    const onGone = (): void => settle(() => reject(new StunError('STUN_INPUT', 'the body ended before its declared length')));
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}

/** Closes the connection of a request whose body was not read to its end, after its response is written. */
export function discardRest(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || request.readableEnded) return;
  if (!response.headersSent) response.setHeader('connection', 'close');
  response.once('finish', () => {
    request.resume();
    setTimeout(() => request.destroy(), LINGER_MS).unref();
  });
}
