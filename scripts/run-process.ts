/** Runs a child process and collects its output. */
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { root } from './project-files.ts';

/** What a finished child left. */
export interface Finished {
  /** Exit status; 1 when a signal ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The path of a tool that npm installed. */
export function tool(name: string): string {
  return join(root, 'node_modules', '.bin', name);
}

/** This process's environment with its own Node first, so that tools which look for `node` find the pinned one. */
export function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}` };
}

/** Runs `command` in the repository's root. `env` is added to this process's own. Never rejects on a failing status. */
export async function runProcess(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: { ...environment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ status: code ?? 1, stdout, stderr }));
  });
}
