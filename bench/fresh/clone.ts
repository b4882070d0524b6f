/** A fresh clone of this repository's commit, and commands of it as a stranger runs them: nothing installed, nothing set, nothing built. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root } from '../../scripts/project-files.ts';
import { tmpdir } from 'node:os';
import { summarise, type Figure } from '../figure.ts';

/** How much of the end of a command's output an error shows. */
const SHOWN_CHARS = 2000;

/** Clones the commit that is checked out into a folder of its own; changes that are not committed are not in it. @returns the folder */
function freshClone(): string {
  const folder = mkdtempSync(join(tmpdir(), 'stun-fresh-'));
  const done = spawnSync('git', ['clone', '--quiet', '--no-hardlinks', root, folder], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`git clone: ${done.stderr}`);
  return folder;
}

/** The environment without what belongs to this checkout: its programs, the settings of npm that runs here, settings of the project. */
function strangersEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:npm_|STUN_|NODE_|INIT_CWD$)/i.test(name));
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((part) => !part.startsWith(join(root, 'node_modules')));
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter) };
}

/**
 * Runs npm in a clone.
 * @returns seconds until it ended
 * @throws when it ended with another status than 0, with the end of what it printed
 */
async function npmSeconds(folder: string, ...args: readonly string[]): Promise<number> {
  const startedAtMs = performance.now();
  const child = spawn('npm', args, { cwd: folder, env: strangersEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  let shown = '';
  const keep = (chunk: Buffer): void => {
    shown = (shown + chunk.toString()).slice(-SHOWN_CHARS);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const status = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (status !== 0) throw new Error(`npm ${args.join(' ')} ended with ${status}:\n${shown}`);
  return (performance.now() - startedAtMs) / 1000;
}

/**
 * Wall time of one of the two commands on a fresh clone, from nothing and the second time, once each: a first run can only be repeated on another
 * clone, and the download is part of it.
 * @param firstWith - what the first run does besides, for its name
 */
export async function firstAndSecondRun(command: 'start' | 'test', firstWith: string): Promise<Figure[]> {
  const folder = freshClone();
  try {
    const first = await npmSeconds(folder, command);
    const second = await npmSeconds(folder, command);
    return [
      summarise(`npm ${command} on a fresh clone, first run with ${firstWith}, wall`, 's', [first]),
      summarise(`npm ${command} on a fresh clone, second run, wall (beside the first)`, 's', [second], first),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
