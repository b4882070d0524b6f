/**
 * TCB statuses and how the parts converge to one.
 * Source: intel/confidential-computing.tee.dcap.qvl (QuoteVerification), `Verifiers/Checks`, the status precedence for TDX and SGX.
 */
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';

const platformStatuses = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const;
const componentStatuses = ['UpToDate', 'OutOfDate', 'Revoked'] as const;

/** Status of a platform TCB level. */
export type PlatformStatus = (typeof platformStatuses)[number];
/** Status of the TDX module or of the quoting enclave. */
export type ComponentStatus = (typeof componentStatuses)[number];
/** Of a TD that was launched on an outdated platform which has been updated under it since. */
const relaunchStatuses = ['TDRelaunchAdvised', 'TDRelaunchAdvisedConfigurationNeeded'] as const;
export type RelaunchStatus = (typeof relaunchStatuses)[number];
/** The final status; `NotSupported` when some part matches no level at all. */
export type TcbStatus = PlatformStatus | RelaunchStatus | 'NotSupported';

/** All statuses that a policy may name. `Revoked` and `NotSupported` are none of them: no policy can admit those. */
export const admissibleStatuses: readonly TcbStatus[] = Object.freeze([
  ...platformStatuses.filter((status) => status !== 'Revoked'),
  ...relaunchStatuses,
]);

function parseStatus<T extends string>(text: string, known: readonly T[]): T {
  const status = known.find((candidate) => candidate === text);
  if (status === undefined)
    throw new StunError('STUN_TCB_STATUS_UNKNOWN', `expected one of ${known.join(', ')}, got ${text.slice(0, 40)}`);
  return status;
}

/** @throws `STUN_TCB_STATUS_UNKNOWN` */
export function parsePlatformStatus(text: string): PlatformStatus {
  return parseStatus(text, platformStatuses);
}

/** @throws `STUN_TCB_STATUS_UNKNOWN` */
export function parseComponentStatus(text: string): ComponentStatus {
  return parseStatus(text, componentStatuses);
}

/** One part of the evaluation: the level that matched. */
export interface MatchedLevel<S extends string> {
  readonly status: S;
  readonly tcbDateUnix: number;
  readonly advisoryIds: readonly string[];
}

/**
 * The final status of platform and components.
 * Revoked wins over everything; an outdated component pulls a good platform down to OutOfDate and one that needs
 * configuration to OutOfDateConfigurationNeeded; a platform that is already worse keeps its status.
 */
export function convergeStatus(platform: PlatformStatus, components: readonly ComponentStatus[]): PlatformStatus {
  if (components.includes('Revoked')) return 'Revoked';
  if (!components.includes('OutOfDate')) return platform;
  switch (platform) {
    case 'UpToDate':
    case 'SWHardeningNeeded':
      return 'OutOfDate';
    case 'ConfigurationNeeded':
    case 'ConfigurationAndSWHardeningNeeded':
      return 'OutOfDateConfigurationNeeded';
    case 'OutOfDate':
    case 'OutOfDateConfigurationNeeded':
    case 'Revoked':
      return platform;
  }
}

const current: readonly PlatformStatus[] = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
];

/**
 * The status of a TD when platform and module were updated after its launch: an outdated launch on a platform that is current now
 * advises to relaunch the TD; configuration that either of them needs stays needed.
 * Source: intel/confidential-computing.tee.dcap.qvl, `TDRelaunchCheck.cpp`.
 * @param launch - converged status at launch, from TEE_TCB_SVN
 * @param now - converged status now, from TEE_TCB_SVN2
 */
export function relaunchStatus(launch: PlatformStatus, now: PlatformStatus): PlatformStatus | RelaunchStatus {
  if (launch !== 'OutOfDate' && launch !== 'OutOfDateConfigurationNeeded') return launch;
  if (!current.includes(now)) return launch;
  const configuration = launch === 'OutOfDateConfigurationNeeded' || now.startsWith('Configuration');
  return configuration ? 'TDRelaunchAdvisedConfigurationNeeded' : 'TDRelaunchAdvised';
}

/** Code with which policy refuses a status that is not listed. */
export function refusalCode(status: TcbStatus): ErrorCode {
  if (status === 'NotSupported') return 'STUN_POLICY_TCB_NOT_SUPPORTED';
  return status === 'Revoked' ? 'STUN_POLICY_TCB_REVOKED' : 'STUN_POLICY_TCB_STATUS';
}
