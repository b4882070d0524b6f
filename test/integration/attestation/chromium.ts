/**
 * Headless Chromium of the system, driven over its debugging pipe. Without one the tests that need it are skipped and say so; with
 * STUN_REQUIRE_BROWSER=1 its absence is a failure. STUN_CHROMIUM names another program.
 */
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

/** The program, or null when there is none. */
function programOf(): string | null {
  const named = process.env['STUN_CHROMIUM'];
  if (named !== undefined && named !== '') return named;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path)) ?? null;
}

/** Starts Chromium, or says aloud that there is none and gives null. */
export async function startChromium(): Promise<Browser | null> {
  const executablePath = programOf();
  if (executablePath !== null) return chromium.launch({ executablePath });
  if (process.env['STUN_REQUIRE_BROWSER'] === '1')
    throw new Error('STUN_REQUIRE_BROWSER=1, but there is no chromium in PATH and STUN_CHROMIUM names none');
  console.log('      SKIPPED: tests in a browser: no chromium in PATH. Debian: apt-get install chromium');
  return null;
}

/** A page's file: its content type and what is in it. */
export type Served = Readonly<Record<string, readonly [type: string, content: string | Uint8Array]>>;

/** Allows the scripts of this origin and nothing else: no other host, no inline script, no eval. */
export const strictPolicy = "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'";

/** Serves files on the loopback interface under a policy. */
export async function serve(
  files: Served,
  policy: string = strictPolicy,
): Promise<{ readonly origin: string; readonly server: Server }> {
  const server = createServer((request, response) => {
    const file = files[request.url ?? ''];
    if (file === undefined) return response.writeHead(404).end();
    const headers = { 'content-type': file[0], 'content-security-policy': policy, 'x-content-type-options': 'nosniff' };
    return response.writeHead(200, headers).end(file[1]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
