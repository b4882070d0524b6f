/**
 * Signatures of webhooks: `stun-signature: t=UNIX,v1=HEX`, HMAC-SHA256 over `t.body`. The key of a webhook is derived from the
 * service's secret and the webhook's id, so that none is stored.
 */
import { createHmac } from 'node:crypto';
import type { Secret } from '../secret.ts';

/** The signing key of a webhook, shown to its owner once. */
export function webhookKey(secretKey: Secret<string>, webhookId: string): string {
  const key = Buffer.from(secretKey.reveal().slice(2), 'hex');
  return `whsec_${createHmac('sha256', key).update(`stun/webhook/v1/${webhookId}`).digest('base64url')}`;
}

/** The header of a body at a time. @param key - the whole text of webhookKey */
export function webhookSignature(key: string, atUnix: number, body: string): string {
  return `t=${atUnix},v1=${createHmac('sha256', key).update(`${atUnix}.${body}`).digest('hex')}`;
}
