/**
 * The configuration of a service process: one JSON file (`STUN_SERVICE_CONFIG`) and the environment, which wins. Every setting `fooBar`
 * is `STUN_SERVICE_FOO_BAR` in the environment. Unknown names are refused; values never appear in errors.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { DatabaseTarget } from './db/open.ts';
import { Secret } from './secret.ts';

const secretHex = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/, 'must be 0x and 64 lower-case hex digits')
  .transform((text) => new Secret(text));
const secretText = z
  .string()
  .min(1)
  .transform((text) => new Secret(text));
const count = (least: number, most: number, standard: number): z.ZodDefault<z.ZodCoercedNumber> =>
  z.coerce.number().int().min(least).max(most).default(standard);
const list = z
  .union([z.array(z.string().min(1)), z.string().transform((text) => text.split(',').map((part) => part.trim()))])
  .default([]);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]).default(false);

/** What a process does: all of it, or one part. */
export const roles = ['all', 'api', 'prover', 'settler', 'attestor'] as const;
export type Role = (typeof roles)[number];

/** Every setting, with its standard value where it has one. */
export const settingsSchema = z.strictObject({
  role: z.enum(roles).default('all'),
  host: z.string().default('127.0.0.1'),
  port: count(0, 65535, 8080),
  /** The audience of sign-ins: the origin at which clients reach the service; where it listens when left out. Never taken from a request. */
  audience: z.string().min(1).max(200).optional(),
  /** `memory`, `pglite:DIRECTORY` or a postgres:// address. */
  database: secretText.default(() => new Secret('memory')),
  databaseConnections: count(2, 200, 10),
  /** The deployment record. */
  deployment: z.string().min(1),
  rpcUrl: secretText,
  /** Blocks on top before a settlement counts, 1 for the block itself. */
  confirmations: count(1, 1000, 1),
  chainPollMs: count(50, 60_000, 1000),
  /** Most that a settlement pays per gas, wei. */
  maxFeePerGasWei: z.coerce
    .string()
    .regex(/^[1-9][0-9]{0,30}$/)
    .default('200000000000'),
  /** Signs webhooks and attestation results (by keys derived from it); made at random when left out, so that both end with the process. */
  secretKey: secretHex.optional(),
  /** Settles for providers that made this account their operator. */
  operatorKey: secretHex.optional(),
  /**
   * How long the operator's account stays with a process that no longer renews its claim, so how long settling waits after a crash.
   * A claim is renewed with each look at the chain, at the latest after 15 seconds and the time limits of its calls.
   */
  senderClaimSeconds: count(10, 3600, 60),
  /** Attestor only. */
  attestorKey: secretHex.optional(),
  /** Files with policies that the attestor approves. */
  attestorPolicies: list,
  /** File with the trust root of simulated hardware, or a list of roots; chain 31337 only. */
  simulatedRoot: z.string().min(1).optional(),
  approvalSeconds: count(60, 86_400, 3600),
  /** How old the block may be whose hash is an evidence nonce. */
  nonceMaxAgeSeconds: count(10, 86_400, 3600),
  readinessQuoteMaxAgeSeconds: count(10, 86_400, 3600),
  /** How long an attestation result (EAR) holds. */
  earSeconds: count(60, 86_400, 3600),
  /** A worker says every five seconds that a job still runs: a lease that ended before would be taken from a worker that works. */
  leaseSeconds: count(8, 3600, 60),
  /** A worker at work is seen no more often than that. */
  enclaveGoneSeconds: count(8, 86_400, 300),
  sweepMs: count(50, 600_000, 2000),
  pollMs: count(20, 60_000, 500),
  sessionSeconds: count(60, 30 * 86_400, 86_400),
  payloadRetentionSeconds: count(0, 365 * 86_400, 86_400),
  resultRetentionSeconds: count(0, 365 * 86_400, 7 * 86_400),
  /** Webhook deliveries, delivered or not; longer than the last try of one can take. */
  deliveryRetentionSeconds: count(86_400, 365 * 86_400, 7 * 86_400),
  /** Events, leases that ended, and transactions of the sender that came to their end. */
  historyRetentionSeconds: count(86_400, 10 * 365 * 86_400, 90 * 86_400),
  maxPayloadBytes: count(1024, 1 << 29, 64 << 20),
  maxDocumentBytes: count(1024, 64 << 20, 4 << 20),
  /** Bytes of all request bodies that the process holds at a time; at least the two above. */
  maxBodyBytesInFlight: count(1024, 2 ** 40, 256 << 20),
  maxOpenJobsPerAccount: count(1, 1_000_000, 2000),
  /** Event streams that an account may hold open, in one process. */
  maxStreamsPerAccount: count(1, 100_000, 200),
  addressRequestsPerMinute: count(1, 10_000_000, 6000),
  publicRequestsPerMinute: count(1, 10_000_000, 240),
  accountRequestsPerMinute: count(1, 10_000_000, 6000),
  /** Reverse proxies in front that set x-forwarded-for. */
  trustedProxies: count(0, 10, 0),
  /** Lets webhooks go to http and private addresses; chain 31337 only. */
  webhookPrivateAddresses: flag,
  stopGraceMs: count(0, 600_000, 10_000),
  proofConcurrency: count(1, 64, 1),
  /** Proofs that are made for one segment before it is given up. */
  maxProofsPerSegment: count(1, 100, 10),
  logLevel: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug']).default('info'),
});
/** The settings of a process. */
export type Settings = Readonly<z.output<typeof settingsSchema>>;

const PREFIX = 'STUN_SERVICE_';
/** Names that belong to other programs of the project and may stand in the same environment. */
const others =
  /^STUN_(?:DEPLOYMENT|RPC_URL|TRUST_ROOT|SERVICE_URL|(?:PRIVATE_KEY|API_KEY|(?:BACKUP_|STORE_)?PASSPHRASE)(?:_FILE)?|DEPTH|SEED|CIRCUITS|VECTORS|(?:TEST|REQUIRE|UPDATE|WORKER|PROVER|CLIENT|CLI|DEMO|CHAIN|CACHE|HOME)(?:_[A-Z0-9_]+)?)$/;

const environmentName = (key: string): string => PREFIX + key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

/**
 * Reads the settings.
 * @param env - the environment; nothing else reads it
 * @throws `STUN_CONFIG` naming every setting that is unknown, missing or malformed, never a value
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const keys = new Map(Object.keys(settingsSchema.shape).map((key) => [environmentName(key), key]));
  const fromFile = readFile(env[`${PREFIX}CONFIG`]);
  const given: Record<string, unknown> = { ...fromFile };
  const unknown: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('STUN_') || value === undefined || name === `${PREFIX}CONFIG`) continue;
    const key = keys.get(name);
    if (key !== undefined) given[key] = value;
    else if (!others.test(name)) unknown.push(name);
  }
  if (unknown.length > 0) throw new StunError('STUN_CONFIG', `unknown settings: ${unknown.toSorted().join(', ')}`);
  given['deployment'] ??= env['STUN_DEPLOYMENT'];
  return checkSettings(given);
}

/** Checks settings that are given as an object. @throws `STUN_CONFIG` */
export function checkSettings(given: Readonly<Record<string, unknown>>): Settings {
  const parsed = settingsSchema.safeParse(given);
  if (parsed.success) {
    const { maxBodyBytesInFlight, maxPayloadBytes, maxDocumentBytes } = parsed.data;
    if (maxBodyBytesInFlight < Math.max(maxPayloadBytes, maxDocumentBytes)) {
      throw new StunError('STUN_CONFIG', 'maxBodyBytesInFlight: must hold a body of maxPayloadBytes and of maxDocumentBytes');
    }
    return Object.freeze(parsed.data);
  }
  const names = parsed.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys' ? `unknown: ${issue.keys.join(', ')}` : `${issue.path.join('.')}: ${reasonOf(issue)}`,
  );
  throw new StunError('STUN_CONFIG', names.join('; '));
}

/** Zod's messages repeat values for some issues; the kind of the issue does not. */
function reasonOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `expected ${issue.expected}`;
  if (issue.code === 'too_small') return `must be at least ${String(issue.minimum)}`;
  if (issue.code === 'too_big') return `must be at most ${String(issue.maximum)}`;
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`;
  return 'has the wrong form';
}

function readFile(path: string | undefined): Record<string, unknown> {
  if (path === undefined) return {};
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch (cause) {
    throw new StunError('STUN_CONFIG', 'the configuration file is missing or no JSON', { cause });
  }
  throw new StunError('STUN_CONFIG', 'the configuration file must hold one JSON object');
}

/** The store that the `database` setting names. @throws `STUN_CONFIG` */
export function databaseTarget(settings: Settings): DatabaseTarget {
  const text = settings.database.reveal();
  if (text === 'memory') return { kind: 'memory' };
  if (text.startsWith('pglite:') && text.length > 7) return { kind: 'pglite', directory: text.slice(7) };
  if (/^postgres(?:ql)?:\/\//.test(text)) return { kind: 'postgres', url: text, maxConnections: settings.databaseConnections };
  throw new StunError('STUN_CONFIG', 'database: must be memory, pglite:DIRECTORY or a postgres:// address');
}

/** The one chain on which development shortcuts exist. */
export const DEVELOPMENT_CHAIN = 31337;

/**
 * Refuses what must not run with real money: an embedded store, simulated hardware, webhooks to private addresses, a random secret.
 * @throws `STUN_CONFIG` naming the setting
 */
export function assertAllowedOn(chainId: number, settings: Settings): void {
  if (settings.role !== 'attestor' && settings.role !== 'all' && databaseTarget(settings).kind !== 'postgres') {
    throw new StunError('STUN_CONFIG', `database: the role ${settings.role} shares its store with others; it must be PostgreSQL`);
  }
  if (settings.role === 'attestor' && settings.attestorKey === undefined) {
    throw new StunError('STUN_CONFIG', 'attestorKey: an attestor needs a key');
  }
  if (chainId === DEVELOPMENT_CHAIN) return;
  const refuse = (setting: string, why: string): never => {
    throw new StunError('STUN_CONFIG', `${setting}: ${why} outside chain ${DEVELOPMENT_CHAIN}`);
  };
  if (settings.role !== 'attestor' && databaseTarget(settings).kind !== 'postgres')
    refuse('database', 'the embedded store never fsyncs and is refused');
  if (settings.simulatedRoot !== undefined) refuse('simulatedRoot', 'simulated hardware is refused');
  if (settings.webhookPrivateAddresses) refuse('webhookPrivateAddresses', 'is refused');
  if (settings.role !== 'attestor' && settings.secretKey === undefined) refuse('secretKey', 'must be given');
}
