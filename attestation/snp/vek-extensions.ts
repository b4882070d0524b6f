/**
 * What a VCEK or VLEK certificate says in AMD's own extensions: product, TCB version, chip or cloud.
 * Every value is DER inside the extension, but for the HWID, which is raw.
 * Source: "VCEK Certificate and KDS Interface Specification" (AMD 57230), custom extensions under 1.3.6.1.4.1.3704.1.
 */
import { toHex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { DerReader, derTag } from '../asn1/der.ts';
import { readSmallInteger } from '../asn1/der-values.ts';
import type { SnpProduct } from '../trust/roots.ts';
import type { AmdCertificate } from './certificate.ts';
import type { SnpTcb, TcbComponent } from './product.ts';
import { productOfName, tcbComponents } from './product.ts';

const base = '1.3.6.1.4.1.3704.1';
/** Object identifiers of the extensions. */
export const vekOid = {
  structVersion: `${base}.1`,
  productName: `${base}.2`,
  bootloader: `${base}.3.1`,
  tee: `${base}.3.2`,
  snp: `${base}.3.3`,
  reserved: [`${base}.3.4`, `${base}.3.5`, `${base}.3.6`, `${base}.3.7`],
  microcode: `${base}.3.8`,
  fmc: `${base}.3.9`,
  hwId: `${base}.4`,
  cspId: `${base}.5`,
} as const;

/** Bytes of a HWID: the whole CHIP_ID, on Turin its first eight bytes. */
export const hwIdBytes: { readonly [Product in SnpProduct]: number } = { Milan: 64, Genoa: 64, Turin: 8 };

function readLevel(vek: AmdCertificate, id: string): number | null {
  const extension = vek.extensions.get(id);
  if (extension === undefined) return null;
  const reader = new DerReader(extension.value);
  const level = readSmallInteger(reader);
  reader.end();
  return level;
}

function readText(vek: AmdCertificate, id: string): string | null {
  const extension = vek.extensions.get(id);
  if (extension === undefined) return null;
  const reader = new DerReader(extension.value);
  const tag = reader.peek() === derTag.utf8String ? derTag.utf8String : derTag.ia5String;
  const text = new TextDecoder().decode(reader.read(tag).content);
  reader.end();
  return text;
}

/**
 * The product line that a VEK is made for. The structure version is 1 on Turin and 0 before it.
 * @throws `STUN_SNP_PRODUCT` | `STUN_DER_FORMAT`
 */
export function readVekProduct(vek: AmdCertificate): SnpProduct {
  const name = readText(vek, vekOid.productName) ?? '';
  const product = productOfName(name);
  if (product === null) throw new StunError('STUN_SNP_PRODUCT', `the VEK is for the product "${name.slice(0, 32)}"`);
  const version = readLevel(vek, vekOid.structVersion);
  const expected = product === 'Turin' ? 1 : 0;
  if (version !== expected)
    throw new StunError(
      'STUN_SNP_PRODUCT',
      `expected structure version ${expected} in a VEK for ${product}, got ${version ?? 'none'}`,
    );
  return product;
}

/**
 * The TCB version that a VEK is made for.
 * @throws `STUN_SNP_TCB` when a level is missing or above 255, a reserved level is not zero, or an FMC level stands where there is no FMC;
 * `STUN_DER_FORMAT`
 */
export function readVekTcb(vek: AmdCertificate, product: SnpProduct): SnpTcb {
  const level = (component: TcbComponent): number => {
    const found = readLevel(vek, vekOid[component]);
    if (component === 'fmc' && product !== 'Turin') {
      if (found !== null) throw new StunError('STUN_SNP_TCB', `a VEK for ${product} has an FMC level`);
      return 0;
    }
    if (found === null || found > 255)
      throw new StunError('STUN_SNP_TCB', `the VEK has ${found === null ? 'no' : 'an impossible'} level for ${component}`);
    return found;
  };
  for (const id of vekOid.reserved)
    if ((readLevel(vek, id) ?? 0) !== 0) throw new StunError('STUN_SNP_TCB', `the VEK has a level that AMD reserves (${id})`);
  const levels = tcbComponents.map((component) => [component, level(component)] as const);
  return Object.freeze(Object.fromEntries(levels) as SnpTcb);
}

/**
 * The chip of a VCEK, padded with zeros to the 64 bytes of CHIP_ID.
 * @throws `STUN_SNP_HWID` when there is none, or it has another length than the product's
 */
export function readHwId(vek: AmdCertificate, product: SnpProduct): Uint8Array {
  const value = vek.extensions.get(vekOid.hwId)?.value;
  if (value?.length !== hwIdBytes[product])
    throw new StunError('STUN_SNP_HWID', `expected a HWID of ${hwIdBytes[product]} bytes, got ${value?.length ?? 'none'}`);
  const chipId = new Uint8Array(64);
  chipId.set(value);
  return chipId;
}

/** Whether a VEK names a chip, and the cloud it names: `CN=cc-us-east-2.amazonaws.com`, say. @throws `STUN_DER_FORMAT` */
export function readVekHolder(vek: AmdCertificate): { readonly hwId: string | null; readonly cspId: string | null } {
  const hwId = vek.extensions.get(vekOid.hwId)?.value;
  return { hwId: hwId === undefined ? null : toHex(hwId), cspId: readText(vek, vekOid.cspId) };
}
