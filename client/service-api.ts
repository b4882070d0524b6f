/** The calls of the verifier service that a customer makes, with the shapes it needs of the answers. */
import { z } from 'zod';
import {
  addressHex,
  bytes32Hex,
  bytesHex,
  decimal,
  jobHeaderToWire,
  placeToWire,
  proofPointsSchema,
  receiptRecordSchema,
  StunError,
  termsToWire,
  unixSeconds,
  utf8,
  type OpenedOrder,
} from '#protocol/index.ts';
import { encodeFrame } from './frame.ts';
import { serverSentEvents } from './server-sent-events.ts';
import type { ServiceHttp } from './service-http.ts';
import type { StoredJob } from './store/stored-job.ts';

const tensorSchema = z.object({
  name: z.string(),
  dtype: z.union([z.string(), z.number()]),
  dims: z.array(z.union([z.number(), z.string(), z.null()])),
});

const modelSchema = z.object({
  modelId: bytes32Hex,
  /** Price units; a claim of the provider, only the receipt's price is binding. */
  price: decimal,
  name: z.string().max(200),
  inputs: z.array(tensorSchema),
  outputs: z.array(tensorSchema),
});
/** A model as a listing describes it. */
export type ListedModel = z.infer<typeof modelSchema>;

const listedEnclaveSchema = z.object({
  keysetDigest: bytes32Hex,
  provider: addressHex,
  policyId: bytes32Hex,
  leafExpiresAtUnix: unixSeconds,
  simulated: z.boolean().optional(),
  models: z.array(modelSchema),
});
/** One entry of a listing. Nothing of it is verified. */
export type ListedEnclave = z.infer<typeof listedEnclaveSchema>;

const enclaveSchema = z.object({
  keyset: bytesHex,
  /** The document as text, or as the object it parses to. */
  evidence: z.union([z.string(), z.record(z.string(), z.unknown())]),
  leafExpiresAtUnix: unixSeconds,
  models: z.array(modelSchema),
});

/** An enclave with its evidence. Nothing of it is verified. */
export interface ServedEnclave {
  readonly keyset: string;
  /** The evidence document's text; verification takes its bytes. */
  readonly evidenceText: string;
  readonly models: readonly ListedModel[];
}

const pageSchema = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.union([z.string(), z.null()]).optional() });

const jobSchema = z.object({
  jobId: bytes32Hex,
  state: z.string(),
  outcome: z.string().optional(),
  code: z.union([z.string(), z.null()]).optional(),
  reason: z.union([z.string(), z.null()]).optional(),
});
/** A job as the service sees it. */
export type ServiceJob = z.infer<typeof jobSchema>;

const eventSchema = z.object({ state: z.string() });

const receiptSchema = z.object({
  record: receiptRecordSchema,
  keysetDigest: bytes32Hex,
  inferenceProof: proofPointsSchema.optional(),
});

/** The customer's view of a service. */
export class ServiceApi {
  readonly http: ServiceHttp;

  constructor(http: ServiceHttp) {
    this.http = http;
  }

  /** Listed enclaves, all pages. */
  async enclaves(filter: { provider?: string; policyId?: string; modelId?: string }): Promise<ListedEnclave[]> {
    const items: ListedEnclave[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 100; page++) {
      const query = new URLSearchParams({ ...filter, limit: '100', ...(cursor === undefined ? {} : { cursor }) });
      const answer = await this.http.json(
        { method: 'GET', path: `/v1/enclaves?${query.toString()}` },
        pageSchema(listedEnclaveSchema),
      );
      items.push(...answer.items);
      cursor = answer.nextCursor ?? undefined;
      if (cursor === undefined) return items;
    }
    throw new StunError('STUN_SERVICE_RESPONSE', 'the listing of enclaves does not end');
  }

  /** One enclave with its evidence. */
  async enclave(keysetDigest: string): Promise<ServedEnclave> {
    const answer = await this.http.json({ method: 'GET', path: `/v1/enclaves/${keysetDigest}` }, enclaveSchema);
    const { evidence, keyset, models } = answer;
    return { keyset, models, evidenceText: typeof evidence === 'string' ? evidence : JSON.stringify(evidence) };
  }

  /** Tells the service of an order that is on chain. Idempotent. */
  async announceOrder(order: OpenedOrder): Promise<void> {
    const json = { place: placeToWire(order.place), orderId: hexOf(order.orderId), terms: termsToWire(order.terms) };
    const response = await this.http.send({ method: 'POST', path: '/v1/orders', json });
    await response.body?.cancel();
  }

  /** Leaves the sealed opening for an enclave. Idempotent. */
  async putOpening(orderKey: string, keysetDigest: string, envelope: Uint8Array<ArrayBuffer>): Promise<void> {
    const body = { type: 'application/octet-stream', bytes: envelope };
    const response = await this.http.send({ method: 'PUT', path: `/v1/orders/${orderKey}/openings/${keysetDigest}`, body });
    await response.body?.cancel();
  }

  /** Sends a demand: always the same bytes for the same stored job. Idempotent by jobId. */
  async submit(job: StoredJob, signal?: AbortSignal): Promise<ServiceJob> {
    const body = { type: 'application/vnd.stun.frame', bytes: requestBytesOf(job) };
    return this.http.json({ method: 'POST', path: '/v1/jobs', body, ...(signal && { signal }) }, jobSchema);
  }

  /** A job; undefined when the service does not know it. */
  async job(jobId: string): Promise<ServiceJob | undefined> {
    try {
      return await this.http.json({ method: 'GET', path: `/v1/jobs/${jobId}` }, jobSchema);
    } catch (thrown) {
      if (thrown instanceof StunError && thrown.details['httpStatus'] === 404) return undefined;
      throw thrown;
    }
  }

  /** The exact bytes of a sealed result. */
  result(jobId: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.http.bytes({ method: 'GET', path: `/v1/jobs/${jobId}/result` });
  }

  /** The receipt record of a job. */
  receipt(jobId: string): Promise<z.infer<typeof receiptSchema>> {
    return this.http.json({ method: 'GET', path: `/v1/jobs/${jobId}/receipt` }, receiptSchema);
  }

  /**
   * Resolves once a job is no longer as it was seen, or when the stream ends. The event itself is not believed: ask for the job again.
   * @param seenState - the state of the job when it was asked for last; `unsent` for a job that the service did not know
   */
  async jobEvent(jobId: string, seenState: string, signal: AbortSignal): Promise<void> {
    const path = `/v1/jobs/${jobId}/events`;
    const response = await this.http.send({ method: 'GET', path, accept: 'text/event-stream', signal, stream: true });
    if (response.body === null) return;
    const events = serverSentEvents(response.body);
    // The first event tells where the job stands: it may have moved since it was seen. The second one tells that it moved.
    const first = await events.next();
    if (first.done !== true && stateOf(first.value.data) === seenState) await events.next();
    await events.return(undefined);
  }
}

/** The state that an event names; undefined when it names none. */
function stateOf(data: string): string | undefined {
  try {
    return eventSchema.parse(JSON.parse(data)).state;
  } catch {
    return undefined;
  }
}

/** The body of POST /v1/jobs for a stored demand. */
export function requestBytesOf(job: Pick<StoredJob, 'header' | 'envelope'>): Uint8Array<ArrayBuffer> {
  return encodeFrame(jobHeaderToWire(job.header), job.envelope);
}

/** UTF-8 bytes of an evidence text, as evidenceDigest takes them. */
export function evidenceBytes(text: string): Uint8Array<ArrayBuffer> {
  return utf8(text);
}

function hexOf(field: bigint): string {
  return `0x${field.toString(16).padStart(64, '0')}`;
}
