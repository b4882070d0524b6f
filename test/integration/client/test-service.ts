/**
 * A verifier service of the test's own with an enclave's work inside: it opens requests, answers with its inputs, and signs real
 * receipts. `lies` changes one thing at a time, for tests of what the client catches.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  bytesToBigInt,
  decodeOpening,
  decodeRequestData,
  decodeTensors,
  deliveryDigestOf,
  encodeErrorPayload,
  encodeResultData,
  encodeTensors,
  fieldToHex,
  fromHex,
  jobHeaderFromWire,
  openOpening,
  openRequest,
  orderKeyOf,
  outputCommitmentOf,
  receiptHashOf,
  receiptRecordToWire,
  recoverEip712,
  sealResult,
  signEip712,
  signStatement,
  statementOver,
  verifyJobHeader,
  type CommittedTensor,
  type JobHeader,
  type OpenedOrder,
  type Receipt,
  type ReceiptRecord,
  type RunningStatement,
  type SettlementBundle,
} from '#protocol/index.ts';
import { decodeFrame } from '#client/frame.ts';
import type { StageEnclave } from './stage.ts';

/** What may be changed. Each applies to everything served until it is taken back. */
export interface Lies {
  /** Changes the receipt before it is signed. */
  receipt?: (receipt: Receipt) => Receipt;
  /** Changes the statement before it is signed. */
  statement?: (statement: RunningStatement) => RunningStatement;
  /** Changes what is sealed for the customer, after it was committed to. */
  delivered?: (payload: Uint8Array) => Uint8Array;
  /** Another output blinding than the client's. */
  blinding?: bigint;
  /** Changes the sealed bytes after the receipt. */
  sealed?: (sealed: Uint8Array) => Uint8Array;
  /** Serves the work as a failure with an error payload. */
  fails?: boolean;
  /** Answers of GET /v1/enclaves/{digest}. */
  enclave?: (answer: Record<string, unknown>) => Record<string, unknown>;
  audience?: string;
  /** Status and code for POST /v1/jobs. */
  refuse?: { status: number; code: string };
  /** Drops the connection in place of an answer to POST /v1/jobs, after keeping the job or before. */
  hangUp?: 'before' | 'after';
}

interface Listing {
  readonly enclave: StageEnclave;
  readonly modelId: bigint;
  readonly price: bigint;
  readonly policyId: bigint;
  /** Of a compiled model, whose jobs commit to tensors. */
  readonly output?: CommittedTensor;
  gone?: boolean;
}

interface ServedJob {
  readonly header: JobHeader;
  readonly envelope: Uint8Array;
  state: string;
  code?: string;
  reason?: string;
  record?: ReceiptRecord;
  sealed?: Uint8Array;
}

/** Jobs of one lane, in order. */
interface LaneWork {
  segment: { header: JobHeader; receipt: Receipt }[];
  fromHead: bigint;
  firstK: number;
}

/** The service. */
export class TestService {
  readonly url: string;
  lies: Lies = {};
  /** Whether jobs are served as they come. */
  serving = true;
  /** Every body of POST /v1/jobs as it came. */
  readonly received: { readonly jobId: string; readonly bytes: Uint8Array }[] = [];
  /** Every authorization that a request has come with. */
  readonly authorizations = new Set<string>();
  /** Called with each body of POST /v1/jobs, before the job is kept. */
  onReceived: (jobId: string) => void = () => undefined;
  /** Told when a result is asked for, before it is answered. */
  onFetched: () => void = () => undefined;
  readonly jobs = new Map<string, ServedJob>();
  readonly orders = new Map<string, OpenedOrder>();
  /** Closed segments as a worker would hand them over. */
  readonly bundles: SettlementBundle[] = [];
  readonly #server: Server;
  readonly #listings = new Map<string, Listing>();
  readonly #lanes = new Map<string, LaneWork>();
  readonly #openings = new Map<string, Uint8Array>();
  readonly #challenges = new Set<string>();

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<TestService> {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return new TestService(server);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  list(enclave: StageEnclave, offer: Omit<Listing, 'enclave'>): void {
    this.#listings.set(enclave.keysetDigest, { enclave, ...offer });
  }

  /** Takes an enclave away and voids what it has not receipted. */
  lose(enclave: StageEnclave): void {
    const listing = this.#listings.get(enclave.keysetDigest);
    if (listing !== undefined) listing.gone = true;
    for (const job of this.jobs.values()) {
      if (job.header.signerId !== enclave.signerId || job.record !== undefined) continue;
      Object.assign(job, { state: 'void', code: 'STUN_ENCLAVE_GONE', reason: 'the enclave was not seen for a while' });
    }
  }

  reset(): void {
    this.lies = {};
    this.onReceived = () => undefined;
    this.onFetched = () => undefined;
    this.serving = true;
    this.received.length = 0;
    this.#listings.clear();
  }

  /** Serves everything that waits. */
  async serveAll(): Promise<void> {
    for (const job of this.jobs.values()) if (job.state === 'queued') await this.#serve(job);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = new Uint8Array(Buffer.concat(chunks));
    const url = new URL(request.url ?? '/', this.url);
    const send = (status: number, value?: unknown): void => {
      const type = status >= 400 ? 'application/problem+json' : 'application/json';
      response.writeHead(status, { 'content-type': type }).end(value === undefined ? '' : JSON.stringify(value));
    };
    const key = `${request.method} ${url.pathname}`;
    const [, , kind, id, sub] = url.pathname.split('/');
    try {
      if (key === 'POST /v1/session/challenges') return send(200, this.#challenge(url));
      if (key === 'POST /v1/sessions') return send(201, this.#session(body));
      if (kind === 'enclaves' && id === undefined) return send(200, { items: this.#list(url.searchParams) });
      this.authorizations.add(request.headers.authorization ?? '');
      if (request.headers.authorization === undefined && kind !== 'enclaves') return send(401, problem('STUN_INPUT', 'sign in'));
      if (kind === 'enclaves') return this.#enclave(id ?? '', send);
      if (key === 'POST /v1/orders') return send(201, {});
      if (kind === 'orders' && sub === 'openings') {
        await this.#putOpening(url.pathname.split('/').at(-1) ?? '', body);
        return send(204);
      }
      if (key === 'POST /v1/jobs') return await this.#submit(body, response, send);
      const job = this.jobs.get(id ?? '');
      if (job === undefined) return send(404, problem('STUN_JOB_NOT_STORED', 'no such job'));
      if (sub === undefined) return send(200, { jobId: id, state: job.state, code: job.code, reason: job.reason });
      if (sub === 'events') return void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: {}\n\n`);
      if (sub === 'result') this.onFetched();
      if (sub === 'result') return void response.writeHead(200).end(job.sealed);
      const keysetDigest = this.#enclaveOf(job.header)?.keysetDigest;
      return send(200, { record: receiptRecordToWire(job.record!), keysetDigest });
    } catch (thrown) {
      return send(500, problem('STUN_INTERNAL', String(thrown)));
    }
  }

  #challenge(url: URL): object {
    const nonce = fieldToHex(bytesToBigInt(globalThis.crypto.getRandomValues(new Uint8Array(31))));
    this.#challenges.add(nonce);
    const issuedAtUnix = Math.floor(Date.now() / 1000);
    return { nonce, audience: this.lies.audience ?? url.origin, issuedAtUnix, expiresAtUnix: issuedAtUnix + 300, chainId: 31337 };
  }

  #session(body: Uint8Array): object {
    const wire = JSON.parse(new TextDecoder().decode(body)) as Record<string, string & number>;
    const account = recoverEip712(
      'SignIn',
      { chainId: 31337n, verifyingContract: `0x${'00'.repeat(20)}` },
      {
        account: wire['account']!,
        audience: wire['audience']!,
        nonce: wire['nonce']!,
        issuedAt: BigInt(wire['issuedAtUnix']!),
        expiresAt: BigInt(wire['expiresAtUnix']!),
      },
      wire['signature']!,
    );
    if (account !== wire['account'] || !this.#challenges.delete(wire['nonce']!)) throw new Error('bad sign-in');
    return { token: 'token', expiresAtUnix: Math.floor(Date.now() / 1000) + 3600 };
  }

  #list(filter: URLSearchParams): object[] {
    return [...this.#listings.values()]
      .filter((one) => one.gone !== true && [null, fieldToHex(one.modelId) as string].includes(filter.get('modelId')))
      .map(({ enclave, modelId, price, policyId }) => ({
        keysetDigest: enclave.keysetDigest,
        provider: enclave.keyset.provider,
        policyId: fieldToHex(policyId),
        leafExpiresAtUnix: enclave.leafExpiresAtUnix,
        models: [{ modelId: fieldToHex(modelId), price: price.toString(), name: 'echo', inputs: [], outputs: [] }],
      }));
  }

  #enclave(digest: string, send: (status: number, value: unknown) => void): void {
    const found = this.#listings.get(digest);
    if (found === undefined) return send(404, problem('STUN_INPUT', 'no such enclave'));
    const { enclave } = found;
    const answer = {
      keyset: `0x${Buffer.from(enclave.keysetBytes).toString('hex')}`,
      evidence: enclave.evidenceText,
      leafExpiresAtUnix: enclave.leafExpiresAtUnix,
      models: [],
    };
    return send(200, this.lies.enclave?.(answer) ?? answer);
  }

  async #putOpening(digest: string, envelope: Uint8Array): Promise<void> {
    this.#openings.set(digest, envelope);
    const enclave = this.#listings.get(digest)?.enclave;
    if (enclave === undefined) throw new Error('opening for an unknown enclave');
    for (const job of this.jobs.values()) if (job.header.signerId === enclave.signerId) return;
  }

  async #submit(body: Uint8Array, response: ServerResponse, send: (status: number, value: unknown) => void): Promise<void> {
    const { document, bytes } = decodeFrame(body);
    const header = jobHeaderFromWire(document);
    const jobId = fieldToHex(verifyJobHeader(header));
    this.received.push({ jobId, bytes: body });
    this.onReceived(jobId);
    const { refuse, hangUp } = this.lies;
    if (refuse !== undefined) return send(refuse.status, problem(refuse.code, 'refused'));
    if (hangUp === 'before') return void response.destroy();
    const known = this.jobs.get(jobId);
    if (known === undefined) {
      const job: ServedJob = { header, envelope: bytes, state: 'queued' };
      this.jobs.set(jobId, job);
      if (this.serving) await this.#serve(job);
    }
    if (hangUp === 'after') return void response.destroy();
    return send(known === undefined ? 201 : 200, { jobId, state: this.jobs.get(jobId)?.state });
  }

  #enclaveOf(header: JobHeader): StageEnclave | undefined {
    return [...this.#listings.values()].find((one) => one.enclave.signerId === header.signerId)?.enclave;
  }

  async #orderOf(header: JobHeader, enclave: StageEnclave): Promise<OpenedOrder> {
    const orderKey = orderKeyOf(header.funder, header.orderId);
    const known = this.orders.get(`${orderKey}/${enclave.keysetDigest}`);
    if (known !== undefined) return known;
    const binding = { orderId: header.orderId, provider: header.provider, keysetDigest: fromHex(enclave.keysetDigest) };
    const opened = decodeOpening(await openOpening(enclave.sealing, binding, this.#openings.get(enclave.keysetDigest)!));
    this.orders.set(`${orderKey}/${enclave.keysetDigest}`, opened);
    return opened;
  }

  async #serve(job: ServedJob): Promise<void> {
    const { header, envelope } = job;
    const enclave = this.#enclaveOf(header)!;
    const order = await this.#orderOf(header, enclave);
    const head = verifyJobHeader(header);
    const binding = {
      orderId: header.orderId,
      provider: header.provider,
      keysetDigest: fromHex(enclave.keysetDigest),
      demandHead: head,
    };
    const { data, resultSecret } = await openRequest(enclave.sealing, binding, envelope);
    const request = decodeRequestData(data);
    const { lies } = this;
    const output = lies.fails === true ? encodeErrorPayload('STUN_TENSOR_LAYOUT') : answerTo(request.payload);
    const outputBlinding = lies.blinding ?? request.outputBlinding;
    const delivered = lies.delivered?.(output) ?? output;
    const sealed = await sealResult(resultSecret, head, encodeResultData({ outputBlinding, payload: delivered }));
    const now = Math.floor(Date.now() / 1000);
    const listing = this.#listings.get(enclave.keysetDigest)!;
    const honest: Receipt = {
      demandHead: head,
      outputCommitment: outputCommitmentOf(listing.output, output, outputBlinding),
      price: lies.fails === true ? 0n : listing.price,
      deliveryDigest: deliveryDigestOf(sealed),
      status: lies.fails === true ? 'failed' : 'served',
      startedAtUnix: now,
      finishedAtUnix: now,
    };
    job.record = this.#receipt(order, enclave, header, lies.receipt?.(honest) ?? honest);
    job.sealed = lies.sealed?.(sealed) ?? sealed;
    job.state = 'receipted';
  }

  #receipt(order: OpenedOrder, enclave: StageEnclave, header: JobHeader, receipt: Receipt): ReceiptRecord {
    const laneKey = `${header.orderId}/${header.provider}/${header.laneIndex}`;
    const lane: LaneWork = this.#lanes.get(laneKey) ?? { segment: [], fromHead: header.previousHead, firstK: header.k };
    this.#lanes.set(laneKey, lane);
    lane.segment.push({ header, receipt });
    const over = statementOver(
      lane.fromHead,
      order.opening.modelId,
      lane.segment.map((one) => one.receipt),
    );
    const statement = this.lies.statement?.(over) ?? over;
    const statementSignature = signStatement(enclave.receiptKey, statement);
    const domain = { chainId: order.place.chainId, verifyingContract: order.place.escrow };
    const receiptSignature = signEip712(enclave.secpSecret, 'Receipt', domain, { receipt: receiptHashOf(receipt) });
    if (lane.segment.length === order.terms.segmentLength) this.closeSegment(laneKey, order, enclave);
    return { receipt, receiptSignature, statement, statementSignature };
  }

  /** Ends the open segment of every lane of an enclave early. */
  closeSegments(enclave: StageEnclave): void {
    for (const [laneKey, lane] of this.#lanes) {
      const last = lane.segment.at(-1);
      if (last === undefined || last.header.signerId !== enclave.signerId) continue;
      const order = this.orders.get(`${orderKeyOf(last.header.funder, last.header.orderId)}/${enclave.keysetDigest}`);
      if (order !== undefined) this.closeSegment(laneKey, order, enclave);
    }
  }

  private closeSegment(laneKey: string, order: OpenedOrder, enclave: StageEnclave): void {
    const lane = this.#lanes.get(laneKey)!;
    const last = lane.segment.at(-1)!;
    const statement = statementOver(
      lane.fromHead,
      order.opening.modelId,
      lane.segment.map((one) => one.receipt),
    );
    this.bundles.push({
      order,
      provider: last.header.provider,
      laneIndex: last.header.laneIndex,
      firstK: lane.firstK,
      keysetBytes: enclave.keysetBytes,
      keyset: enclave.keyset,
      leaf: {
        signerId: enclave.signerId,
        policyId: order.opening.policyId,
        provider: last.header.provider,
        hardwareIdHash: enclave.hardwareIdHash,
        expiresAtUnix: enclave.leafExpiresAtUnix,
      },
      jobs: lane.segment.map(({ header, receipt }) => ({
        demand: { inputCommitment: header.inputCommitment, maxPrice: header.maxPrice, signerId: header.signerId },
        receipt,
      })),
      demandSignature: last.header.signature,
      statement,
      statementSignature: signStatement(enclave.receiptKey, statement),
    });
    this.#lanes.set(laneKey, { segment: [], fromHead: last.receipt.demandHead, firstK: last.header.k + 1 });
  }
}

/** The inputs under the name `y`: enough to show which bytes went where. */
function answerTo(payload: Uint8Array): Uint8Array {
  return encodeTensors(decodeTensors(payload).map((tensor, i) => ({ ...tensor, name: i === 0 ? 'y' : `y${i}` })));
}

function problem(code: string, detail: string): object {
  return { type: `https://stun.invalid/errors/${code}`, title: code, code, detail };
}
