/**
 * Finds out what machine this is. It only says what the kernel shows; the quote is what proves it to others.
 * Paths: the tdx_guest and sev-guest drivers and configfs-tsm of Linux 6.7 and later (Documentation/ABI/testing/configfs-tsm).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StunError } from '#protocol/index.ts';

/** A confidential machine, or none. */
export type DetectedPlatform = 'tdx' | 'sev-snp' | 'none';
/** What the configuration may name. `auto` takes what is found and refuses when nothing is. */
export type ConfiguredPlatform = 'auto' | 'tdx' | 'sev-snp' | 'simulated';
/** What a worker runs on, after configuration and detection agree. */
export type WorkerPlatform = 'tdx' | 'sev-snp' | 'simulated';

/** What was found and by which signs. */
export interface PlatformFinding {
  readonly platform: DetectedPlatform;
  /** What was seen, for the log. */
  readonly signs: readonly string[];
  /** Whether the kernel offers configfs-tsm reports. */
  readonly reportInterface: boolean;
}

/** Where configfs-tsm makes reports, below the file system's root. */
export const TSM_REPORT_PATH = 'sys/kernel/config/tsm/report';

function cpuFlags(root: string): ReadonlySet<string> {
  try {
    const line = /^flags\s*:(.*)$/m.exec(readFileSync(join(root, 'proc/cpuinfo'), 'utf8'))?.[1] ?? '';
    return new Set(line.trim().split(/\s+/));
  } catch {
    return new Set();
  }
}

/**
 * Looks for a TDX or SEV-SNP guest.
 * @param root - root of the file system, `/` but in tests
 */
export function detectPlatform(root = '/'): PlatformFinding {
  const flags = cpuFlags(root);
  const present = (path: string): boolean => existsSync(join(root, path));
  const signsOf = (device: string, flag: string): string[] => [
    ...(present(device) ? [`/${device}`] : []),
    ...(flags.has(flag) ? [`cpu flag ${flag}`] : []),
  ];
  const tdx = signsOf('dev/tdx_guest', 'tdx_guest');
  const snp = signsOf('dev/sev-guest', 'sev_snp');
  const reportInterface = present(TSM_REPORT_PATH);
  if (tdx.length > 0) return { platform: 'tdx', signs: tdx, reportInterface };
  if (snp.length > 0) return { platform: 'sev-snp', signs: snp, reportInterface };
  return { platform: 'none', signs: [], reportInterface };
}

/**
 * Brings configuration and machine together. Never falls back to the simulator: that must be named.
 * @param chainId - simulated hardware is refused unless it is 31337
 * @throws `STUN_PLATFORM`, `STUN_SIMULATED_REFUSED`
 */
export function choosePlatform(configured: ConfiguredPlatform, found: PlatformFinding, chainId: number): WorkerPlatform {
  if (configured === 'simulated') {
    if (chainId !== 31337) throw new StunError('STUN_SIMULATED_REFUSED', `chain id 31337 was expected, got ${chainId}`);
    return 'simulated';
  }
  if (found.platform === 'none') {
    throw new StunError('STUN_PLATFORM', 'a TDX or SEV-SNP guest was expected, this machine shows no sign of either');
  }
  if (configured !== 'auto' && configured !== found.platform) {
    throw new StunError('STUN_PLATFORM', `a ${configured} guest was expected, this machine is ${found.platform}`);
  }
  return found.platform;
}
