/** Nodes that hang, go away or answer in pieces: every request ends, with the code that says what to do. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { JsonRpcProvider } from 'ethers';
import { openRpcProvider } from '#chain/rpc-provider.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';

const CHAIN_ID = 31337;

describe('chain: a node that hangs', () => {
  let server: Server;
  let url: string;
  let provider: JsonRpcProvider | undefined;
  /** What the node does with a connection. */
  let serve: (socket: Socket) => void;
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    serve = () => undefined;
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
      socket.resume();
      serve(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    provider?.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  function open(requestTimeoutMs?: number): JsonRpcProvider {
    provider = openRpcProvider(url, CHAIN_ID, requestTimeoutMs === undefined ? {} : { requestTimeoutMs });
    return provider;
  }
  async function allClosed(): Promise<void> {
    for (const socket of sockets) if (!socket.closed) await once(socket, 'close');
  }

  it('is unavailable after the time of a request, and its connection is closed', async () => {
    await rejectsCode(open(50).getBlockNumber(), 'STUN_CHAIN_UNAVAILABLE');
    await allClosed();
  });

  it('is unavailable when it begins an answer and keeps the rest', async () => {
    serve = (socket) => socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{'));
    await rejectsCode(open(200).getBlockNumber(), 'STUN_CHAIN_UNAVAILABLE');
    await allClosed();
  });

  it('holds nobody up who closes the connection meanwhile', async () => {
    const asked = new Promise<void>((resolve) => (serve = (socket) => socket.once('data', () => resolve())));
    const answer = rejectsCode(open().getBlockNumber(), 'STUN_CHAIN_UNAVAILABLE');
    await asked;
    provider?.destroy();
    await answer;
    await allClosed();
  });

  it('holds nobody up who stops, and is asked nothing afterwards', async () => {
    const stopping = new AbortController();
    provider = openRpcProvider(url, CHAIN_ID, { signal: stopping.signal });
    const asked = new Promise<void>((resolve) => (serve = (socket) => socket.once('data', () => resolve())));
    const answer = rejectsCode(provider.getBlockNumber(), 'STUN_CHAIN_UNAVAILABLE');
    await asked;
    stopping.abort();
    await answer;
    await allClosed();
    serve = () => assert.fail('a request after the stop');
    await rejectsCode(provider.send('eth_chainId', []), 'STUN_CHAIN_UNAVAILABLE');
  });

  it('is unavailable when nothing listens', async () => {
    server.close();
    await once(server, 'close');
    await rejectsCode(open().getBlockNumber(), 'STUN_CHAIN_UNAVAILABLE');
  });

  it('answers through the same connection when it does not hang', async () => {
    const answer = `{"jsonrpc":"2.0","id":1,"result":"0x7"}`;
    serve = (socket) =>
      socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`));
    assert.equal(await open().getBlockNumber(), 7);
  });

  it('refuses an address that is none, and a password over http', async () => {
    throwsCode(() => openRpcProvider('localhost', CHAIN_ID), 'STUN_CONFIG');
    url = url.replace('http://', 'http://name:word@');
    await rejectsCode(open().getBlockNumber(), 'STUN_CONFIG');
  });
});
