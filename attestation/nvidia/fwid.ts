/**
 * The digest of a device's first firmware (FWID) in the certificate of the key that signs reports.
 *
 * Hopper and LS10 carry the composite device id of early DICE, {version, device key, FWID}; Blackwell the DiceTcbInfo, whose first
 * FWID counts. Both are read strictly, to their last byte.
 * Source: TCG "DICE Attestation Architecture" version 1.1, section 6.1.1 (DiceTcbInfo); "Implicit Identity Based Device Attestation"
 * version 1.0, section 5 (composite device id).
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { equalBytes } from '#protocol/bytes.ts';
import { DerReader, derTag } from '../asn1/der.ts';
import { readBitString, readOid, readSmallInteger } from '../asn1/der-values.ts';
import { readEcKey } from '../x509/read-certificate.ts';
import { oid } from '../x509/extension.ts';
import type { DeviceChain } from './device-chain.ts';

/** Extensions that carry a FWID. */
export const fwidOid = { compositeDeviceId: '2.23.133.5.4.1', diceTcbInfo: '2.23.133.5.4.1.1' } as const;
const sha384Oid = '2.16.840.1.101.3.4.2.2';
/** DiceTcbInfo's operational flags: not secure, in recovery, in debug mode. */
const insecureFlags = [1, 2, 3] as const;

/** What the certificate says of the firmware. */
export interface CertifiedFirmware {
  /** SHA-384, 48 bytes. */
  readonly fwid: Uint8Array;
  /** Whether the device says that it is not secure, in recovery or in debug mode; null where certificates do not say it (Hopper, LS10). */
  readonly debug: boolean | null;
}

function refuse(reason: string): never {
  throw new StunError('STUN_GPU_FWID', reason);
}

/**
 * Reads the certified firmware of a chain.
 * @throws `STUN_GPU_FWID` when there is none, two, one of another device's key or digest; `STUN_DER_FORMAT`
 */
export function readCertifiedFirmware({ firmware, device }: DeviceChain): CertifiedFirmware {
  const composite = firmware.extensions.get(fwidOid.compositeDeviceId);
  const tcbInfo = firmware.extensions.get(fwidOid.diceTcbInfo);
  if (composite !== undefined && tcbInfo === undefined) return readCompositeDeviceId(composite.value, device.key);
  if (tcbInfo !== undefined && composite === undefined) return readDiceTcbInfo(tcbInfo.value);
  return refuse('expected one extension with a FWID in the certificate of the firmware');
}

function readFwid(entry: DerReader): Uint8Array {
  const algorithm = readOid(entry);
  if (algorithm !== sha384Oid) refuse(`expected a FWID of SHA-384, got ${algorithm}`);
  const digest = entry.read(derTag.octetString).content;
  entry.end();
  return digest.length === 48 ? digest : refuse(`expected a FWID of 48 bytes, got ${digest.length}`);
}

function readCompositeDeviceId(value: Uint8Array, deviceKey: Uint8Array): CertifiedFirmware {
  const outer = new DerReader(value);
  const body = outer.enter(derTag.sequence);
  outer.end();
  if (readSmallInteger(body) !== 1) refuse('expected version 1 of the composite device id');
  if (!equalBytes(readEcKey(body, oid.secp384r1, 97), deviceKey))
    refuse('the composite device id names another key than the device certificate');
  const fwid = readFwid(body.enter(derTag.sequence));
  body.end();
  return { fwid, debug: null };
}

/** Context tags of DiceTcbInfo that are read; the others are texts and numbers that nothing here depends on. */
const tcbInfoTag = { fwids: 0xa6, flags: 0x87 } as const;

function readDiceTcbInfo(value: Uint8Array): CertifiedFirmware {
  const outer = new DerReader(value);
  const body = outer.enter(derTag.sequence);
  outer.end();
  let fwids: readonly Uint8Array[] = [];
  let debug: boolean | null = null;
  for (let last = -1, tag = body.peek(); tag !== null; tag = body.peek()) {
    const number = tag & 0x1f;
    if ((tag & 0xc0) !== 0x80 || number <= last) refuse('expected the fields of DiceTcbInfo once each and in order');
    last = number;
    if (tag === tcbInfoTag.fwids) fwids = [...body.enter(tag).rest(derTag.sequence)].map(readFwid);
    else if (tag === tcbInfoTag.flags) debug = readInsecure(body.read(tag).content);
    else body.read(tag);
  }
  const [fwid] = fwids;
  return { fwid: fwid ?? refuse('expected a FWID in DiceTcbInfo, got none'), debug };
}

/** Reads an implicitly tagged BIT STRING of flags, bit 0 first. */
function readInsecure(content: Uint8Array): boolean {
  const bits = readBitString(new DerReader(Uint8Array.of(derTag.bitString, content.length, ...content)));
  return insecureFlags.some((flag) => ((bits[0] ?? 0) & (0x80 >> flag)) !== 0);
}
