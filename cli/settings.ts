/** The settings of a customer's commands: options first, then `STUN_…` variables, then defaults. Secrets come from the environment or files alone. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonRpcProvider } from 'ethers';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { TrustRoot } from '#attestation/index.ts';
import type { Deployment } from '#chain/deployment.ts';
import type { ClientConnection } from '#client/index.ts';

/** Options that every command accepts. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly home?: string;
  readonly deployment?: string;
  readonly service?: string;
  readonly rpc?: string;
  readonly root?: string;
}

/** Where `stun chain deploy` leaves what others need; `npm start -- --keep` leaves it in `demo` below, with an `env` that names it. */
const STATE_FOLDER = '.stun';

function setting(option: string | undefined, variable: string, fallback: string): string {
  const value = option ?? process.env[variable];
  return value === undefined || value === '' ? fallback : value;
}

/** Folder of the client's store. */
export function homeOf(options: GlobalOptions): string {
  return setting(options.home, 'STUN_HOME', join(STATE_FOLDER, 'client'));
}

/** Address of the customer's node. */
export function rpcUrlOf(options: GlobalOptions): string {
  return setting(options.rpc, 'STUN_RPC_URL', 'http://127.0.0.1:8545');
}

/** Address of the verifier service. */
export function serviceUrlOf(options: GlobalOptions): string {
  return setting(options.service, 'STUN_SERVICE_URL', 'http://127.0.0.1:8080');
}

/** Path of the deployment record. */
export function deploymentPathOf(options: GlobalOptions): string {
  return setting(options.deployment, 'STUN_DEPLOYMENT', join(STATE_FOLDER, 'deployment.json'));
}

/** Reads a file as text. @throws `STUN_FILE` naming the path */
export async function readText(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new StunError('STUN_FILE', `${what} ${path} cannot be read`, { cause });
  }
}

/** Reads a file as JSON. @throws `STUN_FILE` */
export async function readJson(path: string, what: string): Promise<unknown> {
  const text = await readText(path, what);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new StunError('STUN_FILE', `${what} ${path} is not JSON`, { cause });
  }
}

/** The deployment to work on. @throws `STUN_FILE`, `STUN_CHAIN_DEPLOYMENT` */
export async function deploymentOf(options: GlobalOptions): Promise<Deployment> {
  const { parseDeployment } = await import('#chain/deployment.ts');
  return parseDeployment(await readJson(deploymentPathOf(options), 'deployment'));
}

/** Simulated roots that the user names; none by default, so that simulated hardware is refused. */
export async function extraRootsOf(options: GlobalOptions): Promise<TrustRoot[]> {
  const path = setting(options.root, 'STUN_TRUST_ROOT', '');
  if (path === '') return [];
  const { parseTrustRoots } = await import('#attestation/index.ts');
  return [...parseTrustRoots(await readText(path, 'trust root'))];
}

/** A secret from `NAME` or from the file that `NAME_FILE` names, without trailing line ends; undefined when neither is set. */
export async function secretOf(name: string): Promise<string | undefined> {
  const direct = process.env[name];
  if (direct !== undefined && direct !== '') return direct;
  const path = process.env[`${name}_FILE`];
  if (path === undefined || path === '') return undefined;
  return (await readText(path, `secret of ${name}_FILE`)).replace(/[\r\n]+$/, '');
}

/** The passphrase of the store. @throws `STUN_STORE_PASSPHRASE` when none is set */
export async function passphraseOf(): Promise<string> {
  const passphrase = await secretOf('STUN_PASSPHRASE');
  if (passphrase === undefined) {
    throw new StunError('STUN_STORE_PASSPHRASE', 'no passphrase was given: set STUN_PASSPHRASE or STUN_PASSPHRASE_FILE');
  }
  return passphrase;
}

/** Connects as the customer. The caller closes. */
export async function connectCustomer(options: GlobalOptions): Promise<ClientConnection> {
  const [passphrase, privateKey, apiKey] = [
    await passphraseOf(),
    await secretOf('STUN_PRIVATE_KEY'),
    await secretOf('STUN_API_KEY'),
  ];
  const { connectClient } = await import('#client/index.ts');
  return connectClient({
    home: homeOf(options),
    passphrase,
    deployment: await deploymentOf(options),
    rpcUrl: rpcUrlOf(options),
    serviceUrl: serviceUrlOf(options),
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(apiKey === undefined ? {} : { apiKey }),
    extraRoots: await extraRootsOf(options),
  });
}

/** Whether a deployment record is where it is looked for. */
export function hasDeployment(options: GlobalOptions): boolean {
  return existsSync(deploymentPathOf(options));
}

/**
 * A provider for a node whose chain is not known beforehand. Asks once, so that a node that is down is an error and not a wait.
 * @throws `STUN_CHAIN_UNAVAILABLE`
 */
export async function openProvider(url: string): Promise<JsonRpcProvider> {
  const chainId = Number(await askNode(url, 'eth_chainId'));
  if (!Number.isSafeInteger(chainId) || chainId <= 0) throw new StunError('STUN_CHAIN_UNAVAILABLE', `${url} names no chain id`);
  const { openRpcProvider } = await import('#chain/rpc-provider.ts');
  return openRpcProvider(url, chainId, { pollingIntervalMs: 500 });
}

const ANSWER_MS = 10_000;

/** One JSON-RPC request without parameters. @throws `STUN_CHAIN_UNAVAILABLE` */
export async function askNode(url: string, method: string): Promise<unknown> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const answer: unknown = await response.json();
    if (typeof answer === 'object' && answer !== null && 'result' in answer) return answer.result;
  } catch (cause) {
    throw new StunError('STUN_CHAIN_UNAVAILABLE', `${url} does not answer`, { cause });
  }
  throw new StunError('STUN_CHAIN_UNAVAILABLE', `${url} does not speak JSON-RPC`);
}
