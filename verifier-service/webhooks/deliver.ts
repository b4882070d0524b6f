/** Delivers one webhook: at least once, signed, to a checked address, without following redirects. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { asStunError } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Task } from '../pipeline/queue.ts';
import { queues } from '../pipeline/queue.ts';
import { nowUnix, type Services } from '../services.ts';
import { checkWebhookUrl, publicLookup } from './address.ts';
import { webhookKey, webhookSignature } from './signature.ts';

const TIMEOUT_MS = 10_000;

/** The handler of the webhook queue. Throws what should be tried again. */
export async function deliverWebhook(services: Services, task: Task): Promise<void> {
  const row = await services.db.sql
    .selectFrom('webhook_delivery')
    .innerJoin('webhook', 'webhook.id', 'webhook_delivery.webhook_id')
    .select(['webhook_delivery.id', 'webhook_delivery.body', 'webhook_delivery.state', 'webhook.url', 'webhook.id as hookId'])
    .where('webhook_delivery.id', '=', task.id)
    .executeTakeFirst();
  if (row === undefined || row.state !== 'waiting') return;
  const record = async (change: { state?: 'delivered' | 'failed'; last_status: number | null }): Promise<void> => {
    await services.db.sql
      .updateTable('webhook_delivery')
      .set((eb) => ({
        ...change,
        attempts: eb('attempts', '+', 1),
        ...(change.state === undefined ? {} : { ended_at_ms: services.nowMs() }),
      }))
      .where('id', '=', row.id)
      .execute();
  };
  const last = task.retryCount >= queues.webhook.retryLimit;
  let status: number | null = null;
  try {
    const signature = webhookSignature(webhookKey(services.secretKey, row.hookId), nowUnix(services), row.body);
    status = await post(row.url, row.body, signature, services.settings.webhookPrivateAddresses, task.signal);
    if (status < 200 || status > 299) throw new StunError('STUN_WEBHOOK_DELIVERY', `the receiver answered with status ${status}`);
  } catch (thrown) {
    const error = asStunError(thrown);
    services.metrics.webhookDeliveries.inc({ result: last ? 'failed' : 'retried' });
    services.log.warn({ event: 'webhook.refused', deliveryId: row.id, code: error.code, status, last });
    await record(last ? { state: 'failed', last_status: status } : { last_status: status });
    if (last) return;
    throw error;
  }
  services.metrics.webhookDeliveries.inc({ result: 'delivered' });
  await record({ state: 'delivered', last_status: status });
}

function post(address: string, body: string, signature: string, allowPrivate: boolean, signal: AbortSignal): Promise<number> {
  const url = checkWebhookUrl(address, allowPrivate);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      reject(
        cause instanceof StunError
          ? cause
          : new StunError('STUN_WEBHOOK_DELIVERY', 'the receiver could not be reached', { cause }),
      );
    };
    const request = send(
      url,
      {
        method: 'POST',
        lookup: publicLookup(allowPrivate),
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        agent: false,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'stun-signature': signature,
          'user-agent': 'stun-webhooks/1',
        },
      },
      (response) => {
        // The body of an answer is of no interest and may be endless.
        response.destroy();
        resolve(response.statusCode ?? 0);
      },
    );
    request.on('error', fail);
    request.end(body);
  });
}
