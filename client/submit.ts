/** Sending jobs: every demand is on disk before it leaves, and what leaves again after a crash are the same bytes. */
import {
  assertMaxPrice,
  asStunError,
  encodeOpening,
  encodeTensors,
  errorEntry,
  fromHex,
  sealOpening,
  StunError,
  type NamedTensor,
} from '#protocol/index.ts';
import { chooseEnclave, type EnclaveWish } from './choose-enclave.ts';
import type { ClientConnection } from './connection.ts';
import type { ServiceJob } from './service-api.ts';
import type { LaneFiles } from './store/lane-files.ts';
import type { LaneRecord } from './store/lane-record.ts';
import type { Demanded, OpenLane } from './store/lane.ts';
import type { LaneEnclave } from './store/lanes.ts';
import type { OrderRecord } from './store/order-record.ts';
import type { StoredJob } from './store/stored-job.ts';

/** A job that was accepted by the service. */
export interface SubmittedJob {
  readonly jobId: string;
  readonly k: number;
  readonly laneIndex: number;
  readonly keysetDigest: string;
  readonly simulated: boolean;
  readonly state: string;
}

/** Told of each job as it is accepted. */
export type OnSubmitted = (job: SubmittedJob) => void;

/** The committed bytes of a job's inputs. @throws `STUN_TENSOR_LAYOUT` */
export function encodeInputs(tensors: readonly NamedTensor[]): Uint8Array {
  return encodeTensors(tensors);
}

/**
 * Verifies an enclave and sends payloads to it, in order, on one lane.
 * @throws `STUN_PRICE_CAP` before anything is sent, for a maximum price outside 1..2^63-1; `STUN_ENCLAVE_*` and what refused it; `STUN_SERVICE_UNREACHABLE` when stored jobs were not sent (see resumeJobs); the
 *   service's code when it refused a job, after ending the lane
 */
export async function submitJobs(
  client: ClientConnection,
  order: OrderRecord,
  payloads: readonly Omit<Demanded, 'replaces'>[],
  wish: Omit<EnclaveWish, 'maxPrice'> = {},
  onSubmitted: OnSubmitted = () => undefined,
): Promise<SubmittedJob[]> {
  if (payloads.length === 0) throw new StunError('STUN_INPUT', 'at least one payload was expected');
  for (const { maxPrice } of payloads) assertMaxPrice(maxPrice);
  const maxPrice = payloads.reduce((least, one) => (one.maxPrice < least ? one.maxPrice : least), payloads[0]!.maxPrice);
  const { lane: enclave } = await chooseEnclave(client, order, { ...wish, maxPrice });
  const lane = await openLane(client, order, enclave);
  try {
    await sendUnsent(client, lane, onSubmitted);
    const sent: SubmittedJob[] = [];
    for (const payload of payloads) sent.push(await sendNew(client, lane, payload, onSubmitted));
    return sent;
  } finally {
    await lane.close();
  }
}

/** A lane to an enclave with the order announced and its opening delivered. */
export async function openLane(client: ClientConnection, order: OrderRecord, enclave: LaneEnclave): Promise<OpenLane> {
  const lane = await client.store.lanes.forEnclave(order, enclave);
  try {
    await deliverOpening(client, order, lane.record);
    return lane;
  } catch (thrown) {
    await lane.close();
    throw thrown;
  }
}

async function deliverOpening(client: ClientConnection, order: OrderRecord, record: LaneRecord): Promise<void> {
  await client.service.announceOrder(order);
  const keysetDigest = fromHex(record.keysetDigest);
  const binding = { orderId: order.orderId, provider: record.provider, keysetDigest };
  const envelope = await sealOpening(record.keyset.hpkePublicKey, binding, encodeOpening(order));
  await client.service.putOpening(order.orderKey, record.keysetDigest, envelope);
}

/** Makes the next demand of a lane and sends it. */
export async function sendNew(
  client: ClientConnection,
  lane: OpenLane,
  wanted: Demanded,
  onSubmitted: OnSubmitted,
): Promise<SubmittedJob> {
  return send(client, lane, await lane.demand(wanted), onSubmitted);
}

/** Sends a stored demand, the exact bytes of its file. A refusal for good ends the lane, since no later job could follow it. */
async function send(client: ClientConnection, lane: OpenLane, job: StoredJob, onSubmitted: OnSubmitted): Promise<SubmittedJob> {
  let answer: ServiceJob;
  try {
    answer = await client.service.submit(job);
  } catch (thrown) {
    const error = asStunError(thrown);
    if (isFinal(error)) await endLane(lane.files, job, error, client.nowUnix());
    throw error;
  }
  if (answer.jobId !== job.jobId) throw new StunError('STUN_SERVICE_RESPONSE', 'the service names the job otherwise');
  const { laneIndex, keysetDigest, simulated } = lane.record;
  const submitted = { jobId: job.jobId, k: job.header.k, laneIndex, keysetDigest, simulated, state: answer.state };
  onSubmitted(submitted);
  return submitted;
}

/** Whether sending the same bytes again can never help. Rate limits, sign-in and size of the moment are no reason to end a lane. */
function isFinal(error: StunError): boolean {
  const { class: kind } = errorEntry(error.code);
  const status = Number(error.details['httpStatus'] ?? 0);
  const passing = kind === 'unavailable' || kind === 'config' || kind === 'internal';
  return !passing && status >= 400 && status < 500 && ![401, 403, 408, 425, 429].includes(status);
}

/** Ends a lane: the refused job and all later ones are void. */
export async function endLane(
  files: LaneFiles,
  from: Pick<StoredJob, 'header'>,
  error: StunError,
  seenAtUnix: number,
): Promise<void> {
  await files.close({ code: error.code, reason: error.message });
  for (const { k, jobId } of await files.jobs()) {
    if (k < from.header.k) continue;
    await files.addOutcome(jobId, { kind: 'void', code: error.code, reason: error.message, seenAtUnix });
  }
}

/** Sends what a lane holds and the service does not know; identical bytes, in order. */
export async function sendUnsent(client: ClientConnection, lane: OpenLane, onSubmitted: OnSubmitted): Promise<SubmittedJob[]> {
  const sent: SubmittedJob[] = [];
  for (const place of await lane.files.jobs()) {
    if ((await lane.files.outcome(place.jobId)) !== undefined) continue;
    if ((await client.service.job(place.jobId)) !== undefined) continue;
    sent.push(await send(client, lane, await lane.files.job(place), onSubmitted));
  }
  return sent;
}

/**
 * After a crash or an outage: sends every stored job that the service does not know. Lanes that another process uses are left to it.
 * @returns the jobs that were sent, and the lanes that were left
 */
export async function resumeJobs(
  client: ClientConnection,
  order: OrderRecord,
  onSubmitted: OnSubmitted = () => undefined,
): Promise<{ sent: SubmittedJob[]; locked: number[] }> {
  const sent: SubmittedJob[] = [];
  const locked: number[] = [];
  for (const { record, files } of await client.store.lanes.ofOrder(order.orderKey)) {
    if ((await files.closure()) !== undefined) continue;
    let lane: OpenLane;
    try {
      lane = await client.store.lanes.open(order, record.provider, record.laneIndex);
    } catch (thrown) {
      if (asStunError(thrown).code !== 'STUN_LANE_LOCKED') throw thrown;
      locked.push(record.laneIndex);
      continue;
    }
    try {
      await deliverOpening(client, order, record);
      sent.push(...(await sendUnsent(client, lane, onSubmitted)));
    } finally {
      await lane.close();
    }
  }
  return { sent, locked };
}
