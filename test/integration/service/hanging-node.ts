/** A node in front of a node, which hands requests on until it is told to hang: then it takes them and never answers. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** The node in front. */
export interface HangingNode {
  readonly url: string;
  /** Hangs from now on; resolves when a request does. */
  hang(): Promise<void>;
  close(): void;
}

/** Starts one. @param behind - address of the node that answers */
export async function startHangingNode(behind: string): Promise<HangingNode> {
  let hangs = false;
  const hung = Promise.withResolvers<void>();
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = new Uint8Array(await buffer(request));
    if (hangs) {
      hung.resolve();
      return;
    }
    const answer = await fetch(behind, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hang() {
      hangs = true;
      return hung.promise;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
