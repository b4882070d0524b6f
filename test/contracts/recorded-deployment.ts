/**
 * A deployment whose transactions were signed once: on a fresh development chain the same keys send the same bytes every time, and what
 * costs is to estimate, encode, sign and read back, not to execute. The contracts are deployed by the chain like any others.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deployStun, type DeployOptions } from '#chain/deploy.ts';
import type { Deployment } from '#chain/deployment.ts';
import type { DevChain } from '#chain/dev-chain.ts';
import { REPOSITORY_ROOT } from '#circuits/build/source.ts';
import { keptFolder } from '#test/circuits/kept.ts';

/** What was sent, in order, and what came of it. */
interface Recording {
  readonly transactions: readonly string[];
  readonly deployment: Deployment;
}

/** The parts of ethers' `debug` event that are read here. */
interface DebugEvent {
  readonly action: string;
  readonly payload?: { readonly method: string; readonly params: readonly string[] };
}

/** Of everything that decides what a deployment sends. */
function digestOf(chain: DevChain, options: DeployOptions): string {
  const hash = createHash('sha256').update(JSON.stringify([chain.chainId, chain.accounts, options]));
  const sources = globSync(['chain/**/*.{ts,json}', 'package-lock.json'], { cwd: REPOSITORY_ROOT });
  for (const source of sources.toSorted()) hash.update(source).update(readFileSync(join(REPOSITORY_ROOT, source)));
  return hash.digest('hex').slice(0, 32);
}

async function record(chain: DevChain, options: DeployOptions): Promise<Recording> {
  const transactions: string[] = [];
  const keep = ({ action, payload }: DebugEvent): void => {
    if (action === 'sendRpcPayload' && payload?.method === 'eth_sendRawTransaction') transactions.push(payload.params[0]!);
  };
  await chain.provider.on('debug', keep);
  const deployment = await deployStun(chain.wallet(0), options);
  await chain.provider.off('debug', keep);
  return { transactions, deployment };
}

/** `deployStun` by account 0. @param chain - mines by itself, and nothing was sent to it yet */
export async function deployRecorded(chain: DevChain, options: DeployOptions): Promise<Deployment> {
  let own: Deployment | undefined;
  const kept = await keptFolder(`deployment-${digestOf(chain, options)}`, async (scratch) => {
    const recording = await record(chain, options);
    own = recording.deployment;
    await writeFile(join(scratch, 'recording.json'), JSON.stringify(recording));
  });
  if (own !== undefined) return own;
  const { transactions, deployment } = JSON.parse(await readFile(join(kept, 'recording.json'), 'utf8')) as Recording;
  for (const transaction of transactions) await chain.request('eth_sendRawTransaction', [transaction]);
  const block = await chain.request('eth_blockNumber');
  assert.equal(Number(block), deployment.deployBlock + transactions.length, 'every recorded transaction has a block');
  return deployment;
}
