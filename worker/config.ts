/**
 * The worker's configuration: one JSON file and STUN_WORKER_* variables on top, checked once, frozen. The environment is read here
 * alone. Errors name settings, never values.
 */
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { z } from 'zod';
import { fromHex, priceDecimal, StunError } from '#protocol/index.ts';
import { defaultMemoryMb } from '#prover/interface.ts';
import { EXECUTION_PROVIDERS } from './model/runner-messages.ts';

/** A value that no log, error or JSON shows. */
export class Secret {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The value itself; for the one place that needs it. */
  reveal(): Uint8Array {
    return this.#bytes;
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [inspect.custom](): string {
    return '[redacted]';
  }
}

const secretHex = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, 'must be 0x and 64 hex digits')
  .transform((text) => new Secret(fromHex(text, 32)));
const seconds = z.int().min(1).max(31_536_000);
const milliseconds = z.int().min(1).max(86_400_000);
/** Price units a job. */
const modelPrice = priceDecimal.refine((price) => price !== '0', 'must not be 0');

/** The schema; docs/provider.md explains each setting. */
export const workerConfigSchema = z.strictObject({
  /** Base URL of the verifier service. */
  serviceUrl: z.url(),
  /** Base URLs of the attestors. */
  attestorUrls: z.array(z.url()).min(1).max(16),
  /** The provider's own node. */
  rpcUrl: z.url(),
  /** File that names chain and contracts. */
  deploymentPath: z.string().min(1),
  /** The provider's secp256k1 key: pays for registration and signs in. */
  providerKey: z.union([z.instanceof(Secret), secretHex]),
  platform: z.enum(['auto', 'tdx', 'sev-snp', 'simulated']),
  /** File with the platform's collateral: needed on TDX; on SEV-SNP for what the host's certificate table lacks. */
  collateralPath: z.string().min(1).optional(),
  /** Simulated: file with the simulated PKI. */
  simulatedPkiPath: z.string().min(1).optional(),
  /** The GPUs that evidence shows; null: none, whatever the models run on. Every field is needed. */
  gpu: z
    .strictObject({
      /** `nvattest`, or the path of it. */
      nvattest: z.string().min(1),
      /** How many answer; with fewer or more there is no evidence. */
      count: z.int().min(1).max(16),
      /** For one question to all of them. */
      timeoutMs: milliseconds,
      collateral: z.union([
        /** NVIDIA is asked; folder that keeps its answers. */
        z.strictObject({ cachePath: z.string().min(1) }),
        /** A bundle that `stun evidence verify --save-bundle` wrote elsewhere, read each time; nobody is asked. */
        z.strictObject({ bundlePath: z.string().min(1) }),
      ]),
    })
    .nullable()
    .default(null),
  /** File with the policy that the enclave is registered under. */
  policyPath: z.string().min(1),
  models: z
    .array(
      z.union([
        z.strictObject({ modelPath: z.string().min(1), manifestPath: z.string().min(1), price: modelPrice }),
        /** Folder of a compiled model, as `stun model compile` wrote it. */
        z.strictObject({ compiledPath: z.string().min(1), price: modelPrice }),
      ]),
    )
    .min(1)
    .max(64),
  /** The worker's database. */
  storePath: z.string().min(1),
  session: z
    .strictObject({
      executionProvider: z.enum(EXECUTION_PROVIDERS).default('cpu'),
      fallbackToCpu: z.boolean().default(false),
      threads: z.int().min(0).max(256).default(1),
    })
    .prefault({}),
  limits: z
    .strictObject({
      jobTimeoutMs: milliseconds.default(60_000),
      jobMemoryMb: z.int().min(64).max(1_048_576).default(4096),
      outputMb: z.int().min(1).max(1024).default(64),
    })
    .prefault({}),
  /** Proofs of inferences, for orders above the level `attested`. */
  proving: z
    .strictObject({
      threads: z.int().min(1).max(64).default(1),
      /** For one attempt at one proof. */
      timeoutMs: milliseconds.default(120_000),
      /** Keys, threads and proofs together; when absent, what that many threads need. */
      memoryMb: z.int().min(128).max(65_536).optional(),
      /** Proofs that may be owed before no further job is leased. */
      backlog: z.int().min(1).max(1024).default(16),
    })
    .transform((proving) => ({ ...proving, memoryMb: proving.memoryMb ?? defaultMemoryMb(proving.threads) }))
    .prefault({}),
  /** Life of keyset and leaf; at least two days, for a leaf must live 24 hours beyond a job. */
  keysetLifetimeSeconds: z.int().min(172_800).max(31_536_000).default(604_800),
  /** A segment without new jobs for this long is closed early and pushed. */
  segmentIdleMs: milliseconds.default(60_000),
  /** Jobs at a time. */
  concurrency: z.int().min(1).max(64).default(1),
  leaseWaitMs: z.int().min(0).max(20_000).default(20_000),
  requestTimeoutMs: milliseconds.default(30_000),
  /** How old what the chain said may be when a job is judged; 0 asks every time. */
  chainViewMaxAgeMs: z.int().min(0).max(60_000).default(3000),
  /** How old a quote may be that readiness rests on. */
  readinessMaxAgeSeconds: seconds.default(60),
  /** Where health and readiness are served; nothing when absent. */
  listen: z.strictObject({ host: z.string().min(1), port: z.int().min(0).max(65_535) }).optional(),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});
export type WorkerConfig = z.output<typeof workerConfigSchema>;
/** Where the collateral of GPUs comes from. */
export type GpuCollateralSource = NonNullable<WorkerConfig['gpu']>['collateral'];

/** Variables and the setting that each overrides. */
const variables: Readonly<Record<string, keyof WorkerConfig>> = {
  STUN_WORKER_SERVICE_URL: 'serviceUrl',
  STUN_WORKER_RPC_URL: 'rpcUrl',
  STUN_DEPLOYMENT: 'deploymentPath',
  STUN_WORKER_PROVIDER_KEY: 'providerKey',
  STUN_WORKER_PLATFORM: 'platform',
  STUN_WORKER_COLLATERAL: 'collateralPath',
  STUN_WORKER_SIMULATED_PKI: 'simulatedPkiPath',
  STUN_WORKER_POLICY: 'policyPath',
  STUN_WORKER_STORE: 'storePath',
  STUN_WORKER_LOG_LEVEL: 'logLevel',
};
const CONFIG_FILE_VARIABLE = 'STUN_WORKER_CONFIG';
/** Variables of the other processes, which may share an environment. */
const foreign = /^STUN_(?:SERVICE|PROVER|ATTESTOR|CLIENT|CLI)_|^STUN_(?:DEPTH|SEED)$/;

/**
 * Checks settings that are already an object.
 * @throws `STUN_CONFIG` naming the settings that are wrong
 */
export function parseWorkerConfig(settings: unknown): WorkerConfig {
  const parsed = workerConfigSchema.safeParse(settings);
  if (!parsed.success) {
    const names = parsed.error.issues.map((issue) =>
      issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys.join(', ')].join('.') : issue.path.join('.'),
    );
    throw new StunError('STUN_CONFIG', `worker settings are missing, unknown or malformed: ${names.join(', ')}`, {
      details: { settings: names },
    });
  }
  const config = parsed.data;
  if (config.platform === 'simulated' && config.simulatedPkiPath === undefined) {
    throw new StunError('STUN_CONFIG', 'simulatedPkiPath is needed for platform simulated', {
      details: { settings: ['simulatedPkiPath'] },
    });
  }
  return Object.freeze(config);
}

/**
 * Reads the file that STUN_WORKER_CONFIG names and lays the variables over it.
 * @throws `STUN_CONFIG` for unknown variables and bad settings, `STUN_FILE` when the file cannot be read
 */
export function loadWorkerConfig(environment: Readonly<Record<string, string | undefined>>): WorkerConfig {
  const given = Object.keys(environment).filter((name) => name.startsWith('STUN_'));
  const unknown = given.filter((name) => !(name in variables) && name !== CONFIG_FILE_VARIABLE && !foreign.test(name));
  if (unknown.length > 0) {
    throw new StunError('STUN_CONFIG', `unknown variables: ${unknown.join(', ')}`, { details: { settings: unknown } });
  }
  const path = environment[CONFIG_FILE_VARIABLE];
  const settings: Record<string, unknown> = path === undefined ? {} : readSettings(path);
  for (const [name, setting] of Object.entries(variables)) {
    if (environment[name] !== undefined) settings[setting] = environment[name];
  }
  return parseWorkerConfig(settings);
}

function readSettings(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    // The cause of a JSON error quotes the text, which may hold the key.
    const kind = cause instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    throw new StunError('STUN_FILE', `the worker's configuration ${path} ${kind}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new StunError('STUN_FILE', `the worker's configuration ${path} must be a JSON object`);
  }
  return { ...value };
}
