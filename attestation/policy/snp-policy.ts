/** What a customer admits of SEV-SNP. Every field is required; opting out of a check is `{ "skip": "reason" }`. */
import type { FieldReader } from '../json/fields.ts';
import type { SnpTcb } from '../snp/product.ts';
import { tcbComponents } from '../snp/product.ts';
import type { SnpProduct } from '../trust/roots.ts';
import { snpProducts } from '../trust/roots.ts';
import type { Skip } from './policy-fields.ts';
import { hexList, hexListOrSkip, hexOrSkip, hexText, maxEntries, readSkip, refusePolicy } from './policy-fields.ts';

/** Floors for a TCB version, for each product line. */
export type SnpTcbFloors = { readonly [Product in SnpProduct]: SnpTcb | Skip };

/** Bit masks are 8 bytes as `0x` hex in the byte order of the report (little-endian); digests are `0x` hex. */
export interface SnpPolicy {
  /** Product lines that are admitted. */
  readonly products: readonly SnpProduct[];
  /** Floor of the report's version, 2 to 5. */
  readonly minReportVersion: number;
  readonly requireRevocationData: boolean;
  /** Clouds whose VLEK may sign, by CSP_ID. A VLEK names no chip, so reports under it are refused unless the cloud is named here. */
  readonly vlekCspIds: readonly string[];
  readonly allowDebug: boolean;
  readonly allowMigrationAgent: boolean;
  /** Guest policy bits that must be set; bit 17 always is. The ABI version in bits 0 to 15 is not looked at. */
  readonly guestPolicyRequired: string;
  /** Guest policy bits that may be set, beside DEBUG and MIGRATE_MA, which have checks of their own. */
  readonly guestPolicyMask: string;
  /** Whether the platform must have completed the memory alias check. */
  readonly requireAliasCheck: boolean;
  readonly platformInfoRequired: string;
  readonly platformInfoMask: string;
  /** Floors for REPORTED_TCB, the version that the VEK endorses. */
  readonly minTcb: SnpTcbFloors;
  /** Floors for LAUNCH_TCB, the version under which the guest was launched. */
  readonly minLaunchTcb: SnpTcbFloors;
  /** Mitigation bits that must be set at launch and now; reports before version 5 show none. */
  readonly mitigations: string | Skip;
  /** Privilege levels that may ask for the report, 0 to 3. */
  readonly vmpls: readonly number[];
  readonly minGuestSvn: number;
  /** Floor of the committed firmware. */
  readonly minFirmware: { readonly major: number; readonly minor: number; readonly build: number };
  /** SHA-384 of the keys that may sign the guest's ID block, 48 bytes each. */
  readonly idKeyDigests: readonly string[] | Skip;
  /** SHA-384 of the author keys, 48 bytes each; a list demands that the author key is enabled. */
  readonly authorKeyDigests: readonly string[] | Skip;
  /** HOST_DATA, 32 bytes each. */
  readonly hostData: readonly string[] | Skip;
  /** Launch measurements, 48 bytes each. */
  readonly measurements: readonly string[] | Skip;
  /** CHIP_IDs of 64 bytes that are admitted; a skip admits every chip that is not denied. */
  readonly hardwareIds: readonly string[] | Skip;
  readonly deniedHardwareIds: readonly string[];
}

const keys = [
  'products',
  'minReportVersion',
  'requireRevocationData',
  'vlekCspIds',
  'allowDebug',
  'allowMigrationAgent',
  'guestPolicyRequired',
  'guestPolicyMask',
  'requireAliasCheck',
  'platformInfoRequired',
  'platformInfoMask',
  'minTcb',
  'minLaunchTcb',
  'mitigations',
  'vmpls',
  'minGuestSvn',
  'minFirmware',
  'idKeyDigests',
  'authorKeyDigests',
  'hostData',
  'measurements',
  'hardwareIds',
  'deniedHardwareIds',
] as const satisfies readonly (keyof SnpPolicy)[];

function readFloor(fields: FieldReader): SnpTcb | Skip {
  if (fields.has('skip')) return readSkip(fields);
  fields.only(...tcbComponents);
  return Object.fromEntries(tcbComponents.map((name) => [name, fields.integer(name, 0, 255)])) as SnpTcb;
}

function readFloors(fields: FieldReader): SnpTcbFloors {
  fields.only(...snpProducts);
  return Object.fromEntries(snpProducts.map((name) => [name, readFloor(fields.object(name))])) as SnpTcbFloors;
}

function readFirmware(fields: FieldReader): SnpPolicy['minFirmware'] {
  fields.only('major', 'minor', 'build');
  return {
    major: fields.integer('major', 0, 255),
    minor: fields.integer('minor', 0, 255),
    build: fields.integer('build', 0, 255),
  };
}

function readVmpls(fields: FieldReader): readonly number[] {
  return fields
    .list('vmpls', 4)
    .map((value) =>
      value === 0 || value === 1 || value === 2 || value === 3 ? value : refusePolicy('vmpls may name 0, 1, 2, 3'),
    );
}

/** Reads the SEV-SNP part of a policy. @throws `STUN_POLICY_FORMAT`, naming the field */
export function readSnpPolicy(fields: FieldReader): SnpPolicy {
  fields.only(...keys);
  const mask = (key: keyof SnpPolicy): string => hexText(fields.string(key), 8, key);
  return {
    products: fields
      .strings('products', snpProducts.length)
      .map(
        (text) => snpProducts.find((product) => product === text) ?? refusePolicy(`products may name ${snpProducts.join(', ')}`),
      ),
    minReportVersion: fields.integer('minReportVersion', 2, 5),
    requireRevocationData: fields.boolean('requireRevocationData'),
    vlekCspIds: fields.strings('vlekCspIds', maxEntries),
    allowDebug: fields.boolean('allowDebug'),
    allowMigrationAgent: fields.boolean('allowMigrationAgent'),
    guestPolicyRequired: mask('guestPolicyRequired'),
    guestPolicyMask: mask('guestPolicyMask'),
    requireAliasCheck: fields.boolean('requireAliasCheck'),
    platformInfoRequired: mask('platformInfoRequired'),
    platformInfoMask: mask('platformInfoMask'),
    minTcb: readFloors(fields.object('minTcb')),
    minLaunchTcb: readFloors(fields.object('minLaunchTcb')),
    mitigations: hexOrSkip(fields, 'mitigations', 8),
    vmpls: readVmpls(fields),
    minGuestSvn: fields.integer('minGuestSvn', 0, 0xffffffff),
    minFirmware: readFirmware(fields.object('minFirmware')),
    idKeyDigests: hexListOrSkip(fields, 'idKeyDigests', 48),
    authorKeyDigests: hexListOrSkip(fields, 'authorKeyDigests', 48),
    hostData: hexListOrSkip(fields, 'hostData', 32),
    measurements: hexListOrSkip(fields, 'measurements', 48),
    hardwareIds: hexListOrSkip(fields, 'hardwareIds', 64),
    deniedHardwareIds: hexList(fields, 'deniedHardwareIds', 64),
  };
}

const anyTcb: Skip = { skip: 'no floor is named: every TCB version that AMD certifies is admitted' };
const anyOf = (what: string): Skip => ({ skip: `no reference values are named: ${what} is admitted` });

/**
 * The default: report version 3 or later, Genoa or Turin, alias check done, no debug, no migration agent.
 * Source: docs/design.md, section 6. Milan only when it is named: its VCEK seed can be extracted by software.
 */
export const defaultSnpPolicy: SnpPolicy = {
  products: ['Genoa', 'Turin'],
  minReportVersion: 3,
  requireRevocationData: true,
  vlekCspIds: [],
  allowDebug: false,
  allowMigrationAgent: false,
  // Bit 17 is always set.
  guestPolicyRequired: '0x0000020000000000',
  // SMT (16), 17, SINGLE_SOCKET (20), MEM_AES_256_XTS (22), RAPL_DIS (23), CIPHERTEXT_HIDING (24), PAGE_SWAP_DISABLE (25).
  // CXL_ALLOW (21) lets the guest's memory leave the socket's own and is not here.
  guestPolicyMask: '0x0000d30300000000',
  requireAliasCheck: true,
  platformInfoRequired: '0x0000000000000000',
  // SMT, TSME, ECC, RAPL disabled, ciphertext hiding, alias check, TIO. Bit 6 is reserved.
  platformInfoMask: '0xbf00000000000000',
  minTcb: { Milan: anyTcb, Genoa: anyTcb, Turin: anyTcb },
  minLaunchTcb: { Milan: anyTcb, Genoa: anyTcb, Turin: anyTcb },
  mitigations: { skip: 'no mitigation is named' },
  // What runs at a higher number than 0 is not in charge of the guest.
  vmpls: [0],
  minGuestSvn: 0,
  // The first API version whose reports show the alias check.
  minFirmware: { major: 1, minor: 55, build: 0 },
  idKeyDigests: anyOf('any ID block'),
  authorKeyDigests: anyOf('any author'),
  hostData: anyOf('any host data'),
  measurements: anyOf('any guest image'),
  hardwareIds: { skip: 'any chip that is not denied is admitted' },
  deniedHardwareIds: [],
};
