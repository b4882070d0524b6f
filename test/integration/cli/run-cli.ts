/** Runs `stun` as a child process, as a user does. */
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientStage } from '#test/integration/client/stage.ts';
import { PASSPHRASE } from '#test/integration/client/stage.ts';
import { root } from '../../../scripts/project-files.ts';

/** How a run ended. */
export interface CliRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const inherited = Object.fromEntries(['PATH', 'HOME', 'NODE_COMPILE_CACHE'].map((name) => [name, process.env[name]]));

/** Starts `stun`. Only the given variables, PATH, HOME and where compiled code is kept are in its environment. */
export function spawnCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'cli/main.ts'), ...args], {
    cwd: root,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Starts `stun` as `npx stun` does, through its launcher, in a process group of its own, as a terminal or a service manager has it. */
export function spawnLauncher(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [join(root, 'cli/stun.mjs'), ...args], {
    cwd: root,
    env: inherited,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

/** The end of a started `stun`. */
export function ended(child: ChildProcess): Promise<CliRun> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => void (stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => void (stderr += String(chunk)));
  return new Promise((resolve) => {
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}

/** Runs `stun` to its end. */
export function runCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliRun> {
  return ended(spawnCli(args, env));
}

/** The variables of the stage's customer, with a store in `home`. */
export async function customerEnv(stage: ClientStage, home: string): Promise<Record<string, string>> {
  const folder = await stage.folder();
  const deployment = join(folder, 'deployment.json');
  const trustRoot = join(folder, 'root.json');
  await writeFile(deployment, JSON.stringify(stage.deployment));
  await writeFile(trustRoot, JSON.stringify(stage.pki.root));
  return {
    STUN_HOME: home,
    STUN_DEPLOYMENT: deployment,
    STUN_TRUST_ROOT: trustRoot,
    STUN_RPC_URL: stage.chain.url,
    STUN_SERVICE_URL: stage.service.url,
    STUN_PASSPHRASE: PASSPHRASE,
    STUN_PRIVATE_KEY: stage.chain.accounts[4]!.privateKey,
  };
}
