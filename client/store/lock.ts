/**
 * An exclusive lock that survives no process: `lock.<n>` names its holder, and the highest n is the lock.
 *
 * A lock whose holder is dead is taken over by creating `lock.<n+1>`, which only one process can. Dead locks stay where they are:
 * deleting one could let a slower process, which saw it dead, believe that its number is still free to follow. Dead means: same
 * host, and the process is gone, or another process has its number, or the machine has started again. A lock of another host is
 * never taken over, since nobody here can tell.
 */
import { readFileSync } from 'node:fs';
import { readdir, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { utf8 } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { createFile, makeFolder, readFileIfThere } from './atomic-file.ts';

const holderSchema = z.strictObject({
  host: z.string(),
  /** Identifies one run of the machine; empty where the system does not tell. */
  boot: z.string(),
  pid: z.int().min(1),
  /** Start of the process in clock ticks since boot; empty where the system does not tell. */
  started: z.string(),
});
type Holder = z.infer<typeof holderSchema>;

/** A lock that is held until it is released or the process ends. */
export interface HeldLock {
  /** Gives the lock up; further calls do nothing. */
  release(): Promise<void>;
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return fallback;
  }
}

/** When a process started, from field 22 of /proc/PID/stat (proc_pid_stat(5)); empty where there is no such file. */
function startOf(pid: number): string {
  const stat = readOr(`/proc/${pid}/stat`, '');
  return (
    stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .at(19) ?? ''
  );
}

function thisProcess(): Holder {
  const boot = readOr('/proc/sys/kernel/random/boot_id', '').trim();
  return { host: hostname(), boot, pid: process.pid, started: startOf(process.pid) };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // EPERM: it runs, but belongs to somebody else.
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

function isDead(holder: Holder, me: Holder): boolean {
  if (holder.host !== me.host) return false;
  if (holder.boot !== '' && me.boot !== '' && holder.boot !== me.boot) return true;
  if (!isRunning(holder.pid)) return true;
  const started = startOf(holder.pid);
  return holder.started !== '' && started !== '' && started !== holder.started;
}

async function newestNumber(folder: string): Promise<number> {
  const numbers = (await readdir(folder)).flatMap((name) => {
    const match = /^lock\.(\d{1,9})$/.exec(name);
    return match?.[1] === undefined ? [] : [Number(match[1])];
  });
  return Math.max(0, ...numbers);
}

async function readHolder(path: string): Promise<Holder | undefined> {
  const bytes = await readFileIfThere(path);
  if (bytes === undefined) return undefined;
  const parsed = holderSchema.safeParse(parseJson(new TextDecoder().decode(bytes)));
  if (!parsed.success) throw new StunError('STUN_STORE_DAMAGED', `${path} does not name a process`);
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Takes the lock of a folder.
 * @param what - what is locked, for the error
 * @throws `STUN_LANE_LOCKED` when another process that lives holds it, or one of another host
 */
export async function takeLock(folder: string, what: string): Promise<HeldLock> {
  await makeFolder(folder);
  const me = thisProcess();
  // Each turn loses only against a process that took or released the lock meanwhile.
  for (let turn = 0; turn < 100; turn++) {
    const newest = await newestNumber(folder);
    if (newest > 0) {
      const holder = await readHolder(join(folder, `lock.${newest}`));
      if (holder === undefined) continue;
      if (!isDead(holder, me)) {
        throw new StunError('STUN_LANE_LOCKED', `${what} is in use by process ${holder.pid} on ${holder.host}`, {
          details: { pid: holder.pid, host: holder.host },
        });
      }
    }
    const path = join(folder, `lock.${newest + 1}`);
    if (await createFile(path, utf8(JSON.stringify(me)))) {
      let held = true;
      return {
        release: async () => {
          if (held) await unlink(path);
          held = false;
        },
      };
    }
  }
  throw new StunError('STUN_LANE_LOCKED', `${what} is taken and released by others all the time`);
}
