/**
 * A whole deployment on this machine, each part a process of its own: development chain, contracts, three attestors with a threshold
 * of two, the service with its prover, workers in simulated TDX machines. For `npm start`, end-to-end tests and benchmarks: keys
 * are public or random, hardware is simulated, and every part says so.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomBytes } from 'node:crypto';
import { createSimulatedPki, exportSimulatedPki } from '#attestation/simulated/pki.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { createSimulatedTdx } from '#attestation/simulated/simulated-tdx.ts';
import { canonicalPolicyJson, type TrustRoot } from '#attestation/index.ts';
import { contractsOf, familyForJobs, type Deployment, type DeployedFamily } from '#chain/deployment.ts';
import { deployStun } from '#chain/deploy.ts';
import { startDevChain, type DevChain } from '#chain/dev-chain.ts';
import { DEFAULT_CIRCUITS } from '#circuits/manifest.ts';
import { toHex, type Hex } from '#protocol/index.ts';
import { freePort, startChild, type Child } from './child.ts';

const LIAR = fileURLToPath(new URL('./lying-worker.ts', import.meta.url));
const MODEL = fileURLToPath(new URL('../../examples/credit-model/', import.meta.url));

/** Places of the prefunded accounts. */
export const ACCOUNT = {
  owner: 0,
  attestors: [1, 2, 3],
  customer: 4,
  provider: 5,
  liar: 6,
  operator: 7,
  guardian: 8,
  fee: 9,
} as const;

/** How the stack is run. */
export interface StackOptions {
  /** Files of all processes; must not be used by another stack. */
  readonly directory: string;
  /** `memory`, `pglite:DIRECTORY` or postgres://…; PGlite below `directory` when left out. */
  readonly database?: string;
  /** Price units a job. */
  readonly price: bigint;
  /** A segment without new jobs for this long is closed early. */
  readonly segmentIdleMs: number;
  /** Any free port when left out. */
  readonly chainPort?: number;
  readonly servicePort?: number;
  /** Settings of the service on top of the stack's own. */
  readonly service?: Readonly<Record<string, unknown>>;
  /** Folder of a compiled model that the workers serve besides the opaque one, and whose orders the service settles. */
  readonly compiledModel?: string;
  /** Told what is done next. */
  readonly progress?: (line: string) => void;
}

/** The parts of a service that can be processes of their own. */
export type ServiceRole = 'api' | 'prover' | 'settler';

/** A running stack. */
export interface LocalStack {
  readonly directory: string;
  readonly chain: DevChain;
  readonly deployment: Deployment;
  readonly deploymentPath: string;
  readonly policyPath: string;
  readonly rootPath: string;
  readonly trustRoot: TrustRoot;
  readonly serviceUrl: string;
  /** The family that the demo's orders use. */
  readonly family: DeployedFamily;
  /** Starts the attestors, all three or those at the places named, from 0. */
  startAttestors(places?: readonly number[]): Promise<readonly Child[]>;
  startService(): Promise<Child>;
  /** The same as processes on one PostgreSQL, those named or all three. */
  startSplitService(roles?: readonly ServiceRole[]): Promise<readonly Child[]>;
  /** Starts a worker; the name fixes its machine and its files, so that the same name is the same machine started again. */
  startWorker(name: string, account?: number): Promise<Child>;
  /** Starts a worker that lies about the outputs of the compiled model, to show what becomes of a liar. */
  startLiar(name: string): Promise<Child>;
  /** Stops everything that still runs, workers first. */
  stop(): Promise<void>;
}

/** Starts chain and contracts and writes the files; the processes are started one by one by the caller, who shows them. */
export async function createLocalStack(options: StackOptions): Promise<LocalStack> {
  const { directory } = options;
  const file = (name: string): string => join(directory, name);
  mkdirSync(directory, { recursive: true });
  const chain = await startDevChain(options.chainPort === undefined ? {} : { port: options.chainPort });
  const account = (index: number) => chain.accounts[index]!;
  const deployment = await deployStun(chain.wallet(ACCOUNT.owner), {
    attestors: ACCOUNT.attestors.map((index) => account(index).address),
    threshold: 2,
    feeBps: 100,
    feeAccount: account(ACCOUNT.fee).address,
    guardian: account(ACCOUNT.guardian).address,
  });
  for (const index of [ACCOUNT.provider, ACCOUNT.liar]) {
    await contractsOf(deployment, chain.wallet(index)).escrow.setOperator(account(ACCOUNT.operator).address, true);
  }

  const pki = createSimulatedPki();
  const trustRoot = createSimulatedTdx({ atUnix: Math.floor(Date.now() / 1000), pki }).root;
  const pkiPath = file('simulated-pki.json');
  const rootPath = file('simulated-root.json');
  const policyPath = file('policy.json');
  const deploymentPath = file('deployment.json');
  writeFileSync(pkiPath, exportSimulatedPki(pki), { mode: 0o600 });
  writeFileSync(rootPath, JSON.stringify(trustRoot));
  writeFileSync(policyPath, canonicalPolicyJson(simulatedPolicy));
  writeFileSync(deploymentPath, JSON.stringify(deployment));

  const running = new Map<string, Child>();
  const start = async (
    name: string,
    args: readonly string[],
    env: Record<string, string>,
    readyUrl: string,
    program?: string,
  ): Promise<Child> => {
    options.progress?.(`starting ${name}`);
    const place = { logPath: file(`${name}.log`), readyUrl, readyTimeoutMs: 120_000 };
    const child = await startChild({ name, args, env, ...place, ...(program === undefined ? {} : { program }) });
    running.set(name, child);
    void child.exited.then(() => running.delete(name));
    return child;
  };
  const writeConfig = (name: string, settings: object): string => {
    const path = file(`${name}.config.json`);
    writeFileSync(path, JSON.stringify(settings), { mode: 0o600 });
    return path;
  };
  const attestorPorts = await Promise.all(ACCOUNT.attestors.map(freePort));
  const servicePort = options.servicePort ?? (await freePort());
  const common = { deployment: deploymentPath, rpcUrl: chain.url, simulatedRoot: rootPath };

  const serviceSettings = {
    ...common,
    database: options.database ?? `pglite:${file('service-db')}`,
    operatorKey: account(ACCOUNT.operator).privateKey,
    secretKey: toHex(randomBytes(32)),
    chainPollMs: 200,
    pollMs: 100,
    ...options.service,
  };
  const startRole = (name: string, command: string, role: string, port: number): Promise<Child> => {
    const config = writeConfig(name, { ...serviceSettings, role, port });
    const args = [command, ...(options.compiledModel === undefined ? ['--circuit', DEFAULT_CIRCUITS[0]] : [])];
    return start(name, args, { STUN_SERVICE_CONFIG: config }, `http://127.0.0.1:${port}/healthz`);
  };
  const startWorker = async (name: string, index: number, program?: string): Promise<Child> => {
    const port = await freePort();
    const price = options.price.toString();
    const config = writeConfig(name, {
      serviceUrl: `http://127.0.0.1:${servicePort}`,
      attestorUrls: attestorPorts.map((attestor) => `http://127.0.0.1:${attestor}`),
      rpcUrl: chain.url,
      deploymentPath,
      providerKey: account(index).privateKey,
      platform: 'simulated',
      simulatedPkiPath: pkiPath,
      policyPath,
      models: [
        { modelPath: join(MODEL, 'credit-model.onnx'), manifestPath: join(MODEL, 'manifest.json'), price },
        ...(options.compiledModel === undefined ? [] : [{ compiledPath: options.compiledModel, price }]),
      ],
      storePath: file(`${name}.sqlite`),
      segmentIdleMs: options.segmentIdleMs,
      listen: { host: '127.0.0.1', port },
    });
    const env = { STUN_WORKER_CONFIG: config };
    return start(name, program === undefined ? ['worker'] : [], env, `http://127.0.0.1:${port}/readyz`, program);
  };

  return {
    directory,
    chain,
    deployment,
    deploymentPath,
    policyPath,
    rootPath,
    trustRoot,
    serviceUrl: `http://127.0.0.1:${servicePort}`,
    family: familyForJobs(deployment, 16),
    startAttestors: (places = [...ACCOUNT.attestors.keys()]) =>
      Promise.all(
        places.map((i) => {
          const index = ACCOUNT.attestors[i]!;
          const port = attestorPorts[i]!;
          const settings = {
            ...common,
            role: 'attestor',
            port,
            attestorKey: account(index).privateKey,
            attestorPolicies: [policyPath],
          };
          const config = writeConfig(`attestor-${i + 1}`, settings);
          return start(`attestor-${i + 1}`, ['attestor'], { STUN_SERVICE_CONFIG: config }, `http://127.0.0.1:${port}/healthz`);
        }),
      ),
    startService: () => startRole('service', 'service', 'all', servicePort),
    async startSplitService(roles = ['api', 'prover', 'settler']) {
      const started: Child[] = [];
      // One after the other, the API first: it migrates the store that all of them use.
      for (const role of roles) {
        const port = role === 'api' ? servicePort : await freePort();
        started.push(await startRole(role === 'api' ? 'service' : role, role === 'prover' ? 'prover' : 'service', role, port));
      }
      return started;
    },
    startWorker: (name, index = ACCOUNT.provider) => startWorker(name, index),
    startLiar: (name) => startWorker(name, ACCOUNT.liar, LIAR),
    async stop() {
      const order = [...running.values()].sort((a, b) => rank(a) - rank(b));
      for (const child of order) await child.stop();
      await chain.close();
    },
  };
}

/** Workers stop first, so that they can hand over their segments. */
function rank(child: Child): number {
  return child.name.startsWith('attestor') ? 2 : child.name === 'service' ? 1 : 0;
}

/** The address of an account of the stack's chain. */
export function addressOf(stack: LocalStack, index: number): Hex {
  return stack.chain.accounts[index]!.address;
}
