/** The trust roots of a process: the vendors', and the simulated one that the configuration names. */
import { readFileSync } from 'node:fs';
import { defaultTrustRoots, parseTrustRoots, type TrustRoot } from '#attestation/index.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Settings } from '../config.ts';

/** @throws `STUN_CONFIG`, `STUN_JSON_FORMAT` */
export function trustRootsOf(settings: Settings): readonly TrustRoot[] {
  if (settings.simulatedRoot === undefined) return defaultTrustRoots;
  return [...defaultTrustRoots, ...parseTrustRoots(readText(settings.simulatedRoot, 'simulatedRoot'))];
}

/** A file that a setting names. @throws `STUN_CONFIG` */
export function readText(path: string, setting: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new StunError('STUN_CONFIG', `${setting}: the file cannot be read`, { cause });
  }
}
