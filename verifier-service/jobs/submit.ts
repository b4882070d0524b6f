/** Takes a job: drops garbage, keeps the lane in order, stores ciphertext and header. docs/design.md sections 5 and 7. */
import { createHash } from 'node:crypto';
import type { Selectable } from 'kysely';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldToHex } from '#protocol/field.ts';
import { MIN_LEAF_LIFE_SECONDS } from '#protocol/payable.ts';
import { parseEnvelope } from '#protocol/sealing/envelope.ts';

import { orderKeyOf } from '#protocol/terms.ts';
import { jobHeaderFromWire, verifyJobHeader, type JobHeader, type JobHeaderWire } from '#protocol/wire/job.ts';
import type { Tables } from '../db/schema.ts';
import { assertCovered, refreshBudget } from '../orders/budget.ts';
import { inUnit, nowUnix, type Services, type Unit } from '../services.ts';
import { HPKE_ENC_LENGTH } from './envelopes.ts';
import { appendEvents } from './events.ts';
import { unservedStates, type JobState } from './states.ts';
import { jobEvent } from './transitions.ts';
import { enclaveTopic } from './wake.ts';

type Order = Selectable<Tables['orders']>;
type Enclave = Selectable<Tables['enclave']>;

/** A submission after the checks that need no store. */
interface Submission {
  readonly account: string;
  readonly wire: JobHeaderWire;
  readonly header: JobHeader;
  readonly jobId: string;
  readonly orderKey: string;
  readonly demandKey: string;
  readonly envelope: Uint8Array;
  readonly envelopeSha256: string;
}

/** What became of a submission. */
export interface Submitted {
  readonly jobId: string;
  readonly state: JobState;
  /** False when the same bytes had come before. */
  readonly created: boolean;
}

/**
 * Takes a job. Identical bytes give the same job again.
 * @param envelope - the sealed request; never opened here
 * @throws `STUN_KEY_*`, `STUN_SIGNATURE`, `STUN_LANE_HEAD`, `STUN_LANE_INDEX`, `STUN_LANE_CLOSED`, `STUN_JOB_CONFLICT`,
 *   `STUN_ENVELOPE_LAYOUT`, `STUN_ENCLAVE_UNKNOWN`, `STUN_ENCLAVE_GONE`, `STUN_ENCLAVE_EXPIRES_SOON`, `STUN_ORDER_UNKNOWN`,
 *   `STUN_ORDER_CLOSED`, `STUN_DEMAND_ENCLAVE`, `STUN_PRICE_CAP`, `STUN_BUDGET`, `STUN_QUOTA`
 */
export async function submitJob(
  services: Services,
  account: string,
  wire: JobHeaderWire,
  envelope: Uint8Array,
): Promise<Submitted> {
  const header = jobHeaderFromWire(wire);
  const head = verifyJobHeader(header);
  parseEnvelope('request', HPKE_ENC_LENGTH, envelope);
  const submission: Submission = {
    account,
    wire,
    header,
    jobId: fieldToHex(head),
    orderKey: orderKeyOf(header.funder, header.orderId),
    demandKey: fieldToHex(header.demandKey.x) + fieldToHex(header.demandKey.y).slice(2),
    envelope,
    envelopeSha256: createHash('sha256').update(envelope).digest('hex'),
  };
  try {
    return await inUnit(services, (unit) => store(services, unit, submission));
  } catch (thrown) {
    if (!(thrown instanceof StunError) || thrown.code !== 'STUN_BUDGET') throw thrown;
    // The order may have been topped up since the budget was read.
    await refreshBudget(services, submission.orderKey, header.provider);
    return inUnit(services, (unit) => store(services, unit, submission));
  }
}

async function store(services: Services, unit: Unit, submission: Submission): Promise<Submitted> {
  const before = await sameJob(unit, submission);
  if (before !== undefined) return before;
  const order = await openOrder(services, unit, submission);
  const enclave = await liveEnclave(services, unit, submission);
  const lane = await continuedLane(unit, submission, order, enclave);
  // Once more under the lane's lock: a resend that raced with its first sending waited for it there.
  const raced = await sameJob(unit, submission);
  if (raced !== undefined) return raced;
  await assertSequence(lane, submission);
  await assertQuota(services, unit, submission.account);
  const { header } = submission;
  await assertPrice(unit, enclave, header.maxPrice);
  await assertCovered(unit, order.order_key, header.provider, submission.demandKey, header.maxPrice, BigInt(order.price_scale));
  await unit.sql
    .updateTable('lane')
    .set({ head: submission.jobId, next_k: header.k + 1 })
    .where('lane_id', '=', lane.lane_id)
    .execute();
  const job = await unit.sql
    .insertInto('job')
    .values({
      job_id: submission.jobId,
      lane_id: lane.lane_id,
      order_key: order.order_key,
      account: submission.account,
      provider: header.provider,
      keyset_digest: enclave.keyset_digest,
      k: header.k,
      header: JSON.stringify(submission.wire),
      max_price: header.maxPrice.toString(),
      envelope_sha256: submission.envelopeSha256,
      envelope_bytes: submission.envelope.length,
      state: 'queued',
      created_at_ms: unit.nowMs,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await unit.sql
    .insertInto('payload')
    .values({ job_id: job.job_id, envelope: submission.envelope, created_at_ms: unit.nowMs })
    .execute();
  const event = { type: 'job' as const, account: job.account, provider: job.provider, jobId: job.job_id, segmentId: null };
  await appendEvents(unit, order.order_key, [{ ...event, data: jobEvent(job, header.laneIndex, unit.nowMs) }]);
  unit.wake(enclaveTopic(enclave.keyset_digest));
  services.metrics.jobTransitions.inc({ state: 'queued' });
  return { jobId: job.job_id, state: job.state, created: true };
}

async function sameJob(unit: Unit, submission: Submission): Promise<Submitted | undefined> {
  const job = await unit.sql.selectFrom('job').selectAll().where('job_id', '=', submission.jobId).executeTakeFirst();
  if (job === undefined) return undefined;
  const same =
    job.account === submission.account &&
    job.envelope_sha256 === submission.envelopeSha256 &&
    job.header === JSON.stringify(submission.wire);
  if (!same) throw new StunError('STUN_JOB_CONFLICT', 'the job exists with other bytes or of another account');
  return { jobId: job.job_id, state: job.state, created: false };
}

async function openOrder(services: Services, unit: Unit, submission: Submission): Promise<Order> {
  const order = await unit.sql
    .selectFrom('orders')
    .innerJoin('order_account', 'order_account.order_key', 'orders.order_key')
    .selectAll('orders')
    .where('orders.order_key', '=', submission.orderKey)
    .where('order_account.account', '=', submission.account)
    .executeTakeFirst();
  if (order === undefined) throw new StunError('STUN_ORDER_UNKNOWN', 'this account has not announced the order to the service');
  if (order.deadline_unix <= nowUnix(services)) throw new StunError('STUN_ORDER_CLOSED', 'the deadline of the order has passed');
  return order;
}

async function liveEnclave(services: Services, unit: Unit, { wire }: Submission): Promise<Enclave> {
  const enclave = await unit.sql
    .selectFrom('enclave')
    .selectAll()
    .where('provider', '=', wire.provider)
    .where('signer_id', '=', wire.signerId)
    .executeTakeFirst();
  if (enclave === undefined) throw new StunError('STUN_ENCLAVE_UNKNOWN', 'no enclave of the provider with this signer is listed');
  const silentMs = unit.nowMs - enclave.last_seen_at_ms;
  if (!enclave.listed || silentMs > services.settings.enclaveGoneSeconds * 1000) {
    throw new StunError('STUN_ENCLAVE_GONE', 'the enclave is off the list or was not seen for too long');
  }
  if (enclave.leaf_expires_at_unix < nowUnix(services) + MIN_LEAF_LIFE_SECONDS) {
    throw new StunError('STUN_ENCLAVE_EXPIRES_SOON', 'the leaf must live for 24 hours more');
  }
  return enclave;
}

type Lane = Selectable<Tables['lane']>;

/** The lane under its row lock, made when the job is its first. */
async function continuedLane(unit: Unit, submission: Submission, order: Order, enclave: Enclave): Promise<Lane> {
  const { wire, demandKey } = submission;
  const find = (): Promise<Lane | undefined> =>
    unit.sql
      .selectFrom('lane')
      .selectAll()
      .where('order_key', '=', order.order_key)
      .where('provider', '=', wire.provider)
      .where('lane_index', '=', wire.laneIndex)
      .where('demand_key', '=', demandKey)
      .forUpdate()
      .executeTakeFirst();
  const found = await find();
  if (found !== undefined) return found;
  if (wire.k !== 1) throw new StunError('STUN_LANE_INDEX', `job 1 of the lane was expected, got ${wire.k}`);
  const name = [order.order_key, wire.provider, wire.laneIndex, demandKey].join('/');
  await unit.sql
    .insertInto('lane')
    .values({
      lane_id: createHash('sha256').update(name).digest('hex').slice(0, 40),
      order_key: order.order_key,
      provider: wire.provider,
      lane_index: wire.laneIndex,
      demand_key: demandKey,
      account: submission.account,
      keyset_digest: enclave.keyset_digest,
      signer_id: wire.signerId,
      head: wire.previousHead,
      next_k: 1,
      lease_k: 1,
      active_job: null,
      state: 'open',
      close_code: null,
      created_at_ms: unit.nowMs,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const made = await find();
  if (made === undefined) throw new StunError('STUN_INTERNAL', 'a lane is gone after it was made');
  return made;
}

async function assertSequence(lane: Lane, { wire, account }: Submission): Promise<void> {
  if (lane.account !== account) throw new StunError('STUN_ACCESS', 'the lane belongs to the account that sent its first job');
  if (lane.state === 'closed') throw new StunError('STUN_LANE_CLOSED', 'the lane takes no more jobs');
  if (wire.k !== lane.next_k)
    throw new StunError('STUN_LANE_INDEX', `job ${lane.next_k} of the lane was expected, got ${wire.k}`);
  if (wire.previousHead !== lane.head) throw new StunError('STUN_LANE_HEAD', 'the demand does not continue the newest head');
  if (wire.signerId !== lane.signer_id) throw new StunError('STUN_DEMAND_ENCLAVE', 'the lane belongs to another enclave');
}

async function assertQuota(services: Services, unit: Unit, account: string): Promise<void> {
  const { open } = await unit.sql
    .selectFrom('job')
    .select((eb) => eb.fn.countAll<number>().as('open'))
    .where('account', '=', account)
    .where('state', 'in', [...unservedStates])
    .executeTakeFirstOrThrow();
  const most = services.settings.maxOpenJobsPerAccount;
  if (open >= most) throw new StunError('STUN_QUOTA', `an account may have ${most} unfinished jobs`, { details: { most } });
}

/** Which model the order names is sealed; the cap must reach the cheapest one that the enclave serves. */
async function assertPrice(unit: Unit, enclave: Enclave, maxPrice: bigint): Promise<void> {
  const models = await unit.sql
    .selectFrom('enclave_model')
    .select('price')
    .where('keyset_digest', '=', enclave.keyset_digest)
    .execute();
  const prices = models.map((model) => BigInt(model.price));
  if (!prices.some((price) => maxPrice >= price)) {
    throw new StunError('STUN_PRICE_CAP', 'the maximum price is below every price of the enclave');
  }
}
