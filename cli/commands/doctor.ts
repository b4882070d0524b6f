/** `stun doctor`: looks at everything the other commands need, and says for each what to do. */
import { constants } from 'node:fs';
import { access, readdir, statfs } from 'node:fs/promises';
import { asStunError, errorEntry } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { CommandResult } from '../command.ts';
import type { GlobalOptions } from '../settings.ts';
import type { Invocation } from '../runner.ts';
import { askNode, deploymentOf, deploymentPathOf, hasDeployment, homeOf, rpcUrlOf, secretOf, serviceUrlOf } from '../settings.ts';

/** `missing` is no failure by itself: the part may not be needed here. */
type Status = 'ok' | 'missing' | 'failed';

interface Finding {
  readonly id: string;
  readonly status: Status;
  readonly found: string;
  /** What to do; empty when nothing is. */
  readonly advice: string;
}

type Look = (options: GlobalOptions) => Promise<Omit<Finding, 'id'>>;

const NEEDED_NODE = 24;
const NEEDED_DISK_BYTES = 2 * 2 ** 30;
const ANSWER_MS = 5000;

const ok = (found: string): Omit<Finding, 'id'> => ({ status: 'ok', found, advice: '' });
const missing = (found: string, advice: string): Omit<Finding, 'id'> => ({ status: 'missing', found, advice });
const failed = (found: string, advice: string): Omit<Finding, 'id'> => ({ status: 'failed', found, advice });

const looks: Readonly<Record<string, Look>> = {
  node: () => {
    const [major] = process.versions.node.split('.');
    const found = `Node ${process.versions.node} on ${process.platform}-${process.arch}`;
    const fine = Number(major) >= NEEDED_NODE;
    return Promise.resolve(fine ? ok(found) : failed(found, 'Run through `npx stun`, which uses the pinned Node 24.'));
  },
  onnxruntime: async () => {
    try {
      const { listSupportedBackends } = await import('onnxruntime-node');
      return ok(
        `onnxruntime with ${listSupportedBackends()
          .map((backend) => backend.name)
          .join(', ')}`,
      );
    } catch {
      return failed('onnxruntime-node does not load', 'Run npm ci again; on musl systems use a glibc image.');
    }
  },
  circuits: async () => {
    const { CIRCUIT_NAMES } = await import('#circuits/manifest.ts');
    const built = await cachedCircuits();
    if (built > 0) return ok(`${built} built circuits are cached, of ${CIRCUIT_NAMES.join(' and ')}`);
    return missing(
      'no proving key is cached',
      'Nothing to do: the first proof or `npm start` makes development keys, within a minute.',
    );
  },
  prover: async () => {
    const { backendWishOf, chooseBackends } = await import('#prover/backends.ts');
    const { backends, unavailable } = chooseBackends(backendWishOf(process.env));
    const [first, ...others] = backends.map(({ name, engine }) => `${name} (${engine})`);
    const found = `proofs by ${first}${others.length === 0 ? '' : `, then by ${others.join(', ')}`}`;
    const [reason] = Object.values(unavailable);
    return reason === undefined ? ok(found) : missing(found, `Nothing to do: proofs only take longer, since ${reason}.`);
  },
  store: async (options) => {
    const home = homeOf(options);
    const hasVault = await canRead(`${home}/vault.json`);
    if (!hasVault) return missing(`no client store in ${home}`, 'The first `stun order open` makes it.');
    const passphrase = await secretOf('STUN_PASSPHRASE');
    if (passphrase === undefined) return missing(`a store in ${home}, not opened`, 'Set STUN_PASSPHRASE to open it.');
    const { openStore } = await import('#client/index.ts');
    const store = await openStore(home, passphrase);
    return ok(`a store in ${home} with ${(await store.orders.keys()).length} orders`);
  },
  deployment: async (options) => {
    const path = deploymentPathOf(options);
    if (!hasDeployment(options)) {
      return missing(
        `no deployment record at ${path}`,
        'Name one with --deployment, or make one: stun chain deploy. npm start -- --keep leaves settings for its own: . .stun/demo/env',
      );
    }
    const { chainId, escrow } = await deploymentOf(options);
    return ok(`escrow ${escrow} on chain ${chainId}`);
  },
  chain: async (options) => {
    const url = rpcUrlOf(options);
    const answer = await askNode(url, 'eth_chainId');
    const chainId = Number(answer);
    if (!hasDeployment(options)) return ok(`${url} answers for chain ${chainId}`);
    const expected = (await deploymentOf(options)).chainId;
    const found = `${url} answers for chain ${chainId}`;
    return chainId === expected
      ? ok(found)
      : failed(found, `The deployment is on chain ${expected}: check --rpc and --deployment.`);
  },
  service: async (options) => {
    const url = new URL('/readyz', serviceUrlOf(options));
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    await response.body?.cancel();
    if (response.ok) return ok(`${url.origin} is ready`);
    return failed(
      `${url.origin} answers with status ${response.status}`,
      'It is up but not ready: see its log, database and chain.',
    );
  },
  platform: async () => {
    const { detectPlatform } = await import('#worker/platform.ts');
    const finding = detectPlatform();
    const signs = finding.signs.join(', ') || 'no sign of TDX or SEV-SNP';
    if (finding.platform === 'none') {
      return missing(
        `not a confidential machine (${signs})`,
        'Fine for customers. A worker here can only run simulated hardware, for trial.',
      );
    }
    if (finding.reportInterface) return ok(`${finding.platform} (${signs}), reports through configfs-tsm`);
    return failed(
      `${finding.platform} (${signs}), but no configfs-tsm`,
      'Load the guest driver and mount configfs: docs/provider.md.',
    );
  },
  disk: async () => {
    const { bavail, bsize } = await statfs(process.cwd());
    const free = bavail * bsize;
    const found = `${(free / 2 ** 30).toFixed(1)} GiB free`;
    return free >= NEEDED_DISK_BYTES ? ok(found) : failed(found, 'At least 2 GiB are needed for keys, database and results.');
  },
};

/** Entries of the cache of circuits/manifest.ts, which names them by the hash of their sources. */
async function cachedCircuits(): Promise<number> {
  try {
    return (await readdir('.stun/circuits')).filter((name) => /^[0-9a-f]{64}$/.test(name)).length;
  } catch {
    return 0;
  }
}

async function canRead(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

const unreachable: Readonly<Record<string, string>> = {
  chain: 'Start a node or name one with --rpc; for trial: npm start -- --keep, or stun chain dev.',
  service: 'Start the service or name one with --service; only submitting and fetching need it.',
};

async function lookAt(id: string, look: Look, options: GlobalOptions): Promise<Finding> {
  try {
    return { id, ...(await look(options)) };
  } catch (thrown) {
    const advice = unreachable[id];
    const silent = !(thrown instanceof StunError) || thrown.code === 'STUN_CHAIN_UNAVAILABLE';
    if (advice !== undefined && silent) return { id, ...missing('nothing answers', advice) };
    const error = asStunError(thrown);
    return { id, ...failed(`${error.code}: ${error.message}`, errorEntry(error.code).doc) };
  }
}

/** Looks at everything. Exit code 0 unless something is wrong; what is merely not there is no failure. */
export async function doctor({ options, context }: Invocation<object>): Promise<CommandResult> {
  const findings: Finding[] = [];
  for (const [id, look] of Object.entries(looks)) {
    context.progress(`looking at ${id}`);
    findings.push(await lookAt(id, look, options));
  }
  const bad = findings.filter((finding) => finding.status === 'failed').length;
  const lines = findings.map(({ id, status, found, advice }) =>
    [`${status.padEnd(8)} ${id.padEnd(12)} ${found}`, ...(advice === '' ? [] : [`${' '.repeat(22)}${advice}`])].join('\n'),
  );
  const document = { ok: bad === 0, findings: findings.map((finding) => ({ ...finding })) };
  const text = [...lines, `${findings.length} looked at, ${bad} need attention`].join('\n');
  return { document, text, exitCode: bad === 0 ? 0 : 5 };
}
